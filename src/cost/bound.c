/* Bounds from kernels and states alone. */
#include "cost/bound.h"

#include <math.h>

#include "cost/layer.h"

static double work_kernels(const struct cost_context *c, const struct layer_work *work, bool with_attention) {
    struct layer_work kept = *work;
    struct layer_cost cost;
    kept.operation_count = 0;
    for (int i = 0; i < work->operation_count; i++) {
        const struct operation *o = &work->operations[i];
        if (with_attention || (o->kind != OPERATION_ATTENTION && o->kind != OPERATION_SCORES)) {
            kept.operations[kept.operation_count++] = *o;
        }
    }
    cost_operations(c, &kept, &cost);
    return cost.forward.compute + cost.backward.compute + cost.weight.compute;
}

double bound_kernels(const struct cost_context *context, const struct parallel *shape, int64_t micro_batch) {
    const struct model *model = context->model;
    struct parallel cut = *shape;
    cut.sp = cut.tp > 1; /* the least memory-bound work */
    cut.ulysses = 1;
    cut.cp_kind = CONTEXT_RING;
    struct shard shard = cost_shard(context, &cut, micro_batch);
    int64_t layers[MODEL_KINDS] = {0};
    for (int64_t i = 0; i < model->layer_count; i++) {
        layers[model->layers[i]]++;
    }
    struct layer_work work;
    double seconds = 0;
    for (int64_t kind = 0; kind < model->kind_count; kind++) {
        operation_layer(context->model, &model->kinds[kind], &shard, &work);
        seconds += (double)layers[kind] * work_kernels(context, &work, cut.cp == 1);
    }
    operation_head(context->model, &shard, context->job->kernels.fused_cross_entropy, &work);
    return seconds + work_kernels(context, &work, true);
}

double bound_step(const struct cost_context *context, int64_t pp, int64_t micro_batches, double kernels) {
    const struct runtime *runtime = &context->topology->runtime;
    double jitter = context->nodes > 1 ? runtime->jitter * log2((double)context->nodes) : 0;
    return (double)micro_batches * kernels / (double)pp * (1 + jitter) + runtime->step_overhead;
}

double bound_memory(const struct cost_context *context, const struct parallel *shape, int64_t micro_batch) {
    const struct model *model = context->model;
    double dense = 0, experts = 0;
    for (int64_t i = 0; i < model->layer_count; i++) {
        const struct layer_params *p = &context->params[model->layers[i]];
        dense += (double)(p->attention + p->mlp) / (double)shape->tp + (double)p->replicated;
        experts += (double)p->experts / (double)(shape->ep * shape->etp);
    }
    dense /= (double)shape->pp;
    experts /= (double)shape->pp;
    bool all = shape->pp == 1;
    double shards = (double)(shape->dp * shape->cp);
    double expert_shards = (double)(shape->tp * shape->cp * shape->dp) / (double)(shape->ep * shape->etp);
    const struct state_bytes *b = &context->state;
    double kept = all ? 0 : b->weight + b->gradient;
    double sharded = all ? b->weight + b->gradient + b->optimizer : b->optimizer;
    if (context->job->space.hybrid_shard) { /* shards inside a node only */
        shards = fmin(shards, (double)context->world / (double)context->nodes);
        expert_shards = fmin(expert_shards, (double)context->world / (double)context->nodes);
    }
    double states = dense * (kept + sharded / shards) + experts * (kept + sharded / expert_shards);
    double tokens = (double)micro_batch * (double)context->tokens / (double)shape->cp / (double)shape->tp;
    double layers = (double)model->layer_count / (double)shape->pp;
    double inputs = layers * context->element * tokens * (double)model->hidden_size;
    return states + inputs + context->device->context + context->device->workspace;
}
