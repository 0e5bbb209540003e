/* No pipeline: one rank runs every micro-batch forward and backward before the next one.
 *
 *   rank 0   F0 D0 F1 D1 F2 D2 ...
 *
 * makespan = m T, exact. One activation in flight. */
#include "schedule/order.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->ranks != 1) {
        return "none: more than one rank needs a pipeline schedule";
    }
    if (shape->chunks != 1) {
        return "none: one rank holds one chunk";
    }
    return shape->micro_batches < 1 ? "needs at least one micro-batch" : NULL;
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    return (double)shape->micro_batches * pass_full(times);
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return (double)shape->micro_batches * pass_full(&load->heaviest);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)shape;
    (void)rank;
    return 1;
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    (void)rank;
    for (int32_t j = 0; j < shape->micro_batches; j++) {
        list_add(list, PASS_FORWARD, (struct visit){0, j, 0});
        list_add(list, PASS_FULL, (struct visit){0, j, 0});
    }
}

const struct schedule schedule_none = {
    .name = "none",
    .doc = "no pipeline, one rank",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .fixed_chunks = 1,
    .searched = true,
};
