/* ZB-H1 */
#include "schedule/rule.h"
#include "schedule/zero_bubble.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double m = (double)shape->micro_batches;
    double others = (double)(shape->ranks - 1);
    return m * pass_full(times) + others * (times->forward + times->backward - times->weight + 4 * times->hop);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)fewer(shape->ranks - rank, shape->micro_batches);
}

static double in_flight_to_weight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)fewer(shape->ranks, shape->micro_batches);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    zero_bubble_generate(shape, rank, shape->ranks - 1 - rank, rank, list);
}

const struct schedule schedule_zb_h1 = {
    .name = "zb-h1",
    .doc = "zero bubble with the memory of 1f1b",
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
