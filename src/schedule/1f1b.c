/* 1F1B (PipeDream-flush; Narayanan et al., SC 2021, arXiv 2104.04473): after a warm-up of p - 1 - i forwards, rank i
 * alternates one forward and one backward, so that at most p - i activations are alive (tD = 2 tF, p = 3, m = 5):
 *
 *   rank 0   F0 F1 F2 .. .. .. .. D0 D0 F3 D1 D1 F4 D2 D2 .. D3 D3 .. D4 D4
 *   rank 1   .. F0 F1 .. .. D0 D0 F2 D1 D1 F3 D2 D2 F4 D3 D3 .. D4 D4
 *   rank 2   .. .. F0 D0 D0 F1 D1 D1 F2 D2 D2 F3 D3 D3 F4 D4 D4
 *
 * makespan = (m + p - 1) T + 2 (m + p - 1 - ceil((m + p - 1) / p)) c, exact for any times and any m.
 * With p - i activations alive a round trip through all ranks carries p micro-batches: every p of them pay 2 (p - 1) c,
 * and latency is not amortised. For p | m it is c [2 (p - 1) m / p + 2 (p - 2)].
 * Unequal ranks: the longest of the paths below; 0.3 % off on average where ranks differ by up to 30 %. */
#include "schedule/order.h"
#include "schedule/rule.h"
#include "schedule/spot.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    int64_t passes = shape->micro_batches + shape->ranks - 1;
    int64_t rounds = (passes + shape->ranks - 1) / shape->ranks;
    return (double)passes * pass_full(times) + 2 * (double)(passes - rounds) * times->hop;
}

/* The rank waits once for its first backward and once for its last, while it has warm-up forwards or cool-down
 * backwards to do; if all its forwards are warm-up, both waits are one. */
static double through_rank(const struct schedule_shape *shape, const struct pipeline_load *load,
                           const struct spot *spot) {
    double m = (double)shape->micro_batches;
    double journey = pass_full(spot->after) + 2 * spot->after_count * load->hop;
    double ahead = smaller(spot->after_count, m - 1);
    double fill = idle(journey, ahead * spot->own->forward);
    double drain = idle(journey, ahead * pass_backward(spot->own));
    double waits = m - 1 > spot->after_count ? fill + drain : larger(fill, drain);
    return pass_full(&spot->before) + 2 * spot->before_count * load->hop + m * pass_full(spot->own) + waits;
}

/* Round trips through all ranks, each of p micro-batches; what is left goes round a part that holds the heaviest. */
static double round_trips(const struct schedule_shape *shape, const struct pipeline_load *load) {
    int64_t p = shape->ranks;
    int64_t passes = shape->micro_batches + p - 1;
    int64_t rounds = passes / p;
    double rest = (double)(passes - rounds * p);
    double others = (double)(p - 1);
    double all = pass_full(&load->total);
    double length = (double)rounds * (all + 2 * others * load->hop);
    if (rest > 0) {
        double mean = (all - pass_full(&load->heaviest)) / others;
        length += pass_full(&load->heaviest) + (rest - 1) * (mean + 2 * load->hop);
    }
    return length;
}

static double length(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return longest_path(shape, load, through_rank);
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    if (shape->micro_batches <= shape->ranks) {
        return corrected_path(shape, load, makespan, length);
    }
    return larger(length(shape, load), round_trips(shape, load));
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
