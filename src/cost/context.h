/* What every price depends on and no configuration changes: the three inputs, and what is counted from them once. */
#ifndef PARPLAN_COST_CONTEXT_H
#define PARPLAN_COST_CONTEXT_H

#include "model/count.h"
#include "model/model.h"
#include "plan/job.h"
#include "topology/topology.h"

struct cost_context {
    const struct model *model;
    const struct topology *topology;
    const struct job *job;
    struct device device[1];      /* the slowest, with the derate of its group: what a synchronous step waits for */
    double memory_limit;          /* bytes that a rank may fill, of the smallest device */
    enum dtype dtype;
    double element;               /* bytes of an activation */
    int64_t world, nodes;
    int64_t tokens;               /* of a sequence: as the job says, of an image its patches */
    double price;                 /* USD/h of all devices */
    struct power power;           /* W of all devices */
    struct state_bytes state;
    struct layer_params params[MODEL_KINDS];
    struct outer_params outer;
    bool mtp;                     /* MTP blocks are trained */
    double model_flops;           /* forward + backward of one step, model FLOPs (count.h, FLOPS_OURS) */
};

/* Job and model must be complete; `model` is as published, its vocabulary is padded where it is cut. */
struct cost_context cost_context_make(const struct model *model, const struct topology *topology,
                                      const struct job *job);

/* The shard of a layer under a cut (cost/cut.h) for micro-batches of `micro_batch` sequences. */
struct parallel;
struct shard cost_shard(const struct cost_context *context, const struct parallel *parallel, int64_t micro_batch);

#endif
