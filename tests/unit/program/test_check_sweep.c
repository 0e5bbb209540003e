/* Every program that lowering makes is sound: all schedules, levels of detail and ways to cut a model. */
#include "lowered.h"
#include "program/check.h"

struct sweep {
    const char *name, *model, *job;
    struct parallel parallel;
    int recompute;
};

static const struct sweep sweeps[] = {
    {"dense", NULL, NULL, {.dp = 2}, 0},
    {"tensor", NULL, NULL, {.tp = 4, .dp = 2, .sp = true, .zero = 1}, RECOMPUTE_SELECTIVE},
    {"ring", NULL, NULL, {.tp = 2, .cp = 4, .cp_kind = CONTEXT_RING, .sp = true, .zero = 2}, 0},
    {"sharded", NULL, NULL, {.dp = 8, .zero = 3}, RECOMPUTE_FULL},
    {"experts", EXPERTS, NULL, {.tp = 2, .dp = 8, .ep = 8, .sp = true, .zero = 1}, RECOMPUTE_FULL},
    {"experts in shards", EXPERTS, NULL, {.dp = 8, .ep = 4, .zero = 3}, 0},
    {"predictions", EXPERTS "mtp_layers: 2\n", NULL, {.dp = 4, .ep = 4}, RECOMPUTE_SELECTIVE},
    {"tied", DENSE "tie_word_embeddings: true\n", NULL, {.tp = 2, .zero = 1, .dp = 2}, 0},
    {"spread", NULL, "vocab_parallel: true\n", {.tp = 2, .dp = 2}, 0},
    {"blocking", NULL, "overlap: {pipeline: false, gradients: false, parameters: false}\n", {.dp = 2, .zero = 1}, 0},
};

static bool check_one(struct arena *arena, const struct sweep *sweep, int schedule, const struct parallel *degrees,
                      int64_t micro_batches, enum detail detail) {
    struct wish wish = {.model = sweep->model, .job = sweep->job, .parallel = sweep->parallel,
                        .micro_batches = micro_batches, .schedule = schedule, .recompute = sweep->recompute};
    wish.parallel.pp = degrees->pp;
    wish.parallel.vpp = degrees->vpp;
    struct plan plan = wished_plan(arena, &wish);
    struct model *model = setup_model(arena, wish.model != NULL ? wish.model : DENSE);
    struct lowered *lowered = lower_plan(arena, model, &plan, NULL, detail);
    if (lowered->status != OK) {
        return false;
    }
    enum status status = program_check(arena, &lowered->program, model, &lowered->diag);
    cr_assert(status == OK, "%s, %s, pp %lld, vpp %lld, %lld micro-batches, %s: %s", sweep->name,
              schedule_names[schedule], (long long)degrees->pp, (long long)degrees->vpp, (long long)micro_batches,
              detail_names[detail], first_of(&lowered->diag));
    return true;
}

static int sweep_schedule(int schedule) {
    static const struct parallel degrees[] = {{.pp = 1, .vpp = 1}, {.pp = 2, .vpp = 1}, {.pp = 4, .vpp = 1},
                                              {.pp = 2, .vpp = 2}, {.pp = 4, .vpp = 2}, {.pp = 2, .vpp = 4}};
    static const int64_t micro_batches[] = {1, 4, 12};
    int checked = 0;
    for (size_t i = 0; i < ROWS(sweeps) * ROWS(degrees) * ROWS(micro_batches) * DETAIL_COUNT; i++) {
        struct arena *arena = support_arena();
        size_t at = i / DETAIL_COUNT;
        checked += check_one(arena, &sweeps[at % ROWS(sweeps)], schedule,
                             &degrees[at / ROWS(sweeps) % ROWS(degrees)],
                             micro_batches[at / ROWS(sweeps) / ROWS(degrees)], (enum detail)(i % DETAIL_COUNT));
        arena_close(arena);
    }
    return checked;
}

Test(program_check, finds_no_fault_in_what_lowering_makes) {
    for (int schedule = 0; schedule < SCHEDULE_COUNT; schedule++) {
        int checked = sweep_schedule(schedule);
        cr_assert(checked > 0, "%s: no program", schedule_names[schedule]);
    }
}
