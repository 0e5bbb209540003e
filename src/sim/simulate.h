/* A plan, simulated: lowered, priced, played; what it took, where it went, what every rank held. */
#ifndef PARPLAN_SIM_SIMULATE_H
#define PARPLAN_SIM_SIMULATE_H

#include "cost/estimate.h"
#include "program/lower.h"
#include "sim/engine.h"
#include "sim/memory.h"
#include "sim/path.h"

struct node;

struct simulate_options {
    const struct node *root; /* the plan's document: places of what is wrong with it; may be NULL */
    int detail;              /* enum detail */
    int contention;          /* enum contention_level */
    bool every_rank, expandable;
    bool brief; /* step times and the parts alone: no reports of ranks, no critical path */
    const struct scenario *scenario;
    int64_t seed, seeds; /* seeds > 1: further steps with seed + 1 ...; their times alone are kept */
};

/* A role, as the rank of it that computes longest sees the step: the lowest when all do the same. */
struct rank_report {
    int64_t pipeline_rank, rank, ranks; /* global; how many share the role */
    int64_t instance;                   /* of the result (engine.h) */
    double peak;                        /* bytes, with what lives outside the tensors: runtime, library, allocator */
    struct memory_parts parts;          /* of the peak; they add up to it */
    double outside;                     /* of them runtime and library */
    struct memory_curve memory;
    struct allocator_report allocator;
    int64_t busy[STREAM_COUNT];         /* picoseconds */
    int64_t span_start, span_end;       /* of its passes */
    int64_t in_flight;                  /* most chunk activations at once */
};

struct simulation {
    struct program program;
    struct work_price *prices;
    struct engine_result result;  /* of the first seed */
    double step_time;             /* seconds, with step overhead and synchronisation jitter */
    double makespan, span;        /* of the passes: latest end; longest first-to-last of a rank */
    double bubble;                /* idle part of the compute streams within the makespan */
    struct time_parts parts;      /* of the busiest rank's step (parts.h); they add up to step_time */
    int64_t busiest;              /* its role */
    struct critical_path path;
    struct rank_report *ranks;    /* by role */
    int64_t fullest;              /* the role that peaks */
    double *step_times;           /* of all seeds, as drawn */
    double p50, p95, p99;         /* of them */
    double wall;                  /* set by the caller */
};

/* STATUS_INVALID with reasons when the plan cannot be lowered or its program is not sound; STATUS_NEGATIVE with who
 * waits for whom when a scenario stops the step. */
enum status simulate(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                     const struct simulate_options *options, struct simulation *ret, struct diag *diag) MUST_CHECK;

#endif
