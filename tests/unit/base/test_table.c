/* Tables as text and as CSV. */
#include <criterion/criterion.h>
#include <string.h>

#include "../support.h"
#include "base/table.h"

static void sample(struct table *table, struct arena *arena) {
    table_init(table, arena);
    table_column(table, "plan", true, 0);
    table_column(table, "time", false, 0);
    table_column(table, "memory", false, 1);
    table_column(table, "note", true, 2);
    static const char *const CELLS[][4] = {{"tp8 pp4", "1.24 s", "66.1 GiB", "best"},
                                           {"tp4", "11.5 s", "9 GiB", "2\303\227 slower, \"odd\""},
                                           {"x", "", "", ""}};
    for (size_t row = 0; row < ROWS(CELLS); row++) {
        cr_assert_eq(table_row(table), row);
        for (size_t column = 0; column < 4; column++) {
            if (CELLS[row][column][0] != '\0') {
                table_set(table, row, column, "%s", CELLS[row][column]);
            }
        }
    }
}

Test(table, aligns_and_drops_columns) {
    static const struct {
        size_t width;
        const char *text;
    } TABLE[] = {
        {0, "plan        time     memory   note\n"
            "tp8 pp4   1.24 s   66.1 GiB   best\n"
            "tp4       11.5 s      9 GiB   2\303\227 slower, \"odd\"\n"
            "x\n"},
        {46, "plan        time     memory   note\n"
             "tp8 pp4   1.24 s   66.1 GiB   best\n"
             "tp4       11.5 s      9 GiB   2\303\227 slower, \"odd\"\n"
             "x\n"},
        {45, "plan        time     memory\n"
             "tp8 pp4   1.24 s   66.1 GiB\n"
             "tp4       11.5 s      9 GiB\n"
             "x\n"},
        {27, "plan        time     memory\n"
             "tp8 pp4   1.24 s   66.1 GiB\n"
             "tp4       11.5 s      9 GiB\n"
             "x\n"},
        {26, "plan        time\n"
             "tp8 pp4   1.24 s\n"
             "tp4       11.5 s\n"
             "x\n"},
        {3, "plan        time\n"
            "tp8 pp4   1.24 s\n"
            "tp4       11.5 s\n"
            "x\n"},
    };
    struct arena *arena = support_arena();
    struct table table;
    sample(&table, arena);
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        struct text text;
        text_init(&text, arena);
        table_render(&table, TABLE[i].width, &text);
        cr_assert_str_eq(text.data, TABLE[i].text, "width %zu:\n%s", TABLE[i].width, text.data);
    }
    arena_close(arena);
}

Test(table, renders_after_a_heading) {
    struct arena *arena = support_arena();
    struct table table;
    struct text text;
    table_init(&table, arena);
    table_column(&table, "a", true, 0);
    table_set(&table, table_row(&table), 0, "%d", 5);
    text_init(&text, arena);
    text_add(&text, "Heading\n");
    table_render(&table, 0, &text);
    cr_assert_str_eq(text.data, "Heading\na\n5\n");
    arena_close(arena);
}

Test(table, writes_csv) {
    struct arena *arena = support_arena();
    struct table table;
    struct text text;
    sample(&table, arena);
    table_set(&table, 2, 3, "two\nlines");
    text_init(&text, arena);
    table_csv(&table, &text);
    cr_assert_str_eq(text.data, "plan,time,memory,note\n"
                                "tp8 pp4,1.24 s,66.1 GiB,best\n"
                                "tp4,11.5 s,9 GiB,\"2\303\227 slower, \"\"odd\"\"\"\n"
                                "x,,,\"two\nlines\"\n");
    arena_close(arena);
}

Test(table, holds_many_rows) {
    struct arena *arena = support_arena();
    struct table table;
    table_init(&table, arena);
    for (int i = 0; i < TABLE_COLUMNS; i++) {
        table_column(&table, arena_format(arena, "c%d", i), i % 2 == 0, 0);
    }
    for (size_t row = 0; row < 1000; row++) {
        cr_assert_eq(table_row(&table), row);
        for (size_t column = 0; column < TABLE_COLUMNS; column++) {
            table_set(&table, row, column, "%zu", row * 100 + column);
        }
    }
    struct text text;
    text_init(&text, arena);
    table_csv(&table, &text);
    const char *line = text.data;
    for (size_t row = 0; row <= 1000; row++) {
        if (row > 0) {
            cr_assert(text_starts(line, arena_format(arena, "%zu,%zu,", (row - 1) * 100, (row - 1) * 100 + 1)),
                      "row %zu", row);
        }
        line = strchr(line, '\n') + 1;
    }
    cr_assert_eq(*line, '\0');
    arena_close(arena);
}
