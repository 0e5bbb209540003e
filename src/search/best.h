/* The best plans so far: the first `room` by objective, ties by place in the enumeration; or the Pareto front. */
#ifndef PARPLAN_SEARCH_BEST_H
#define PARPLAN_SEARCH_BEST_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

struct arena;

enum { BEST_OBJECTIVES = 4, BEST_FRONT = 4096 };

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
    struct candidate *items;
    int64_t count, room;
    int objectives; /* 1: the best; more: the front */
};

void best_init(struct best *best, struct arena *arena, int64_t room, int objectives);
/* Keeps the candidate if it belongs to the best; the items stay sorted by first value, then serial. */
void best_offer(struct best *best, const struct candidate *candidate);
/* The value that a new candidate must not exceed to be kept; infinite while there is room or for a front. */
double best_threshold(const struct best *best);

#endif
