/* The best plans so far: the first `room` by one objective, or the Pareto front of several.
 *
 * By one objective only the best of a family is kept: configurations that differ in nothing but mesh order, kind of
 * context parallelism, sequence parallelism or first and last stages are variations of one plan and would fill the list
 * with near-identical rows. Ties go to the earlier in the enumeration (space.h). */
#ifndef PARPLAN_SEARCH_BEST_H
#define PARPLAN_SEARCH_BEST_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

struct arena;

enum { BEST_OBJECTIVES = 4 };

/* Where a configuration stands in the enumeration; decides ties, whatever thread met it. */
struct serial {
    int64_t shape, inner;
};

struct candidate {
    double values[BEST_OBJECTIVES]; /* smaller is better */
    struct serial serial;
    struct decision decision;
};

struct best {
    struct candidate *items; /* sorted by first value, then serial */
    int64_t count, room;     /* a front has as much room as it needs */
    int objectives;          /* 1: the best; more: the front */
    struct arena *arena;
};

void best_init(struct best *best, struct arena *arena, int64_t room, int objectives);
/* Keeps the candidate if it belongs to the best. */
void best_offer(struct best *best, const struct candidate *candidate);
/* Whether no configuration whose values are all at least `bounds` would be kept. */
bool best_rejects(const struct best *best, const double bounds[]);

/* Whether two decisions are variations of one plan. */
bool best_same_family(const struct decision *a, const struct decision *b);

#endif
