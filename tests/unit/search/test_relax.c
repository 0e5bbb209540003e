/* When nothing fits: what is named would fit, at the step it then takes. */
#include "instance.h"

static const struct relaxation *find(const struct list *list, const char *text) {
    const struct relaxation *items = list->items;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(items[i].text, text) == 0) {
            return &items[i];
        }
    }
    return NULL;
}

Test(relax, names_what_helps) {
    static const struct {
        const char *what, *model, *job;
        int64_t devices;
        const char *helps, *does_not;
    } rows[] = {
        {"recomputation was forbidden", "llama3-8b",
         "global_batch: 8\nseq_len: 131072\nsearch: {tp: 8, pp: 1, cp: 1, recompute: none, micro_batch: 1}\n", 8,
         "--recompute full", "--zero auto"},
        {"a large micro-batch was asked for", "llama3-8b",
         "global_batch: 64\nseq_len: 8192\nsearch: {tp: 8, pp: 1, micro_batch: 64, recompute: full}\n", 8,
         "--micro-batch auto", "--zero auto"},
        {"states were to be whole on every rank", "llama3-8b",
         "global_batch: 8\nseq_len: 4096\nsearch: {tp: 1, pp: 1, cp: 1, zero: 0}\n", 8, "--zero auto",
         "--micro-batch auto"},
        {"degrees were fixed", "llama3-8b", "global_batch: 8\nseq_len: 4096\nsearch: {tp: 1, pp: 1, cp: 1, zero: 0}\n",
         8, "all degrees auto", "--flash-attention"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        struct cost_context c =
            cost_context_make(setup_model(arena, rows[i].model), setup_topology(arena, "h100-sxm", rows[i].devices),
                              setup_job(arena, rows[i].job));
        struct search_control control = {0};
        enum status status;
        struct search_result result = search(arena, &c, &control, &status);
        cr_assert(status == STATUS_INFEASIBLE && result.has_nearest, "%s: status %d", rows[i].what, (int)status);
        cr_expect(!result.nearest.feasible && result.nearest.memory.peak > c.memory_limit, "%s: nearest", rows[i].what);
        struct list found = search_relaxations(arena, &c, &control);
        cr_expect(find(&found, rows[i].does_not) == NULL, "%s: %s", rows[i].what, rows[i].does_not);
        const struct relaxation *helps = find(&found, rows[i].helps);
        cr_assert(helps != NULL, "%s: %s is not named", rows[i].what, rows[i].helps);
        for (size_t j = 0; j < found.count; j++) {
            const struct relaxation *r = &((const struct relaxation *)found.items)[j];
            cr_expect(r->estimate.feasible && r->estimate.step_time > 0 &&
                          r->estimate.memory.peak <= c.memory_limit / 0.9,
                      "%s: %s", rows[i].what, r->text);
        }
        arena_close(arena);
    }
}

/* Fits already with all it has: nothing to relax but what was not yet free. */
Test(relax, nothing_helps) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, "gpt3-175b"), setup_topology(arena, "l40s", 1),
                                              setup_job(arena, "global_batch: 1\nseq_len: 2048\n"));
    struct search_control control = {0};
    enum status status;
    struct search_result result = search(arena, &c, &control, &status);
    cr_expect(status == STATUS_INFEASIBLE && result.has_nearest);
    cr_expect(search_relaxations(arena, &c, &control).count == 0);
    arena_close(arena);
}
