/* The job: what is to be trained, what the search may choose, what bounds it and what is best. Every key is also a
 * command-line flag of search and estimate (parplan-job(5)). */
#ifndef PARPLAN_PLAN_JOB_H
#define PARPLAN_PLAN_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/field.h"
#include "model/operation.h"
#include "plan/mesh.h"
#include "topology/device.h"

struct node;

enum optimizer { OPTIMIZER_ADAM, OPTIMIZER_SGD, OPTIMIZER_MUON, OPTIMIZER_ADAFACTOR };
enum recompute { RECOMPUTE_NONE, RECOMPUTE_SELECTIVE, RECOMPUTE_FULL, RECOMPUTE_KINDS };
enum context_kind { CONTEXT_RING, CONTEXT_ALL_GATHER, CONTEXT_ULYSSES, CONTEXT_USP, CONTEXT_KINDS };
enum stages_kind { STAGES_EVEN, STAGES_ENDS, STAGES_AUTO };
enum objective { OBJECTIVE_STEP_TIME, OBJECTIVE_TOKENS, OBJECTIVE_COST, OBJECTIVE_ENERGY, OBJECTIVE_MEMORY };
enum dispatch {
    DISPATCH_ALL_TO_ALL, /* a copy of the token for each of its experts */
    DISPATCH_ALL_GATHER, /* every token to every rank */
    DISPATCH_FLEX        /* a copy for each node, there one for each rank (DeepEP) */
};

struct kernels_used {
    bool flash_attention; /* fused attention: no score matrix in memory */
    double attention_rate; /* of fused attention over the device's best kernel: older generations are slower */
    bool fused_norm, fused_activation, fused_cross_entropy;
    bool fused_accumulation; /* weight gradients are added up in the GEMM that makes them */
    bool graphs;          /* CUDA graphs: no host launch cost */
};

/* What runs beside what; facts of the training software, not ratios. */
struct overlap {
    bool gradients;  /* data-parallel gradient buckets beside backward */
    bool parameters; /* parameter all-gathers beside forward */
    bool tensor;     /* tensor-parallel collectives beside the GEMMs they are independent of */
    bool pipeline;   /* sends and receives beside compute */
    bool experts;    /* all-to-alls beside shared experts and the other direction's compute */
};

/* The space of the search: every axis may be fixed, listed, ranged or auto. */
struct space {
    struct degrees tp, pp, vpp, dp, cp, ep, etp, zero, micro_batch;
    uint64_t sp;         /* bit 0 = off, bit 1 = on */
    uint64_t cp_kind;    /* bits of enum context_kind */
    uint64_t recompute;  /* bits of enum recompute */
    uint64_t schedule;   /* bits of enum schedule_name; see job_tries */
    uint64_t order;      /* bits of enum mesh_order */
    int stages;          /* enum stages_kind; auto = even and ends */
    int64_t ulysses;     /* inner Ulysses degree of usp; 0 = as large as the node allows */
    bool hybrid_shard;   /* HSDP: ZeRO-3 shards inside the node only */
};

struct job {
    const char *name, *source;
    int64_t nodes, gpus;       /* what the topology is scaled to; 0 = as it is */
    int64_t global_batch, seq_len;
    int precision;             /* enum dtype: of the GEMMs */
    int gradient_precision;    /* enum dtype: of accumulation and reduction */
    int moment_precision;      /* enum dtype: of the optimizer's moments */
    bool master_weights;
    int optimizer;
    bool clip_gradients;
    int dispatch;              /* enum dispatch */
    uint64_t recompute_ops;    /* what "selective" runs again: bit 0 = by rule, then one bit a recompute_part */
    bool vocab_parallel;       /* embedding and head spread over pipeline stages (arXiv:2411.05288) */
    bool train_mtp;            /* MTP blocks are trained (when the model has them) */
    struct kernels_used kernels;
    struct overlap overlap;
    double bucket;             /* elements of a gradient bucket; 0 = max(40e6, 1e6 dp) */
    double memory_fraction;    /* of usable memory that a plan may fill */
    struct space space;
    struct list forbid;        /* const char *: "tp > 8", "ep > 1 && cp > 1" are not offered; see parplan-job(5) */
    double max_step_time;      /* seconds; 0 = none */
    int objective;
    struct list pareto;        /* const char *: names of objectives: "time", "memory" */
    int64_t top;
    double time;               /* seconds the search may take; 0 = unbounded */
    int64_t threads;           /* 0 = all */
    int64_t seed;
};

extern const struct field job_fields[];

enum status job_load(struct arena *arena, struct node *root, struct job *ret_job, struct diag *diag) MUST_CHECK;
/* Checks rules across keys (seq_len and global_batch positive, ranges sane). */
enum status job_complete(struct arena *arena, struct job *job, const struct node *root, struct diag *diag) MUST_CHECK;

enum dtype job_dtype(const struct job *job); /* of the GEMMs */
/* Whether the space holds the schedule: `auto` stands for those that are searched, a list for what it names. */
bool job_tries(const struct job *job, int schedule);
/* Recompute parts (model/operation.h) that `mode` runs again. Selective by rule: core attention when its scores would
 * be kept; with fused attention norms and activations, and MLA's up-projections. */
unsigned job_recompute_parts(const struct job *job, const struct model *model, enum recompute mode);

/* Bytes per parameter of weights, gradients and optimizer state: bf16 Adam with fp32 gradients 2 + 4 + 12 (Megatron),
 * fp16 Adam with fp16 gradients 2 + 2 + 12 (ZeRO, Rajbhandari et al. 2020 arXiv:1910.02054, section 3). */
struct state_bytes { double weight, gradient, optimizer; };
struct state_bytes job_state_bytes(const struct job *job);

#endif
