/* What tests over rows of pp_metrics.csv share: equal stages, the order that pp_orders.csv has for a row, and whether
 * an execution is what the row says. */
#ifndef PARPLAN_TESTS_UNIT_SCHEDULE_ROWS_H
#define PARPLAN_TESTS_UNIT_SCHEDULE_ROWS_H

#include <criterion/criterion.h>
#include <math.h>

#include "oracle.h"
#include "schedule/execute.h"
#include "schedule/order_text.h"

enum { ROW_STAGES = 64, ROW_RANKS = 16, ROW_ORDERS = 2000 };

static inline bool rows_near(double a, double b) {
    return fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

static inline bool rows_execute(struct arena *arena, const struct order *order, const struct pass_times *times,
                                struct execution *execution) {
    double forward[ROW_STAGES];
    double backward[ROW_STAGES];
    double weight[ROW_STAGES];
    for (int i = 0; i < ROW_STAGES; i++) {
        forward[i] = times->forward;
        backward[i] = times->backward;
        weight[i] = times->weight;
    }
    struct stage_costs costs = {.forward = forward,
                                .backward = backward,
                                .weight = weight,
                                .hop = times->hop,
                                .shard = times->shard,
                                .shard_end = times->shard_end,
                                .barrier = times->barrier};
    return order_execute(arena, order, &costs, execution);
}

/* "4 3 2 1": one count a rank. */
static inline void rows_counts(const char *list, int64_t ranks, int64_t counts[ROW_RANKS]) {
    for (int64_t i = 0; i < ranks; i++) {
        char *end;
        counts[i] = strtoll(list, &end, 10);
        list = end;
    }
}

/* Each line of pp_orders.csv. */
struct rows_orders {
    struct oracle lines[ROW_ORDERS];
    size_t count;
};

static inline struct rows_orders *rows_orders_open(struct arena *arena) {
    struct rows_orders *orders = ARENA_NEW(arena, struct rows_orders);
    struct oracle oracle;
    cr_assert(oracle_open(&oracle, arena, "pp_orders.csv"));
    while (oracle_next(&oracle)) {
        cr_assert(orders->count < ROW_ORDERS);
        orders->lines[orders->count++] = oracle;
    }
    return orders;
}

static inline bool rows_same(const struct oracle *line, const struct oracle *row) {
    static const char *const texts[] = {"source", "schedule", "p", "m", "chunks_per_rank"};
    static const char *const numbers[] = {"tF", "tB", "tW", "tcomm"};
    for (size_t i = 0; i < ROWS(texts); i++) {
        if (strcmp(oracle_field(line, texts[i]), oracle_field(row, texts[i])) != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < ROWS(numbers); i++) {
        bool any = strcmp(oracle_field(line, numbers[i]), "any") == 0;
        if (!any && !rows_near(oracle_number(line, numbers[i]), oracle_number(row, numbers[i]))) {
            return false;
        }
    }
    return true;
}

/* The lines of the row's order, by rank; false unless all ranks have one. */
static inline bool rows_lines(const struct rows_orders *orders, const struct oracle *row, const char **lines) {
    int64_t ranks = oracle_count(row, "p");
    int64_t found = 0;
    for (size_t i = 0; i < orders->count; i++) {
        if (rows_same(&orders->lines[i], row)) {
            lines[oracle_count(&orders->lines[i], "rank")] = oracle_field(&orders->lines[i], "order");
            found++;
        }
    }
    return found == ranks;
}

static inline struct pass_times rows_times(const struct oracle *row) {
    return (struct pass_times){.forward = oracle_number(row, "tF"),
                               .backward = oracle_number(row, "tB"),
                               .weight = oracle_number(row, "tW"),
                               .hop = oracle_number(row, "tcomm")};
}

static inline struct schedule_shape rows_shape(const struct oracle *row) {
    return (struct schedule_shape){.ranks = oracle_count(row, "p"),
                                   .micro_batches = oracle_count(row, "m"),
                                   .chunks = oracle_count(row, "chunks_per_rank")};
}

static inline const char *rows_name(struct arena *arena, const struct oracle *row) {
    return arena_format(arena, "%s p=%s m=%s %s %s %s c=%s", oracle_field(row, "schedule"), oracle_field(row, "p"),
                        oracle_field(row, "m"), oracle_field(row, "tF"), oracle_field(row, "tB"),
                        oracle_field(row, "tW"), oracle_field(row, "tcomm"));
}

/* Times, bubbles and peaks of the order are the row's. */
static inline void rows_check(struct arena *arena, const struct oracle *row, const struct order *order) {
    struct pass_times times = rows_times(row);
    struct execution run;
    int64_t to_backward[ROW_RANKS];
    int64_t to_weight[ROW_RANKS];
    const char *name = rows_name(arena, row);
    cr_assert(rows_execute(arena, order, &times, &run), "%s: deadlock", name);
    cr_expect(rows_near(run.makespan, oracle_number(row, "makespan")), "%s: makespan %g", name, run.makespan);
    cr_expect(rows_near(run.span, oracle_number(row, "max_rank_span")), "%s: span %g", name, run.span);
    cr_expect(fabs(execution_bubble(&run, order->ranks) - oracle_number(row, "bubble_total")) < 1e-6, "%s: bubble",
              name);
    cr_expect(fabs(execution_span_bubble(&run, order->ranks) - oracle_number(row, "bubble_span")) < 1e-6,
              "%s: bubble of the span", name);
    rows_counts(oracle_field(row, "peak_chunkacts_heldtoB_per_rank"), order->ranks, to_backward);
    rows_counts(oracle_field(row, "peak_chunkacts_heldtoW_per_rank"), order->ranks, to_weight);
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        cr_expect(rows_near(run.ranks[rank].busy, oracle_number(row, "work_per_rank")), "%s: work", name);
        cr_expect(run.ranks[rank].held_to_backward == to_backward[rank] &&
                      run.ranks[rank].held_to_weight == to_weight[rank],
                  "%s rank %ld: holds %ld and %ld, want %ld and %ld", name, (long)rank,
                  (long)run.ranks[rank].held_to_backward, (long)run.ranks[rank].held_to_weight, (long)to_backward[rank],
                  (long)to_weight[rank]);
    }
}

#endif
