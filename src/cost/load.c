/* The load of a pipeline: what one micro-batch costs every rank class. */
#include <math.h>

#include "collective/collective.h"
#include "cost/price.h"
#include "plan/shard.h"

/* A vocabulary spread over all stages, forward as backward: what the embedding's shards found is summed on the first
 * stage, the head's input goes from the last to all, and the loss' statistics are all-reduced (arXiv:2411.05288,
 * section 4). */
static double vocabulary_seconds(const struct cost_context *c, const struct cut *cut, double message,
                                 double statistics) {
    struct span stages = mesh_span(c->topology, &cut->mesh, AXIS_PP, cut->parallel.pp, 1);
    return collective_seconds(&stages, COLLECTIVE_REDUCE, message, NULL) +
           collective_seconds(&stages, COLLECTIVE_BROADCAST, message, NULL) +
           collective_seconds(&stages, COLLECTIVE_ALL_REDUCE, statistics, NULL);
}

/* Tensor-parallel ranks hold the same activations between stages, or with sequence parallelism each its part: each
 * sends one part and what is whole is gathered behind the wire (Narayanan et al. 2021, arXiv:2104.04473, section
 * 4.1). */
void cost_work(const struct cost_context *context, const struct cut *cut, int64_t micro_batch, struct work_cost *ret) {
    const struct model *model = context->model;
    for (int64_t kind = 0; kind < model->kind_count; kind++) {
        cost_layer(context, cut, micro_batch, &model->kinds[kind], &ret->kinds[kind]);
    }
    cost_embedding(context, cut, micro_batch, &ret->embedding);
    cost_head(context, cut, micro_batch, &ret->head);
    ret->mtp = (struct layer_cost){0};
    if (context->mtp) {
        cost_mtp(context, cut, micro_batch, &ret->kinds[model->mtp_kind], &ret->head, &ret->mtp);
    }
    struct shard shard = cost_shard(context, &cut->parallel, micro_batch);
    double tokens = plan_stage_tokens(model, &shard);
    double whole = context->element * tokens * (double)model->hidden_size;
    ret->message = whole / (double)shard.tp;
    ret->hop_seconds = ret->vocabulary_seconds = 0;
    if (cut->parallel.pp > 1 && context->job->vocab_parallel) {
        ret->vocabulary_seconds = vocabulary_seconds(context, cut, ret->message, 4 * tokens);
    }
    if (cut->parallel.pp > 1) {
        struct link hop = route_hop(context->topology, cut->mesh.axes[AXIS_PP].stride, cut->parallel.pp);
        ret->hop_seconds = hop.latency + ret->message / hop.rate;
        if (!shard.sequence_parallel) {
            ret->hop_seconds += collective_seconds(&cut->tp, COLLECTIVE_ALL_GATHER, whole, NULL);
        }
    }
}

/* The passes of one class before they become seconds. */
struct class_passes {
    struct pass_cost forward, backward, weight, again;
};

static void passes_add(struct class_passes *sum, const struct layer_cost *cost, int recompute, double times) {
    if (times > 0) {
        cost_pass_add(&sum->forward, &cost->forward, times);
        cost_pass_add(&sum->backward, &cost->backward, times);
        cost_pass_add(&sum->weight, &cost->weight, times);
        cost_pass_add(&sum->again, &cost->again[recompute], times);
    }
}

static void bytes_add(struct class_load *load, const struct layer_cost *cost, int recompute, double times) {
    if (times > 0) {
        load->saved += times * cost->saved[recompute];
        load->logits = fmax(load->logits, cost->logits * fmin(1, times));
        load->extra = fmax(load->extra, cost->working - cost->saved[recompute] + cost->transient);
    }
}

void cost_class_bytes(const struct cost_context *context, const struct stage_class *class,
                      const struct work_cost *work, int recompute, struct class_load *ret) {
    *ret = (struct class_load){.message = work->message};
    for (int64_t kind = 0; kind < context->model->kind_count; kind++) {
        bytes_add(ret, &work->kinds[kind], recompute, (double)class->layers[kind]);
    }
    bytes_add(ret, &work->embedding, RECOMPUTE_NONE, class->embedding);
    bytes_add(ret, &work->head, RECOMPUTE_NONE, class->head);
    bytes_add(ret, &work->mtp, recompute, class->mtp);
}

/* ZeRO-2 reduces a layer's gradients in every micro-batch, beside the next layer's backward. ZeRO-3: a layer's weights
 * are gathered while the layer before runs; its gradients are reduced while the next runs. What stands outside the
 * layers is gathered first, kept for backward and reduced last. The first gather of a pass and the last reduction have
 * nothing to hide behind (Zhao et al. 2023, arXiv:2304.11277, section 4.3). */
static void add_shard_traffic(const struct cost_context *c, const struct state_cost *state, double layers,
                              struct class_load *load) {
    const struct shard_traffic *t = &state->traffic;
    double slow = 1 - c->topology->runtime.overlap_slowdown, share = (layers - 1) / layers;
    double gather = t->layers_gather, reduce = t->layers_reduce + t->outer_reduce;
    double last = t->outer_reduce > 0 ? t->outer_reduce : t->last_reduce;
    double forward = gather + t->outer_gather, backward = gather + reduce;
    double may_gather = c->job->overlap.parameters ? gather - t->first_gather : 0;
    double may_reduce = c->job->overlap.gradients ? reduce - last : 0;
    forward -= slow * fmin(may_gather, load->forward * share);
    backward -= slow * fmin(may_gather + may_reduce, (load->backward + load->weight) * share);
    load->dp_exposed = forward + backward;
    load->forward += forward;
    load->backward += backward;
}

/* Exchanges of a spread vocabulary run beside the layers of other micro-batches, as sends between stages do. */
static void add_vocabulary(const struct cost_context *c, double seconds, struct class_load *load) {
    double hidden = c->job->overlap.pipeline ? 1 - c->topology->runtime.overlap_slowdown : 0;
    double forward = seconds - hidden * fmin(seconds, load->forward);
    double backward = seconds - hidden * fmin(seconds, load->backward);
    load->pp_exposed = forward + backward;
    load->forward += forward;
    load->backward += backward;
}

void cost_class(const struct cost_context *context, const struct stage_class *class, const struct work_cost *work,
                const struct state_cost *state, int recompute, int64_t zero, struct class_load *ret) {
    struct class_passes p = {0};
    cost_class_bytes(context, class, work, recompute, ret);
    for (int64_t kind = 0; kind < context->model->kind_count; kind++) {
        passes_add(&p, &work->kinds[kind], recompute, (double)class->layers[kind]);
    }
    passes_add(&p, &work->embedding, RECOMPUTE_NONE, class->embedding);
    passes_add(&p, &work->head, RECOMPUTE_NONE, class->head);
    passes_add(&p, &work->mtp, recompute, class->mtp);
    ret->recompute_flops = p.again.flops;
    cost_pass_add(&p.backward, &p.again, 1);
    ret->compute = p.forward.compute + p.backward.compute + p.weight.compute;
    ret->exposed.tp = p.forward.exposed.tp + p.backward.exposed.tp + p.weight.exposed.tp;
    ret->exposed.cp = p.forward.exposed.cp + p.backward.exposed.cp + p.weight.exposed.cp;
    ret->exposed.ep = p.forward.exposed.ep + p.backward.exposed.ep + p.weight.exposed.ep;
    ret->forward = cost_pass_seconds(context, &p.forward);
    ret->backward = cost_pass_seconds(context, &p.backward);
    ret->weight = cost_pass_seconds(context, &p.weight);
    ret->flops = p.forward.flops + p.backward.flops + p.weight.flops;
    add_vocabulary(context, work->vocabulary_seconds, ret);
    if (zero >= 2 && class->total > 0) {
        add_shard_traffic(context, state, (double)class->total, ret);
    }
}

/* Overlapped pairs hide the experts' all-to-alls of one micro-batch behind the other's compute (DeepSeek-V3,
 * arXiv:2412.19437, section 3.2.1). */
static struct pass_times class_times(const struct class_load *load, double held, double overhead,
                                     double slowdown) {
    double pair = load->forward + load->backward + load->weight;
    pair -= (1 - slowdown) * fmin(load->exposed.ep, pair - load->exposed.ep);
    return (struct pass_times){.forward = load->forward / held + overhead,
                               .backward = load->backward / held + overhead,
                               .weight = load->weight / held,
                               .pair = pair / held + 2 * overhead};
}

void cost_load(const struct cost_context *context, const struct stage_map *map, const struct work_cost *work,
               const struct state_cost states[], int recompute, int64_t zero, struct stage_load *ret) {
    double held = (double)placement_held(map->placement, map->chunks);
    double overhead = context->topology->runtime.micro_batch_overhead;
    struct pass_times times[STAGE_CLASSES];
    for (int64_t i = 0; i < map->class_count; i++) {
        cost_class(context, &map->classes[i], work, &states[i], recompute, zero, &ret->classes[i]);
        times[i] = class_times(&ret->classes[i], held, overhead, context->topology->runtime.overlap_slowdown);
    }
    ret->hop = map->ranks > 1 ? work->hop_seconds : 0;
    bool beside = context->job->overlap.pipeline;
    for (int64_t rank = 0; rank < map->ranks; rank++) {
        ret->ranks[rank] = times[map->rank_class[rank]];
    }
    load_gather(&ret->pipeline_without_hop, ret->ranks, map->ranks, 0);
    if (beside) {
        ret->pipeline = ret->pipeline_without_hop;
        ret->pipeline.hop = ret->hop;
    } else { /* blocking sends and receives take their time on both ranks */
        for (int64_t rank = 0; rank < map->ranks; rank++) {
            ret->ranks[rank].forward += ret->hop;
            ret->ranks[rank].backward += ret->hop;
            ret->ranks[rank].pair += 2 * ret->hop;
        }
        load_gather(&ret->pipeline, ret->ranks, map->ranks, 0);
    }
    ret->heaviest = map->rank_class[ret->pipeline_without_hop.heaviest_rank];
}
