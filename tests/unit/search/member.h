/* What belongs to a space, decided by itself: legal configurations and the order in which they are listed. */
#ifndef PARPLAN_TESTS_SEARCH_MEMBER_H
#define PARPLAN_TESTS_SEARCH_MEMBER_H

#include "instance.h"
#include "plan/mesh.h"

struct constraint;

enum { BRUTE_MOST = 2500 };

/* A legal configuration of the space, in the order of its enumeration. */
struct brute_item {
    struct decision decision;
    double step, peak, compute;
};

struct brute {
    const struct cost_context *context;
    const struct constraint *constraint;
    struct brute_item *items;
    int64_t count; /* beyond BRUTE_MOST they are only counted */
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

#endif
