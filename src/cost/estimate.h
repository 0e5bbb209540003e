/* From a price to what a user reads: throughput, utilisation, cost, energy, feasibility with reasons. */
#ifndef PARPLAN_COST_ESTIMATE_H
#define PARPLAN_COST_ESTIMATE_H

#include "cost/price.h"
#include "plan/plan.h"

struct arena;

/* Prices exactly one decision. Illegal ones give feasible = false with the broken rules and no numbers; those that do
 * not fit give the numbers and by what they miss. `ret_nccl_bytes` (may be NULL): the share of memory that the
 * collective library holds outside the framework's allocator. */
struct estimate cost_estimate(struct arena *arena, const struct cost_context *context,
                              const struct decision *decision, double *ret_nccl_bytes);

/* The same from a price already computed. */
struct estimate cost_report(struct arena *arena, const struct cost_context *context, const struct decision *decision,
                            const struct cut *cut, const struct stage_map *map, const struct stage_load *load,
                            const struct price *price);

/* Joules of a step: devices are busy while they compute, idle else. */
double cost_energy(const struct cost_context *context, double step, double compute);

/* Peak memory of the last pipeline stage's ranks, for comparing with logs of the last rank. */
double cost_last_stage_peak(struct arena *arena, const struct cost_context *context, const struct decision *decision,
                            struct memory_parts *ret_parts, double *ret_nccl_bytes);

/* Rank map and stage layout of a decision, for the plan file. */
void cost_describe(struct arena *arena, const struct cost_context *context, struct plan *plan);

#endif
