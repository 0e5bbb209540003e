/* One pass of the search over a space, for given objectives and limits. */
#ifndef PARPLAN_SEARCH_ROUNDS_H
#define PARPLAN_SEARCH_ROUNDS_H

#include "search/explore.h"
#include "search/search.h"

struct rounds_goal {
    enum objective objectives[BEST_OBJECTIVES];
    int objective_count;
    int64_t top;
    double memory_limit, longest; /* bytes, seconds; infinite = any */
};

struct rounds_result {
    struct best best;
    struct tally tally;
    double floor; /* seconds: nothing that fits and is not among the best is faster than this, or than the best */
    bool complete;
    int64_t threads;
};

/* The pipelines, constraint and axes of `space` must be set. Results live in `arena`. */
struct rounds_result rounds_run(struct arena *arena, const struct search_space *space, const struct rounds_goal *goal,
                                const struct search_control *control, double started);

#endif
