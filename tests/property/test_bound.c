/* Admissibility: no bound is above the price of any configuration that it stands for. Over every configuration of small
 * spaces, and over random ones of real models on real clusters. */
#include "../unit/search/brute.h"
#include "cost/bound.h"
#include "cost_settings.h"
#include "search/floor.h"

/* Bounds are made of sums in another order than prices. */
#define ABOVE(bound, price) ((bound) > (price) * (1 + 1e-12))

struct bounds {
    struct search_space space;
    struct space_axes axes;
    struct pipelines pipelines;
    struct floors *floors;
    struct shape_cuts cuts;
    double tightest, tightest_load; /* the largest bound over its price that was met */
};

static struct bounds *bounds_make(struct arena *arena, const struct cost_context *context) {
    struct bounds *b = ARENA_NEW(arena, struct bounds);
    space_make(arena, context, &b->axes);
    pipelines_make(arena, &b->axes, &b->pipelines);
    b->space = (struct search_space){.context = context,
                                     .axes = &b->axes,
                                     .pipelines = &b->pipelines,
                                     .memory_limit = INFINITY,
                                     .longest = INFINITY,
                                     .wants_bytes = true,
                                     .wants_compute = true};
    b->floors = floors_open(arena, &b->space);
    return b;
}

static int64_t place_of(const struct shape_cuts *cuts, const struct parallel *p, int64_t *ret_order) {
    int64_t sequence = 0;
    while (cuts->sequences[sequence].cp_kind != p->cp_kind || cuts->sequences[sequence].ulysses != p->ulysses ||
           cuts->sequences[sequence].sp != p->sp) {
        sequence++;
        cr_assert(sequence < cuts->sequence_count);
    }
    for (*ret_order = 0; cuts->orders[*ret_order] != p->order; ++*ret_order) {
        cr_assert(*ret_order < cuts->order_count);
    }
    return sequence;
}

static void expect_measure(const struct cost_context *c, const struct measure *floor, const struct price *price,
                           const char *what, const char *name) {
    cr_expect(!ABOVE(floor->seconds, price->step), "%s: %s bound %.17g s, price %.17g s", name, what, floor->seconds,
              price->step);
    cr_expect(!ABOVE(floor->bytes, price->peak), "%s: %s bound %.17g bytes, price %.17g", name, what, floor->bytes,
              price->peak);
    cr_expect(!ABOVE(floor->compute, price->time.compute), "%s: %s bound %.17g s of kernels, price %.17g", name, what,
              floor->compute, price->time.compute);
    for (int o = OBJECTIVE_STEP_TIME; o <= OBJECTIVE_MEMORY; o++) {
        double bound = objective_bound(c, (enum objective)o, floor);
        double value = objective_value(c, (enum objective)o, price);
        cr_expect(!ABOVE(bound, value), "%s: %s bound on objective %d is %.17g, value %.17g", name, what, o, bound,
                  value);
    }
}

/* All bounds on the way to one configuration. */
static void expect_bounds(struct arena *arena, struct bounds *b, const struct decision *d, const char *name) {
    const struct cost_context *c = b->space.context;
    struct priced *p = price_apart(arena, c, d);
    struct parallel shape = d->parallel;
    bool overlaps = search_overlaps(d->schedule);
    shape.vpp = shape.ulysses = 1;
    shape.zero = shape.order = shape.cp_kind = 0;
    shape.sp = false;
    shape_cuts_make(&b->axes, &shape, &b->cuts);
    floors_shape(b->floors, &shape, &b->cuts);
    struct measure node;
    cr_assert(floors_node(b->floors, d->micro_batch, &node), "%s: does not fit in anything", name);
    expect_measure(c, &node, &p->price, "node", name);
    int64_t order, mode = 0, sequence = place_of(&b->cuts, &d->parallel, &order);
    while (b->axes.recompute[mode] != d->recompute) {
        mode++;
    }
    struct floor choice;
    floors_bytes(b->floors, d->micro_batch, sequence, mode, &choice);
    floors_choice(b->floors, d->micro_batch, sequence, order, mode, &choice);
    struct measure cut = {overlaps ? choice.overlapped : choice.plain, choice.bytes, choice.compute};
    expect_measure(c, &cut, &p->price, "cut", name);
    cr_expect(node.seconds <= cut.seconds && node.bytes <= cut.bytes && node.compute <= cut.compute,
              "%s: a node's bound is above its choice's", name);
    double seconds = bound_load(c, &p->map, &p->load, d->micro_batches, overlaps);
    struct measure load = {seconds, 0, bound_compute(&p->map, &p->load, d->micro_batches)};
    expect_measure(c, &load, &p->price, "load", name);
    b->tightest = fmax(b->tightest, node.seconds / p->price.step);
    b->tightest_load = fmax(b->tightest_load, seconds / p->price.step);
}

Test(bound, below_every_price_of_small_spaces, .timeout = 120) {
    double tightest[2] = {0, 0}, tightest_load = 0; /* without, with experts */
    int64_t met = 0;
    for (uint64_t i = 0; i < 60; i++) {
        struct arena *arena = support_arena();
        struct instance instance = instance_draw(arena, "bound", i);
        struct brute brute = brute_force(arena, &instance.context);
        brute.count = brute.count > BRUTE_MOST ? BRUTE_MOST : brute.count;
        struct bounds *b = bounds_make(arena, &instance.context);
        for (int64_t j = 0; j < brute.count; j += 1 + brute.count / 400) {
            struct arena *own = support_arena();
            const struct decision *d = &brute.items[j].decision;
            expect_bounds(own, b, d,
                          arena_format(own, "%s%s", instance.name, decision_text(own, &instance.context, d)));
            arena_close(own);
            met++;
        }
        int experts = instance.context.model->moe != NULL ? 1 : 0;
        tightest[experts] = fmax(tightest[experts], b->tightest);
        tightest_load = fmax(tightest_load, b->tightest_load);
        arena_close(arena);
    }
    cr_expect(met > 4000, "%lld configurations", (long long)met);
    /* so tight that a bound a little too high would show */
    cr_expect(tightest[0] > 0.97 && tightest[1] > 0.9 && tightest_load > 0.99, "tightest node %g and %g, load %g",
              tightest[0], tightest[1], tightest_load);
}

/* A device that draws more when it waits. */
Test(bound, energy_of_odd_devices) {
    struct arena *arena = support_arena();
    for (uint64_t i = 0; i < 20; i++) {
        struct instance instance = instance_draw(arena, "power", i);
        instance.context.power = (struct power){i % 2 == 0 ? 900 : 100, i % 4 == 3 ? 0 : 300};
        struct brute brute = brute_force(arena, &instance.context);
        brute.count = brute.count > BRUTE_MOST ? BRUTE_MOST : brute.count;
        struct bounds *b = bounds_make(arena, &instance.context);
        for (int64_t j = 0; j < brute.count; j += 1 + brute.count / 50) {
            expect_bounds(arena, b, &brute.items[j].decision, instance.name);
        }
    }
    arena_close(arena);
}

Test(bound, below_prices_of_real_models, .timeout = 120) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(settings); i++) {
        struct cost_context c = context_at(arena, i);
        struct bounds *b = bounds_make(arena, &c);
        struct random random;
        random_stream(&random, 1, "bound", i);
        for (int draw = 0; draw < DRAWS; draw++) {
            struct arena *own = support_arena();
            struct decision d = draw_decision(&random, &c, own);
            if (d.parallel.cp == 1) { /* one kind stands for all */
                d.parallel.cp_kind = CONTEXT_RING;
                d.parallel.ulysses = 1;
            }
            struct shape_cuts *cuts = &b->cuts;
            shape_cuts_make(&b->axes, &d.parallel, cuts);
            bool known = false;
            for (int64_t j = 0; j < cuts->order_count; j++) {
                known = known || cuts->orders[j] == d.parallel.order;
            }
            d.parallel.order = known ? d.parallel.order : cuts->orders[0];
            if (job_tries(c.job, d.schedule) && rule_reasons(own, &c, &d).count == 0) {
                expect_bounds(own, b, &d, decision_text(own, &c, &d));
            }
            arena_close(own);
        }
    }
    arena_close(arena);
}

/* Nothing but the update of the weights and a step's overhead is missing where nothing is communicated: no share of a
 * layer is forgotten. */
Test(bound, tight_on_one_device) {
    static const char *const models[] = {"llama3-8b",          "mixtral-8x7b",    "deepseek-v2-lite", "deepseek-v3",
                                         "qwen3-next-80b-a3b", "gemma3-27b-text", "t5-11b",           "dit-xl-2"};
    for (size_t i = 0; i < ROWS(models); i++) {
        struct arena *arena = support_arena();
        struct cost_context c = cost_context_make(setup_model(arena, models[i]), setup_topology(arena, "h100-sxm", 1),
                                                  setup_job(arena, "global_batch: 512\n"));
        struct bounds *b = bounds_make(arena, &c);
        for (int mode = RECOMPUTE_NONE; mode <= RECOMPUTE_FULL; mode++) {
            struct decision d = alone;
            d.recompute = mode;
            d.micro_batches = 512;
            struct estimate e = cost_estimate(arena, &c, &d, NULL);
            struct floor floor;
            shape_cuts_make(&b->axes, &d.parallel, &b->cuts);
            floors_shape(b->floors, &d.parallel, &b->cuts);
            floors_bytes(b->floors, 1, 0, mode, &floor);
            floors_choice(b->floors, 1, 0, 0, mode, &floor);
            double missing = e.step_time - e.time.optimizer - floor.plain;
            cr_expect(missing >= 0 && missing < 0.01 * e.step_time,
                      "%s, recompute %d: bound %g s, price %g s, update %g s", models[i], mode, floor.plain,
                      e.step_time, e.time.optimizer);
            cr_expect(floor.bytes <= e.memory.peak && floor.bytes > 0.99 * e.memory.peak,
                      "%s, recompute %d: bound %g bytes, price %g", models[i], mode, floor.bytes, e.memory.peak);
        }
        arena_close(arena);
    }
}
