/* How results are compared: values, limits, decisions. */
#ifndef PARPLAN_TESTS_SEARCH_COMPARE_H
#define PARPLAN_TESTS_SEARCH_COMPARE_H

#include "brute.h"

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
    return p->tp == q->tp && p->pp == q->pp && p->vpp == q->vpp && p->dp == q->dp && p->cp == q->cp && p->ep == q->ep &&
           p->etp == q->etp && p->zero == q->zero && p->sp == q->sp && p->cp_kind == q->cp_kind &&
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
