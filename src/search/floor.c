/* The parts of bounds, each computed when it is first asked for and kept until tp, cp, ep or etp change. */
#include "search/floor.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "cost/bound.h"
#include "schedule/schedule.h"

/* Layer costs of a part lie one after another: the model's kinds, then these. */
enum { PART_EMBEDDING, PART_HEAD, PART_MTP, PART_TOTAL, PART_EXTRAS };

struct floors {
    const struct search_space *space;
    const struct cost_context *context;
    int64_t kinds, sizes;              /* kinds of layers, micro-batch sizes */
    double layers[MODEL_KINDS];        /* of each kind, with those of MTP blocks */
    struct layer_cost *rest, *experts; /* [sequence][size], [sp][size] parts */
    bool *has_rest, *has_experts;
    int64_t rest_room; /* sequences */
    struct parallel shape;
    const struct shape_cuts *cuts;
    struct bound_exchange exchanges[SEQUENCES_MAX][ORDER_KINDS + 1]; /* of each order; the least of all */
    bool has_exchanges[SEQUENCES_MAX];
    double at_rest;        /* seconds of a step without micro-batches, */
    double empty, second;  /* of an empty micro-batch, and of a second of work of the whole model */
    double *states;        /* bytes of rank 0 of a map under the ZeRO stage that keeps least; -1 = not yet known */
    struct work_cost work; /* of the choice `together` of sequence and size */
    int64_t together;
    struct cut scratch[ORDER_KINDS];
    struct arena *arena;
};

struct floors *floors_open(struct arena *arena, const struct search_space *space) {
    struct floors *f = ARENA_NEW(arena, struct floors);
    const struct model *model = space->context->model;
    f->space = space;
    f->context = space->context;
    f->arena = arena;
    f->kinds = model->kind_count;
    f->sizes = space->axes->micro_batch.count;
    for (int64_t i = 0; i < model->layer_count; i++) {
        f->layers[model->layers[i]]++;
    }
    f->layers[model->mtp_kind] += space->context->mtp ? (double)model->mtp_layers : 0;
    size_t parts = (size_t)((f->kinds + PART_EXTRAS) * f->sizes);
    f->experts = ARENA_ARRAY(arena, struct layer_cost, 2 * parts);
    f->has_experts = ARENA_ARRAY(arena, bool, 2 * (size_t)f->sizes);
    int most = 0;
    for (int64_t i = 0; i < space->axes->pp.count; i++) {
        most = space->pipelines->items[i].map_count > most ? space->pipelines->items[i].map_count : most;
    }
    f->states = ARENA_ARRAY(arena, double, (size_t)most + 1);
    return f;
}

static bool same_degrees(const struct parallel *a, const struct parallel *b) {
    return a->tp == b->tp && a->cp == b->cp;
}

void floors_shape(struct floors *f, const struct parallel *shape, const struct shape_cuts *cuts) {
    bool same = same_degrees(&f->shape, shape);
    if (cuts->sequence_count > f->rest_room) {
        f->rest_room = 2 * cuts->sequence_count;
        size_t entries = (size_t)(f->rest_room * f->sizes);
        f->rest = ARENA_ARRAY(f->arena, struct layer_cost, entries * (size_t)(f->kinds + PART_EXTRAS));
        f->has_rest = ARENA_ARRAY(f->arena, bool, entries);
        same = false;
    }
    if (!same) {
        memset(f->has_rest, 0, (size_t)(f->rest_room * f->sizes) * sizeof *f->has_rest);
    }
    if (!same || f->shape.ep != shape->ep || f->shape.etp != shape->etp) {
        memset(f->has_experts, 0, 2 * (size_t)f->sizes * sizeof *f->has_experts);
    }
    memset(f->has_exchanges, 0, (size_t)cuts->sequence_count * sizeof *f->has_exchanges);
    const struct pipeline *pipeline = pipelines_find(f->space->pipelines, shape->pp);
    for (int map = 0; map < pipeline->map_count; map++) {
        f->states[map] = -1;
    }
    f->at_rest = bound_step(f->context, shape->pp, 0, 0);
    f->empty = bound_step(f->context, shape->pp, 1, 0) - f->at_rest;
    f->second = bound_step(f->context, shape->pp, 1, 1) - f->at_rest - f->empty;
    f->together = -1;
    f->shape = *shape;
    f->cuts = cuts;
}

static struct parallel parallel_of(const struct floors *f, int64_t sequence) {
    struct parallel parallel = f->shape;
    parallel.cp_kind = f->cuts->sequences[sequence].cp_kind;
    parallel.ulysses = f->cuts->sequences[sequence].ulysses;
    parallel.sp = f->cuts->sequences[sequence].sp;
    return parallel;
}

static void time_kinds(const struct floors *f, const struct parallel *parallel, int64_t micro_batch,
                       enum bound_share share, struct layer_cost *parts) {
    struct layer_cost *total = &parts[f->kinds + PART_TOTAL];
    *total = (struct layer_cost){0};
    for (int64_t kind = 0; kind < f->kinds; kind++) {
        const struct layer_kind *layer = &f->context->model->kinds[kind];
        if (share == BOUND_REST || layer->ffn == FFN_MOE) { /* else the share stays empty */
            bound_layer(f->context, parallel, micro_batch, layer, share, &parts[kind]);
            bound_add_passes(total, &parts[kind], f->layers[kind]);
        }
    }
}

static const struct layer_cost *rest_of(struct floors *f, int64_t sequence, int64_t size) {
    int64_t index = sequence * f->sizes + size;
    struct layer_cost *parts = &f->rest[index * (f->kinds + PART_EXTRAS)];
    if (!f->has_rest[index]) {
        struct parallel parallel = parallel_of(f, sequence);
        parallel.ep = parallel.etp = 1;
        int64_t micro_batch = f->space->axes->micro_batch.items[size];
        struct layer_cost *extra = &parts[f->kinds];
        time_kinds(f, &parallel, micro_batch, BOUND_REST, parts);
        bound_ends(f->context, &parallel, micro_batch, &extra[PART_EMBEDDING], &extra[PART_HEAD], &extra[PART_MTP]);
        bound_add_passes(&extra[PART_TOTAL], &extra[PART_EMBEDDING], 1);
        bound_add_passes(&extra[PART_TOTAL], &extra[PART_HEAD], 1);
        double blocks = f->context->mtp ? (double)f->context->model->mtp_layers : 0;
        bound_add_passes(&extra[PART_TOTAL], &extra[PART_MTP], blocks);
        f->has_rest[index] = true;
    }
    return parts;
}

static const struct layer_cost *experts_of(struct floors *f, int64_t sequence, int64_t size) {
    int64_t index = (f->cuts->sequences[sequence].sp ? f->sizes : 0) + size;
    struct layer_cost *parts = &f->experts[index * (f->kinds + PART_EXTRAS)];
    if (f->context->model->moe != NULL && !f->has_experts[index]) { /* else they stay zero */
        struct parallel parallel = parallel_of(f, sequence);
        parallel.cp_kind = CONTEXT_RING;
        parallel.ulysses = 1;
        time_kinds(f, &parallel, f->space->axes->micro_batch.items[size], BOUND_EXPERTS, parts);
        f->has_experts[index] = true;
    }
    return parts;
}

static void take_least(struct bound_exchange *least, const struct bound_exchange *other) {
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        least->experts[mode] = fmin(least->experts[mode], other->experts[mode]);
        least->others[mode] = fmin(least->others[mode], other->others[mode]);
    }
}

/* Of one order, or for ORDER_KINDS the least over the legal orders, each part by itself. */
static const struct bound_exchange *exchanges_of(struct floors *f, int64_t sequence, int64_t order) {
    struct bound_exchange *of = f->exchanges[sequence];
    if (f->has_exchanges[sequence]) {
        return &of[order];
    }
    struct cut *cuts = f->scratch;
    struct bound_exchange least[ORDER_KINDS];
    int64_t places[ORDER_KINDS], count = 0;
    struct parallel parallel = parallel_of(f, sequence);
    for (int64_t i = 0; i < f->cuts->order_count; i++) {
        if ((f->cuts->legal[sequence] >> i & 1) != 0) {
            parallel.order = f->cuts->orders[i];
            cuts[count] = cost_cut(f->context, &parallel);
            places[count++] = i;
        }
    }
    bound_exchanges(f->context, cuts, count, least);
    of[ORDER_KINDS] = least[0];
    for (int64_t i = 0; i < count; i++) {
        of[places[i]] = least[i];
        take_least(&of[ORDER_KINDS], &least[i]);
    }
    f->has_exchanges[sequence] = true;
    return &of[order];
}

/* Bytes of rank 0's model states under the ZeRO stage and mesh order that keep least. */
static double states_of(struct floors *f, const struct pipeline *pipeline, int map) {
    if (f->states[map] >= 0) {
        return f->states[map];
    }
    const struct stage_map *stages = &pipeline->maps[map];
    unsigned zeros = pipeline->zeros[f->shape.dp * f->shape.cp > 1 ? 1 : 0];
    const struct stage_class *class = &stages->classes[stages->rank_class[0]];
    struct parallel parallel = parallel_of(f, 0);
    double least = (double)INFINITY;
    bool hybrid = f->context->job->space.hybrid_shard; /* else every order shards alike */
    for (int64_t i = 0; i < (hybrid ? f->cuts->order_count : 1); i++) {
        parallel.order = f->cuts->orders[i];
        struct cut cut = cost_cut(f->context, &parallel);
        struct state_spans spans = state_spans(f->context, &cut);
        for (int64_t z = 0; z < f->space->axes->zero.count; z++) {
            if ((zeros >> z & 1) != 0) {
                least = fmin(least, cost_state_bytes(f->context, &cut, &spans, class, f->space->axes->zero.items[z]));
            }
        }
    }
    f->states[map] = least;
    return least;
}

static const struct work_cost *put_together(struct floors *f, int64_t sequence, int64_t size) {
    if (f->together != sequence * f->sizes + size) {
        const struct layer_cost *rest = rest_of(f, sequence, size), *experts = experts_of(f, sequence, size);
        for (int64_t kind = 0; kind < f->kinds; kind++) {
            f->work.kinds[kind] = rest[kind];
            bound_add_bytes(&f->work.kinds[kind], &experts[kind], 1);
        }
        f->work.embedding = rest[f->kinds + PART_EMBEDDING];
        f->work.head = rest[f->kinds + PART_HEAD];
        f->work.mtp = rest[f->kinds + PART_MTP];
        bound_add_bytes(&f->work.mtp, &f->work.kinds[f->context->model->mtp_kind], 1);
        f->together = sequence * f->sizes + size;
    }
    return &f->work;
}

/* The fullest rank has no less than rank 0, which has no less than under its leanest schedule. Bytes up to `enough` are
 * as good as any. */
static double bytes_of(struct floors *f, const struct legality *legal, int64_t sequence, int64_t size, int recompute,
                       int64_t micro_batches, double enough) {
    const struct cut cut = {.parallel = parallel_of(f, sequence)};
    const struct work_cost *work = put_together(f, sequence, size);
    double least = (double)INFINITY;
    for (int i = 0; i < legal->lightest_count && least > enough; i++) {
        const struct lightest *lightest = &legal->lightest[i];
        double states = states_of(f, legal->pipeline, lightest->map);
        if (states < least) {
            least = fmin(least, bound_memory(f->context, &cut, &legal->pipeline->maps[lightest->map], work,
                                             schedules[lightest->schedule], micro_batches, recompute, states));
        }
    }
    return least;
}

static int64_t size_of(const struct floors *f, int64_t micro_batch) {
    int64_t size = 0;
    while (f->space->axes->micro_batch.items[size] != micro_batch) {
        size++;
    }
    return size;
}

static void seconds_of(struct floors *f, int64_t sequence, int64_t order, int64_t size, int recompute,
                       int64_t micro_batches, struct floor *ret) {
    double micro_batch = (double)f->space->axes->micro_batch.items[size];
    const struct layer_cost *rest = &rest_of(f, sequence, size)[f->kinds + PART_TOTAL];
    const struct layer_cost *experts = &experts_of(f, sequence, size)[f->kinds + PART_TOTAL];
    const struct bound_exchange *exchange = exchanges_of(f, sequence, order);
    struct bound_pass pass = bound_pass(f->context, rest, experts, recompute);
    double others = pass.device + micro_batch * exchange->others[recompute];
    double moved = micro_batch * exchange->experts[recompute];
    double passes = (double)micro_batches;
    ret->plain = f->at_rest + passes * (f->empty + f->second * fmax(others + moved, pass.launched));
    ret->overlapped = f->at_rest + passes * (f->empty + f->second * fmax(others, moved));
}

/* Kernels of the lightest layers, as many as any rank has at least. */
static double compute_of(struct floors *f, const struct legality *legal, int64_t sequence, int64_t size,
                         int64_t micro_batches) {
    const struct layer_cost *rest = rest_of(f, sequence, size), *experts = experts_of(f, sequence, size);
    double lightest = (double)INFINITY;
    for (int64_t kind = 0; kind < f->kinds; kind++) {
        struct layer_cost layer = rest[kind];
        bound_add_passes(&layer, &experts[kind], 1);
        lightest = fmin(lightest, layer.forward.compute + layer.backward.compute + layer.weight.compute);
    }
    return (double)micro_batches * legal->pipeline->least_layers * lightest * BOUND_SLACK;
}

void floors_choice(struct floors *f, int64_t micro_batch, int64_t sequence, int64_t order, int64_t recompute,
                   struct floor *ret) {
    int64_t size = size_of(f, micro_batch);
    int64_t micro_batches = f->context->job->global_batch / (f->shape.dp * micro_batch);
    int mode = f->space->axes->recompute[recompute];
    seconds_of(f, sequence, order, size, mode, micro_batches, ret);
}

void floors_bytes(struct floors *f, int64_t micro_batch, int64_t sequence, int64_t recompute, struct floor *ret) {
    int64_t size = size_of(f, micro_batch);
    int64_t micro_batches = f->context->job->global_batch / (f->shape.dp * micro_batch);
    const struct legality *legal = pipelines_legality(f->space->pipelines, &f->shape, micro_batches);
    int mode = f->space->axes->recompute[recompute];
    ret->bytes = bytes_of(f, legal, sequence, size, mode, micro_batches, 0);
    ret->compute = f->space->wants_compute ? compute_of(f, legal, sequence, size, micro_batches) : 0;
}

/* A sequence choice and recomputation with the seconds it takes at least. */
struct option {
    double seconds;
    int64_t sequence;
    int recompute;
};

/* Lists the options, fastest first. */
static int64_t list_options(struct floors *f, const struct legality *legal, int64_t size, int64_t micro_batches,
                            struct option *ret) {
    int64_t count = 0;
    for (int64_t i = 0; i < f->cuts->sequence_count; i++) {
        for (int64_t r = 0; r < f->space->axes->recompute_count && f->cuts->legal[i] != 0; r++) {
            struct option option = {.sequence = i, .recompute = f->space->axes->recompute[r]};
            struct floor floor;
            seconds_of(f, i, ORDER_KINDS, size, option.recompute, micro_batches, &floor);
            option.seconds = legal->overlapped ? fmin(floor.overlapped, floor.plain) : floor.plain;
            int64_t at = count++;
            for (; at > 0 && ret[at - 1].seconds > option.seconds; at--) {
                ret[at] = ret[at - 1];
            }
            ret[at] = option;
        }
    }
    return count;
}

/* Whether the smallest model states alone fit. */
static bool states_fit(struct floors *f, const struct legality *legal) {
    for (int i = 0; i < legal->lightest_count; i++) {
        if (states_of(f, legal->pipeline, legal->lightest[i].map) <= f->space->memory_limit) {
            return true;
        }
    }
    return false;
}

bool floors_node(struct floors *f, int64_t micro_batch, struct measure *ret) {
    int64_t size = size_of(f, micro_batch);
    int64_t micro_batches = f->context->job->global_batch / (f->shape.dp * micro_batch);
    const struct legality *legal = pipelines_legality(f->space->pipelines, &f->shape, micro_batches);
    bool thorough = f->space->wants_bytes;
    struct option options[SEQUENCES_MAX * RECOMPUTE_KINDS];
    *ret = (struct measure){(double)INFINITY, (double)INFINITY, f->space->wants_compute ? (double)INFINITY : 0};
    if (!states_fit(f, legal)) {
        return false;
    }
    int64_t count = list_options(f, legal, size, micro_batches, options);
    for (int64_t i = 0; i < count; i++) {
        const struct option *option = &options[i];
        double bytes = bytes_of(f, legal, option->sequence, size, option->recompute, micro_batches,
                                thorough ? 0 : f->space->memory_limit);
        if (bytes > f->space->memory_limit) {
            continue;
        }
        ret->seconds = fmin(ret->seconds, option->seconds);
        ret->bytes = fmin(ret->bytes, bytes);
        if (f->space->wants_compute) {
            ret->compute = fmin(ret->compute, compute_of(f, legal, option->sequence, size, micro_batches));
        } else if (!thorough) {
            break;
        }
    }
    return ret->seconds < (double)INFINITY;
}
