/* The search done by hand: every axis a loop, every configuration an estimate of its own. Shares nothing with the
 * search but rules and prices. */
#ifndef PARPLAN_TESTS_SEARCH_BRUTE_H
#define PARPLAN_TESTS_SEARCH_BRUTE_H

#include "member.h"
#include "plan/constraint.h"

static inline void brute_price(struct brute *b, const struct decision *d) {
    struct arena_place place = arena_mark(b->arena);
    if (!breaks(b, d, RULE_WHOLE) && !(b->constraint != NULL && constraint_forbids(b->constraint, d))) {
        if (b->count < BRUTE_MOST) {
            struct estimate e = cost_estimate(b->arena, b->context, d, NULL);
            b->items[b->count] = (struct brute_item){*d, e.step_time, e.memory.peak, e.time.compute};
        }
        b->count++;
    }
    arena_rewind(b->arena, place);
}

/* Named, or searched where the job leaves all open. */
static inline bool brute_tries(const struct space *space, int schedule) {
    uint64_t all = (UINT64_C(1) << SCHEDULE_COUNT) - 1;
    return in_set(space->schedule, schedule) && ((space->schedule & all) != all || schedules[schedule]->searched);
}

static inline void brute_whole(struct brute *b, struct decision *d) {
    const struct space *space = &b->context->job->space;
    for (d->schedule = 0; d->schedule < SCHEDULE_COUNT; d->schedule++) {
        for (int64_t vpp = 1; vpp <= b->context->model->layer_count; vpp++) {
            for (d->stages = STAGES_EVEN; d->stages <= STAGES_ENDS; d->stages++) {
                for (d->recompute = 0; d->recompute < RECOMPUTE_KINDS; d->recompute++) {
                    for (int64_t zero = 0; zero < 4; zero++) {
                        bool wanted = space->stages == STAGES_AUTO || space->stages == d->stages;
                        d->parallel.vpp = vpp;
                        d->parallel.zero = zero;
                        if (wanted && brute_tries(space, d->schedule) && listed(&space->vpp, vpp) &&
                            in_set(space->recompute, d->recompute) && listed(&space->zero, zero)) {
                            brute_price(b, d);
                        }
                    }
                }
            }
        }
    }
}

static inline void brute_micro_batches(struct brute *b, struct decision *d) {
    int64_t batch = b->context->job->global_batch;
    for (d->micro_batch = 1; d->micro_batch <= batch; d->micro_batch++) {
        if (batch % (d->micro_batch * d->parallel.dp) == 0 &&
            listed(&b->context->job->space.micro_batch, d->micro_batch)) {
            d->micro_batches = batch / (d->micro_batch * d->parallel.dp);
            if (!breaks(b, d, RULE_MICRO_BATCH)) {
                brute_whole(b, d);
            }
        }
    }
}

/* With one context-parallel rank all kinds are one: the first that the job allows. */
static inline void brute_cuts(struct brute *b, struct decision *d) {
    const struct space *space = &b->context->job->space;
    struct parallel *p = &d->parallel;
    bool done = false;
    for (p->cp_kind = 0; p->cp_kind < CONTEXT_KINDS; p->cp_kind++) {
        if (!in_set(space->cp_kind, p->cp_kind) || (p->cp == 1 && done)) {
            continue;
        }
        done = true;
        for (p->ulysses = 1; p->ulysses <= p->cp; p->ulysses++) {
            for (int sp = 0; sp < 2; sp++) {
                for (p->order = 0; p->order < ORDER_KINDS; p->order++) {
                    p->sp = sp == 1;
                    if (in_set(space->sp, sp) && in_set(space->order, p->order) && !is_repeated(space, p)) {
                        brute_micro_batches(b, d);
                    }
                }
            }
        }
    }
}

static inline void brute_shapes(struct brute *b, struct decision *d) {
    const struct space *space = &b->context->job->space;
    struct parallel *p = &d->parallel;
    int64_t world = b->context->world, experts = b->context->model->moe ? b->context->model->moe->num_experts : 1;
    for (p->tp = 1; p->tp <= world; p->tp++) {
        for (p->cp = 1; p->cp <= world; p->cp++) {
            for (p->ep = 1; p->ep <= experts; p->ep++) {
                for (p->etp = 1; p->etp <= world; p->etp++) {
                    for (p->pp = 1; p->pp <= world; p->pp++) {
                        p->dp = world / (p->tp * p->cp * p->pp);
                        if (p->tp * p->cp * p->pp * p->dp == world && listed(&space->tp, p->tp) &&
                            listed(&space->cp, p->cp) && listed(&space->pp, p->pp) && listed(&space->dp, p->dp) &&
                            listed(&space->ep, p->ep) && listed(&space->etp, p->etp)) {
                            if (!breaks(b, d, RULE_SHAPE)) {
                                brute_cuts(b, d);
                            }
                        }
                    }
                }
            }
        }
    }
}

static inline struct brute brute_force(struct arena *arena, const struct cost_context *context) {
    struct brute brute = {.context = context, .arena = arena};
    struct diag diag;
    diag_init(&diag, arena);
    cr_assert(constraint_parse(arena, &context->job->forbid, &brute.constraint, &diag) == OK);
    brute.items = ARENA_ARRAY(arena, struct brute_item, BRUTE_MOST);
    struct decision decision = alone;
    brute_shapes(&brute, &decision);
    return brute;
}

#endif
