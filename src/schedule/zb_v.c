/* ZB-V (Qi et al., NeurIPS 2024, arXiv 2405.15362) */
#include "schedule/order.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 2);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double m = (double)shape->micro_batches;
    double others = (double)(shape->ranks - 1);
    return 2 * m * pass_full(times) + others * times->forward + (5 * others - 2) * times->hop;
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)(2 * fewer(shape->ranks, shape->micro_batches));
}

/* Next micro-batch of each kind of pass on both chunks of one rank. */
struct row {
    struct pass_list *list;
    int32_t stage[2];
    int32_t forwards[2], backwards[2], weights[2];
};

static void row_forward(struct row *row, int chunk) {
    list_add(row->list, PASS_FORWARD, (struct visit){row->stage[chunk], row->forwards[chunk]++, 0});
}

static void row_backward(struct row *row, int chunk) {
    list_add(row->list, PASS_BACKWARD, (struct visit){row->stage[chunk], row->backwards[chunk]++, 0});
}

static void row_weight(struct row *row, int chunk) {
    list_add(row->list, PASS_WEIGHT, (struct visit){row->stage[chunk], row->weights[chunk]++, 0});
}

static void row_turn(struct row *row) {
    row_forward(row, 1);
    row_backward(row, 1);
    row_weight(row, 1);
}

static void row_drain(struct row *row, int64_t rank, int64_t p, int32_t n) {
    for (int64_t i = 0; i < rank; i++) {
        row_backward(row, 0);
        row_backward(row, 1);
    }
    for (int64_t i = 0; i < p - rank; i++) {
        row_backward(row, 0);
        row_weight(row, 0);
    }
    while (row->weights[1] < n) {
        row_weight(row, 1);
    }
    while (row->weights[0] < n) {
        row_weight(row, 0);
    }
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int64_t p = shape->ranks;
    int32_t n = (int32_t)(2 * p - 1 > shape->micro_batches ? 2 * p - 1 : shape->micro_batches);
    struct row row = {.list = list, .stage = {(int32_t)rank, (int32_t)(2 * p - 1 - rank)}};
    for (int64_t i = 0; i < 2 * (p - rank) - 1; i++) {
        row_forward(&row, 0);
    }
    for (int64_t i = 0; i < rank; i++) {
        row_forward(&row, 1);
        row_forward(&row, 0);
    }
    for (int64_t i = 0; i < p - rank; i++) {
        row_turn(&row);
    }
    while (row.forwards[1] < row.forwards[0] || row.forwards[0] < n) {
        if (row.forwards[0] < n) {
            row_forward(&row, 0);
        }
        row_backward(&row, 0);
        row_weight(&row, 0);
        row_turn(&row);
    }
    row_drain(&row, rank, p, n);
}

const struct schedule schedule_zb_v = {
    .name = "zb-v",
    .doc = "zero bubble, two chunks a rank in V placement",
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
