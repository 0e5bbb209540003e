/* ZeRO (Rajbhandari et al. 2020, arXiv:1910.02054) and the distributed optimizer of Megatron-LM.
 *
 * Bytes a parameter, d ranks sharing it:      weights      gradients     optimizer
 *   0                                          w            g             o
 *   1 (distributed optimizer)                  w            g             o / d
 *   2                                          w            g / d         o / d
 *   3 (FSDP)                                   w / d        g / d         o / d     + gathered layers
 *
 * Communication a step: 0 all-reduces gradients; 1 and 2 reduce-scatter them and all-gather the updated weights; 3
 * gathers each layer before its forward and again before its backward and reduce-scatters its gradients. */
#include "cost/state.h"

#include <math.h>

#include "collective/collective.h"
#include "cost/kernel.h"
#include "plan/parameters.h"

/* Shards inside a scale-up domain, copies across; a group that its domains do not divide evenly is sharded whole. */
static void hybrid_spans(const struct cost_context *context, const struct mesh *mesh, enum axis axis,
                         const struct span *all, struct span *ret_node, struct span *ret_far) {
    int64_t inner = all->size % all->inner == 0 ? all->inner : all->size;
    *ret_node = mesh_span(context->topology, mesh, axis, inner, 1);
    *ret_far = mesh_span(context->topology, mesh, axis, all->size / inner, inner);
}

struct state_spans state_spans(const struct cost_context *context, const struct cut *cut) {
    struct state_spans spans = {
        .dense = mesh_span(context->topology, &cut->mesh, AXIS_DP_CP, cut->mesh.axes[AXIS_DP_CP].size, 1),
        .expert = mesh_span(context->topology, &cut->mesh, AXIS_EDP, cut->mesh.axes[AXIS_EDP].size, 1),
    };
    if (cut->parallel.pp > 1) {
        spans.mirror = mesh_span(context->topology, &cut->mesh, AXIS_PP, 2, cut->parallel.pp - 1);
    }
    spans.dense_shard = spans.dense_part = (double)spans.dense.size;
    spans.expert_shard = spans.expert_part = (double)spans.expert.size;
    if (context->job->space.hybrid_shard) {
        hybrid_spans(context, &cut->mesh, AXIS_DP_CP, &spans.dense, &spans.dense_node, &spans.dense_far);
        hybrid_spans(context, &cut->mesh, AXIS_EDP, &spans.expert, &spans.expert_node, &spans.expert_far);
        spans.dense_part = (double)spans.dense_node.size;
        spans.expert_part = (double)spans.expert_node.size;
    }
    return spans;
}

/* Parameters of a class on one rank. The embedding of a tied model is held by the first and the last stage when they
 * differ. */
static void count_parameters(const struct cost_context *c, const struct cut *cut, const struct stage_class *class,
                             struct state_cost *s) {
    const struct parallel *parallel = &cut->parallel;
    for (int64_t kind = 0; kind < c->model->kind_count; kind++) {
        double layers = (double)class->layers[kind];
        struct parameters layer = parameters_layer(&c->params[kind], parallel);
        s->dense += layers * layer.dense;
        s->expert += layers * layer.expert;
        s->replicated += layers * layer.replicated;
        if (class->layers[kind] > 0) {
            s->layer_dense = fmax(s->layer_dense, layer.dense);
            s->layer_expert = fmax(s->layer_expert, layer.expert);
        }
    }
    const struct state_cost in_layers = *s;
    struct parameters embedding = parameters_embedding(c->model, &c->outer, parallel);
    struct parameters head = parameters_head(c->model, &c->outer, parallel, class->embedding > 0);
    s->dense += class->embedding * embedding.dense + class->head * head.dense;
    if (class->mtp > 0) {
        struct parameters mtp = parameters_mtp(c->model, &c->outer, &c->params[c->model->mtp_kind], parallel);
        s->dense += class->mtp * mtp.dense + (class->embedding > 0 ? 0 : embedding.dense);
        s->expert += class->mtp * mtp.expert;
    }
    s->dense += (class->embedding > 0 ? parameters_extra(c->model, 0) : 0) +
                (class->head > 0 ? parameters_extra(c->model, 1) : 0);
    s->replicated += class->embedding * embedding.replicated + class->head * head.replicated;
    s->outer_dense = fmax(0, s->dense - in_layers.dense);
    s->outer_expert = fmax(0, s->expert - in_layers.expert);
}

/* Parameters whose optimizer state the rank keeps. */
static double owned_parameters(const struct state_spans *spans, int64_t zero, const struct state_cost *s) {
    if (zero == 0) {
        return s->dense + s->expert;
    }
    return zero >= 3 ? s->dense / spans->dense_part + s->expert / spans->expert_part
                     : s->dense / spans->dense_shard + s->expert / spans->expert_shard;
}

static void count_bytes(const struct cost_context *c, const struct state_spans *spans, int64_t zero,
                        struct state_cost *s) {
    const struct state_bytes *b = &c->state;
    double all = s->dense + s->expert;
    double shard = owned_parameters(spans, zero, s);
    s->weights = b->weight * (zero >= 3 ? shard : all);
    s->gradients = b->gradient * (zero >= 2 ? shard : all);
    s->optimizer = b->optimizer * (zero >= 1 ? shard : all);
    s->gathered = 0;
    if (zero == 2) {
        s->gathered = b->gradient * fmin(all, parameters_bucket(c->job, spans->dense_shard));
    } else if (zero >= 3) { /* the layer at work, the next one and what stands outside; one unit's gradients */
        double layer = s->layer_dense + s->layer_expert, outer = s->outer_dense + s->outer_expert;
        s->gathered = b->weight * (2 * layer + outer) + b->gradient * fmax(layer, outer);
    }
}

/* Reduces `elements` of gradients over a data-parallel group: all-reduce or reduce-scatter; hybrid shards
 * reduce-scatter in the node and all-reduce the shards across nodes. */
static double reduce_seconds(const struct cost_context *c, const struct span *all, const struct span *node,
                             const struct span *far, int64_t zero, double elements) {
    double bytes = elements * c->state.gradient;
    if (zero == 0) {
        return collective_seconds(all, COLLECTIVE_ALL_REDUCE, bytes, NULL);
    }
    if (zero >= 3 && c->job->space.hybrid_shard) {
        return collective_seconds(node, COLLECTIVE_REDUCE_SCATTER, bytes, NULL) +
               collective_seconds(far, COLLECTIVE_ALL_REDUCE, bytes / (double)node->size, NULL);
    }
    return collective_seconds(all, COLLECTIVE_REDUCE_SCATTER, bytes, NULL);
}

static double gather_seconds(const struct cost_context *c, const struct span *all, const struct span *node,
                             int64_t zero, double elements) {
    const struct span *span = zero >= 3 && c->job->space.hybrid_shard ? node : all;
    return collective_seconds(span, COLLECTIVE_ALL_GATHER, elements * c->state.weight, NULL);
}

/* A step's gradients in buckets: equal pieces, one after another. */
static double bucketed(const struct cost_context *c, const struct span *all, const struct span *node,
                       const struct span *far, int64_t zero, double elements, double *ret_last) {
    double bucket = fmin(elements, parameters_bucket(c->job, (double)all->size));
    if (elements <= 0) {
        return 0;
    }
    *ret_last = fmax(*ret_last, reduce_seconds(c, all, node, far, zero, bucket));
    return elements / bucket * reduce_seconds(c, all, node, far, zero, bucket);
}

static void time_communication(const struct cost_context *c, const struct state_spans *sp, int64_t zero,
                               struct state_cost *s) {
    s->reduce_seconds = bucketed(c, &sp->dense, &sp->dense_node, &sp->dense_far, zero, s->dense, &s->bucket_seconds) +
                        bucketed(c, &sp->expert, &sp->expert_node, &sp->expert_far, zero, s->expert,
                                 &s->bucket_seconds);
    if (zero == 1 || zero == 2) {
        s->gather_seconds = gather_seconds(c, &sp->dense, &sp->dense_node, zero, s->dense) +
                            gather_seconds(c, &sp->expert, &sp->expert_node, zero, s->expert);
        double share = (s->layer_dense + s->layer_expert) / fmax(1, s->dense + s->expert);
        s->first_gather_seconds = s->gather_seconds * fmin(1, share);
    }
}

static double unit_gather(const struct cost_context *c, const struct state_spans *sp, int64_t zero, double dense,
                          double expert) {
    return zero < 3 ? 0
                    : gather_seconds(c, &sp->dense, &sp->dense_node, zero, dense) +
                          gather_seconds(c, &sp->expert, &sp->expert_node, zero, expert);
}

static double unit_reduce(const struct cost_context *c, const struct state_spans *sp, int64_t zero, double dense,
                          double expert) {
    return reduce_seconds(c, &sp->dense, &sp->dense_node, &sp->dense_far, zero, dense) +
           reduce_seconds(c, &sp->expert, &sp->expert_node, &sp->expert_far, zero, expert);
}

/* Units are the layers, and one of all that stands outside them (FSDP's root: Zhao et al. 2023, arXiv:2304.11277,
 * section 4). */
static void time_traffic(const struct cost_context *c, const struct cut *cut, const struct state_spans *sp,
                         const struct stage_class *class, int64_t zero, struct state_cost *s) {
    struct shard_traffic *t = &s->traffic;
    for (int64_t kind = 0; kind < c->model->kind_count; kind++) {
        if (class->layers[kind] > 0) {
            struct parameters layer = parameters_layer(&c->params[kind], &cut->parallel);
            double gather = unit_gather(c, sp, zero, layer.dense, layer.expert);
            double reduce = unit_reduce(c, sp, zero, layer.dense, layer.expert);
            t->layers_gather += (double)class->layers[kind] * gather;
            t->layers_reduce += (double)class->layers[kind] * reduce;
            t->first_gather = fmax(t->first_gather, gather);
            t->last_reduce = fmax(t->last_reduce, reduce);
        }
    }
    t->outer_gather = unit_gather(c, sp, zero, s->outer_dense, s->outer_expert);
    t->outer_reduce = unit_reduce(c, sp, zero, s->outer_dense, s->outer_expert);
}

/* Adam reads gradient, master weight and both moments and writes master, moments and the 16-bit weight; clipping reads
 * the gradients once more. Muon adds five Newton-Schulz products per matrix (about 20 x rows FLOPs an element). */
double cost_update_seconds(const struct cost_context *c, double owned) {
    double weights = c->element > 2 || !c->job->master_weights ? 2 : 1; /* without a master they are read too */
    double bytes = owned * (c->state.gradient + 2 * c->state.optimizer + weights * c->state.weight);
    double seconds = kernel_memory(c->device, bytes);
    if (c->job->clip_gradients) {
        seconds += kernel_memory(c->device, owned * c->state.gradient);
    }
    if (c->job->optimizer == OPTIMIZER_MUON) {
        double rows = (double)c->model->hidden_size;
        seconds += owned * 20 * rows / kernel_gemm_rate(c->device, DTYPE_BF16);
    }
    return seconds;
}

/* Gradients of parameters that several ranks hold besides data parallelism, summed once a step after backward. Sequence
 * parallelism: norms, router and what else is whole on every tensor-parallel rank sees only a part of the tokens there
 * (Korthikanti et al. 2022, arXiv:2205.05198). The embedding table, where the last stage holds it too: as a tied head,
 * or for MTP blocks (Narayanan et al. 2021, arXiv:2104.04473). */
static void time_copies(const struct cost_context *c, const struct cut *cut, const struct state_spans *spans,
                        const struct stage_class *class, struct state_cost *s) {
    if (cut->parallel.sp) {
        s->replicated_seconds =
            collective_seconds(&cut->tp, COLLECTIVE_ALL_REDUCE, s->replicated * c->state.gradient, NULL);
    }
    bool copied = c->model->tie_word_embeddings || c->mtp;
    bool one_end = (class->embedding > 0) != (class->head > 0);
    if (copied && one_end && cut->parallel.pp > 1 && c->model->image == NULL) {
        int64_t rows = model_padded_vocab(c->model, cut->parallel.tp) / cut->parallel.tp;
        double bytes = (double)(rows * c->model->hidden_size) * c->state.gradient;
        s->table_seconds = collective_seconds(&spans->mirror, COLLECTIVE_ALL_REDUCE, bytes, NULL);
    }
}

void cost_state(const struct cost_context *context, const struct cut *cut, const struct state_spans *spans,
                const struct stage_class *class, bool two_way, int64_t zero, struct state_cost *ret) {
    *ret = (struct state_cost){0};
    count_parameters(context, cut, class, ret);
    count_bytes(context, spans, zero, ret);
    time_communication(context, spans, zero, ret);
    if (zero >= 2) {
        time_traffic(context, cut, spans, class, zero, ret);
    }
    time_copies(context, cut, spans, class, ret);
    if (two_way) {
        ret->reduce_seconds += collective_seconds(&spans->mirror, COLLECTIVE_ALL_REDUCE,
                                                  (ret->dense + ret->expert) * context->state.gradient, NULL);
    }
    ret->update_seconds = cost_update_seconds(context, owned_parameters(spans, zero, ret));
}

double cost_state_bytes(const struct cost_context *context, const struct cut *cut, const struct state_spans *spans,
                        const struct stage_class *class, int64_t zero) {
    struct state_cost state = {0};
    count_parameters(context, cut, class, &state);
    count_bytes(context, spans, zero, &state);
    return state.weights + state.gradients + state.optimizer + state.gathered;
}
