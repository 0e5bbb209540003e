/* Opens one shape (tp, cp, ep, etp, pp) into all its configurations and prices those that no bound rules out. */
#ifndef PARPLAN_SEARCH_EXPLORE_H
#define PARPLAN_SEARCH_EXPLORE_H

#include "search/best.h"
#include "search/space.h"

struct constraint;
struct arena;

/* A shape with its bound. */
struct shape {
    struct parallel parallel; /* tp, cp, ep, etp, pp, dp */
    double bound;             /* seconds: no configuration of the shape has a shorter step */
    int64_t serial;
};

/* What a search over many shapes shares, read-only. */
struct explore_plan {
    const struct space_axes *axes;
    const struct constraint *constraint; /* NULL = none */
    enum objective objectives[BEST_OBJECTIVES];
    int objective_count;
    bool exhaustive;
};

struct tally {
    int64_t evaluated, pruned_memory, pruned_bound, pruned_rule;
    int64_t refused[64]; /* by rule index */
    bool has_nearest;    /* of what did not fit */
    double nearest_excess;
    struct serial nearest_serial;
    struct decision nearest;
};
void tally_add(struct tally *sum, const struct tally *part);

/* Room for one worker's intermediate results, reused from shape to shape. */
struct explorer;
struct explorer *explorer_open(struct arena *arena, const struct explore_plan *plan);

/* Seconds below which no configuration of the shape can be, from kernels alone; infinite if no micro-batch is legal. */
double explore_bound(const struct explore_plan *plan, const struct parallel *shape);

/* Explores; `threshold` is the objective that a candidate must not exceed when the search has better ones already. */
void explore_shape(struct explorer *explorer, const struct shape *shape, double threshold, struct best *best,
                   struct tally *tally);

/* How many configurations the shape holds, legal or not. */
int64_t explore_size(struct explorer *explorer, const struct shape *shape);

#endif
