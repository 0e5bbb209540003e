/* 1F1B (PipeDream-flush; Narayanan et al., SC 2021, arXiv 2104.04473): after a warm-up of p - 1 - i forwards, rank i
 * alternates one forward and one backward, so that at most p - i activations are alive.
 *
 *   rank 0   F0 F1 F2 .. .. .. D0 F3 .. D1 F4 .. D2 .. .. D3 .. .. D4
 *   rank 1   .. F0 F1 .. .. D0 F2 D1 F3 .. D2 F4 .. D3 .. .. D4
 *   rank 2   .. .. F0 D0 F1 D1 F2 D2 F3 D3 F4 D4
 */
#include "schedule/order.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double m = (double)shape->micro_batches;
    double p = (double)shape->ranks;
    int64_t spans = (shape->micro_batches + 2 * shape->ranks - 2) / shape->ranks;
    return (m + p - 1) * pass_full(times) + 2 * (m + p - 1 - (double)spans) * times->hop;
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)fewer(shape->ranks - rank, shape->micro_batches);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int32_t stage = (int32_t)rank;
    int32_t m = (int32_t)shape->micro_batches;
    int32_t warm_up = (int32_t)fewer(shape->ranks - 1 - rank, m);
    for (int32_t j = 0; j < warm_up; j++) {
        list_add(list, PASS_FORWARD, (struct visit){stage, j, 0});
    }
    for (int32_t j = 0; j < m; j++) {
        if (warm_up + j < m) {
            list_add(list, PASS_FORWARD, (struct visit){stage, warm_up + j, 0});
        }
        list_add(list, PASS_FULL, (struct visit){stage, j, 0});
    }
}

const struct schedule schedule_1f1b = {
    .name = "1f1b",
    .doc = "one forward, one backward in turn",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .ways = 1,
    .fixed_chunks = 1,
    .weight_copies = 1,
};
