/* PipeDream (Harlap et al. 2018, arXiv:1806.03377, sections 3.2 and 3.3): 1F1B that never drains. Every backward is
 * followed by an update; a micro-batch's backward uses the weights that its forward used, kept in a stash:
 *
 *   p = 3          F j    between         B j      weights kept
 *   rank 0         v j-2  2 updates       v j-2    3
 *   rank 1         v j-1  1 update        v j-1    2
 *   rank 2         v j                    v j      1
 *
 * Gradients on rank i are p - 1 - i updates old. A run of n micro-batches takes (n + p - 1) T, a micro-batch in the
 * steady state T. */
#include "schedule/async.h"
#include "schedule/rule.h"

/* What its forward used, backward too. */
static int64_t version(const struct schedule_shape *shape, int64_t rank, int64_t j, int64_t accumulate,
                       bool backward) {
    (void)backward;
    return async_newest(shape, rank, j, accumulate, false);
}

static int64_t copies(const struct schedule_shape *shape, int64_t rank) {
    return fewer(async_delay(shape, rank) + 1, shape->micro_batches);
}

static int64_t accumulate(const struct schedule_shape *shape) {
    (void)shape;
    return 1;
}

static const struct staleness stale = {.version = version, .copies = copies, .accumulate = accumulate};

const struct schedule schedule_pipedream = {
    .name = "pipedream",
    .doc = "1F1B without draining, an update a micro-batch, weights stashed",
    .refuse = async_refuse,
    .makespan = async_makespan,
    .step = async_step,
    .in_flight = async_in_flight,
    .in_flight_to_weight = async_in_flight,
    .generate = async_generate,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .fixed_chunks = 1,
    .stale = &stale,
};
