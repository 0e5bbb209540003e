/* Plans whose programs are broken in one place; how, and what must be said of it. */
#ifndef PARPLAN_TESTS_PROGRAM_CHECK_PLANS_H
#define PARPLAN_TESTS_PROGRAM_CHECK_PLANS_H

#include "broken.h"
#include "program/check.h"

static const struct wish plain = {.job = "", .parallel = {.tp = 2, .pp = 2, .dp = 2, .sp = true, .zero = 1},
                                  .micro_batches = 4, .schedule = SCHEDULE_1F1B};
static const struct wish tied = {.model = DENSE "tie_word_embeddings: true\n",
                                 .parallel = {.pp = 2, .dp = 2},
                                 .micro_batches = 4,
                                 .schedule = SCHEDULE_GPIPE};
static const struct wish split = {.parallel = {.pp = 2}, .micro_batches = 4, .schedule = SCHEDULE_ZB_H1};
static const struct wish two_way = {.parallel = {.pp = 4}, .micro_batches = 8, .schedule = SCHEDULE_DUALPIPE};
static const struct wish spread = {.job = "vocab_parallel: true\n", .parallel = {.pp = 2}, .micro_batches = 4,
                                   .schedule = SCHEDULE_1F1B};
static const struct wish skipping = {.parallel = {.pp = 4}, .micro_batches = 4, .schedule = SCHEDULE_SKIPPIPE};

static const struct wish tied_alone = {.model = DENSE "tie_word_embeddings: true\n",
                                       .parallel = {.pp = 2},
                                       .micro_batches = 2,
                                       .schedule = SCHEDULE_GPIPE};
static const struct wish sharded = {.parallel = {.dp = 2, .zero = 3}, .micro_batches = 2};

struct fault {
    const char *name;
    const struct wish *wish;
    enum detail detail;
    void (*breaks)(struct broken *broken);
    const char *says;
};

static inline bool says(const struct diag *diag, const char *words) {
    for (size_t i = 0; i < diag->count; i++) {
        if (strstr(diag->entries[i].text, words) != NULL) {
            return true;
        }
    }
    return false;
}

/* Every fault is found and said. */
static inline void find_faults(const struct fault *faults, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct arena *arena = support_arena();
        struct lowered *lowered = lower_wish(arena, faults[i].wish, faults[i].detail);
        struct broken broken;
        broken_make(arena, &lowered->program, &broken);
        cr_assert(program_check(arena, &broken.program, lowered->model, &lowered->diag) == OK, "%s: %s",
                  faults[i].name, first_of(&lowered->diag));
        faults[i].breaks(&broken);
        cr_expect(program_check(arena, &broken.program, lowered->model, &lowered->diag) == STATUS_INVALID, "%s",
                  faults[i].name);
        cr_expect(says(&lowered->diag, faults[i].says), "%s: %s", faults[i].name, first_of(&lowered->diag));
        arena_close(arena);
    }
}

/* The n-th instruction with this action, counted over the program. */
static inline struct instruction *nth(struct broken *broken, enum action action, int n) {
    for (int64_t i = 0; i < broken->program.count; i++) {
        if (broken->instructions[i].action == action && n-- == 0) {
            return &broken->instructions[i];
        }
    }
    cr_assert_fail("no %s", action_names[action]);
    return NULL;
}

static inline int64_t work_kind(const struct broken *broken, const struct instruction *instruction) {
    return broken->works[instruction->work].kind;
}

/* The first instruction with this action whose work is of this kind. */
static inline struct instruction *of_kind(struct broken *broken, enum action action, enum work_kind kind) {
    int n = 0;
    while (work_kind(broken, nth(broken, action, n)) != kind) {
        n++;
    }
    return nth(broken, action, n);
}

#endif
