/* Plans that differ from a plan in one choice, simulated: what one could change about it. */
#ifndef PARPLAN_CLI_NEIGHBOURS_H
#define PARPLAN_CLI_NEIGHBOURS_H

#include "cli/simulating.h"

struct json;
struct text;

struct neighbour {
    const char *what; /* "recompute full" */
    double step_time, peak;
    bool fits;
};
enum { NEIGHBOURS_MOST = 48 };

/* Every legal change of recomputation, micro-batch, schedule, chunks, ZeRO stage or sequence parallelism: those that
 * fit first, the fastest first among them. Layers are cut by rule and passes run in the schedule's order. */
void neighbours_ask(struct context *context, const struct simulating *simulating,
                    const struct simulate_options *options, struct neighbour ret[NEIGHBOURS_MOST], size_t *ret_count);

/* The few that are better than the plan; it takes `step_time` and `fits` or not. */
void neighbours_text(const struct neighbour *neighbours, size_t count, double step_time, bool fits, struct text *out);
void neighbours_json(const struct neighbour *neighbours, size_t count, struct json *json);

#endif
