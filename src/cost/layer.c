/* Times a layer: its kernels, and every exchange by its collective, less what runs beside it. */
#include "cost/layer.h"

#include <math.h>

#include "collective/collective.h"
#include "cost/kernel.h"
#include "plan/holding.h"

struct cut cost_cut(const struct cost_context *context, const struct parallel *parallel) {
    const struct topology *topology = context->topology;
    struct cut cut = {.parallel = *parallel};
    cut.mesh = mesh_make(parallel->tp, parallel->cp, parallel->dp, parallel->pp, parallel->ep, parallel->etp,
                         (enum mesh_order)parallel->order);
    cut.tp = mesh_span(topology, &cut.mesh, AXIS_TP, parallel->tp, 1);
    cut.cp = mesh_span(topology, &cut.mesh, AXIS_CP, parallel->cp, 1);
    cut.cp_inner = mesh_span(topology, &cut.mesh, AXIS_CP, parallel->ulysses, 1);
    cut.cp_ring = mesh_span(topology, &cut.mesh, AXIS_CP, parallel->cp / parallel->ulysses, parallel->ulysses);
    cut.ep = mesh_span(topology, &cut.mesh, AXIS_EP, parallel->ep, 1);
    cut.ep_inner = mesh_span(topology, &cut.mesh, AXIS_EP, cut.ep.inner, 1);
    cut.ep_outer = mesh_span(topology, &cut.mesh, AXIS_EP, parallel->ep / cut.ep.inner, cut.ep.inner);
    cut.etp = mesh_span(topology, &cut.mesh, AXIS_ETP, parallel->etp, 1);
    return cut;
}

const struct span *cost_exchange_span(const struct cut *cut, const struct exchange *exchange) {
    switch (exchange->axis) {
    case AXIS_TP:
        return &cut->tp;
    case AXIS_CP:
        return exchange->step > 1 ? &cut->cp_ring : exchange->size < cut->cp.size ? &cut->cp_inner : &cut->cp;
    case AXIS_EP:
        return exchange->step > 1 ? &cut->ep_outer : exchange->size < cut->ep.size ? &cut->ep_inner : &cut->ep;
    case AXIS_ETP:
    case AXIS_DP:
    case AXIS_PP:
    case AXIS_EDP:
    case AXIS_DP_CP:
    case AXIS_COUNT:
        break;
    }
    return &cut->etp;
}

double cost_exchange_seconds(const struct cut *cut, const struct exchange *exchange) {
    return collective_seconds(cost_exchange_span(cut, exchange), exchange->kind, exchange->bytes, NULL);
}

/* Seconds of one exchange that stay visible. What runs beside it is slowed by it (SMs and memory bandwidth are shared);
 * that slow-down counts as visible too. `attention` is the device time of one ring block, `shared` what shared experts
 * leave to one of the exchanges beside them. */
static double visible_seconds(const struct cost_context *c, const struct cut *cut, const struct exchange *e,
                              double tokens, double attention, double shared) {
    double seconds = cost_exchange_seconds(cut, e);
    double beside = 0;
    double pieces = 1;
    switch (e->beside) {
    case BESIDE_NOTHING:
        break;
    case BESIDE_ATTENTION:
        beside = attention;
        break;
    case BESIDE_INPUT_GRADIENT:
        beside = kernel_gemm(c->device, c->dtype, tokens, e->beside_k, e->beside_n, 1);
        break;
    case BESIDE_WEIGHT_GRADIENT:
        beside = kernel_gemm(c->device, c->dtype, e->beside_k, e->beside_n, tokens, 1);
        break;
    case BESIDE_GEMM:
        beside = kernel_gemm(c->device, c->dtype, tokens, e->beside_n, e->beside_k, 1);
        pieces = (double)e->size;
        break;
    case BESIDE_SHARED_EXPERTS:
        beside = shared;
        break;
    }
    if (pieces > 1) { /* of n pieces one is alone at an end */
        double hidden = fmin(seconds, beside) * (pieces - 1) / pieces;
        return seconds - hidden + hidden * c->topology->runtime.overlap_slowdown;
    }
    double hidden = fmin(seconds, beside);
    return (seconds - hidden + hidden * c->topology->runtime.overlap_slowdown) * e->count;
}

static void pass_expose(struct pass_cost *pass, enum axis axis, double seconds, double kernels) {
    pass->kernels += kernels;
    if (axis == AXIS_TP) {
        pass->exposed.tp += seconds;
    } else if (axis == AXIS_CP) {
        pass->exposed.cp += seconds;
    } else {
        pass->exposed.ep += seconds;
    }
}

static double shared_seconds(const struct cost_context *c, double tokens, const struct cut *cut) {
    const struct moe *moe = c->model->moe;
    if (moe == NULL || moe->shared_intermediate_size == 0) {
        return 0;
    }
    double width = (double)moe->shared_intermediate_size / (double)cut->parallel.tp;
    double up = c->model->mlp == MLP_SWIGLU || c->model->mlp == MLP_GEGLU ? 2 : 1;
    return (1 + 1 / up) * kernel_gemm(c->device, c->dtype, tokens, up * width, (double)c->model->hidden_size, 1);
}

/* Exchanges of one pass that share the time of the shared experts. */
static double beside_shared(const struct exchange_list *list) {
    int count = 0;
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        count += e->beside == BESIDE_SHARED_EXPERTS && e->phase == EXCHANGE_FORWARD ? 1 : 0;
    }
    return fmax(1, (double)count);
}

static void time_exchanges(const struct cost_context *c, const struct cut *cut, const struct layer_work *work,
                           const struct exchange_list *list, struct layer_cost *cost) {
    double blocks = (double)(cut->parallel.cp / cut->parallel.ulysses);
    double attention[2] = {0, 0};
    double shared = 0;
    if (cut->parallel.cp > 1) {
        attention[0] = cost_attention_seconds(c, work, false) / blocks;
        attention[1] = cost_attention_seconds(c, work, true) / blocks;
    }
    if (cut->parallel.ep > 1) {
        shared = shared_seconds(c, work->tokens, cut) / beside_shared(list);
    }
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        double seconds = visible_seconds(c, cut, e, work->tokens, attention[e->phase], shared);
        pass_expose(e->phase == EXCHANGE_FORWARD ? &cost->forward : &cost->backward, e->axis, seconds, e->count);
        for (int mode = 0; mode < RECOMPUTE_KINDS && e->phase == EXCHANGE_FORWARD; mode++) {
            if ((e->parts & job_recompute_parts(c->job, c->model, (enum recompute)mode)) != 0) {
                pass_expose(&cost->again[mode], e->axis, seconds, e->count);
            }
        }
    }
}

struct shard cost_cut_shard(const struct cost_context *context, const struct cut *cut, int64_t micro_batch) {
    struct shard shard = cost_shard(context, &cut->parallel, micro_batch);
    shard.ep_domains = cut->parallel.ep % cut->ep.inner == 0 ? cut->parallel.ep / cut->ep.inner : 1;
    return shard;
}

static void time_work(const struct cost_context *c, const struct cut *cut, const struct layer_work *work,
                      const struct exchange_list *list, struct layer_cost *ret) {
    cost_operations(c, work, ret);
    time_exchanges(c, cut, work, list, ret);
}

void cost_layer(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
                const struct layer_kind *kind, struct layer_cost *ret) {
    struct shard shard = cost_cut_shard(context, cut, micro_batch);
    struct layer_work work;
    struct exchange_list list;
    operation_layer(context->model, kind, &shard, &work);
    exchange_layer(context->model, kind, &shard, cut->parallel.cp_kind, context->job, &work, &list);
    time_work(context, cut, &work, &list, ret);
}

/* Embedding, head and loss are never recomputed. */
static void keep_all(struct layer_cost *cost) {
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        cost->saved[mode] = cost->working;
        cost->again[mode] = (struct pass_cost){0};
    }
}

void cost_embedding(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
                    struct layer_cost *ret) {
    struct shard shard = cost_shard(context, &cut->parallel, micro_batch);
    struct layer_work work;
    struct exchange_list list;
    operation_embedding(context->model, &shard, &work);
    exchange_embedding(context->model, &shard, &work, &list);
    time_work(context, cut, &work, &list, ret);
    keep_all(ret);
}

void cost_head(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
               struct layer_cost *ret) {
    struct shard shard = cost_shard(context, &cut->parallel, micro_batch);
    struct layer_work work;
    struct exchange_list list;
    bool fused = context->job->kernels.fused_cross_entropy;
    operation_head(context->model, &shard, fused, &work);
    exchange_head(context->model, &shard, &work, &list);
    time_work(context, cut, &work, &list, ret);
    struct holding holding = holding_head(&work, fused);
    ret->working = holding.working;
    keep_all(ret);
    ret->logits = holding.logits;
    ret->transient = holding.transient;
}

/* The MTP projection is split by output, which is gathered behind it; both inputs before it with sequence parallelism.
 * `whole`: bytes of one input of all ranks. */
static void expose_projection(const struct cut *cut, bool gathers, double whole, struct layer_cost *ret) {
    double out = collective_seconds(&cut->tp, COLLECTIVE_ALL_GATHER, whole, NULL);
    double in = gathers ? collective_seconds(&cut->tp, COLLECTIVE_ALL_GATHER, 2 * whole, NULL) : 0;
    enum collective back = gathers ? COLLECTIVE_REDUCE_SCATTER : COLLECTIVE_ALL_REDUCE;
    ret->forward.exposed.tp += in + out;
    ret->backward.exposed.tp += collective_seconds(&cut->tp, back, 2 * whole, NULL);
}

void cost_mtp(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
              const struct layer_cost *layer, const struct layer_cost *head, struct layer_cost *ret) {
    const struct model *model = context->model;
    *ret = *layer;
    double h = (double)model->hidden_size;
    struct shard shard = cost_shard(context, &cut->parallel, micro_batch);
    double tokens = (double)micro_batch * (double)shard.seq_len / (double)shard.cp;
    double own = shard.sequence_parallel ? tokens / (double)shard.tp : tokens;
    struct layer_work work = {.operation_count = 1};
    work.operations[0] = (struct operation){.kind = OPERATION_GEMM, .m = tokens, .n = h / (double)shard.tp, .k = 2 * h};
    struct layer_cost projection;
    cost_operations(context, &work, &projection);
    cost_pass_add(&ret->forward, &projection.forward, 1);
    cost_pass_add(&ret->backward, &projection.backward, 1);
    cost_pass_add(&ret->weight, &projection.weight, 1);
    cost_pass_add(&ret->forward, &head->forward, 1);
    cost_pass_add(&ret->backward, &head->backward, 1);
    cost_pass_add(&ret->weight, &head->weight, 1);
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        struct holding both[] = {{.saved = layer->saved[mode], .working = layer->working},
                                 {.saved = head->saved[mode], .working = head->working, .logits = head->logits}};
        struct holding holding = holding_mtp(&both[0], &both[1], context->element * own * h);
        ret->saved[mode] = holding.saved;
        ret->working = holding.working;
        ret->logits = holding.logits;
    }
    expose_projection(cut, shard.sequence_parallel, context->element * tokens * h, ret);
}
