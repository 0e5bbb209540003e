/* The loops below a node. */
#include "search/explore.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "cost/bound.h"
#include "plan/constraint.h"
#include "schedule/schedule.h"

struct explorer {
    const struct explore_plan *plan;
    const struct search_space *space;
    const struct cost_context *context;
    struct floors *floors;
    struct shape_cuts cuts;
    struct cut cut;
    struct state_spans spans;
    struct work_cost work;
    struct stage_load load;
    struct state_cost *states; /* of the current mesh order: [sequence-parallel or not][map][ZeRO][class] */
    bool *has_states;          /* [sequence-parallel or not][map][ZeRO] */
    struct floor choices[SEQUENCES_MAX][RECOMPUTE_KINDS]; /* of the node: no order changes it; bytes 0 = not known */
    unsigned char *zeros; /* of each variant: bits of ZeRO stages that are legal and not forbidden */
};

/* What one call of explore_node carries down its loops. */
struct visit {
    struct explorer *e;
    const struct best *kept;
    struct best *found;
    struct tally *tally;
    const struct legality *legal;
    struct decision decision;
    int64_t shape, size;     /* places of shape and micro-batch */
    int64_t sequence, order; /* places of the cut */
    int64_t recompute;       /* place in the axis */
    bool plain, overlapped;  /* kinds of schedule that are still worth a try */
};

struct explorer *explorer_open(struct arena *arena, const struct explore_plan *plan) {
    struct explorer *e = ARENA_NEW(arena, struct explorer);
    const struct pipelines *pipelines = plan->space->pipelines;
    e->plan = plan;
    e->space = plan->space;
    e->context = plan->space->context;
    e->floors = floors_open(arena, plan->space);
    size_t maps = 1, variants = 1;
    for (int64_t i = 0; i < plan->space->axes->pp.count; i++) {
        size_t here = (size_t)pipelines->items[i].map_count;
        maps = here > maps ? here : maps;
        here = (size_t)pipelines->items[i].variant_count;
        variants = here > variants ? here : variants;
    }
    e->states = ARENA_ARRAY(arena, struct state_cost, 2 * maps * ZERO_STAGES * STAGE_CLASSES);
    e->has_states = ARENA_ARRAY(arena, bool, 2 * maps * ZERO_STAGES);
    e->zeros = ARENA_ARRAY(arena, unsigned char, variants);
    return e;
}

struct floors *explorer_floors(struct explorer *explorer) {
    return explorer->floors;
}

struct shape_cuts *explorer_cuts(struct explorer *explorer) {
    return &explorer->cuts;
}

/* Whether nothing with these measures or larger ones can be kept. */
static bool hopeless(const struct visit *v, const struct measure *floor) {
    const struct explore_plan *plan = v->e->plan;
    double bounds[BEST_OBJECTIVES];
    if (floor->seconds > v->e->space->longest) {
        return true;
    }
    for (int i = 0; i < plan->objective_count; i++) {
        bounds[i] = objective_bound(v->e->context, plan->objectives[i], floor);
    }
    return best_rejects(v->kept, bounds) || best_rejects(v->found, bounds);
}

/* Place in the enumeration (space.h). */
static int64_t inner_serial(const struct visit *v, int64_t variant, int64_t zero) {
    const struct space_axes *a = v->e->space->axes;
    int64_t cut = v->sequence * ORDER_KINDS + v->order;
    int64_t at = cut * a->micro_batch.count + v->size;
    at = at * v->legal->pipeline->variant_count + variant;
    return (at * a->recompute_count + v->recompute) * a->zero.count + zero;
}

static void offer(struct visit *v, const struct price *price, int64_t variant, int64_t zero) {
    const struct explore_plan *plan = v->e->plan;
    struct candidate candidate = {.serial = {v->shape, inner_serial(v, variant, zero)}, .decision = v->decision};
    for (int i = 0; i < plan->objective_count; i++) {
        candidate.values[i] = objective_value(v->e->context, plan->objectives[i], price);
    }
    best_offer(v->found, &candidate);
}

static const struct state_cost *states_of(struct explorer *e, const struct pipeline *pipeline, int map, int64_t zero) {
    int64_t at = ((e->cut.parallel.sp ? pipeline->map_count : 0) + map) * ZERO_STAGES + zero;
    struct state_cost *states = &e->states[at * STAGE_CLASSES];
    if (!e->has_states[at]) {
        const struct stage_map *stages = &pipeline->maps[map];
        for (int64_t i = 0; i < stages->class_count; i++) {
            cost_state(e->context, &e->cut, &e->spans, &stages->classes[i], stages->placement == PLACEMENT_TWO_WAY,
                       zero, &states[i]);
        }
        e->has_states[at] = true;
    }
    return states;
}

/* Bytes on the fullest rank. */
static double peak_of(const struct visit *v, const struct stage_map *map, const struct state_cost states[],
                      const struct schedule *schedule) {
    double peak = 0;
    for (int64_t i = 0; i < map->class_count; i++) {
        struct memory_parts parts;
        double nccl;
        peak = fmax(peak, cost_peak(v->e->context, &v->e->cut, map, &states[i], &v->e->load.classes[i], schedule,
                                    v->decision.micro_batches, i, &parts, &nccl));
    }
    return peak;
}

/* One configuration: looks at its bytes, then prices it in full. `floor` is of its load. */
static void visit_price(struct visit *v, const struct stage_map *map, const struct state_cost states[],
                        const struct measure *floor, int64_t variant, int64_t zero) {
    struct explorer *e = v->e;
    const struct schedule *schedule = schedules[v->decision.schedule];
    struct price price;
    if (!e->plan->exhaustive) {
        struct measure now = *floor;
        now.bytes = peak_of(v, map, states, schedule);
        if (now.bytes > e->space->memory_limit) {
            v->tally->pruned_memory++;
            return;
        }
        if (hopeless(v, &now)) {
            v->tally->pruned_bound++;
            return;
        }
    }
    v->tally->evaluated++;
    cost_price(e->context, &e->cut, map, states, &e->load, schedule, v->decision.micro_batches, &price);
    if (price.peak <= e->space->memory_limit && price.step <= e->space->longest) {
        offer(v, &price, variant, zero);
    }
}

/* All schedules with one load under one ZeRO stage. */
static void visit_load(struct visit *v, int map, const struct state_cost states[], int64_t zero) {
    struct explorer *e = v->e;
    const struct pipeline *pipeline = v->legal->pipeline;
    const struct stage_map *stages = &pipeline->maps[map];
    bool known[2] = {false, false}, dead[2] = {false, false};
    struct measure floors[2];
    for (int i = pipeline->first_member[map]; i < pipeline->first_member[map + 1]; i++) {
        int variant = pipeline->members[i];
        int overlaps = search_overlaps(pipeline->variants[variant].schedule) ? 1 : 0;
        if ((e->zeros[variant] >> zero & 1) == 0 || !(overlaps ? v->overlapped : v->plain)) {
            continue;
        }
        if (!known[overlaps]) {
            double seconds = bound_load(e->context, stages, &e->load, v->decision.micro_batches, overlaps == 1);
            double compute = bound_compute(stages, &e->load, v->decision.micro_batches);
            floors[overlaps] = (struct measure){.seconds = seconds, .compute = compute};
            dead[overlaps] = !e->plan->exhaustive && hopeless(v, &floors[overlaps]);
            known[overlaps] = true;
        }
        if (dead[overlaps]) {
            v->tally->pruned_bound++;
            continue;
        }
        v->decision.schedule = pipeline->variants[variant].schedule;
        v->decision.stages = pipeline->variants[variant].stages;
        v->decision.parallel.vpp = pipeline->variants[variant].vpp;
        visit_price(v, stages, states, &floors[overlaps], variant, zero);
    }
}

/* ZeRO stages of the map's variants, as bits. */
static unsigned zeros_of(const struct visit *v, int map) {
    const struct pipeline *pipeline = v->legal->pipeline;
    unsigned zeros = 0;
    for (int i = pipeline->first_member[map]; i < pipeline->first_member[map + 1]; i++) {
        int variant = pipeline->members[i];
        bool worth = search_overlaps(pipeline->variants[variant].schedule) ? v->overlapped : v->plain;
        zeros |= worth ? v->e->zeros[variant] : 0;
    }
    return zeros;
}

static void visit_map(struct visit *v, int map) {
    struct explorer *e = v->e;
    const struct space_axes *axes = e->space->axes;
    const struct stage_map *stages = &v->legal->pipeline->maps[map];
    unsigned zeros = zeros_of(v, map);
    int64_t loaded = -1; /* stages 0 and 1 share a load */
    for (int64_t i = 0; i < axes->zero.count; i++) {
        int64_t zero = axes->zero.items[i];
        if ((zeros >> i & 1) == 0) {
            continue;
        }
        const struct state_cost *states = states_of(e, v->legal->pipeline, map, zero);
        int64_t kind = zero < 2 ? 0 : zero;
        if (loaded != kind) {
            cost_load(e->context, stages, &e->work, states, v->decision.recompute, kind, &e->load);
            loaded = kind;
        }
        v->decision.parallel.zero = e->cut.parallel.zero = zero;
        visit_load(v, map, states, i);
    }
}

/* Pairs of variant and ZeRO stage whose schedules do, do not overlap passes. */
static void count_pairs(const struct visit *v, int64_t pairs[2]) {
    const struct pipeline *pipeline = v->legal->pipeline;
    pairs[0] = pairs[1] = 0;
    for (int64_t i = 0; i < pipeline->variant_count; i++) {
        int overlaps = search_overlaps(pipeline->variants[i].schedule) ? 1 : 0;
        for (unsigned zeros = v->e->zeros[i]; zeros != 0; zeros &= zeros - 1) {
            pairs[overlaps]++;
        }
    }
}

/* Decides by the node's bounds what of a recomputation mode to try, and counts what not; false: nothing. */
static bool worth_trying(struct visit *v, const int64_t pairs[2]) {
    v->plain = pairs[0] > 0;
    v->overlapped = pairs[1] > 0;
    if (v->e->plan->exhaustive) {
        return v->plain || v->overlapped;
    }
    struct floor *kept = &v->e->choices[v->sequence][v->recompute];
    if (kept->bytes <= 0) {
        floors_bytes(v->e->floors, v->decision.micro_batch, v->sequence, v->recompute, kept);
    }
    struct floor floor = *kept;
    if (floor.bytes > v->e->space->memory_limit) {
        v->tally->pruned_memory += pairs[0] + pairs[1];
        return false;
    }
    floors_choice(v->e->floors, v->decision.micro_batch, v->sequence, v->order, v->recompute, &floor);
    if (v->plain && hopeless(v, &(struct measure){floor.plain, floor.bytes, floor.compute})) {
        v->tally->pruned_bound += pairs[0];
        v->plain = false;
    }
    if (v->overlapped && hopeless(v, &(struct measure){floor.overlapped, floor.bytes, floor.compute})) {
        v->tally->pruned_bound += pairs[1];
        v->overlapped = false;
    }
    return v->plain || v->overlapped;
}

/* ZeRO stages of every variant that the job does not forbid with this cut. */
static void allow(struct visit *v) {
    struct explorer *e = v->e;
    const struct pipeline *pipeline = v->legal->pipeline;
    memcpy(e->zeros, v->legal->zeros, (size_t)pipeline->variant_count);
    struct decision d = v->decision;
    for (int64_t i = 0; i < pipeline->variant_count && e->space->constraint != NULL; i++) {
        for (int64_t z = 0; z < e->space->axes->zero.count; z++) {
            d.parallel.vpp = pipeline->variants[i].vpp;
            d.parallel.zero = e->space->axes->zero.items[z];
            if (constraint_forbids(e->space->constraint, &d)) {
                e->zeros[i] = (unsigned char)(e->zeros[i] & ~(1U << z));
            }
        }
    }
}

static void visit_cut(struct visit *v) {
    struct explorer *e = v->e;
    struct parallel *p = &v->decision.parallel;
    int64_t pairs[2];
    bool worked = false;
    p->cp_kind = e->cuts.sequences[v->sequence].cp_kind;
    p->ulysses = e->cuts.sequences[v->sequence].ulysses;
    p->sp = e->cuts.sequences[v->sequence].sp;
    allow(v);
    count_pairs(v, pairs);
    for (v->recompute = 0; v->recompute < e->space->axes->recompute_count; v->recompute++) {
        if (!worth_trying(v, pairs)) {
            continue;
        }
        if (!worked) {
            e->cut = cost_cut(e->context, p);
            cost_work(e->context, &e->cut, v->decision.micro_batch, &e->work);
            e->spans = state_spans(e->context, &e->cut);
            worked = true;
        }
        v->decision.recompute = e->space->axes->recompute[v->recompute];
        for (int map = 0; map < v->legal->pipeline->map_count; map++) {
            visit_map(v, map);
        }
    }
}

void explore_node(struct explorer *e, const struct search_node *node, const struct best *kept, struct best *found,
                  struct tally *tally) {
    const struct parallel *shape = &e->plan->frontier->shapes[node->shape].parallel;
    struct visit v = {
        .e = e, .kept = kept, .found = found, .tally = tally, .shape = node->shape, .size = node->micro_batch};
    v.decision.parallel = *shape;
    v.decision.micro_batch = e->space->axes->micro_batch.items[node->micro_batch];
    v.decision.micro_batches = e->context->job->global_batch / (shape->dp * v.decision.micro_batch);
    v.legal = pipelines_legality(e->space->pipelines, shape, v.decision.micro_batches);
    shape_cuts_make(e->space->axes, shape, &e->cuts);
    floors_shape(e->floors, shape, &e->cuts);
    memset(e->choices, 0, (size_t)e->cuts.sequence_count * sizeof e->choices[0]);
    for (v.order = 0; v.order < e->cuts.order_count; v.order++) {
        v.decision.parallel.order = e->cuts.orders[v.order];
        memset(e->has_states, 0, 2 * (size_t)v.legal->pipeline->map_count * ZERO_STAGES * sizeof *e->has_states);
        for (v.sequence = 0; v.sequence < e->cuts.sequence_count; v.sequence++) {
            if ((e->cuts.legal[v.sequence] >> v.order & 1) != 0) {
                visit_cut(&v);
            }
        }
    }
}
