/* GPipe (Huang et al., NeurIPS 2019, arXiv 1811.06965) with backwards in the order of forwards: gradients add up in the
 * order of micro-batches, as in 1F1B, and a rank's first activations are freed first (tD = tF, p = 4, m = 4):
 *
 *   rank 0   F0 F1 F2 F3 .. .. .. .. .. .. D0 D1 D2 D3
 *   rank 1   .. F0 F1 F2 F3 .. .. .. .. D0 D1 D2 D3
 *   rank 2   .. .. F0 F1 F2 F3 .. .. D0 D1 D2 D3
 *   rank 3   .. .. .. F0 F1 F2 F3 D0 D1 D2 D3
 *
 * Makespans are GPipe's, exact for any times and unequal ranks too: the last rank's first backward follows its last
 * forward in both, and all jobs of a flow shop are alike. m activations in flight on every rank. */
#include "schedule/order.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    return schedule_gpipe.refuse(shape);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    return schedule_gpipe.makespan(shape, times);
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return schedule_gpipe.step(shape, load);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return schedule_gpipe.in_flight(shape, rank);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int32_t m = (int32_t)shape->micro_batches;
    for (int32_t j = 0; j < m; j++) {
        list_add(list, PASS_FORWARD, (struct visit){(int32_t)rank, j, 0});
    }
    for (int32_t j = 0; j < m; j++) {
        list_add(list, PASS_FULL, (struct visit){(int32_t)rank, j, 0});
    }
}

const struct schedule schedule_gpipe_fifo = {
    .name = "gpipe-fifo",
    .doc = "all forwards, then all backwards, oldest first",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .fixed_chunks = 1,
};
