/* Seconds and bytes of one layer and one micro-batch on one rank: kernels of the layer's operations plus the exchanges
 * that nothing hides. */
#ifndef PARPLAN_COST_LAYER_H
#define PARPLAN_COST_LAYER_H

#include "cost/context.h"
#include "plan/exchange.h"
#include "plan/mesh.h"
#include "plan/plan.h"

/* Seconds of communication left visible, by axis. */
struct exposed { double tp, cp, ep; };

/* One pass over a layer. `compute` is device time of kernels; `kernels` counts launches, which the host must make in
 * time: a pass takes the longer of device and host. */
struct pass_cost {
    double compute, kernels, flops;
    struct exposed exposed;
};

struct layer_cost {
    struct pass_cost forward, backward, weight;    /* backward: input gradients; weight: weight gradients */
    struct pass_cost again[RECOMPUTE_KINDS];       /* what recomputation adds to backward */
    double saved[RECOMPUTE_KINDS];                 /* bytes kept per micro-batch */
    double working;                                /* bytes of everything the layer keeps without recomputation */
    double transient;                              /* bytes of the largest gradient buffers alive in backward */
    double logits;                                 /* bytes of the loss (head only) */
};

/* The communicators of a cut, looked up once. */
struct cut {
    struct parallel parallel;
    struct mesh mesh;
    struct span tp, cp, cp_inner, cp_ring, ep, ep_inner, ep_outer, etp;
};

struct cut cost_cut(const struct cost_context *context, const struct parallel *parallel);

/* A layer of kind `kind` under `cut`. Pure. */
void cost_layer(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
                const struct layer_kind *kind, struct layer_cost *ret);
/* Token embedding of the first stage; final norm, head and loss of the last. */
void cost_embedding(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
                    struct layer_cost *ret);
void cost_head(const struct cost_context *context, const struct cut *cut, int64_t micro_batch, struct layer_cost *ret);
/* One MTP block: projection 2h x h, a layer, and the head again (DeepSeek-V3, arXiv:2412.19437, section 2.2). */
void cost_mtp(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
              const struct layer_cost *layer, const struct layer_cost *head, struct layer_cost *ret);

/* Kernels and bytes alone, without exchanges: the same wherever the cut's groups lie. */
void cost_operations(const struct cost_context *context, const struct layer_work *work, struct layer_cost *ret);
/* Of them the fused attention alone. */
double cost_attention_seconds(const struct cost_context *context, const struct layer_work *work, bool backward);
/* What the exchanges of a layer follow from, and where one of them runs. */
struct shard cost_cut_shard(const struct cost_context *context, const struct cut *cut, int64_t micro_batch);
const struct span *cost_exchange_span(const struct cut *cut, const struct exchange *exchange);

/* One operation alone: its kernels of one pass. */
enum cost_pass { COST_FORWARD, COST_BACKWARD, COST_WEIGHT };
void cost_operation(const struct cost_context *context, const struct operation *operation, enum cost_pass pass,
                    struct pass_cost *ret);
/* One exchange alone, once, with nothing beside it. */
double cost_exchange_seconds(const struct cut *cut, const struct exchange *exchange);

/* Seconds of a pass: device work or host launches, whichever takes longer, plus visible communication. */
double cost_pass_seconds(const struct cost_context *context, const struct pass_cost *pass);
void cost_pass_add(struct pass_cost *sum, const struct pass_cost *pass, double times);

#endif
