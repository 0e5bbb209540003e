/* DualPipe */
#include "schedule/dual.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->ranks % 2 != 0) {
        return "dualpipe needs an even number of ranks";
    }
    if (shape->micro_batches % 2 != 0 || shape->micro_batches < 2 * shape->ranks) {
        return "dualpipe needs an even number of micro-batches, at least 2 for each rank";
    }
    return rule_refuse(shape, 1);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double m = (double)shape->micro_batches;
    double deeper = (double)(shape->ranks / 2 - 1);
    double pair = pass_pair(times);
    double work = (m - 1) * pair + pass_full(times);
    return work + deeper * (pair + pass_backward(times) - 3 * times->weight + 4 * times->hop);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)(shape->ranks + 1);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int64_t p = shape->ranks;
    int32_t near = rank < p / 2 ? 0 : 1; /* the way that enters at the rank's own half */
    int32_t down = (int32_t)rank;
    int32_t up = (int32_t)(p - 1 - rank);
    struct dual_row row = {.depth = fewer(rank, p - 1 - rank),
                           .half = p / 2,
                           .micro_batches = shape->micro_batches / 2,
                           .stage = {near == 0 ? down : up, near == 0 ? up : down},
                           .way = {near, 1 - near}};
    dual_generate(&row, list);
}

const struct schedule schedule_dualpipe = {
    .name = "dualpipe",
    .doc = "micro-batches from both ends, forward and backward overlapped, weights twice",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .ways = 2,
    .splits_backward = true,
    .fixed_chunks = 1,
    .weight_copies = 2,
    .both_ends = true,
};
