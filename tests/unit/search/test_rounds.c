/* Threads, an early end, and what is promised then. */
#include "compare.h"

static const struct {
    const char *model, *topology, *job;
    int64_t devices;
} cases[] = {
    {"llama3-8b", "h100-sxm", "global_batch: 64\nseq_len: 4096\ntop: 20\n", 32},
    {"mixtral-8x7b", "a100-sxm-80g", "global_batch: 48\nseq_len: 4096\nobjective: energy\n", 24},
    {"deepseek-v2-lite", "h100-sxm",
     "global_batch: 32\nseq_len: 4096\npareto: [time, memory]\nsearch: {cp: 1, etp: 1}\n", 16},
    {"llama2-13b", "rtx-4090", "global_batch: 8\nseq_len: 2048\nobjective: memory\n", 8},
    {"llama3-70b", "a100-sxm-80g", "global_batch: 64\nseq_len: 4096\n", 8}, /* does not fit */
};

static const struct cost_context *context_of(struct arena *arena, size_t i, const char *more) {
    struct cost_context *c = ARENA_NEW(arena, struct cost_context);
    *c = cost_context_make(setup_model(arena, cases[i].model),
                           setup_topology(arena, cases[i].topology, cases[i].devices),
                           setup_job(arena, arena_format(arena, "%s%s", cases[i].job, more)));
    return c;
}

static bool same_result(const struct search_result *a, const struct search_result *b) {
    const struct estimate *x = a->plans.items, *y = b->plans.items;
    bool same = a->evaluated == b->evaluated && a->pruned_memory == b->pruned_memory &&
                a->pruned_bound == b->pruned_bound && a->pruned_rule == b->pruned_rule &&
                a->lower_bound == b->lower_bound && a->gap == b->gap && a->complete == b->complete &&
                a->has_nearest == b->has_nearest && a->plans.count == b->plans.count;
    for (size_t i = 0; i < a->plans.count && same; i++) {
        same = same_decision(&x[i].decision, &y[i].decision) && x[i].step_time == y[i].step_time &&
               x[i].memory.peak == y[i].memory.peak;
    }
    return same && (!a->has_nearest || same_decision(&a->nearest.decision, &b->nearest.decision));
}

Test(rounds, same_at_any_number_of_threads, .timeout = 60) {
    static const char *const threads[] = {"threads: 1\n", "threads: 2\n", "threads: 16\n"};
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct arena *arena = support_arena();
        struct search_control control = {0};
        struct search_result results[ROWS(threads)];
        for (size_t t = 0; t < ROWS(threads); t++) {
            results[t] = search(arena, context_of(arena, i, threads[t]), &control, NULL);
            cr_expect(results[t].complete && same_result(&results[0], &results[t]), "%s: %s differs", cases[i].model,
                      threads[t]);
        }
        cr_expect(results[0].plans.count > 0 || results[0].has_nearest);
        arena_close(arena);
    }
}

/* Ends the search after so many rounds. */
struct stopper {
    volatile sig_atomic_t stop;
    int rounds;
    double best;
};

static void count_down(void *context, const struct search_result *so_far) {
    struct stopper *stopper = context;
    cr_expect(so_far->evaluated + so_far->pruned_memory + so_far->pruned_bound > 0 && so_far->plans.count <= 1);
    if (so_far->plans.count > 0) {
        double step = ((const struct estimate *)so_far->plans.items)[0].step_time;
        cr_expect(step > 0 && step <= stopper->best, "best %g after %g", step, stopper->best);
        stopper->best = step;
    }
    if (--stopper->rounds == 0) {
        stopper->stop = 1;
    }
}

/* The plans of a search that was stopped are legal, fit, stand in order and are no better than the best. */
static void expect_partial(struct arena *arena, const struct cost_context *c, const struct search_result *part,
                           const struct search_result *whole, const char *what) {
    const struct estimate *plans = part->plans.items, *best = whole->plans.items;
    for (size_t i = 0; i < part->plans.count; i++) {
        struct estimate e = cost_estimate(arena, c, &plans[i].decision, NULL);
        cr_expect(e.feasible && e.step_time == plans[i].step_time, "%s: plan %zu", what, i);
        cr_expect(i == 0 || plans[i - 1].step_time <= plans[i].step_time, "%s: order", what);
        cr_expect(plans[i].step_time >= best[i].step_time, "%s: plan %zu is better than the best", what, i);
    }
    cr_expect(part->lower_bound <= best[0].step_time, "%s: bound %g, but %g can be had", what, part->lower_bound,
              best[0].step_time);
    cr_expect(part->plans.count == 0 || part->lower_bound <= 0 ||
                  near(part->gap, plans[0].step_time / part->lower_bound - 1, 1e-12),
              "%s: gap", what);
    int64_t seen = part->evaluated + part->pruned_memory + part->pruned_bound + part->pruned_rule;
    int64_t all = whole->evaluated + whole->pruned_memory + whole->pruned_bound + whole->pruned_rule;
    cr_expect(seen <= all, "%s: %lld of %lld seen", what, (long long)seen, (long long)all);
}

Test(rounds, stopped, .timeout = 60) {
    struct arena *arena = support_arena();
    const struct cost_context *c = context_of(arena, 0, "threads: 2\n");
    struct search_control control = {0};
    struct search_result whole = search(arena, c, &control, NULL);
    double gap = INFINITY;
    int early = 0, with_plans = 0;
    for (int rounds = 0; rounds < 12; rounds++) {
        struct stopper stopper = {.rounds = rounds, .stop = rounds == 0, .best = INFINITY};
        control = (struct search_control){.stop = &stopper.stop, .progress = count_down, .context = &stopper};
        enum status status;
        struct search_result part = search(arena, c, &control, &status);
        const char *what = arena_format(arena, "%d rounds", rounds);
        cr_expect(status == (part.complete ? OK : STATUS_INTERRUPTED), "%s: status %d", what, (int)status);
        expect_partial(arena, c, &part, &whole, what);
        if (!part.complete) {
            early++;
            with_plans += part.plans.count > 0 ? 1 : 0;
            cr_expect(part.plans.count == 0 || part.gap <= gap * (1 + 1e-12), "%s: the gap grows", what);
            gap = part.plans.count > 0 ? part.gap : gap;
        } else {
            cr_expect(same_result(&part, &whole), "%s: complete", what);
        }
    }
    cr_expect(early >= 4 && with_plans >= 2, "%d ended early, %d with plans", early, with_plans);
    arena_close(arena);
}

/* A clock that advances a millisecond whenever it is looked at. */
static double fake_now;
static double fake_clock(void) {
    return fake_now += 1e-3;
}

Test(rounds, out_of_time, .timeout = 60) {
    struct arena *arena = support_arena();
    struct search_control control = {0};
    struct search_result whole = search(arena, context_of(arena, 0, "threads: 1\n"), &control, NULL);
    int early = 0, with_plans = 0, complete = 0;
    control.clock = fake_clock;
    for (int ms = 1; ms < 1000; ms += ms < 100 ? 7 : 60) {
        const struct cost_context *c = context_of(arena, 0, arena_format(arena, "threads: 1\ntime: %dms\n", ms));
        fake_now = 100;
        enum status status;
        struct search_result part = search(arena, c, &control, &status);
        const char *what = arena_format(arena, "%d ms", ms);
        cr_expect(status == (part.complete ? OK : STATUS_INTERRUPTED), "%s: status %d", what, (int)status);
        cr_expect(part.seconds > 0, "%s: %g s", what, part.seconds);
        expect_partial(arena, c, &part, &whole, what);
        early += part.complete ? 0 : 1;
        complete += part.complete ? 1 : 0;
        with_plans += !part.complete && part.plans.count > 0 ? 1 : 0;
    }
    cr_expect(early > 5 && with_plans > 1 && complete > 1, "%d early, %d with plans, %d complete", early, with_plans,
              complete);
    arena_close(arena);
}

Test(rounds, bad_constraint) {
    static const char *texts[] = {"tp >"};
    struct arena *arena = support_arena();
    struct search_control control = {0};
    struct search_result result;
    struct diag diag;
    struct cost_context c = *context_of(arena, 0, "");
    struct job job = *c.job;
    job.forbid = (struct list){texts, 1};
    c.job = &job;
    diag_init(&diag, arena);
    cr_expect(search_run(arena, &c, &control, &result, &diag) == STATUS_INVALID);
    cr_expect(diag.errors == 1 && result.plans.count == 0);
    arena_close(arena);
}
