/* Orders as text: every schedule's order reads back as itself; what is wrong is named with its place. */
#include <criterion/criterion.h>

#include "../support.h"
#include "schedule/order.h"
#include "schedule/order_text.h"
#include "schedule/schedule.h"

static struct schedule_shape some_shape(const struct schedule *schedule) {
    struct schedule_shape shape = {.ranks = 4, .micro_batches = 8, .chunks = 1};
    if (schedule == schedules[SCHEDULE_NONE]) {
        shape.ranks = 1;
    }
    if (schedule->fixed_chunks > 0) {
        shape.chunks = schedule->fixed_chunks;
    } else if (schedule->chunked) {
        shape.chunks = 2;
    }
    return shape;
}

Test(order_text, every_schedule_reads_back) {
    struct arena *arena = support_arena();
    for (size_t i = 0; schedules[i] != NULL; i++) {
        struct schedule_shape shape = some_shape(schedules[i]);
        cr_assert(schedules[i]->refuse(&shape) == NULL, "%s: %s", schedules[i]->name, schedules[i]->refuse(&shape));
        struct order order, back;
        struct order_fault fault;
        order_make(arena, schedules[i], &shape, &order);
        const char *lines[8];
        for (int64_t rank = 0; rank < order.ranks; rank++) {
            lines[rank] = order_line(arena, &order, rank);
        }
        order_read(arena, lines, order.ranks, &back, &fault);
        cr_assert(fault.reason == NULL, "%s: %s", schedules[i]->name, fault.reason);
        cr_expect_eq(back.stages, order.stages);
        cr_expect_eq(back.micro_batches, order.micro_batches);
        cr_expect_eq(back.ways, order.ways);
        cr_expect_eq(back.before != NULL, order.before != NULL, "%s", schedules[i]->name);
        for (int64_t rank = 0; rank < order.ranks; rank++) {
            cr_expect_str_eq(order_line(arena, &back, rank), lines[rank]);
        }
        for (int64_t at = 0; order.before != NULL && at < order.stages * order.micro_batches; at++) {
            cr_expect(back.before[at] == order.before[at] && back.behind[at] == order.behind[at], "cell %lld",
                      (long long)at);
        }
    }
    arena_close(arena);
}

Test(order_text, faults_have_places) {
    const struct {
        const char *lines[2];
        int64_t line, column, length;
        const char *piece;
    } rows[] = {
        {{"F0.0 X0.1", "F1.0"}, 0, 5, 4, "'X0.1' is not a pass"},
        {{"F0.0", "  F1.0\tB1"}, 1, 7, 2, "'B1' is not a pass"},
        {{"F0.0 F0.0&W1.1", ""}, 0, 5, 9, "is not a pass"},
        {{"F0.-1", ""}, 0, 0, 5, "is not a pass"},
        {{"F0.2000000000", ""}, 0, 0, 13, "cannot be meant"},
        {{"F99999.9999999", ""}, 1, 0, 0, "cannot be meant"},
        {{"", "  "}, 0, 0, 0, "no passes"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct order order;
        struct order_fault fault;
        order_read(arena, rows[i].lines, 2, &order, &fault);
        cr_assert(fault.reason != NULL, "row %zu", i);
        cr_expect(strstr(fault.reason, rows[i].piece) != NULL, "%zu: %s", i, fault.reason);
        cr_expect(fault.line == rows[i].line && fault.column == rows[i].column && fault.length == rows[i].length,
                  "%zu: line %lld column %lld length %lld", i, (long long)fault.line, (long long)fault.column,
                  (long long)fault.length);
    }
    arena_close(arena);
}

Test(order_text, lines_without_comments) {
    struct arena *arena = support_arena();
    const char *const *lines;
    const int64_t *numbers;
    int64_t count = order_lines(arena, "# rank 0\nF0.0 BW0.0 # all\n\n   \nF1.0 BW1.0", &lines, &numbers);
    cr_assert_eq(count, 2);
    cr_expect_str_eq(lines[0], "F0.0 BW0.0 ");
    cr_expect_str_eq(lines[1], "F1.0 BW1.0");
    cr_expect(numbers[0] == 2 && numbers[1] == 5);
    cr_expect_eq(order_lines(arena, "", &lines, &numbers), 0);
    arena_close(arena);
}
