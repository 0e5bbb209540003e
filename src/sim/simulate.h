/* A plan, simulated: lowered, priced, played; what it took, where it went, what every rank held. */
#ifndef PARPLAN_SIM_SIMULATE_H
#define PARPLAN_SIM_SIMULATE_H

#include "cost/estimate.h"
#include "program/lower.h"
#include "sim/engine.h"
#include "sim/memory.h"
#include "sim/path.h"

struct simulate_options {
    int detail;      /* enum detail */
    int contention;  /* enum contention_level */
    bool every_rank, record, expandable;
    const struct scenario *scenario;
    int64_t seed, seeds; /* seeds > 1: further steps with seed + 1 ...; their times alone are kept */
};

struct rank_report {
    int64_t pipeline_rank, rank, ranks; /* of the mesh: the lowest global rank; how many share the role */
    double peak;                        /* bytes, with what lives outside the tensors: runtime, library, allocator */
    double reserved;                    /* what a caching allocator takes for its tensors */
    struct memory_curve memory;
    int64_t busy[STREAM_COUNT];         /* picoseconds */
    int64_t span_start, span_end;       /* of its passes */
    int64_t in_flight;                  /* most chunk activations at once */
};

struct simulation {
    struct program program;
    struct price *prices;
    struct engine_result result;  /* of the first seed */
    double step_time;             /* seconds, with step overhead and synchronisation jitter */
    double makespan, span;        /* of the passes: latest end; longest first-to-last of a rank */
    double bubble;                /* idle part of the compute streams within the makespan */
    struct time_parts parts;      /* of the critical path; they add up to step_time */
    struct critical_path path;
    struct rank_report *ranks;    /* by role */
    double *step_times;           /* of all seeds, as drawn */
    double p50, p95, p99;         /* of them */
    double wall;                  /* set by the caller */
};

/* STATUS_INVALID with reasons when the plan cannot be lowered, its program is not sound, or a scenario stops it. */
enum status simulate(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                     const struct simulate_options *options, struct simulation *ret, struct diag *diag) MUST_CHECK;

#endif
