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

/* Updates of `rank` between the forward and the backward of micro-batch `j`: floor(j/K) - floor((j-D)/K). */
int64_t async_crossed(const struct schedule_shape *shape, int64_t rank, int64_t j, int64_t accumulate);

#endif
