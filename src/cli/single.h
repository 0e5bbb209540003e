/* Exactly one configuration out of a job: what `estimate` prices.
 *
 * An axis the job leaves open takes what training frameworks do when nothing is said: degree 1, micro-batches of one
 * sequence, sequence parallelism with tensor parallelism, optimizer state sharded over data parallelism (ZeRO 1), 1F1B
 * (interleaved with several chunks), no recomputation, even stages; dp fills the devices. */
#ifndef PARPLAN_CLI_SINGLE_H
#define PARPLAN_CLI_SINGLE_H

#include "base/diag.h"
#include "plan/plan.h"

struct context;
struct cost_context;

/* An axis with several values is an error. */
enum status single_decision(struct context *context, const struct cost_context *cost, struct decision *ret) MUST_CHECK;

#endif
