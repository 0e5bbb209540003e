/* Flows over links in time: each pays its latency, then moves its bytes at the max-min share of its path, until all are
 * done (flow-level simulation, as SimGrid's without TCP's corrections). */
#ifndef PARPLAN_SIM_FLOW_H
#define PARPLAN_SIM_FLOW_H

#include <stdint.h>

#include "sim/share.h"

struct arena;

struct flow {
    double start, latency, bytes;
    double weight, cap;
    const struct share_use *path;
    int32_t hops;
    double end; /* the result, seconds */
};

/* Sets the ends. Events of equal time are one; only flows connected with a change are solved again. */
void flow_run(struct arena *arena, struct flow *flows, int64_t flow_count, const double *capacities,
              int64_t link_count);

#endif
