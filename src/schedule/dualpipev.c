/* DualPipeV */
#include "schedule/dual.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->micro_batches < 2 * shape->ranks) {
        return "dualpipev needs at least 2 micro-batches for each rank";
    }
    return rule_refuse(shape, 2);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double m = (double)shape->micro_batches;
    double others = (double)(shape->ranks - 1);
    double pair = pass_pair(times);
    double work = (2 * m - 1) * pair + pass_full(times);
    return work + others * (pair + pass_backward(times) - 3 * times->weight + 4 * times->hop);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)(2 * shape->ranks + 1);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    struct dual_row row = {.depth = rank,
                           .half = shape->ranks,
                           .micro_batches = shape->micro_batches,
                           .stage = {(int32_t)rank, (int32_t)(2 * shape->ranks - 1 - rank)}};
    dual_generate(&row, list);
}

const struct schedule schedule_dualpipev = {
    .name = "dualpipev",
    .doc = "dualpipe cut in half: two chunks a rank in V placement, weights once",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .ways = 1,
    .splits_backward = true,
    .chunked = true,
    .fixed_chunks = 2,
    .weight_copies = 1,
    .both_ends = true,
};
