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
    int rows[SCHEDULE_COUNT] = {0};
    while (oracle_next(&oracle)) {
        struct arena_place place = arena_mark(arena);
        const struct schedule *schedule = oracle_schedule(&oracle);
        if (schedule == NULL) {
            continue;
        }
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
        rows[oracle_index(schedule)]++;
    }
    const struct oracle_rows want[] = {
        {SCHEDULE_GPIPE, 50},      {SCHEDULE_1F1B, 38},   {SCHEDULE_EAGER_1F1B, 50}, {SCHEDULE_INTERLEAVED, 78},
        {SCHEDULE_ZB_H1, 42},      {SCHEDULE_ZB_H2, 46},  {SCHEDULE_ZB_V, 40},       {SCHEDULE_INTERLEAVED_ZB, 82},
        {SCHEDULE_DUALPIPE, 34},   {SCHEDULE_CHIMERA, 34}, {SCHEDULE_DUALPIPEV, 34},  {SCHEDULE_WAVE, 54 + 34}};
    for (size_t i = 0; i < ROWS(want); i++) {
        enum schedule_name name = want[i].schedule;
        cr_expect(rows[name] == want[i].rows, "%s: %d rows, want %d", schedule_names[name], rows[name], want[i].rows);
    }
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
        {{PASS_SHARD, {2, 0, 0}, {0, 0, 0}}, "S2.0"},
        {{PASS_SHARD_END, {0, 15, 0}, {0, 0, 0}}, "T0.15"},
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

Test(order, reads_what_it_writes) {
    static const char *const texts[] = {"F3.12", "B0.1'", "W2.0", "BW2.7'", "F0.3&B3.1'", "F0.3'&B3.1", "S2.0", "T0.15",
                                        "F2147483647.2147483647'&B2147483647.2147483647'"};
    for (size_t i = 0; i < ROWS(texts); i++) {
        struct pass pass;
        char text[PASS_TEXT_SIZE];
        cr_assert(pass_parse(texts[i], strlen(texts[i]), &pass), "%s", texts[i]);
        pass_text(&pass, text);
        cr_expect(strcmp(text, texts[i]) == 0, "got %s, want %s", text, texts[i]);
    }
    static const char *const wrong[] = {
        "",           "F",      "F0",    "F.0",     "F0.",    "0.0",         "f0.0",         "X0.0",
        "F0.0 ",      " F0.0",  "F-1.0", "F00.0",   "F0.01",  "F0.0''",      "F0.0&",        "F0.0&B",
        "F0.0&F0.1",  "WB0.0",  "F0,0",  "F0.0x",   "BB0.0",  "W0",          "S0.0&B",       "F0.0&BW0.1",
        "BW0.0&F0.1", "F 0.0",  "T",     "F0.0.0",  "B0.0&B", "F0.0&W0.1",   "F0.0&B0.1''",  "F2147483648.0",
        "F0.9999999999999999999999999999"};
    for (size_t i = 0; i < ROWS(wrong); i++) {
        struct pass pass = {.kind = PASS_WEIGHT};
        cr_expect(!pass_parse(wrong[i], strlen(wrong[i]), &pass), "%s", wrong[i]);
        cr_expect(pass.kind == PASS_WEIGHT, "%s: nothing is returned", wrong[i]);
    }
    struct pass pass;
    cr_expect(pass_parse("F1.2garbage", 4, &pass) && pass.visit.stage == 1 && pass.visit.micro_batch == 2);
}

Test(order, ways_through_the_stages) {
    const int32_t before[] = {-1, ORDER_SKIPPED, 0, 2, -1, 0};
    const int32_t behind[] = {2, ORDER_SKIPPED, -1, -1, 2, 0};
    struct order order = {.stages = 3, .micro_batches = 2, .ways = 1};
    struct visit visit = {0, 1, 0};
    cr_expect(order_before(&order, &visit) == -1 && order_behind(&order, &visit) == 1);
    visit.stage = 2;
    cr_expect(order_before(&order, &visit) == 1 && order_behind(&order, &visit) == -1);
    order.before = before;
    order.behind = behind;
    cr_expect(order_before(&order, &visit) == 0 && order_behind(&order, &visit) == 0);
    visit = (struct visit){1, 0, 0};
    cr_expect(order_before(&order, &visit) == ORDER_SKIPPED && order_behind(&order, &visit) == ORDER_SKIPPED);
    visit = (struct visit){0, 0, 0};
    cr_expect(order_before(&order, &visit) == -1 && order_behind(&order, &visit) == 2);
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
        {SCHEDULE_ZB_V, {4, 5, 2}, 30},        {SCHEDULE_ZB_V, {4, 1, 2}, 6},  {SCHEDULE_WAVE, {3, 7, 4}, 56},
        {SCHEDULE_CHIMERA, {6, 18, 1}, 36},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct order order;
        order_make(arena, schedules[rows[i].name], &rows[i].shape, &order);
        for (int64_t rank = 0; rank < order.ranks; rank++) {
            cr_expect(order.first[rank + 1] - order.first[rank] == rows[i].passes_each, "%s rank %ld: %ld passes",
                      schedule_names[rows[i].name], (long)rank, (long)(order.first[rank + 1] - order.first[rank]));
        }
        cr_expect(order.stages == rows[i].shape.ranks * rows[i].shape.chunks);
        cr_expect(order.ways * order.micro_batches == rows[i].shape.micro_batches);
    }
    arena_close(arena);
}
