/* Which version of the weights each pass uses where a pipeline never drains. Rank i of p runs D = p - 1 - i backward
 * passes between a micro-batch's forward and its backward; a rank that updates after every K backwards is at version
 * floor(j / K) when backward j begins and was at floor((j - D) / K), at least 0, when forward j began.
 *
 *   PipeDream       K = 1, backward uses the forward's version from a stash of p - i versions   arXiv:1806.03377
 *   PipeDream-2BW   K = m, every pass of batch t uses version t - 1: two versions               arXiv:2006.09503
 *   PACI            no stash: backward uses the newest version                                  arXiv:2606.07881 */
#ifndef PARPLAN_SCHEDULE_ASYNC_H
#define PARPLAN_SCHEDULE_ASYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "schedule/load.h"

struct staleness {
    /* Version of the weights that the forward (backward) of micro-batch `j`, counted over all steps, uses on `rank`;
     * `accumulate` micro-batches an update. */
    int64_t (*version)(const struct schedule_shape *shape, int64_t rank, int64_t j, int64_t accumulate, bool backward);
    /* Copies of the weights alive on `rank`. */
    int64_t (*copies)(const struct schedule_shape *shape, int64_t rank);
    /* Micro-batches an update that the rule itself demands; 0 = free, at least 1. */
    int64_t (*accumulate)(const struct schedule_shape *shape);
};

/* Seconds of a step of m micro-batches in a run that never drains, of the heaviest rank: m max(T, T + 2 (p - 1) c / p);
 * p micro-batches in flight pay a round trip each p passes (1F1B's bound). A run of n steps from a cold start takes the
 * fill and drain of 1F1B once more. */
double async_period(const struct schedule_shape *shape, const struct pipeline_load *load);

/* Backward passes that `rank` runs between a micro-batch's forward and its backward: D = p - 1 - rank. */
int64_t async_delay(const struct schedule_shape *shape, int64_t rank);
/* The newest version on `rank` when backward `j` begins, and when forward `j` began. */
int64_t async_newest(const struct schedule_shape *shape, int64_t rank, int64_t j, int64_t accumulate, bool backward);

/* Updates of `rank` between the forward and the backward of micro-batch `j`: floor(j/K) - floor((j-D)/K). */
int64_t async_crossed(const struct schedule_shape *shape, int64_t rank, int64_t j, int64_t accumulate);

/* What the asynchronous schedules share with 1F1B: order, legality, activations in flight, and a run from a cold start
 * (schedule.h). */
struct pass_list;
const char *async_refuse(const struct schedule_shape *shape);
double async_makespan(const struct schedule_shape *shape, const struct pass_times *times);
double async_step(const struct schedule_shape *shape, const struct pipeline_load *load);
double async_in_flight(const struct schedule_shape *shape, int64_t rank);
void async_generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list);

#endif
