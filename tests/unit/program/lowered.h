/* Plans for tests of lowering, made from a decision, and their programs. */
#ifndef PARPLAN_TESTS_PROGRAM_LOWERED_H
#define PARPLAN_TESTS_PROGRAM_LOWERED_H

#include "../plan/setup.h"
#include "plan/plan.h"
#include "program/lower.h"
#include "schedule/schedule.h"

/* Eight layers of 1024, 16 heads of 64, 8 for keys and values, and what stands for the feed-forward. */
#define DEEP MODEL "hidden_size: 1024\nnum_attention_heads: 16\nnum_key_value_heads: 8\nvocab_size: 51200\n" \
                   "num_hidden_layers: 8\n"
#define DENSE DEEP "intermediate_size: 4096\n"
#define EXPERTS DEEP "moe: {num_experts: 16, experts_per_token: 2, expert_intermediate_size: 512}\n"

/* What a test varies; degrees that are left out are 1. */
struct wish {
    const char *model; /* NULL: DENSE */
    const char *job;   /* further keys; NULL: none */
    struct parallel parallel;
    int64_t micro_batches; /* 0: 8 */
    int schedule, recompute;
};

struct lowered {
    struct model *model;
    struct topology *topology;
    struct plan plan;
    struct program program;
    struct diag diag;
    enum status status;
};

static inline struct plan wished_plan(struct arena *arena, const struct wish *wish) {
    struct parallel p = wish->parallel;
    int64_t *const degrees[] = {&p.tp, &p.pp, &p.vpp, &p.dp, &p.cp, &p.ep, &p.etp, &p.ulysses};
    for (size_t i = 0; i < ROWS(degrees); i++) {
        *degrees[i] = *degrees[i] == 0 ? 1 : *degrees[i];
    }
    int64_t micro_batches = wish->micro_batches > 0 ? wish->micro_batches : 8;
    struct plan plan = {.model = "m", .topology = "t", .devices = p.tp * p.cp * p.dp * p.pp};
    plan.job = *setup_job(arena, arena_format(arena, "global_batch: %lld\nseq_len: 2048\n%s",
                                              (long long)(micro_batches * p.dp), wish->job != NULL ? wish->job : ""));
    plan.decision = (struct decision){.parallel = p,
                                      .micro_batch = 1,
                                      .micro_batches = micro_batches,
                                      .schedule = wish->schedule,
                                      .recompute = wish->recompute,
                                      .stages = STAGES_EVEN};
    return plan;
}

static inline struct lowered *lower_plan(struct arena *arena, struct model *model, const struct plan *plan,
                                         const struct node *root, enum detail detail) {
    struct lowered *lowered = ARENA_NEW(arena, struct lowered);
    lowered->model = model;
    lowered->topology = setup_topology(arena, "h100-sxm", plan->devices);
    lowered->plan = *plan;
    diag_init(&lowered->diag, arena);
    lowered->status = lower(arena, model, lowered->topology, plan, root, detail, &lowered->program, &lowered->diag);
    return lowered;
}

static inline struct lowered *lower_wish(struct arena *arena, const struct wish *wish, enum detail detail) {
    struct plan plan = wished_plan(arena, wish);
    struct model *model = setup_model(arena, wish->model != NULL ? wish->model : DENSE);
    struct lowered *lowered = lower_plan(arena, model, &plan, NULL, detail);
    cr_assert(lowered->status == OK, "%s", first_of(&lowered->diag));
    return lowered;
}

static inline const struct instruction *instruction_of(const struct program *program, int64_t role, int64_t i) {
    return &program->instructions[program->roles[role].first + i];
}

/* Instructions of a role (-1: of all) with this action (-1: any) and kind of work (-1: any). */
static inline int64_t count_of(const struct program *program, int64_t role, int action, int kind) {
    int64_t count = 0;
    for (int64_t r = 0; r < program->role_count; r++) {
        for (int64_t i = 0; i < program->roles[r].count && (role < 0 || role == r); i++) {
            const struct instruction *instruction = instruction_of(program, r, i);
            bool same = action < 0 || instruction->action == action;
            count += same && (kind < 0 || program->works[instruction->work].kind == kind);
        }
    }
    return count;
}

/* Whether an instruction waits, directly, for `before`. */
static inline bool has_wait(const struct program *program, int64_t role, int64_t i, int64_t before) {
    const struct instruction *instruction = instruction_of(program, role, i);
    for (int32_t w = instruction[0].first_wait; w < instruction[1].first_wait; w++) {
        if (program->waits[w] == before) {
            return true;
        }
    }
    return false;
}

/* The n-th instruction of a role with this action and kind of work; -1: none. */
static inline int64_t find_nth(const struct program *program, int64_t role, int action, int kind, int64_t n) {
    for (int64_t i = 0; i < program->roles[role].count; i++) {
        const struct instruction *instruction = instruction_of(program, role, i);
        if (instruction->action == action && program->works[instruction->work].kind == kind && n-- == 0) {
            return i;
        }
    }
    return -1;
}

#endif
