/* Model states of a rank: parameters, gradients, optimizer state under ZeRO, and what their communication and update
 * cost a step. Depends on the cut, the stage's layers and the ZeRO stage, not on micro-batches. */
#ifndef PARPLAN_COST_STATE_H
#define PARPLAN_COST_STATE_H

#include "cost/layer.h"
#include "cost/stage.h"

/* The communicators of gradients and parameters. */
struct state_spans {
    struct span dense, expert;           /* dp x cp; edp */
    struct span dense_node, expert_node; /* hybrid shards: inside the node, and */
    struct span dense_far, expert_far;   /* across nodes */
    struct span mirror;                  /* the two ranks that hold the same layers in two-way schedules */
    double dense_shard, expert_shard;    /* ways model states are sharded */
};
struct state_spans state_spans(const struct cost_context *context, const struct cut *cut);

struct state_cost {
    double dense, expert;                 /* parameters on the rank before ZeRO */
    double layer_dense, layer_expert;     /* of its largest layer: what ZeRO-3 gathers at a time */
    double weights, gradients, optimizer; /* bytes kept */
    double gathered;                      /* bytes of ZeRO-3's gathered layers and of gradient buckets */
    double reduce_seconds;                /* gradients of a step, all buckets */
    double bucket_seconds;                /* the last bucket alone: never hidden */
    double gather_seconds;                /* updated parameters of a step (ZeRO 1 and 2) */
    double first_gather_seconds;
    double layer_gather_seconds, layer_reduce_seconds; /* ZeRO-3: one layer, each micro-batch */
    double update_seconds;                /* clipping and optimizer */
};

void cost_state(const struct cost_context *context, const struct cut *cut, const struct state_spans *spans,
                const struct stage_class *class, bool two_way, int64_t zero, struct state_cost *ret);

/* Bytes kept alone, without seconds: a lower bound's cheap part. */
double cost_state_bytes(const struct cost_context *context, const struct cut *cut, const struct state_spans *spans,
                        const struct stage_class *class, int64_t zero);

#endif
