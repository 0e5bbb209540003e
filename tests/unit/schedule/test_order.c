/* Instruction lists equal the oracle's, token by token; tokens are written as the oracle writes them. */
#include <criterion/criterion.h>

#include "oracle.h"
#include "schedule/order.h"
#include "schedule/schedule.h"

static const char *rank_text(struct arena *arena, const struct order *order, int64_t rank) {
    struct text text;
    text_init(&text, arena);
    for (int64_t i = order->first[rank]; i < order->first[rank + 1]; i++) {
        char token[PASS_TEXT_SIZE];
        pass_text(&order->passes[i], token);
        text_add(&text, i > order->first[rank] ? " " : "");
        text_add(&text, token);
    }
    return text.data;
}

Test(order, equals_the_oracle) {
    struct arena *arena = support_arena();
    struct oracle oracle;
    cr_assert(oracle_open(&oracle, arena, "pp_orders.csv"));
    int rows = 0;
    while (oracle_next(&oracle)) {
        struct arena_place place = arena_mark(arena);
        const struct schedule *schedule = schedule_find(oracle_field(&oracle, "schedule"));
        cr_assert(schedule != NULL, "no schedule %s", oracle_field(&oracle, "schedule"));
        struct schedule_shape shape = {oracle_count(&oracle, "p"), oracle_count(&oracle, "m"),
                                       oracle_count(&oracle, "chunks_per_rank")};
        cr_assert(schedule->refuse(&shape) == NULL, "%s p=%ld m=%ld refused", schedule->name, (long)shape.ranks,
                  (long)shape.micro_batches);
        struct order order;
        order_make(arena, schedule, &shape, &order);
        const char *got = rank_text(arena, &order, oracle_count(&oracle, "rank"));
        cr_expect(strcmp(got, oracle_field(&oracle, "order")) == 0, "%s p=%ld m=%ld v=%ld rank %s:\n got %s\nwant %s",
                  schedule->name, (long)shape.ranks, (long)shape.micro_batches, (long)shape.chunks,
                  oracle_field(&oracle, "rank"), got, oracle_field(&oracle, "order"));
        arena_rewind(arena, place);
        rows++;
    }
    cr_expect(rows == 362, "%d rows", rows);
    arena_close(arena);
}

Test(order, text_of_a_pass) {
    const struct {
        struct pass pass;
        const char *text;
    } rows[] = {
        {{PASS_FORWARD, {3, 12, 0}, {0, 0, 0}}, "F3.12"},
        {{PASS_BACKWARD, {0, 1, 1}, {0, 0, 0}}, "B0.1'"},
        {{PASS_WEIGHT, {2, 0, 0}, {0, 0, 0}}, "W2.0"},
        {{PASS_FULL, {2, 7, 1}, {0, 0, 0}}, "BW2.7'"},
        {{PASS_PAIR, {0, 3, 0}, {3, 1, 1}}, "F0.3&B3.1'"},
        {{PASS_PAIR, {2147483647, 2147483647, 1}, {2147483647, 2147483647, 1}},
         "F2147483647.2147483647'&B2147483647.2147483647'"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char text[PASS_TEXT_SIZE];
        pass_text(&rows[i].pass, text);
        cr_expect(strcmp(text, rows[i].text) == 0, "got %s, want %s", text, rows[i].text);
    }
}

/* Every schedule numbers its own ranks only: a pass of a rank belongs to a stage that the rank holds. */
Test(order, passes_and_ranks) {
    struct arena *arena = support_arena();
    const struct {
        enum schedule_name name;
        struct schedule_shape shape;
        int64_t passes_each; /* of a rank */
    } rows[] = {
        {SCHEDULE_NONE, {1, 5, 1}, 10},        {SCHEDULE_GPIPE, {4, 6, 1}, 12}, {SCHEDULE_1F1B, {4, 3, 1}, 6},
        {SCHEDULE_INTERLEAVED, {4, 8, 3}, 48}, {SCHEDULE_ZB_H1, {4, 6, 1}, 18}, {SCHEDULE_ZB_H2, {4, 6, 1}, 18},
        {SCHEDULE_ZB_V, {4, 5, 2}, 30},        {SCHEDULE_ZB_V, {4, 1, 2}, 6},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct order order;
        order_make(arena, schedules[rows[i].name], &rows[i].shape, &order);
        for (int64_t rank = 0; rank < order.ranks; rank++) {
            cr_expect(order.first[rank + 1] - order.first[rank] == rows[i].passes_each, "%s rank %ld: %ld passes",
                      schedule_names[rows[i].name], (long)rank, (long)(order.first[rank + 1] - order.first[rank]));
        }
        cr_expect(order.stages == rows[i].shape.ranks * rows[i].shape.chunks);
    }
    arena_close(arena);
}
