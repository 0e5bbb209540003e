/* Passes and blocks: sums of what the cost model says of layers, embedding, head. */
#include <math.h>

#include "base/arena.h"
#include "sim/price_internal.h"

static const struct layer_cost *cost_of(const struct pricing *p, enum block block, int layer_kind) {
    switch (block) {
    case BLOCK_LAYER:
        return &p->work.kinds[layer_kind];
    case BLOCK_EMBEDDING:
        return &p->work.embedding;
    case BLOCK_MTP:
        return &p->work.mtp;
    case BLOCK_HEAD:
    case BLOCK_COUNT:
        break;
    }
    return &p->work.head;
}

static double device_seconds(const struct pass_cost *pass) {
    return pass->compute + pass->exposed.tp + pass->exposed.cp + pass->exposed.ep;
}

static double stretch_of(const struct pricing *p, const struct pass_cost *pass) {
    double device = device_seconds(pass);
    return device > 0 ? cost_pass_seconds(p->context, pass) / device : 1;
}

static void time_block(const struct pricing *p, struct block_price *b) {
    const struct layer_cost *cost = b->cost;
    struct pass_cost backward = cost->backward;
    cost_pass_add(&backward, &cost->again[b->recompute], 1);
    b->stretch = (struct stretch){stretch_of(p, &cost->forward), stretch_of(p, &backward),
                                  stretch_of(p, &cost->weight)};
    b->forward = cost_pass_seconds(p->context, &cost->forward);
    b->weight = cost_pass_seconds(p->context, &cost->weight);
    b->again = b->stretch.backward * device_seconds(&cost->again[b->recompute]);
    b->backward = fmax(0, cost_pass_seconds(p->context, &backward) - b->again);
    b->memory.forward = price_memory_share(p, &b->lists.work, COST_FORWARD);
    b->memory.backward = price_memory_share(p, &b->lists.work, COST_BACKWARD);
    b->memory.weight = price_memory_share(p, &b->lists.work, COST_WEIGHT);
}

const struct block_price *price_of_block(struct pricing *p, enum block block, int layer_kind) {
    struct block_price **slot = &p->blocks[block][layer_kind];
    if (*slot == NULL) {
        struct block_price *b = ARENA_NEW(p->arena, struct block_price);
        bool layer = block == BLOCK_LAYER || block == BLOCK_MTP;
        b->cost = cost_of(p, block, layer_kind);
        b->recompute = layer ? p->plan->decision.recompute : RECOMPUTE_NONE;
        block_work(p->context->model, p->context->job, &p->shard, p->cut.parallel.cp_kind, block, layer_kind,
                   &b->lists);
        time_block(p, b);
        *slot = b;
    }
    return *slot;
}

/* Seconds of an action on a block, and of the bandwidth-seconds that it uses; a full backward recomputes. */
struct taken {
    double seconds, memory, ep; /* ep: visible seconds of the experts' exchanges */
};

static void take(struct taken *sum, double seconds, double memory, double ep) {
    sum->seconds += seconds;
    sum->memory += seconds * memory;
    sum->ep += ep;
}

static void take_block(const struct block_price *b, enum action action, double times, struct taken *sum) {
    const struct layer_cost *cost = b->cost;
    bool full = action == ACTION_FULL;
    if (action == ACTION_FORWARD) {
        take(sum, times * b->forward, b->memory.forward, times * cost->forward.exposed.ep);
    }
    if (action == ACTION_BACKWARD || full) {
        take(sum, times * b->backward, b->memory.backward, times * cost->backward.exposed.ep);
    }
    if (action == ACTION_RECOMPUTE || action == ACTION_BACKWARD || full) {
        take(sum, times * b->again, b->memory.forward, times * cost->again[b->recompute].exposed.ep);
    }
    if (action == ACTION_WEIGHT || full) {
        take(sum, times * b->weight, b->memory.weight, times * cost->weight.exposed.ep);
    }
}

static void set_taken(const struct taken *taken, struct work_price *ret) {
    ret->picoseconds = price_picoseconds(taken->seconds);
    ret->memory = taken->seconds > 0 ? fmin(1, taken->memory / taken->seconds) : 0;
}

static void take_stage(struct pricing *p, int32_t index, enum action action, struct taken *sum) {
    const struct stage *stage = &p->program->stages[index];
    const struct model *model = p->context->model;
    double layers[MODEL_KINDS] = {0};
    for (int64_t i = stage->first; i < stage->first + stage->layers; i++) {
        layers[model->layers[i]]++;
    }
    for (int kind = 0; kind < model->kind_count; kind++) {
        if (layers[kind] > 0) {
            take_block(price_of_block(p, BLOCK_LAYER, kind), action, layers[kind], sum);
        }
    }
    if (stage->embedding) {
        take_block(price_of_block(p, BLOCK_EMBEDDING, 0), action, 1, sum);
    }
    if (stage->mtp > 0) {
        take_block(price_of_block(p, BLOCK_MTP, model->mtp_kind), action, (double)stage->mtp, sum);
    }
    if (stage->head) {
        take_block(price_of_block(p, BLOCK_HEAD, 0), action, 1, sum);
    }
}

/* Overlapped pairs hide the experts' all-to-alls of one micro-batch behind the other's compute (cost/load.c). */
void price_pass(struct pricing *p, const struct work *work, struct work_price *ret) {
    const struct runtime *runtime = &p->context->topology->runtime;
    struct taken taken = {0};
    enum action action = (enum action)work->action;
    if (action == ACTION_PAIR) {
        take_stage(p, work->stage, ACTION_FORWARD, &taken);
        take_stage(p, work->other, ACTION_FULL, &taken);
        taken.seconds -= (1 - runtime->overlap_slowdown) * fmin(taken.ep, taken.seconds - taken.ep);
        taken.seconds += 2 * runtime->micro_batch_overhead;
    } else {
        take_stage(p, work->stage, action, &taken);
        taken.seconds += action == ACTION_WEIGHT ? 0 : runtime->micro_batch_overhead;
    }
    set_taken(&taken, ret);
}

/* Full recomputation of a layer is a work of its own; a spread vocabulary's blocks come in pieces. */
void price_block(struct pricing *p, const struct work *work, struct work_price *ret) {
    const struct block_price *b = price_of_block(p, (enum block)work->block, work->layer_kind);
    enum action action = (enum action)work->action;
    struct taken taken = {0};
    take_block(b, action, 1, &taken);
    if ((action == ACTION_BACKWARD || action == ACTION_FULL) && b->recompute == RECOMPUTE_FULL) {
        take(&taken, -b->again, b->memory.forward, 0);
    }
    taken.seconds /= (double)work->pieces;
    taken.memory /= (double)work->pieces;
    set_taken(&taken, ret);
}
