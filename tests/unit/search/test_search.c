/* The search against the same search done by hand, on random small instances. */
#include "compare.h"

/* The next best item that is no variation of one taken before; NULL when there is none. */
static const struct brute_item *next_best(const struct brute *b, int objective, const struct brute_item *const *taken,
                                          int64_t count) {
    const struct brute_item *best = NULL;
    for (int64_t i = 0; i < b->count; i++) {
        const struct brute_item *item = &b->items[i];
        bool fresh =
            brute_fits(b, item) && (best == NULL || brute_value(b, item, objective) < brute_value(b, best, objective));
        for (int64_t j = 0; j < count && fresh; j++) {
            fresh = !same_plan(&item->decision, &taken[j]->decision);
        }
        best = fresh ? item : best;
    }
    return best;
}

static void expect_plan(const struct instance *instance, const struct estimate *plan, const struct brute_item *item,
                        int64_t place) {
    struct arena *arena = support_arena();
    cr_expect(plan->step_time == item->step && plan->memory.peak == item->peak &&
                  same_decision(&plan->decision, &item->decision),
              "%splan %lld is %.17g s, %.17g bytes: %s\nby hand %.17g s, %.17g bytes: %s", instance->name,
              (long long)place, plan->step_time, plan->memory.peak,
              decision_text(arena, &instance->context, &plan->decision), item->step, item->peak,
              decision_text(arena, &instance->context, &item->decision));
    arena_close(arena);
}

static void expect_list(struct arena *arena, const struct instance *instance, const struct brute *b,
                        const struct search_result *result) {
    const struct job *job = instance->context.job;
    const struct brute_item **taken = ARENA_ARRAY(arena, const struct brute_item *, (size_t)job->top + 1);
    const struct estimate *plans = result->plans.items;
    int64_t count = 0;
    while (count < job->top && (taken[count] = next_best(b, job->objective, taken, count)) != NULL) {
        count++;
    }
    cr_assert(count == (int64_t)result->plans.count, "%s%zu plans, by hand %lld", instance->name, result->plans.count,
              (long long)count);
    for (int64_t i = 0; i < count; i++) {
        expect_plan(instance, &plans[i], taken[i], i);
    }
}

static int objective_at(const struct job *job, size_t i) {
    const char *name = ((const char **)job->pareto.items)[i];
    return strcmp(name, "time") == 0     ? OBJECTIVE_STEP_TIME
           : strcmp(name, "energy") == 0 ? OBJECTIVE_ENERGY
                                         : OBJECTIVE_MEMORY;
}

/* Whether `a` is no worse in anything and better in something, or equal and earlier. */
static bool dominates(const struct brute *b, const struct brute_item *x, const struct brute_item *y) {
    const struct job *job = b->context->job;
    bool better = false;
    for (size_t i = 0; i < job->pareto.count; i++) {
        double p = brute_value(b, x, objective_at(job, i)), q = brute_value(b, y, objective_at(job, i));
        if (p > q) {
            return false;
        }
        better = better || p < q;
    }
    return better || x < y;
}

static void expect_front(const struct instance *instance, const struct brute *b, const struct search_result *result) {
    const struct estimate *plans = result->plans.items;
    size_t found = 0;
    for (int64_t i = 0; i < b->count; i++) {
        bool on_front = brute_fits(b, &b->items[i]);
        for (int64_t j = 0; j < b->count && on_front; j++) {
            on_front = i == j || !brute_fits(b, &b->items[j]) || !dominates(b, &b->items[j], &b->items[i]);
        }
        bool told = false;
        for (size_t j = 0; j < result->plans.count; j++) {
            told = told || same_decision(&plans[j].decision, &b->items[i].decision);
        }
        cr_expect(told == on_front, "%sitem %lld (%.17g s, %.17g bytes) is%s on the front", instance->name,
                  (long long)i, b->items[i].step, b->items[i].peak, on_front ? "" : " not");
        found += on_front ? 1 : 0;
    }
    cr_expect(found == result->plans.count, "%s%zu plans, %zu on the front", instance->name, result->plans.count,
              found);
    for (size_t j = 1; j < result->plans.count; j++) {
        int first = objective_at(b->context->job, 0);
        struct brute_item x = {
            .step = plans[j - 1].step_time, .peak = plans[j - 1].memory.peak, .compute = plans[j - 1].time.compute};
        struct brute_item y = {
            .step = plans[j].step_time, .peak = plans[j].memory.peak, .compute = plans[j].time.compute};
        cr_expect(brute_value(b, &x, first) <= brute_value(b, &y, first), "%sthe front is not sorted", instance->name);
    }
}

/* Nothing fits: by how little the nearest does not. */
static void expect_nearest(const struct instance *instance, const struct brute *b, const struct search_result *result) {
    const struct brute_item *nearest = NULL;
    for (int64_t i = 0; i < b->count; i++) {
        nearest = nearest == NULL || b->items[i].peak < nearest->peak ? &b->items[i] : nearest;
    }
    if (nearest != NULL && nearest->peak <= instance->context.memory_limit) { /* too slow, all of them */
        nearest = NULL;
        for (int64_t i = 0; i < b->count; i++) {
            bool fits = b->items[i].peak <= instance->context.memory_limit;
            nearest = fits && (nearest == NULL || b->items[i].step < nearest->step) ? &b->items[i] : nearest;
        }
    }
    cr_expect(result->has_nearest == (nearest != NULL), "%snearest", instance->name);
    if (result->has_nearest && nearest != NULL) {
        expect_plan(instance, &result->nearest, nearest, -1);
    }
}

/* What is counted is what it is called. */
static void expect_counts(const struct instance *instance, const struct brute *b, const struct search_result *result) {
    int64_t fit = 0;
    for (int64_t i = 0; i < b->count; i++) {
        fit += b->items[i].peak <= instance->context.memory_limit ? 1 : 0;
    }
    int64_t legal = result->evaluated + result->pruned_memory + result->pruned_bound;
    cr_expect(legal == b->count, "%s%lld legal configurations, by hand %lld", instance->name, (long long)legal,
              (long long)b->count);
    cr_expect(result->evaluated <= fit && result->pruned_memory <= b->count - fit,
              "%sof %lld that fit %lld were priced, of %lld that do not %lld left out", instance->name, (long long)fit,
              (long long)result->evaluated, (long long)(b->count - fit), (long long)result->pruned_memory);
}

static void expect_bound(const struct instance *instance, const struct brute *b, const struct search_result *result) {
    double least = INFINITY;
    for (int64_t i = 0; i < b->count; i++) {
        least = brute_fits(b, &b->items[i]) ? fmin(least, b->items[i].step) : least;
    }
    cr_expect(result->lower_bound <= least, "%slower bound %.17g, but %.17g can be had", instance->name,
              result->lower_bound, least);
    const struct estimate *plans = result->plans.items;
    if (result->plans.count > 0) {
        cr_expect(result->lower_bound > 0 && near(result->gap, plans[0].step_time / result->lower_bound - 1, 1e-12),
                  "%sgap %g", instance->name, result->gap);
        cr_expect(instance->context.job->objective != OBJECTIVE_STEP_TIME || instance->context.job->pareto.count > 0 ||
                      result->lower_bound == least,
                  "%sthe bound of a complete search is the best", instance->name);
    }
}

/* Prices everything: the same plans and every legal configuration. */
static void expect_exhaustive(struct arena *arena, const struct instance *instance, const struct brute *b,
                              const struct search_result *pruned) {
    struct search_control control = {.exhaustive = true};
    struct search_result all = search(arena, &instance->context, &control, NULL);
    cr_expect(all.evaluated == b->count && all.pruned_memory == 0 && all.pruned_bound == 0 &&
                  all.pruned_rule == pruned->pruned_rule,
              "%sexhaustive: %lld priced, %lld legal", instance->name, (long long)all.evaluated, (long long)b->count);
    cr_assert(all.plans.count == pruned->plans.count, "%sexhaustive: %zu plans", instance->name, all.plans.count);
    const struct estimate *x = all.plans.items, *y = pruned->plans.items;
    for (size_t i = 0; i < all.plans.count; i++) {
        cr_expect(same_decision(&x[i].decision, &y[i].decision) && x[i].step_time == y[i].step_time,
                  "%sexhaustive: plan %zu", instance->name, i);
    }
    cr_expect(all.has_nearest == pruned->has_nearest, "%sexhaustive: nearest", instance->name);
}

enum { NOTHING_LEGAL, NOTHING_FITS, FRONT, LIST, OUTCOMES };

static void check(const struct instance *instance, const struct brute *b, int found[OUTCOMES]) {
    struct arena *arena = support_arena();
    struct search_control control = {0};
    enum status status;
    struct search_result result = search(arena, &instance->context, &control, &status);
    cr_expect(status == (result.plans.count > 0 ? OK : STATUS_INFEASIBLE) && result.complete, "%sstatus %d",
              instance->name, (int)status);
    cr_expect(result.is_front == (instance->context.job->pareto.count > 0), "%sfront", instance->name);
    if (result.is_front) {
        expect_front(instance, b, &result);
    } else {
        expect_list(arena, instance, b, &result);
    }
    if (result.plans.count == 0) {
        expect_nearest(instance, b, &result);
    }
    expect_counts(instance, b, &result);
    expect_bound(instance, b, &result);
    expect_exhaustive(arena, instance, b, &result);
    found[b->count == 0 ? NOTHING_LEGAL : result.plans.count == 0 ? NOTHING_FITS : result.is_front ? FRONT : LIST]++;
    arena_close(arena);
}

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The value below which `part` of them lie; a little less than all below 0. */
static double quantile(struct arena *arena, const struct brute *b, double part, bool of_steps) {
    double *values = ARENA_ARRAY(arena, double, (size_t)b->count);
    for (int64_t i = 0; i < b->count; i++) {
        values[i] = of_steps ? b->items[i].step : b->items[i].peak;
    }
    qsort(values, (size_t)b->count, sizeof *values, by_number);
    return part < 0 ? 0.9 * values[0] : values[(int64_t)(part * (double)(b->count - 1))];
}

/* The instance again with memory for a part of its configurations, and steps as long as those of a part. */
static struct brute limit(struct arena *arena, struct instance *instance, double fitting, double fast) {
    struct brute b = brute_force(arena, &instance->context);
    struct job *job = ARENA_NEW(arena, struct job);
    struct cost_context *context = ARENA_NEW(arena, struct cost_context);
    *job = *instance->context.job;
    if (b.count > 0 && b.count <= BRUTE_MOST) {
        double memory = instance->context.memory_limit / job->memory_fraction;
        job->memory_fraction = quantile(arena, &b, fitting, false) / memory * (1 + 1e-12);
        job->max_step_time = fast < 1 ? quantile(arena, &b, fast, true) : 0;
    }
    *context = cost_context_make(instance->context.model, instance->context.topology, job);
    instance->context = *context;
    b.context = context;
    return b;
}

/* Instances whose limits leave a part of what is legal; of each draw the parts take turns. */
static void check_many(const char *purpose, uint64_t instances, const double fitting[], size_t fits,
                       const double fast[], size_t fasts, int found[OUTCOMES]) {
    for (uint64_t i = 0; i < instances; i++) {
        struct arena *arena = support_arena();
        struct instance instance = instance_draw(arena, purpose, i);
        struct brute b = limit(arena, &instance, fitting[i % fits], fast[i % fasts]);
        if (b.count <= BRUTE_MOST) {
            check(&instance, &b, found);
        }
        arena_close(arena);
    }
}

/* Without and with a limit on the step: what is slower is no plan; where nothing is fast enough, the nearest fits. */
Test(search, equals_brute_force, .timeout = 900) {
    static const double parts[] = {-1, 0, 0.01, 0.1, 0.3, 0.6, 0.95, 1, 1, 1}, any[] = {1};
    static const double fast[] = {-1, 0, 0.2, 0.7}, fitting[] = {1, 0.5, 0.9};
    int found[OUTCOMES] = {0}, limited[OUTCOMES] = {0};
    check_many("search", 180, parts, ROWS(parts), any, ROWS(any), found);
    cr_expect(found[NOTHING_LEGAL] > 4 && found[NOTHING_FITS] > 4 && found[FRONT] > 15 && found[LIST] > 50,
              "nothing legal %d, nothing fits %d, front %d, list %d", found[NOTHING_LEGAL], found[NOTHING_FITS],
              found[FRONT], found[LIST]);
    check_many("longest", 60, fitting, ROWS(fitting), fast, ROWS(fast), limited);
    cr_expect(limited[NOTHING_FITS] > 8 && limited[LIST] + limited[FRONT] > 8, "nothing %d, front %d, list %d",
              limited[NOTHING_FITS], limited[FRONT], limited[LIST]);
}
