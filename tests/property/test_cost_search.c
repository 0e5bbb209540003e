/* A search prices a configuration to the last bit as an estimate does: with the space fixed to it, it is found within
 * exactly its step time and its peak, and not within the next smaller number of either. */
#include "cost_settings.h"

#include "search/search.h"

/* Whether the search of a space of one decision finds it within these limits. */
static bool finds(struct arena *arena, const struct cost_context *c, const struct decision *d, double seconds,
                  double bytes) {
    struct job job = *c->job;
    struct search_control control = {.exhaustive = false};
    struct search_result result;
    struct diag diag;
    diag_init(&diag, arena);
    plan_fix_space(arena, d, &job.space);
    job.threads = 1;
    job.max_step_time = seconds;
    struct cost_context fixed = cost_context_make(c->model, c->topology, &job);
    fixed.memory_limit = bytes;
    enum status status = search_run(arena, &fixed, &control, &result, &diag);
    cr_assert(status == OK || status == STATUS_INFEASIBLE, "%s", first_of(&diag));
    if (status == OK) {
        const struct estimate *found = result.plans.items;
        cr_expect(result.plans.count == 1 && memcmp(&found->decision, d, sizeof *d) == 0, "another decision");
    }
    return status == OK;
}

static void law_search(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    struct estimate e = cost_estimate(arena, c, d, NULL);
    double step = e.step_time, peak = e.memory.peak;
    cr_expect(finds(arena, c, d, step, peak), "%s: not found within %.17g s and %.17g bytes", name, step, peak);
    cr_expect(!finds(arena, c, d, nextafter(step, 0), peak), "%s: found within less than %.17g s", name, step);
    cr_expect(!finds(arena, c, d, step, nextafter(peak, 0)), "%s: found within less than %.17g bytes", name, peak);
}

Test(cost_search, prices_as_an_estimate, .timeout = 120) {
    for_all("search", law_search);
}
