/* ZB-H2 */
#include "schedule/rule.h"
#include "schedule/zero_bubble.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double m = (double)shape->micro_batches;
    double others = (double)(shape->ranks - 1);
    double fill = larger(times->forward, times->forward + times->backward - 2 * times->weight);
    return m * pass_full(times) + others * (fill + times->hop);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)fewer(2 * (shape->ranks - rank) - 1, shape->micro_batches);
}

static double in_flight_to_weight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)fewer(2 * shape->ranks - 1, shape->micro_batches);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    zero_bubble_generate(shape, rank, 2 * (shape->ranks - 1 - rank), 2 * rank, list);
}

const struct schedule schedule_zb_h2 = {
    .name = "zb-h2",
    .doc = "zero bubble with up to twice the memory of 1f1b",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight_to_weight,
    .generate = generate,
    .ways = 1,
    .splits_backward = true,
    .fixed_chunks = 1,
    .weight_copies = 1,
};
