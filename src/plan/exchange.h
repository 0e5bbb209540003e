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

struct exchange {
    const char *name;
    enum axis axis;
    int64_t size, step; /* which part of the axis: `size` members, every `step`-th */
    enum collective kind;
    double bytes;       /* full logical buffer (collective.h) */
    double count;       /* how often, one after another */
    enum exchange_phase phase;
    unsigned parts;     /* recompute parts that repeat a forward exchange in backward */
    enum exchange_beside beside;
    double beside_n, beside_k; /* the GEMM beside: tokens x k times k x n */
};

enum { EXCHANGES_MAX = 40 };
struct exchange_list {
    struct exchange items[EXCHANGES_MAX];
    int count;
};

/* The exchanges of one layer and one micro-batch under `shard` and the job's software. Pure. */
void exchange_layer(const struct model *model, const struct layer_kind *kind, const struct shard *shard, int cp_kind,
                    const struct job *job, const struct layer_work *work, struct exchange_list *ret);

/* The vocabulary-parallel embedding's, and the head's and loss's (Megatron-LM, Shoeybi et al. 2019
 * arXiv:1909.08053). */
void exchange_embedding(const struct model *model, const struct shard *shard, const struct layer_work *work,
                        struct exchange_list *ret);
void exchange_head(const struct model *model, const struct shard *shard, const struct layer_work *work,
                   struct exchange_list *ret);

#endif
