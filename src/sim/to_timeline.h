/* A simulated step as a timeline: a group a rank, a lane a stream, a slice an instruction. */
#ifndef PARPLAN_SIM_TO_TIMELINE_H
#define PARPLAN_SIM_TO_TIMELINE_H

#include "sim/simulate.h"
#include "timeline/timeline.h"

/* `ranks` (int64_t, global, ascending): who is shown; empty: one of each role. The simulation must not be brief. */
void simulation_timeline(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                         const struct simulation *simulation, const struct list *ranks, struct timeline *ret);

#endif
