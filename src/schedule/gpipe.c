/* GPipe (Huang et al., NeurIPS 2019, arXiv 1811.06965): all forwards, then all backwards in reverse order
 * (D = B and W in one; tD = tF, p = 4, m = 4):
 *
 *   rank 0   F0 F1 F2 F3 .. .. .. .. .. .. D3 D2 D1 D0
 *   rank 1   .. F0 F1 F2 F3 .. .. .. .. D3 D2 D1 D0
 *   rank 2   .. .. F0 F1 F2 F3 .. .. D3 D2 D1 D0
 *   rank 3   .. .. .. F0 F1 F2 F3 D3 D2 D1 D0
 *
 * makespan = (m + p - 1) T + 2 (p - 1) c, exact for any times.
 * Unequal ranks: two flow shops of m equal jobs, one behind the other,
 * sum(tF) + (m - 1) max(tF) + sum(tD) + (m - 1) max(tD) + 2 (p - 1) c, exact too.
 * m activations in flight on every rank. */
#include "schedule/order.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    double others = (double)(shape->micro_batches - 1);
    return pass_full(&load->total) + others * (load->most_forward + load->most_backward) +
           2 * (double)(shape->ranks - 1) * load->hop;
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double m = (double)shape->micro_batches;
    double p = (double)shape->ranks;
    return (m + p - 1) * pass_full(times) + 2 * (p - 1) * times->hop;
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)shape->micro_batches;
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int32_t m = (int32_t)shape->micro_batches;
    for (int32_t j = 0; j < m; j++) {
        list_add(list, PASS_FORWARD, (struct visit){(int32_t)rank, j, 0});
    }
    for (int32_t j = m - 1; j >= 0; j--) {
        list_add(list, PASS_FULL, (struct visit){(int32_t)rank, j, 0});
    }
}

const struct schedule schedule_gpipe = {
    .name = "gpipe",
    .doc = "all forwards, then all backwards",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .fixed_chunks = 1,
    .tapers = true,
    .searched = true,
};
