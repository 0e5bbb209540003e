/* Lower bounds that need no cut, no stage map and no schedule: cheap enough to order and reject whole shapes.
 * Admissible: never above the price of any configuration they stand for (a property test compares them). */
#ifndef PARPLAN_COST_BOUND_H
#define PARPLAN_COST_BOUND_H

#include "cost/context.h"
#include "plan/plan.h"

/* Kernel seconds of one micro-batch, forward and backward, over all stages of the pipeline: layers, embedding and head
 * cut by tp, cp, ep, etp. Nothing communicated, nothing recomputed; attention left out under context parallelism, whose
 * kind is open. */
double bound_kernels(const struct cost_context *context, const struct parallel *shape, int64_t micro_batch);

/* The heaviest of `pp` ranks does at least the mean of the kernels, `micro_batches` times. */
double bound_step(const struct cost_context *context, int64_t pp, int64_t micro_batches, double kernels);

/* Bytes that the fullest rank holds at least: model states under the strongest ZeRO stage that pp allows, the runtime,
 * and the input of each of its layers for one micro-batch. */
double bound_memory(const struct cost_context *context, const struct parallel *shape, int64_t micro_batch);

#endif
