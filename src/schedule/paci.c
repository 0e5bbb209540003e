/* PACI (arXiv:2606.07881): 1F1B that never drains and keeps no second copy of the weights. Forward and backward of a
 * micro-batch each use the newest weights, so an update may come between them; K accumulated micro-batches an update
 * bound how many: rank i crosses floor(D / K) or ceil(D / K), D = p - 1 - i, and with K >= p - 1 at most one, in D / K
 * of its micro-batches. */
#include "schedule/async.h"
#include "schedule/rule.h"

static int64_t copies(const struct schedule_shape *shape, int64_t rank) {
    (void)shape;
    (void)rank;
    return 1;
}

static int64_t accumulate(const struct schedule_shape *shape) {
    (void)shape;
    return 0;
}

static const struct staleness stale = {.version = async_newest, .copies = copies, .accumulate = accumulate};

const struct schedule schedule_paci = {
    .name = "paci",
    .doc = "1F1B without draining, each pass with the newest weights",
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
