/* What a layer's cut communicates: the collectives that follow from the layouts of its tensors (layout.h), with the
 * axis, the size and what may run beside them. The cost model times this list; a program lowers it to operations. */
#ifndef PARPLAN_PLAN_EXCHANGE_H
#define PARPLAN_PLAN_EXCHANGE_H

#include <stdbool.h>

#include "collective/collective.h"
#include "model/operation.h"
#include "plan/job.h"
#include "plan/mesh.h"

enum exchange_phase { EXCHANGE_FORWARD, EXCHANGE_BACKWARD };

/* Work of the same layer that does not depend on the exchange and may run while it is under way. */
enum exchange_beside {
    BESIDE_NOTHING,
    BESIDE_ATTENTION,       /* ring attention: the block that is already here */
    BESIDE_INPUT_GRADIENT,  /* the input-gradient GEMM of the same projection */
    BESIDE_WEIGHT_GRADIENT, /* the weight-gradient GEMM of the same projection */
    BESIDE_GEMM,            /* the GEMM it feeds or follows, cut in pieces */
    BESIDE_SHARED_EXPERTS
};

/* Where an exchange belongs in its pass. */
enum exchange_place {
    EXCHANGE_FEEDS,       /* its operations need what it brings; in backward: their input gradients do */
    EXCHANGE_FOLLOWS,     /* it takes what its operations made; in backward: their input gradients */
    EXCHANGE_FEEDS_WEIGHT /* the weight gradients of its operations need what it brings */
};

struct exchange {
    const char *name;
    enum axis axis;
    int64_t size, step; /* which part of the axis: `size` members, every `step`-th */
    enum collective kind;
    double bytes;       /* full logical buffer (collective.h) */
    double count;       /* how often, one after another */
    enum exchange_phase phase;
    int first, last;    /* of the layer's operations: which ones it feeds or follows, most often one. Backward comes to
                           them from the last to the first */
    enum exchange_place place;
    unsigned parts;     /* recompute parts that repeat a forward exchange in backward */
    enum exchange_beside beside;
    double beside_n, beside_k; /* the GEMM beside: tokens x k times k x n */
};

enum { EXCHANGES_MAX = 40 };
struct exchange_list {
    struct exchange items[EXCHANGES_MAX];
    int count;
};

/* The exchanges of one layer and one micro-batch under `shard` and the job's software; those of one place in the order
 * in which they run. `work`: as operation_layer lists it. Pure. */
void exchange_layer(const struct model *model, const struct layer_kind *kind, const struct shard *shard, int cp_kind,
                    const struct job *job, const struct layer_work *work, struct exchange_list *ret);

/* The vocabulary-parallel embedding's, and the head's and loss's (Megatron-LM, Shoeybi et al. 2019
 * arXiv:1909.08053). */
void exchange_embedding(const struct model *model, const struct shard *shard, const struct layer_work *work,
                        struct exchange_list *ret);
void exchange_head(const struct model *model, const struct shard *shard, const struct layer_work *work,
                   struct exchange_list *ret);
/* The projection's at the head of an MTP block, operation 0 of `work`: split by output, which is gathered behind it. */
void exchange_projection(const struct model *model, const struct shard *shard, const struct layer_work *work,
                         struct exchange_list *ret);

#endif
