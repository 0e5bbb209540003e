/* Laws of pipeline schedules over random shapes, times and latencies: every pass runs exactly once and none waits for
 * ever; no order is faster than the bound; closed forms equal executed orders where their files say so; more time never
 * makes a step shorter; prices of unequal ranks are near the executed ones. */
#include <criterion/criterion.h>
#include <math.h>

#include "schedule_instance.h"

/* Any times: stages differ by up to ten times, latency is up to twice a pass. */
static void draw_wild(struct random *random, struct instance *instance) {
    for (int i = 0; i < STAGES; i++) {
        instance->stages.forward[i] = between(random, 0.1, 1);
        instance->stages.backward[i] = between(random, 0.1, 1);
        instance->stages.weight[i] = between(random, 0.1, 1);
    }
    instance->paired = false;
    instance->hop = random_below(random, 2) == 0 ? 0 : between(random, 0, 2);
}

static int bit_of(enum pass_kind kind) {
    return kind == PASS_FORWARD ? 1 : kind == PASS_BACKWARD ? 2 : kind == PASS_WEIGHT ? 4 : 6;
}

/* The rank that runs the pass: it stands where its stage is. */
static int64_t holder_of(const struct instance *instance, const struct order *order, const struct visit *visit,
                         enum pass_kind kind) {
    enum placement placement = instance->schedule->placement;
    return kind == PASS_FORWARD
               ? placement_rank(placement, order->ranks, visit->stage, visit->way)
               : placement_backward_rank(placement, order->ranks, order->stages, visit->stage, visit->way);
}

/* Every visit is run forward, backward and for its weights exactly once, and on the rank that holds the stage. */
static void check_once(struct arena *arena, const struct instance *instance, const struct order *order) {
    int64_t visits = order->ways * order->stages * order->micro_batches;
    int *seen = ARENA_ARRAY(arena, int, (size_t)visits);
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        for (int64_t i = order->first[rank]; i < order->first[rank + 1]; i++) {
            const struct pass *pass = &order->passes[i];
            if (pass->kind == PASS_SHARD || pass->kind == PASS_SHARD_END) {
                continue;
            }
            for (int half = 0; half < (pass->kind == PASS_PAIR ? 2 : 1); half++) {
                const struct visit *visit = half == 0 ? &pass->visit : &pass->backward;
                enum pass_kind kind = pass->kind != PASS_PAIR ? pass->kind : half == 0 ? PASS_FORWARD : PASS_FULL;
                int64_t at = (visit->way * order->stages + visit->stage) * order->micro_batches + visit->micro_batch;
                cr_assert(at >= 0 && at < visits, "%s: no such visit", describe(arena, instance));
                cr_assert((seen[at] & bit_of(kind)) == 0, "%s: a pass twice", describe(arena, instance));
                seen[at] |= bit_of(kind);
                cr_assert(rank == holder_of(instance, order, visit, kind), "%s: stage %d on rank %ld",
                          describe(arena, instance), (int)visit->stage, (long)rank);
            }
        }
    }
    for (int64_t i = 0; i < visits; i++) {
        struct visit visit = {(int32_t)(i / order->micro_batches % order->stages), (int32_t)(i % order->micro_batches),
                              0};
        bool skipped = order_before(order, &visit) == ORDER_SKIPPED;
        cr_assert(seen[i] == (skipped ? 0 : 7), "%s: a pass is missing", describe(arena, instance));
    }
}

/* Busy times and peaks of the ranks. */
static void check_ranks(struct arena *arena, const struct instance *instance, const struct execution *execution,
                        const struct pass_times each[RANKS]) {
    const struct schedule *schedule = instance->schedule;
    const struct schedule_shape *shape = &instance->shape;
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        double work = pass_full(&each[rank]) * (double)(shape->micro_batches * shape->chunks);
        const struct rank_run *run = &execution->ranks[rank];
        cr_expect(!whole(schedule) || fabs(run->busy - work) < 1e-9 * work, "%s rank %ld: busy %g, work %g",
                  describe(arena, instance), (long)rank, run->busy, work);
        double to_backward = schedule->in_flight(shape, rank), to_weight = schedule->in_flight_to_weight(shape, rank);
        bool capped = schedule == schedules[SCHEDULE_ZB_AUTO] || schedule == schedules[SCHEDULE_ZB_V_AUTO];
        bool exact = (double)run->held_to_backward == to_backward && (double)run->held_to_weight == to_weight;
        bool below = (double)run->held_to_backward <= to_backward && (double)run->held_to_weight <= to_weight;
        cr_expect(schedule->placement == PLACEMENT_ROUND || exact || (capped && below), "%s rank %ld: peaks",
                  describe(arena, instance), (long)rank);
    }
}

/* Also on unequal stages and with any latency: no deadlock, busy time and peaks as they must be, never below a bound.
 */
Test(schedule, orders_run) {
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t s = 0; s < SCHEDULE_COUNT; s++) {
        for (uint64_t round = 0; round < 400; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            random_stream(&random, 1, schedule_names[s], round);
            struct instance instance = {.schedule = schedules[s]};
            instance.shape = draw_shape(&random, schedules[s], 10);
            draw_group(&random, schedules[s], &instance.shape);
            draw_wild(&random, &instance);
            struct order order;
            struct execution execution;
            cr_assert(execute(arena, &instance, &order, &execution), "%s: deadlock", describe(arena, &instance));
            check_once(arena, &instance, &order);
            const char *reason = order_refuse(arena, &order, (int)schedules[s]->placement);
            cr_expect(reason == NULL, "%s: %s", describe(arena, &instance), reason);
            struct pass_times each[RANKS];
            struct pipeline_load load;
            mean_times(&instance, each);
            load_gather(&load, each, instance.shape.ranks, instance.hop);
            double bound = schedule_bound_unequal(&instance.shape, &load, instance.schedule->pairs);
            cr_expect(!whole(schedules[s]) || execution.makespan >= bound * (1 - 1e-12), "%s: %g below the bound %g",
                      describe(arena, &instance), execution.makespan, bound);
            double price = schedule_price(schedules[s], &instance.shape, &load);
            cr_expect(schedules[s]->skips || price >= bound, "%s: price %g below the bound %g",
                      describe(arena, &instance), price, bound);
            check_ranks(arena, &instance, &execution, each);
            arena_rewind(arena, place);
        }
    }
    arena_close(arena);
}

/* A copy of the order with its lists open to change. */
static struct pass *order_copy(struct arena *arena, const struct order *order, int64_t **ret_first) {
    int64_t count = order->first[order->ranks];
    struct pass *passes = ARENA_ARRAY(arena, struct pass, (size_t)count + 1);
    *ret_first = ARENA_ARRAY(arena, int64_t, (size_t)order->ranks + 1);
    memcpy(passes, order->passes, (size_t)count * sizeof *passes);
    memcpy(*ret_first, order->first, ((size_t)order->ranks + 1) * sizeof **ret_first);
    return passes;
}

/* One pass left out, there twice, or (last of its rank) at the head of the next rank's list. */
enum damage { DAMAGE_MISSING, DAMAGE_TWICE, DAMAGE_MOVED, DAMAGE_COUNT };

static void damage_order(struct arena *arena, struct random *random, enum damage damage, struct order *order) {
    int64_t *first;
    struct pass *passes = order_copy(arena, order, &first);
    int64_t count = first[order->ranks];
    int64_t at = count_between(random, 0, count - 1), rank = 0;
    while (first[rank + 1] <= at) {
        rank++;
    }
    if (damage == DAMAGE_MOVED) {
        first[rank == 0 ? 1 : rank] += rank == 0 ? -1 : 1;
    } else {
        int64_t shift = damage == DAMAGE_MISSING ? -1 : 1;
        int64_t from = damage == DAMAGE_MISSING ? at + 1 : at;
        memmove(&passes[from + shift], &passes[from], (size_t)(count - from) * sizeof *passes);
        for (int64_t r = rank + 1; r <= order->ranks; r++) {
            first[r] += shift;
        }
    }
    order->passes = passes;
    order->first = first;
}

Test(schedule, damaged_orders_are_refused) {
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t s = 0; s < SCHEDULE_COUNT; s++) {
        for (uint64_t round = 0; round < 100 * DAMAGE_COUNT; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            random_stream(&random, 7, schedule_names[s], round);
            struct instance instance = {.schedule = schedules[s]};
            instance.shape = draw_shape(&random, schedules[s], 5);
            enum damage damage = (enum damage)(round % DAMAGE_COUNT);
            struct order order;
            order_make(arena, schedules[s], &instance.shape, &order);
            if (damage != DAMAGE_MOVED || order.ranks > 1) {
                damage_order(arena, &random, damage, &order);
                const char *reason = order_refuse(arena, &order, (int)schedules[s]->placement);
                cr_expect(reason != NULL, "%s: damage %d", describe(arena, &instance), damage);
            }
            arena_rewind(arena, place);
        }
    }
    arena_close(arena);
}

/* Two passes of a rank exchanged: the order is refused exactly when it cannot be run to its end. */
Test(schedule, exchanged_passes) {
    struct arena *arena = arena_open(NULL, NULL);
    int refused = 0, legal = 0;
    for (size_t s = 0; s < SCHEDULE_COUNT; s++) {
        for (uint64_t round = 0; round < 200; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            random_stream(&random, 8, schedule_names[s], round);
            struct instance instance = {.schedule = schedules[s]};
            instance.shape = draw_shape(&random, schedules[s], 5);
            draw_wild(&random, &instance);
            struct order order;
            struct execution execution;
            cr_assert(execute(arena, &instance, &order, &execution));
            int64_t *first;
            struct pass *passes = order_copy(arena, &order, &first);
            int64_t rank = count_between(&random, 0, order.ranks - 1);
            if (first[rank] == first[rank + 1]) {
                continue; /* left out by all micro-batches */
            }
            int64_t a = count_between(&random, first[rank], first[rank + 1] - 1);
            int64_t b = count_between(&random, a, a + 3 < first[rank + 1] ? a + 3 : first[rank + 1] - 1);
            struct pass pass = passes[a];
            passes[a] = passes[b];
            passes[b] = pass;
            order.passes = passes;
            struct stage_costs costs = {instance.stages.forward, instance.stages.backward, instance.stages.weight, NULL,
                                        instance.hop};
            bool runs = order_execute(arena, &order, &costs, &execution);
            const char *reason = order_refuse(arena, &order, (int)schedules[s]->placement);
            cr_expect(runs == (reason == NULL), "%s: runs %d, %s", describe(arena, &instance), runs,
                      reason == NULL ? "legal" : reason);
            refused += runs ? 0 : 1;
            legal += runs ? 1 : 0;
            arena_rewind(arena, place);
        }
    }
    cr_expect(refused > 500 && legal > 500, "%d refused, %d legal", refused, legal);
    arena_close(arena);
}

/* Where the files say that the closed form is exact: micro-batches from `from` p + `more` up to `to` p (0 = any), a
 * multiple of p only (`whole`), latency up to `latency` times T, tD >= tF only (`heavy`), with groups drawn. */
static const struct domain {
    enum schedule_name name;
    int64_t from, more, to;
    double latency;
    bool whole, heavy, groups;
} domains[] = {
    {SCHEDULE_NONE, .latency = 5},
    {SCHEDULE_GPIPE, .latency = 5},
    {SCHEDULE_1F1B, .latency = 5},
    {SCHEDULE_INTERLEAVED, .latency = 0.5},
    {SCHEDULE_INTERLEAVED, .to = 4, .latency = 3},
    {SCHEDULE_INTERLEAVED, .latency = 0.1, .groups = true},
    {SCHEDULE_ZB_H1, .latency = 5},
    {SCHEDULE_ZB_H2, .from = 2, .latency = 0.5},
    {SCHEDULE_ZB_H2, .to = 2, .latency = 0.2},
    {SCHEDULE_ZB_V, .from = 2, .more = -1, .latency = 0.25},
    {SCHEDULE_ZB_V, .to = 1, .latency = 0.05},
    {SCHEDULE_DUALPIPE, .latency = 0.1},
    {SCHEDULE_DUALPIPEV, .latency = 0},
    {SCHEDULE_GPIPE_FIFO, .latency = 5},
    {SCHEDULE_EAGER_1F1B, .latency = 5},
    {SCHEDULE_INTERLEAVED_ZB, .from = 1, .latency = 5},
    {SCHEDULE_CHIMERA, .latency = 5},
    {SCHEDULE_WAVE, .latency = 5, .whole = true, .heavy = true},
    {SCHEDULE_WAVE, .latency = 0},
};

static bool holds(const struct domain *domain, const struct schedule_shape *shape) {
    return shape->micro_batches >= domain->from * shape->ranks + domain->more &&
           (domain->to == 0 || shape->micro_batches <= domain->to * shape->ranks) &&
           (!domain->whole || shape->micro_batches % shape->ranks == 0);
}

static struct pass_times draw_equal(struct random *random, const struct schedule *schedule, double latency) {
    struct pass_times times = {
        .forward = between(random, 0.1, 1), .backward = between(random, 0.1, 1), .weight = between(random, 0.1, 1)};
    double full = pass_full(&times);
    if (pairs(schedule)) {
        times.pair = between(random, fmax(times.forward, pass_backward(&times)), full);
    }
    times.hop = random_below(random, 4) == 0 ? 0 : between(random, 0, latency) * full;
    return times;
}

Test(schedule, closed_forms) {
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t d = 0; d < sizeof(domains) / sizeof(domains[0]); d++) {
        const struct schedule *schedule = schedules[domains[d].name];
        for (uint64_t round = 0; round < 1000; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            random_stream(&random, 2 + d, schedule->name, round);
            struct instance instance = {.schedule = schedule};
            do {
                instance.shape = draw_shape(&random, schedule, 10);
            } while (!holds(&domains[d], &instance.shape));
            struct pass_times times = draw_equal(&random, schedule, domains[d].latency);
            if (domains[d].groups) {
                draw_group(&random, schedule, &instance.shape);
            }
            if (domains[d].heavy && pass_backward(&times) < times.forward) {
                times.forward = pass_backward(&times);
            }
            set_equal(&instance, &times);
            double executed = executed_makespan(arena, &instance);
            double closed = schedule->makespan(&instance.shape, &times);
            cr_expect(fabs(closed - executed) <= 1e-9 * executed, "%s: closed form %.12g, executed %.12g",
                      describe(arena, &instance), closed, executed);
            double bound = schedule_bound(&instance.shape, &times, instance.paired);
            cr_expect(executed >= bound * (1 - 1e-12), "%s: %g below the bound %g", describe(arena, &instance),
                      executed, bound);
            arena_rewind(arena, place);
        }
    }
    arena_close(arena);
}

/* Everywhere else: how far off closed forms are, in parts of the executed time, with latency up to T / 2. */
static const struct tolerance {
    enum schedule_name name;
    double most;
} tolerances[] = {
    {SCHEDULE_NONE, 0},         {SCHEDULE_GPIPE, 0},      {SCHEDULE_1F1B, 0},           {SCHEDULE_INTERLEAVED, 0},
    {SCHEDULE_ZB_H1, 0},        {SCHEDULE_ZB_H2, 0.02},   {SCHEDULE_ZB_V, 0.12},        {SCHEDULE_DUALPIPE, 0.015},
    {SCHEDULE_DUALPIPEV, 0.05}, {SCHEDULE_GPIPE_FIFO, 0}, {SCHEDULE_INTERLEAVED_ZB, 0.16}, {SCHEDULE_EAGER_1F1B, 0},
    {SCHEDULE_CHIMERA, 0},      {SCHEDULE_WAVE, 0.1},
};

Test(schedule, closed_forms_elsewhere) {
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof tolerances / sizeof tolerances[0]; i++) {
        size_t s = tolerances[i].name;
        for (uint64_t round = 0; round < 1000; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            random_stream(&random, 3, schedule_names[s], round);
            struct instance instance = {.schedule = schedules[s]};
            instance.shape = draw_shape(&random, schedules[s], 10);
            struct pass_times times = draw_equal(&random, schedules[s], 0.5);
            set_equal(&instance, &times);
            double executed = executed_makespan(arena, &instance);
            double closed = schedules[s]->makespan(&instance.shape, &times);
            cr_expect(fabs(closed - executed) <= (tolerances[i].most + 1e-9) * executed,
                      "%s: closed form %.12g, executed %.12g", describe(arena, &instance), closed, executed);
            arena_rewind(arena, place);
        }
    }
    arena_close(arena);
}

/* An order fixed, a longer pass or latency delays or changes nothing; a price knows no unit of time. */
Test(schedule, more_time_is_never_faster) {
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t s = 0; s < SCHEDULE_COUNT; s++) {
        for (uint64_t round = 0; round < 300; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            random_stream(&random, 4, schedule_names[s], round);
            struct instance instance = {.schedule = schedules[s]};
            instance.shape = draw_shape(&random, schedules[s], 8);
            draw_wild(&random, &instance);
            double before = executed_makespan(arena, &instance);
            struct instance slower = instance;
            uint32_t stages = (uint32_t)(instance.shape.ranks * instance.shape.chunks);
            slower.stages.forward[random_below(&random, stages)] += between(&random, 0, 1);
            slower.stages.backward[random_below(&random, stages)] += between(&random, 0, 1);
            slower.stages.weight[random_below(&random, stages)] += between(&random, 0, 1);
            slower.hop += between(&random, 0, 1);
            double after = executed_makespan(arena, &slower);
            cr_expect(after >= before * (1 - 1e-12), "%s: %g after %g", describe(arena, &instance), after, before);
            struct pass_times each[RANKS];
            struct pass_times twice[RANKS];
            mean_times(&instance, each);
            for (int i = 0; i < RANKS; i++) {
                twice[i] = (struct pass_times){2 * each[i].forward, 2 * each[i].backward, 2 * each[i].weight, 0, 0};
            }
            double price = schedule_step(schedules[s], &instance.shape, each, instance.hop);
            double doubled = schedule_step(schedules[s], &instance.shape, twice, 2 * instance.hop);
            cr_expect(fabs(doubled - 2 * price) <= 1e-9 * doubled, "%s: price %g, in half the unit %g",
                      describe(arena, &instance), price, doubled);
            arena_rewind(arena, place);
        }
    }
    arena_close(arena);
}

/* How ranks become unequal: the embedding and the head (or a layer less) in the first and last stage, one or two ranks
 * that differ, a layer more on a part of the ranks, or all a little. */
enum unevenness { UNEVEN_FIRST, UNEVEN_LAST, UNEVEN_ENDS, UNEVEN_RANKS, UNEVEN_LAYERS, UNEVEN_ALL, UNEVEN_COUNT };

static void scale_rank(struct instance *instance, int64_t rank, double factor) {
    for (int64_t stage = 0; stage < instance->shape.ranks * instance->shape.chunks; stage++) {
        if (rank_of(instance, stage) == rank) {
            scale_stage(instance, stage, factor);
        }
    }
}

static void make_unequal(struct random *random, struct instance *instance, enum unevenness kind) {
    int64_t ranks = instance->shape.ranks;
    int64_t stages = ranks * instance->shape.chunks;
    double most = 0.3 * (double)instance->shape.chunks; /* of a stage: 30 % of its rank */
    int64_t border = count_between(random, 0, ranks - 1);
    switch (kind) {
    case UNEVEN_FIRST:
    case UNEVEN_LAST:
        scale_stage(instance, kind == UNEVEN_FIRST ? 0 : stages - 1, between(random, 0.7, 1 + most));
        break;
    case UNEVEN_ENDS:
        scale_stage(instance, 0, between(random, 0.7, 1.3));
        scale_stage(instance, stages - 1, between(random, 0.7, 1 + most));
        break;
    case UNEVEN_RANKS:
        scale_rank(instance, border, between(random, 0.7, 1.3));
        scale_rank(instance, count_between(random, 0, ranks - 1), between(random, 0.7, 1.3));
        break;
    case UNEVEN_LAYERS:
        for (int64_t rank = border; rank < ranks; rank++) {
            scale_rank(instance, rank, 1.15);
        }
        break;
    case UNEVEN_ALL:
    case UNEVEN_COUNT:
        for (int64_t stage = 0; stage < stages; stage++) {
            scale_stage(instance, stage, between(random, 0.85, 1.15));
        }
        break;
    }
}

/* Times as transformer layers have them; micro-batches from p up; latency none or up to a tenth of T. */
static void draw_usual(struct random *random, struct instance *instance, enum unevenness kind) {
    do {
        instance->shape = draw_shape(random, instance->schedule, RANKS);
    } while (instance->shape.micro_batches < instance->shape.ranks);
    struct pass_times times = {1, between(random, 0.8, 1.3), between(random, 0.4, 1), 0, 0};
    times.hop = random_below(random, 3) == 0 ? 0 : between(random, 0, 0.1) * pass_full(&times);
    set_equal(instance, &times);
    make_unequal(random, instance, kind);
    if (pairs(instance->schedule)) {
        struct pass_times each[RANKS];
        mean_times(instance, each);
        double overlap = between(random, 0.7, 1);
        for (int64_t rank = 0; rank < instance->shape.ranks; rank++) {
            instance->stages.pair[rank] = overlap * pass_full(&each[rank]);
        }
        instance->paired = true;
    }
}

/* Mean distance of prices from executed orders, and the largest one from 2p micro-batches up. */
static const struct limit {
    enum schedule_name name;
    double mean, most;
} limits[] = {
    {SCHEDULE_NONE, 1e-12, 1e-12},       {SCHEDULE_GPIPE, 1e-12, 1e-12}, {SCHEDULE_1F1B, 0.006, 0.06},
    {SCHEDULE_INTERLEAVED, 0.01, 0.08},  {SCHEDULE_ZB_H1, 0.006, 0.07},  {SCHEDULE_ZB_H2, 0.006, 0.08},
    {SCHEDULE_ZB_V, 0.008, 0.06},        {SCHEDULE_DUALPIPE, 0.008, 0.06}, {SCHEDULE_DUALPIPEV, 0.008, 0.07},
    {SCHEDULE_GPIPE_FIFO, 1e-12, 1e-12}, {SCHEDULE_EAGER_1F1B, 0.003, 0.08}, {SCHEDULE_INTERLEAVED_ZB, 0.01, 0.06},
    {SCHEDULE_CHIMERA, 0.006, 0.05},     {SCHEDULE_WAVE, 0.015, 0.08},
};

static double price_error(struct arena *arena, const struct instance *instance, double most) {
    struct pass_times each[RANKS];
    mean_times(instance, each);
    double executed = executed_makespan(arena, instance);
    double price = schedule_step(instance->schedule, &instance->shape, each, instance->hop);
    double off = fabs(price / executed - 1);
    if (instance->shape.micro_batches >= 2 * instance->shape.ranks) {
        cr_expect(off <= most, "%s: price %g, executed %g", describe(arena, instance), price, executed);
    }
    return off;
}

Test(schedule, prices_of_unequal_ranks) {
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        size_t s = limits[i].name;
        double sum = 0;
        const uint64_t rounds = 150 * UNEVEN_COUNT;
        for (uint64_t round = 0; round < rounds; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            random_stream(&random, 5, schedule_names[s], round);
            struct instance instance = {.schedule = schedules[s]};
            draw_usual(&random, &instance, (enum unevenness)(round % UNEVEN_COUNT));
            sum += price_error(arena, &instance, limits[i].most);
            arena_rewind(arena, place);
        }
        cr_expect(sum / (double)rounds <= limits[i].mean, "%s: %.3f %% off on average", schedule_names[s],
                  100 * sum / (double)rounds);
    }
    arena_close(arena);
}

/* Latency never makes a price smaller, so that what a step loses to it is never negative. */
Test(schedule, prices_grow_with_latency) {
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t s = 0; s < SCHEDULE_COUNT; s++) {
        for (uint64_t round = 0; round < 100 * UNEVEN_COUNT; round++) {
            struct random random;
            random_stream(&random, 6, schedule_names[s], round);
            struct instance instance = {.schedule = schedules[s]};
            draw_usual(&random, &instance, (enum unevenness)(round % UNEVEN_COUNT));
            struct pass_times each[RANKS];
            mean_times(&instance, each);
            double without = schedule_step(schedules[s], &instance.shape, each, 0);
            double price = schedule_step(schedules[s], &instance.shape, each, instance.hop);
            cr_expect(price >= without * (1 - 1e-12), "%s: price %g, without latency %g", describe(arena, &instance),
                      price, without);
        }
    }
    arena_close(arena);
}
