/* What every role did and held in a simulated step. */
#ifndef PARPLAN_SIM_RANK_REPORT_H
#define PARPLAN_SIM_RANK_REPORT_H

#include "sim/simulate.h"

/* Fills ranks, busiest, fullest, makespan, span and bubble of a simulation whose result has its times. */
void report_ranks(struct arena *arena, const struct cost_context *context, const struct plan *plan, bool expandable,
                  struct simulation *ret);

/* The rank of the mesh that a replica of a pipeline rank is: tp fastest, then cp, then dp. */
int64_t replica_rank(const struct mesh *mesh, int64_t replica, int64_t pipeline_rank);
/* The reverse. */
int64_t rank_replica(const struct mesh *mesh, int64_t rank);

#endif
