/* Where the critical path stays: most of a pipeline's makespan is spent on one rank, the rest on the way to it, in its
 * waits for the others, and on the way out. A schedule's file says what such a path through a given rank costs; the
 * ranks worth trying are the heaviest, the two ends, and the last but one as the mean of the ranks between the ends.
 *
 * Unequal ranks are priced as equal ranks of the heaviest kind, which the closed forms know exactly, plus the
 * difference that the longest such path sees between the two:
 *
 *   price(load) = makespan(heaviest everywhere) + paths(load) - paths(heaviest everywhere)
 */
#ifndef PARPLAN_SCHEDULE_SPOT_H
#define PARPLAN_SCHEDULE_SPOT_H

#include "schedule/load.h"

struct spot {
    double before_count, after_count;       /* ranks before and behind it */
    struct pass_times own, before, after;   /* sums over those ranks */
};

enum { SPOT_LIMIT = 4 };

/* Returns how many spots of the load there are. */
int load_spots(const struct pipeline_load *load, struct spot spots[SPOT_LIMIT]);

/* The longest of the paths through the spots of the load. */
typedef double path_through(const struct schedule_shape *shape, const struct pipeline_load *load,
                            const struct spot *spot);
double longest_path(const struct schedule_shape *shape, const struct pipeline_load *load, path_through *path);

/* How long a rank idles that has `work` to do until something comes back after `journey`. */
static inline double wait(double journey, double work) {
    return journey > work ? journey - work : 0;
}

/* A forward and an input gradient, without the weight gradient. */
static inline double pass_chain(const struct pass_times *times) {
    return times->forward + times->backward;
}

#endif
