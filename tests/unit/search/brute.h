/* The search done by hand: every axis a loop, every configuration an estimate of its own. Shares nothing with the search but
 * rules and prices. */
#ifndef PARPLAN_TESTS_SEARCH_BRUTE_H
#define PARPLAN_TESTS_SEARCH_BRUTE_H

#include "instance.h"
#include "plan/constraint.h"
#include "plan/mesh.h"

enum { BRUTE_MOST = 60000 };

/* A legal configuration of the space, in the order of its enumeration. */
struct brute_item {
    struct decision decision;
    double step, peak, compute;
};

struct brute {
    const struct cost_context *context;
    const struct constraint *constraint;
    struct brute_item *items;
    int64_t count;
    struct arena *arena;
};

static inline bool listed(const struct degrees *degrees, int64_t value) {
    bool found = degrees->any;
    for (size_t i = 0; i < degrees->count; i++) {
        found = found || degrees->values[i] == value;
    }
    return found;
}

static inline bool in_set(uint64_t set, int value) {
    return (set >> value & 1) != 0;
}

/* An order counts once: later ones that put each axis where an earlier one has it are the same configuration. */
static inline bool is_repeated(const struct space *space, const struct parallel *p) {
    for (int order = 0; order < p->order; order++) {
        struct mesh a = mesh_make(p->tp, p->cp, p->dp, p->pp, p->ep, p->etp, (enum mesh_order)order);
        struct mesh b = mesh_make(p->tp, p->cp, p->dp, p->pp, p->ep, p->etp, (enum mesh_order)p->order);
        bool same = in_set(space->order, order);
        for (int axis = 0; axis < AXIS_COUNT; axis++) {
            const struct mesh_axis *x = &a.axes[axis], *y = &b.axes[axis];
            same = same && (x->size == 1 || memcmp(x, y, sizeof *x) == 0 ||
                            (x->stride == y->stride && x->inner == y->inner && x->inner == x->size));
        }
        if (same) {
            return true;
        }
    }
    return false;
}

/* Whether a rule that looks at no more than what is chosen so far refuses it. */
static inline bool breaks(const struct brute *b, const struct decision *d, enum rule_scope scope) {
    bool broken = false;
    for (int i = RULE_SHAPE; i <= (int)scope; i++) {
        broken = broken || rule_broken(b->context, d, (enum rule_scope)i) != NULL;
    }
    return broken;
}

static inline void brute_price(struct brute *b, const struct decision *d) {
    struct arena_place place = arena_mark(b->arena);
    if (!breaks(b, d, RULE_WHOLE) && !(b->constraint != NULL && constraint_forbids(b->constraint, d))) {
        struct estimate e = cost_estimate(b->arena, b->context, d, NULL);
        cr_assert(b->count < BRUTE_MOST);
        b->items[b->count++] = (struct brute_item){*d, e.step_time, e.memory.peak, e.time.compute};
    }
    arena_rewind(b->arena, place);
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
                        if (wanted && in_set(space->schedule, d->schedule) && listed(&space->vpp, vpp) &&
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

/* The objective of the configuration, smaller is better. */
static inline double brute_value(const struct brute *b, const struct brute_item *item, int objective) {
    switch (objective) {
    case OBJECTIVE_COST:
        return item->step * (b->context->price > 0 ? b->context->price : 1);
    case OBJECTIVE_ENERGY:
        return b->context->power.busy > 0 ? cost_energy(b->context, item->step, item->compute) : item->step;
    case OBJECTIVE_MEMORY:
        return item->peak;
    default:
        return item->step;
    }
}

static inline bool brute_fits(const struct brute *b, const struct brute_item *item) {
    double longest = b->context->job->max_step_time;
    return item->peak <= b->context->memory_limit && (longest <= 0 || item->step <= longest);
}

static inline bool same_decision(const struct decision *a, const struct decision *b) {
    const struct parallel *p = &a->parallel, *q = &b->parallel;
    return p->tp == q->tp && p->pp == q->pp && p->vpp == q->vpp && p->dp == q->dp && p->cp == q->cp &&
           p->ep == q->ep && p->etp == q->etp && p->zero == q->zero && p->sp == q->sp && p->cp_kind == q->cp_kind &&
           p->ulysses == q->ulysses && p->order == q->order && a->micro_batch == b->micro_batch &&
           a->micro_batches == b->micro_batches && a->schedule == b->schedule && a->recompute == b->recompute &&
           a->stages == b->stages;
}

/* Two rows of one plan: they differ in mesh order, kind of context parallelism, sp or stages alone. */
static inline bool same_plan(const struct decision *a, const struct decision *b) {
    struct decision x = *a;
    x.parallel.order = b->parallel.order;
    x.parallel.cp_kind = b->parallel.cp_kind;
    x.parallel.ulysses = b->parallel.ulysses;
    x.parallel.sp = b->parallel.sp;
    x.stages = b->stages;
    return same_decision(&x, b);
}

#endif
