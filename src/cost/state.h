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
    struct span mirror;                  /* the two ranks that hold the same layers in two-way schedules; the first and
                                            the last stage, which may hold the same table */
    double dense_shard, expert_shard;    /* ways model states are sharded */
    double dense_part, expert_part;      /* the same of ZeRO-3: hybrid shards stay inside the node */
};
struct state_spans state_spans(const struct cost_context *context, const struct cut *cut);

struct state_cost {
    double dense, expert;                 /* parameters on the rank before ZeRO */
    double layer_dense, layer_expert;     /* of its largest layer: what ZeRO-3 gathers at a time */
    double outer_dense, outer_expert;     /* outside its layers */
    double weights, gradients, optimizer; /* bytes kept */
    double replicated;                    /* of the dense ones: whole on every tensor-parallel rank */
    double gathered;                      /* bytes of ZeRO-3's gathered layers and of gradient buckets */
    double reduce_seconds;                /* gradients of a step, all buckets */
    double bucket_seconds;                /* the last bucket alone: never hidden */
    double gather_seconds;                /* updated parameters of a step (ZeRO 1 and 2) */
    double first_gather_seconds;
    struct shard_traffic {                /* ZeRO-2 and 3, seconds each micro-batch: */
        double layers_gather, layers_reduce; /* all layers, one after another */
        double first_gather, last_reduce;    /* of the largest layer: nothing runs beside the first, the last */
        double outer_gather, outer_reduce;   /* embedding, head and what else stands outside the layers */
    } traffic;
    double replicated_seconds;            /* tp ranks sum gradients of what is whole on each (sequence parallelism) */
    double table_seconds;                 /* first and last stage sum gradients of a table both hold */
    double update_seconds;                /* clipping and optimizer */
};

void cost_state(const struct cost_context *context, const struct cut *cut, const struct state_spans *spans,
                const struct stage_class *class, bool two_way, int64_t zero, struct state_cost *ret);

/* Clipping and updating parameters of which the rank owns so many. */
double cost_update_seconds(const struct cost_context *context, double owned);

/* Bytes kept alone, without seconds: a lower bound's cheap part. */
double cost_state_bytes(const struct cost_context *context, const struct cut *cut, const struct state_spans *spans,
                        const struct stage_class *class, int64_t zero);

#endif
