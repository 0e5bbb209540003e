/* The loops below a shape, each with the bound that may end it early:
 *
 *   cut ── rules
 *    └ micro-batch ── rules, floor of kernel time
 *       └ stage map x recomputation ── time bound of the load, memory of its best ZeRO stage
 *          └ schedule x ZeRO ── price
 */
#include "search/explore.h"

#include <math.h>

#include "base/arena.h"
#include "cost/bound.h"
#include "cost/estimate.h"
#include "cost/price.h"
#include "cost/rule.h"
#include "plan/constraint.h"

enum { ZERO_STAGES = 4 };

/* A stage map and the model states on it; several variants (schedules) may share one. */
struct map_slot {
    struct stage_map map;
    bool has_states[ZERO_STAGES];
    struct state_cost states[ZERO_STAGES][STAGE_CLASSES];
};

struct explorer {
    const struct explore_plan *plan;
    const struct cost_context *context;
    struct variant variants[SPACE_VARIANTS];
    int64_t variant_count;
    int variant_map[SPACE_VARIANTS]; /* its slot */
    struct map_slot *slots;
    int slot_count, slot_room;
    struct arena *arena;
    struct cut_choice choices[SPACE_CUTS];
    int64_t choice_count;
    struct work_cost work;
    struct stage_load load;
    double floors[64]; /* kernel seconds of the whole model for each micro-batch value, 0 = not yet known */
};

/* What one call of explore_shape carries down its loops. */
struct visit_state {
    struct explorer *e;
    struct best *best;
    struct tally *tally;
    double threshold;
    struct decision decision;
    struct cut cut;
    struct state_spans spans;
    bool has_spans;
    struct serial serial;
};

struct explorer *explorer_open(struct arena *arena, const struct explore_plan *plan) {
    struct explorer *e = ARENA_NEW(arena, struct explorer);
    e->plan = plan;
    e->context = plan->axes->context;
    e->arena = arena;
    return e;
}

void tally_add(struct tally *sum, const struct tally *part) {
    sum->evaluated += part->evaluated;
    sum->pruned_memory += part->pruned_memory;
    sum->pruned_bound += part->pruned_bound;
    sum->pruned_rule += part->pruned_rule;
    for (int i = 0; i < 64; i++) {
        sum->refused[i] += part->refused[i];
    }
    bool nearer = part->nearest_excess < sum->nearest_excess ||
                  (!(part->nearest_excess > sum->nearest_excess) &&
                   (part->nearest_serial.shape < sum->nearest_serial.shape ||
                    (part->nearest_serial.shape == sum->nearest_serial.shape &&
                     part->nearest_serial.inner < sum->nearest_serial.inner)));
    if (part->has_nearest && (!sum->has_nearest || nearer)) {
        sum->has_nearest = true;
        sum->nearest_excess = part->nearest_excess;
        sum->nearest_serial = part->nearest_serial;
        sum->nearest = part->nearest;
    }
}

static void refuse(struct tally *tally, const struct rule *rule, int64_t count) {
    tally->pruned_rule += count;
    tally->refused[rule - rules] += count;
}

static bool variant_fits(const struct cost_context *c, int64_t pp, const struct variant *v) {
    enum placement placement = stage_placement(schedules[v->schedule]);
    return stage_refuse(c->model->layer_count, pp, v->vpp, placement, v->stages == STAGES_ENDS) == NULL;
}

/* Slot of a variant's stage map, made if no earlier variant has the same; -1 when the layers cannot be cut so. */
static int find_slot(struct explorer *e, int64_t pp, int64_t index) {
    const struct variant *v = &e->variants[index];
    if (!variant_fits(e->context, pp, v)) {
        return -1;
    }
    enum placement placement = stage_placement(schedules[v->schedule]);
    for (int64_t i = 0; i < index; i++) {
        const struct variant *other = &e->variants[i];
        if (e->variant_map[i] >= 0 && other->vpp == v->vpp && other->stages == v->stages &&
            stage_placement(schedules[other->schedule]) == placement) {
            return e->variant_map[i];
        }
    }
    if (e->slot_count == e->slot_room) {
        int room = e->slot_room == 0 ? 16 : 2 * e->slot_room;
        struct map_slot *slots = ARENA_ARRAY(e->arena, struct map_slot, (size_t)room);
        for (int i = 0; i < e->slot_count; i++) {
            slots[i] = e->slots[i];
        }
        e->slots = slots;
        e->slot_room = room;
    }
    stage_map_make(e->context, pp, v->vpp, placement, v->stages == STAGES_ENDS, &e->slots[e->slot_count].map);
    return e->slot_count++;
}

static void open_variants(struct explorer *e, int64_t pp) {
    e->slot_count = 0;
    e->variant_count = space_variants(e->plan->axes, pp, e->variants, SPACE_VARIANTS);
    for (int64_t i = 0; i < e->variant_count; i++) {
        e->variant_map[i] = find_slot(e, pp, i);
    }
}

static int64_t per_micro_batch(const struct explorer *e) {
    return e->variant_count * e->plan->axes->recompute_count * e->plan->axes->zero.count;
}

int64_t explore_size(struct explorer *e, const struct shape *shape) {
    struct variant variants[SPACE_VARIANTS];
    int64_t variant_count = space_variants(e->plan->axes, shape->parallel.pp, variants, SPACE_VARIANTS);
    struct cut_choice choices[SPACE_CUTS];
    int64_t cuts = space_cuts(e->plan->axes, &shape->parallel, choices, SPACE_CUTS);
    const struct space_axes *axes = e->plan->axes;
    return cuts * axes->micro_batch.count * variant_count * axes->recompute_count * axes->zero.count;
}

double explore_bound(const struct explore_plan *plan, const struct parallel *shape) {
    const struct space_axes *axes = plan->axes;
    double least = INFINITY;
    for (int64_t i = 0; i < axes->micro_batch.count; i++) {
        int64_t micro_batch = axes->micro_batch.items[i];
        if (axes->context->job->global_batch % (shape->dp * micro_batch) == 0) {
            int64_t count = axes->context->job->global_batch / (shape->dp * micro_batch);
            double floor = bound_kernels(axes->context, shape, micro_batch);
            least = fmin(least, bound_step(axes->context, shape->pp, count, floor));
        }
    }
    return least;
}

static double objective_value(const struct visit_state *v, enum objective objective, const struct price *price) {
    const struct cost_context *c = v->e->context;
    switch (objective) {
    case OBJECTIVE_STEP_TIME:
    case OBJECTIVE_TOKENS: /* the batch is fixed: the shortest step has the most tokens a second */
        return price->step;
    case OBJECTIVE_COST:
        return price->step * c->device->price;
    case OBJECTIVE_ENERGY:
        return cost_energy(c, price->step, price->time.compute);
    case OBJECTIVE_MEMORY:
        return price->peak;
    }
    return price->step;
}

/* Whether objectives grow with the step time alone, so that a bound on time is a bound on them. */
static bool prunes_by_time(const struct explore_plan *plan) {
    enum objective first = plan->objectives[0];
    return !plan->exhaustive && plan->objective_count == 1 &&
           (first == OBJECTIVE_STEP_TIME || first == OBJECTIVE_TOKENS);
}

static bool too_slow(const struct visit_state *v, double bound) {
    double longest = v->e->context->job->max_step_time;
    return (prunes_by_time(v->e->plan) && bound > fmin(v->threshold, best_threshold(v->best))) ||
           (longest > 0 && bound > longest);
}

static void note_nearest(struct visit_state *v, double peak) {
    double excess = peak - v->e->context->memory_limit;
    struct tally *t = v->tally;
    if (!t->has_nearest || excess < t->nearest_excess) {
        t->has_nearest = true;
        t->nearest_excess = excess;
        t->nearest_serial = v->serial;
        t->nearest = v->decision;
    }
}

static void offer(struct visit_state *v, const struct price *price) {
    const struct explore_plan *plan = v->e->plan;
    struct candidate candidate = {.serial = v->serial, .decision = v->decision};
    for (int i = 0; i < plan->objective_count; i++) {
        candidate.values[i] = objective_value(v, plan->objectives[i], price);
    }
    best_offer(v->best, &candidate);
}

static const struct state_cost *states_of(struct visit_state *v, struct map_slot *slot, int64_t zero) {
    if (!v->has_spans) {
        v->spans = state_spans(v->e->context, &v->cut);
        v->has_spans = true;
    }
    if (!slot->has_states[zero]) {
        bool two_way = slot->map.placement == PLACEMENT_TWO_WAY;
        for (int64_t i = 0; i < slot->map.class_count; i++) {
            cost_state(v->e->context, &v->cut, &v->spans, &slot->map.classes[i], two_way, zero,
                       &slot->states[zero][i]);
        }
        slot->has_states[zero] = true;
    }
    return slot->states[zero];
}

/* One configuration in full. */
static void visit_price(struct visit_state *v, struct map_slot *slot, const struct schedule *schedule) {
    struct price price;
    v->tally->evaluated++;
    cost_price(v->e->context, &v->cut, &slot->map, slot->states[v->decision.parallel.zero], &v->e->load, schedule,
               v->decision.micro_batches, &price);
    if (price.peak > v->e->context->memory_limit) {
        note_nearest(v, price.peak);
        return;
    }
    double longest = v->e->context->job->max_step_time;
    if (longest <= 0 || price.step <= longest) {
        offer(v, &price);
    }
}

/* All schedules of one stage map with one load; `zero` stages that share the load. */
static void visit_load(struct visit_state *v, int slot_index, int64_t zero, bool slow) {
    struct explorer *e = v->e;
    struct map_slot *slot = &e->slots[slot_index];
    for (int64_t i = 0; i < e->variant_count; i++) {
        if (e->variant_map[i] != slot_index) {
            continue;
        }
        v->decision.schedule = e->variants[i].schedule;
        v->decision.parallel.vpp = e->variants[i].vpp;
        v->decision.stages = e->variants[i].stages;
        v->decision.parallel.zero = zero;
        v->serial.inner++;
        const struct rule *rule = rule_broken(e->context, &v->decision, RULE_WHOLE);
        if (rule != NULL) {
            refuse(v->tally, rule, 1);
        } else if (e->plan->constraint != NULL && constraint_forbids(e->plan->constraint, &v->decision)) {
            v->tally->pruned_rule++;
        } else if (slow) {
            v->tally->pruned_bound++;
        } else {
            visit_price(v, slot, schedules[v->decision.schedule]);
        }
    }
}

static void visit_map(struct visit_state *v, int slot_index, int recompute) {
    struct explorer *e = v->e;
    const struct values *zeros = &e->plan->axes->zero;
    struct map_slot *slot = &e->slots[slot_index];
    v->decision.recompute = recompute;
    int64_t loaded = -1; /* stages 0 and 1 share a load */
    for (int64_t i = 0; i < zeros->count; i++) {
        int64_t zero = zeros->items[i];
        bool refused = zero > 0 && (v->decision.parallel.dp * v->decision.parallel.cp == 1 ||
                                    (zero >= 2 && v->decision.parallel.pp > 1));
        bool slow = false;
        if (!refused) {
            const struct state_cost *states = states_of(v, slot, zero);
            int64_t kind = zero < 2 ? 0 : zero;
            if (loaded != kind) {
                cost_load(e->context, &slot->map, &e->work, states, recompute, kind, &e->load);
                loaded = kind;
            }
            slow = too_slow(v, cost_time_bound(e->context, &slot->map, &e->load, v->decision.micro_batches));
        }
        visit_load(v, slot_index, zero, slow);
    }
}

static void visit_maps(struct visit_state *v) {
    struct explorer *e = v->e;
    for (int slot = 0; slot < e->slot_count; slot++) {
        for (int64_t r = 0; r < e->plan->axes->recompute_count; r++) {
            visit_map(v, slot, e->plan->axes->recompute[r]);
        }
    }
    int64_t unfit = 0;
    for (int64_t i = 0; i < e->variant_count; i++) {
        unfit += e->variant_map[i] < 0 ? 1 : 0;
    }
    v->tally->pruned_rule += unfit * e->plan->axes->recompute_count * e->plan->axes->zero.count;
}

/* No choice below fits when the smallest states and one micro-batch's fully recomputed activations do not. */
static bool too_large(struct visit_state *v) {
    const struct cost_context *c = v->e->context;
    return bound_memory(c, &v->cut.parallel, v->decision.micro_batch) > c->memory_limit;
}

static void visit_micro_batch(struct visit_state *v, int64_t index) {
    struct explorer *e = v->e;
    const struct cost_context *c = e->context;
    int64_t size = per_micro_batch(e);
    v->decision.micro_batch = e->plan->axes->micro_batch.items[index];
    const struct rule *rule = rule_broken(c, &v->decision, RULE_MICRO_BATCH);
    if (rule != NULL) {
        refuse(v->tally, rule, size);
        v->serial.inner += size;
        return;
    }
    v->decision.micro_batches = c->job->global_batch / (v->decision.parallel.dp * v->decision.micro_batch);
    if (index >= 64 || e->floors[index] <= 0) {
        double floor = bound_kernels(c, &v->decision.parallel, v->decision.micro_batch);
        e->floors[index < 64 ? index : 63] = floor;
    }
    double floor = e->floors[index < 64 ? index : 63];
    if (too_slow(v, bound_step(c, v->decision.parallel.pp, v->decision.micro_batches, floor))) {
        v->tally->pruned_bound += size;
        v->serial.inner += size;
        return;
    }
    if (!e->plan->exhaustive && v->tally->has_nearest && too_large(v)) {
        v->tally->pruned_memory += size;
        v->serial.inner += size;
        return;
    }
    cost_work(c, &v->cut, v->decision.micro_batch, &e->work);
    visit_maps(v);
}

static void visit_cut(struct visit_state *v, const struct cut_choice *choice) {
    struct explorer *e = v->e;
    struct parallel *p = &v->decision.parallel;
    const struct values *micro_batches = &e->plan->axes->micro_batch;
    p->cp_kind = choice->cp_kind;
    p->order = choice->order;
    p->ulysses = choice->ulysses;
    p->sp = choice->sp;
    const struct rule *rule = rule_broken(e->context, &v->decision, RULE_CUT);
    if (rule != NULL) {
        refuse(v->tally, rule, micro_batches->count * per_micro_batch(e));
        v->serial.inner += micro_batches->count * per_micro_batch(e);
        return;
    }
    v->cut = cost_cut(e->context, p);
    v->has_spans = false;
    for (int i = 0; i < e->slot_count; i++) {
        for (int zero = 0; zero < ZERO_STAGES; zero++) {
            e->slots[i].has_states[zero] = false;
        }
    }
    for (int64_t i = 0; i < micro_batches->count; i++) {
        visit_micro_batch(v, i);
    }
}

void explore_shape(struct explorer *e, const struct shape *shape, double threshold, struct best *best,
                   struct tally *tally) {
    struct visit_state v = {.e = e, .best = best, .tally = tally, .threshold = threshold};
    v.decision.parallel = shape->parallel;
    v.serial = (struct serial){shape->serial, 0};
    const struct rule *rule = rule_broken(e->context, &v.decision, RULE_SHAPE);
    if (rule != NULL) {
        refuse(tally, rule, explore_size(e, shape));
        return;
    }
    open_variants(e, shape->parallel.pp);
    e->choice_count = space_cuts(e->plan->axes, &shape->parallel, e->choices, SPACE_CUTS);
    for (int i = 0; i < 64; i++) {
        e->floors[i] = 0;
    }
    for (int64_t i = 0; i < e->choice_count; i++) {
        visit_cut(&v, &e->choices[i]);
    }
}
