/* The plan: the decision, complete and by itself, with what was expected of it. A small YAML file that a person can
 * read, edit, commit and review; parplan estimates, simulates, exports and runs it. */
#ifndef PARPLAN_PLAN_PLAN_H
#define PARPLAN_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/field.h"
#include "plan/job.h"
#include "plan/mesh.h"

struct node;
struct model;
struct topology;

/* One point of the search space. */
struct parallel {
    int64_t tp, pp, vpp, dp, cp, ep, etp, zero;
    bool sp;
    int cp_kind;       /* enum context_kind */
    int64_t ulysses;   /* inner degree of usp, 1 otherwise */
    int order;         /* enum mesh_order */
};

struct decision {
    struct parallel parallel;
    int64_t micro_batch, micro_batches;
    int schedule;      /* enum schedule_name */
    int recompute;     /* enum recompute */
    int stages;        /* STAGES_EVEN or STAGES_ENDS */
};

/* Seconds of a step by what they are spent on; they add up to the step time. */
struct time_parts {
    double compute, bubble, tp_exposed, pp_exposed, dp_exposed, cp_exposed, ep_exposed, optimizer, overhead;
};

/* Bytes by what they hold, of the rank that peaks; they add up to the peak. */
struct memory_parts {
    double weights, gradients, optimizer, activations, logits, communication, runtime, allocator;
};

struct memory_report {
    double peak, limit;    /* bytes */
    int64_t rank;          /* a rank that peaks */
    struct memory_parts parts;
};

/* What the cost model says of a decision. */
struct estimate {
    bool feasible;
    struct list reasons;   /* const char *: why not, the binding one first */
    struct decision decision;
    int64_t global_batch, sequence_length;
    double step_time, step_time_low, step_time_high;
    double tokens_per_s, model_tflops_per_gpu, hardware_tflops_per_gpu, mfu, hfu;
    double cost_per_mtoken, energy_per_mtoken; /* USD and J per million tokens; 0 = unknown price or power */
    struct time_parts time;
    struct memory_report memory;
};

struct plan_input { const char *kind, *name, *digest; }; /* digest "fnv1a64:0123456789abcdef" */
/* Ranks first + i*stride + j*run_stride, i < run; run 0 = one run. scope: domain | cluster */
struct plan_axis { const char *axis; int64_t size, stride, run, run_stride; const char *scope; };
struct plan_stage { int64_t rank, chunk, first, layers; const char *extra; };    /* extra: embedding, head, mtp */

struct plan {
    const char *name, *parplan; /* parplan: version that wrote it */
    const char *model, *topology; /* names or paths as they were given */
    int64_t devices;
    struct job job;             /* the training facts; the space is fixed to the decision */
    struct decision decision;
    struct list axes;           /* struct plan_axis: rank map */
    struct list layout;         /* struct plan_stage: layers of every chunk; empty: by the decision's rule */
    struct list order;          /* const char *: a line of passes a pipeline rank ("F0.0 F0.1 BW0.0 ..."), instead of
                                   what the schedule would make; empty: the schedule's */
    struct estimate expected;
    double lower_bound, gap;    /* seconds; relative */
    struct list inputs;         /* struct plan_input */
};

extern const struct field plan_fields[];
extern const struct field estimate_fields[];
extern const struct field parallel_fields[];

/* The job as the plan fixes it: every axis of the space is the decision's. */
struct job plan_job(struct arena *arena, const struct plan *plan);
void plan_fix_space(struct arena *arena, const struct decision *decision, struct space *ret);

/* Rounds what was expected to six significant digits: a plan is read and compared by people. */
void plan_round(struct plan *plan);

enum status plan_load(struct arena *arena, struct node *root, struct plan *ret_plan, struct diag *diag) MUST_CHECK;

#endif
