/* PipeDream-2BW (Narayanan et al. 2021, arXiv:2006.09503, section 3.1): 1F1B that never drains, two weight buffers. The
 * gradients of a batch of m micro-batches are accumulated; every pass of batch t uses the weights of version t - 1:
 *
 *   w(t + 1) = w(t) - lr g(w(t - 1))        a delay of one batch, whatever the depth
 *
 *   batch       0     1     2     3
 *   version     0     0     1     2
 *
 * m >= p, else a third version would be alive. A batch takes m T; nothing stalls between batches. */
#include "schedule/async.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->ranks >= 2 && shape->micro_batches < shape->ranks) {
        return "pipedream-2bw needs as many micro-batches as the pipeline has ranks";
    }
    return async_refuse(shape);
}

static int64_t version(const struct schedule_shape *shape, int64_t rank, int64_t j, int64_t accumulate,
                       bool backward) {
    (void)shape;
    (void)rank;
    (void)backward;
    int64_t batch = j / accumulate;
    return batch > 0 ? batch - 1 : 0;
}

static int64_t copies(const struct schedule_shape *shape, int64_t rank) {
    (void)shape;
    (void)rank;
    return 2;
}

static int64_t accumulate(const struct schedule_shape *shape) {
    return shape->micro_batches;
}

static const struct staleness stale = {.version = version, .copies = copies, .accumulate = accumulate};

const struct schedule schedule_pipedream_2bw = {
    .name = "pipedream-2bw",
    .doc = "1F1B without draining, weights of the batch before, two copies",
    .refuse = refuse,
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
