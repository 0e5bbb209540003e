/* A scenario, worked out for the ranks that are played: how fast each runs at every moment, when it begins nothing, and
 * the jitter of its instructions. */
#ifndef PARPLAN_SIM_DISTURBANCE_H
#define PARPLAN_SIM_DISTURBANCE_H

#include "sim/curve.h"
#include "sim/engine_table.h"

struct disturbance;
/* NULL when the scenario is. Without every_rank each role is disturbed as its first replica. */
struct disturbance *disturbance_make(struct arena *arena, const struct engine_input *input,
                                     const struct engine_table *table);

/* The global rank of a role's replica. */
int64_t rank_of_replica(const struct program *program, int64_t replica, int64_t role);

/* All below: of an instruction of a rank; without a disturbance nothing is disturbed. */

/* Rates of what it does; NULL: as priced. A message is disturbed at both ends: `far` asks for the other. */
const struct curve *disturbance_curve(const struct disturbance *disturbance, struct spot spot);
const struct curve *disturbance_far_curve(const struct disturbance *disturbance, struct spot spot);
/* The first moment from `time` on that its rank may begin it; NEVER when the rank has failed by then. */
int64_t disturbance_begin(const struct disturbance *disturbance, struct spot spot, int64_t time);
/* When its rank fails; NEVER. */
int64_t disturbance_failure(const struct disturbance *disturbance, struct spot spot);
/* Its picoseconds with jitter: the same for the same seed, rank and instruction, whatever else happens. */
int64_t disturbance_work(const struct disturbance *disturbance, struct spot spot, int64_t picoseconds);

#endif
