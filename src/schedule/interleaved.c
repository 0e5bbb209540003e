/* Interleaved 1F1B (Narayanan et al., SC 2021, arXiv 2104.04473): rank i holds the v stages i, p + i, 2p + i ...; groups
 * of p micro-batches pass chunk after chunk, which cuts the fill and drain to 1/v. */
#include "schedule/order.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->chunks < 2) {
        return "interleaved needs at least 2 chunks a rank";
    }
    if (shape->ranks >= 2 && shape->micro_batches % shape->ranks != 0) {
        return "interleaved needs micro-batches divisible by the ranks of the pipeline";
    }
    return rule_refuse(shape, shape->chunks);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double passes = (double)(shape->micro_batches * shape->chunks);
    double p = (double)shape->ranks;
    double stages = (double)(shape->ranks * shape->chunks);
    return (passes + p - 1) * pass_full(times) + 2 * (stages - 1) * times->hop;
}

static int64_t warm_up_of(const struct schedule_shape *shape, int64_t rank) {
    return fewer(2 * (shape->ranks - 1 - rank) + (shape->chunks - 1) * shape->ranks,
                 shape->micro_batches * shape->chunks);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)fewer(warm_up_of(shape, rank) + 1, shape->micro_batches * shape->chunks);
}

/* The k-th virtual pass of a rank: micro-batches in groups of p, each group through all chunks before the next. */
static struct visit visit_at(const struct schedule_shape *shape, int64_t rank, int64_t k, bool forward) {
    int64_t p = shape->ranks;
    int64_t group = k / (p * shape->chunks);
    int64_t within = k % (p * shape->chunks);
    int64_t chunk = forward ? within / p : shape->chunks - 1 - within / p;
    return (struct visit){(int32_t)(chunk * p + rank), (int32_t)(group * p + within % p), 0};
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int64_t passes = shape->micro_batches * shape->chunks;
    int64_t warm_up = warm_up_of(shape, rank);
    for (int64_t k = 0; k < warm_up; k++) {
        list_add(list, PASS_FORWARD, visit_at(shape, rank, k, true));
    }
    for (int64_t k = 0; k < passes; k++) {
        if (warm_up + k < passes) {
            list_add(list, PASS_FORWARD, visit_at(shape, rank, warm_up + k, true));
        }
        list_add(list, PASS_FULL, visit_at(shape, rank, k, false));
    }
}

const struct schedule schedule_interleaved = {
    .name = "interleaved",
    .doc = "1f1b over several chunks a rank",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .ways = 1,
    .chunked = true,
    .weight_copies = 1,
};
