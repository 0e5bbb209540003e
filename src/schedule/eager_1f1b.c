/* Eager 1F1B (as in Zhuang et al., MLSys 2023, arXiv 2211.05322): 1F1B with twice the forwards ahead, 2 (p - 1 - i) on
 * rank i, which hide latency and hold up to 2 (p - i) - 1 activations (tD = 2 tF, p = 3, m = 6):
 *
 *   rank 0   F0 F1 F2 F3 F4 .. .. D0 D0 F5 D1 D1 .. D2 D2 .. D3 D3 .. D4 D4 .. D5 D5
 *   rank 1   .. F0 F1 F2 .. D0 D0 F3 D1 D1 F4 D2 D2 F5 D3 D3 .. D4 D4 .. D5 D5
 *   rank 2   .. .. F0 D0 D0 F1 D1 D1 F2 D2 D2 F3 D3 D3 F4 D4 D4 F5 D5 D5
 *
 * makespan = (m + p - 1) T + 2 (p - 1) c + floor((m - 1) (p - 1) / (2p - 1)) max(0, 2c - T), exact for any times and
 * any m: a round trip carries 2p - 1 micro-batches, so only latency beyond T / 2 is paid again and again.
 * Unequal ranks: the longest of the paths below; 0.2 % off on average where they differ by up to 30 %. */
#include "schedule/order.h"
#include "schedule/rule.h"
#include "schedule/spot.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

/* How often a path may cross to a neighbour and come back for a hop each way rather than stay for a micro-batch. */
static double returns_of(const struct schedule_shape *shape) {
    return (double)((shape->micro_batches - 1) * (shape->ranks - 1) / (2 * shape->ranks - 1));
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double full = pass_full(times);
    double k = (double)(shape->ranks - 1);
    return ((double)shape->micro_batches + k) * full + 2 * k * times->hop +
           returns_of(shape) * larger(0, 2 * times->hop - full);
}

/* As for 1F1B with twice the forwards to do while the rank waits. */
static double through_rank(const struct schedule_shape *shape, const struct pipeline_load *load,
                           const struct spot *spot) {
    double m = (double)shape->micro_batches;
    double journey = pass_full(spot->after) + 2 * spot->after_count * load->hop;
    double ahead = smaller(2 * spot->after_count, m - 1);
    double fill = idle(journey, ahead * spot->own->forward);
    double drain = idle(journey, ahead * pass_backward(spot->own));
    double waits = m - 1 > 2 * spot->after_count ? fill + drain : larger(fill, drain);
    return pass_full(&spot->before) + 2 * spot->before_count * load->hop + m * pass_full(spot->own) + waits;
}

static double length(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return longest_path(shape, load, through_rank);
}

/* Round trips through all ranks. */
static double round_trips(const struct schedule_shape *shape, const struct pipeline_load *load) {
    double p = (double)shape->ranks;
    double returns = returns_of(shape);
    return ((double)shape->micro_batches + p - 1 - returns) / p * pass_full(&load->total) +
           2 * (p - 1 + returns) * load->hop;
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return larger(length(shape, load), round_trips(shape, load));
}

static int64_t warm_up_of(const struct schedule_shape *shape, int64_t rank) {
    return fewer(2 * (shape->ranks - 1 - rank), shape->micro_batches);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)fewer(warm_up_of(shape, rank) + 1, shape->micro_batches);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int32_t stage = (int32_t)rank;
    int32_t m = (int32_t)shape->micro_batches;
    int32_t warm_up = (int32_t)warm_up_of(shape, rank);
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

const struct schedule schedule_eager_1f1b = {
    .name = "eager-1f1b",
    .doc = "1f1b with twice the forwards ahead, which hide latency",
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
