/* Random legal decisions. */
#ifndef PARPLAN_TESTS_COST_DRAW_H
#define PARPLAN_TESTS_COST_DRAW_H

#include "base/random.h"
#include "decision.h"

static inline int64_t draw_divisor(struct random *random, int64_t number, int64_t most) {
    int64_t found[64];
    uint32_t count = 0;
    for (int64_t d = 1; d <= number && d <= most && count < 64; d++) {
        if (number % d == 0) {
            found[count++] = d;
        }
    }
    return found[random_below(random, count)];
}

static inline void draw_mesh(struct random *random, const struct cost_context *c, struct parallel *p) {
    p->tp = draw_divisor(random, c->world, 16);
    p->pp = draw_divisor(random, c->world / p->tp, 32);
    p->cp = random_below(random, 2) ? 1 : draw_divisor(random, c->world / p->tp / p->pp, 8);
    p->dp = c->world / (p->tp * p->pp * p->cp);
    bool moe = c->model->moe != NULL;
    p->ep = moe ? draw_divisor(random, c->model->moe->num_experts, p->tp * p->cp * p->dp) : 1;
    p->etp = moe && random_below(random, 3) == 0 ? 2 : 1;
    p->sp = p->tp > 1 && (moe || random_below(random, 2));
    p->cp_kind = (int)random_below(random, CONTEXT_KINDS);
    p->ulysses = p->cp_kind == CONTEXT_ULYSSES ? p->cp : p->cp_kind == CONTEXT_USP ? draw_divisor(random, p->cp, 8) : 1;
    p->zero = random_below(random, p->pp > 1 ? 2 : 4);
    p->order = (int)random_below(random, ORDER_KINDS);
}

/* A random legal decision: draws until no rule is broken. */
static inline struct decision draw_decision(struct random *random, const struct cost_context *c,
                                            struct arena *arena) {
    for (int tries = 0; tries < 20000; tries++) {
        struct decision d = alone;
        struct parallel *p = &d.parallel;
        draw_mesh(random, c, p);
        int64_t share = c->job->global_batch / p->dp;
        if (share < 1) {
            continue;
        }
        d.micro_batch = draw_divisor(random, share, 8);
        d.micro_batches = share / d.micro_batch;
        d.schedule = p->pp == 1 ? SCHEDULE_NONE : 1 + (int)random_below(random, SCHEDULE_COUNT - 1);
        int64_t chunks = schedules[d.schedule]->fixed_chunks;
        p->vpp = chunks > 0 ? chunks : schedules[d.schedule]->chunked ? 2 + random_below(random, 3) : 1;
        d.recompute = (int)random_below(random, RECOMPUTE_KINDS);
        d.stages = random_below(random, 4) ? STAGES_EVEN : STAGES_ENDS;
        if (rule_reasons(arena, c, &d).count == 0) {
            return d;
        }
    }
    cr_assert(false, "no legal decision for %s on %lld devices", c->model->name, (long long)c->world);
    return alone;
}

#endif
