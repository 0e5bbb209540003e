/* Where the critical path stays: most of a pipeline's makespan is spent on one rank, the rest on the way to it, in its
 * waits for the others, and on the way out. A schedule's file says what such a path through a given rank costs; the
 * ranks worth trying are the heaviest, the two ends, and the last but one as the mean of the ranks between the ends. */
#ifndef PARPLAN_SCHEDULE_SPOT_H
#define PARPLAN_SCHEDULE_SPOT_H

#include "schedule/load.h"

struct spot {
    double before_count, after_count; /* ranks before and behind it */
    const struct pass_times *own, *after;
    struct pass_times before; /* as `after`, the sum over those ranks */
};

typedef double path_through(const struct schedule_shape *shape, const struct pipeline_load *load,
                            const struct spot *spot);

/* The longest of the paths through the spots of the load. */
double longest_path(const struct schedule_shape *shape, const struct pipeline_load *load, path_through *path);

/* Where paths are not the whole truth, unequal ranks are priced as equal ranks of the heaviest kind, which `makespan`
 * knows, plus the difference that the paths see:
 *
 *   makespan(heaviest everywhere) + length(load) - length(heaviest everywhere) */
typedef double closed_form(const struct schedule_shape *shape, const struct pass_times *times);
typedef double path_length(const struct schedule_shape *shape, const struct pipeline_load *load);
double corrected_path(const struct schedule_shape *shape, const struct pipeline_load *load, closed_form *makespan,
                      path_length *length);

/* Where a rank idles again and again for others, a heavier rank fills its own gaps: equal ranks of the mean kind, and
 * `part` of the surplus of the heaviest rank's work over theirs. */
double mean_rank_step(const struct schedule_shape *shape, const struct pipeline_load *load, closed_form *makespan,
                      double part);

/* How long a rank idles that has `work` to do until something comes back after `journey`. */
static inline double idle(double journey, double work) {
    return journey > work ? journey - work : 0;
}

/* A forward and an input gradient, without the weight gradient. */
static inline double pass_chain(const struct pass_times *times) {
    return times->forward + times->backward;
}

#endif
