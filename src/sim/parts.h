/* Where the time of a step goes, as one rank sees it: what it does itself and, while it does nothing, what it waits
 * for. A wait is followed back along its causes until the rank's own work before it:
 *
 *   rank 2   ├─F3─┤          ├─B1─┤        the wait between F3 and B1 is rank 3's B1: bubble
 *   rank 3        ├───B1───┤╌╌┘            then the message: pp exposed
 *
 * so that the parts of a rank add up to the step. Work that stands for computation and visible exchanges in one (a
 * pass, a layer) is split as the cost model splits it. */
#ifndef PARPLAN_SIM_PARTS_H
#define PARPLAN_SIM_PARTS_H

#include "cost/context.h"
#include "sim/engine.h"
#include "sim/price.h"

struct arena;
struct plan;

/* Shares of what a work takes alone; they add up to 1. */
struct work_shares {
    double compute, tp, cp, ep, overhead;
};
/* shares[w] of program->works[w], in the arena. */
const struct work_shares *program_shares(struct arena *arena, const struct cost_context *context,
                                         const struct plan *plan, const struct program *program,
                                         const struct work_price *prices);

/* The parts of `instance`, in seconds; they add up to the end of the step. The result must have times and causes. */
struct time_parts parts_of(struct arena *arena, const struct program *program, const struct work_price *prices,
                           const struct work_shares *shares, const struct contention *contention,
                           const struct engine_result *result, int64_t instance);

#endif
