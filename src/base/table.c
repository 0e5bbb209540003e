/* Tables for people and as CSV:
 *
 *   plan   step time   memory          columns are separated by three blanks, the head has no rule,
 *   best      1.24 s   66 GiB          no line ends in blanks
 */
#include "base/table.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum { GAP = 3, FIRST_ROWS = 8 };

void table_init(struct table *table, struct arena *arena) {
    *table = (struct table){.arena = arena};
}

void table_column(struct table *table, const char *head, bool left, int priority) {
    assert(table->columns < TABLE_COLUMNS && table->rows == 0);
    table->heads[table->columns] = arena_text(table->arena, head);
    table->left[table->columns] = left;
    table->priority[table->columns] = priority;
    table->columns++;
}

size_t table_row(struct table *table) {
    if (table->rows == table->room) {
        size_t room = table->room == 0 ? FIRST_ROWS : 2 * table->room;
        const char **cells = ARENA_ARRAY(table->arena, const char *, room *TABLE_COLUMNS);
        if (table->rows > 0) {
            memcpy(cells, table->cells, table->rows * TABLE_COLUMNS * sizeof *cells);
        }
        table->cells = cells;
        table->room = room;
    }
    return table->rows++;
}

void table_set(struct table *table, size_t row, size_t column, const char *format, ...) {
    assert(row < table->rows && column < table->columns);
    va_list arguments;
    va_start(arguments, format);
    table->cells[row * TABLE_COLUMNS + column] = arena_vformat(table->arena, format, arguments);
    va_end(arguments);
}

static const char *cell(const struct table *table, size_t row, size_t column) {
    const char *text = table->cells[row * TABLE_COLUMNS + column];
    return text == NULL ? "" : text;
}

static size_t wider(size_t width, const char *text) {
    size_t other = text_width(text, strlen(text));
    return other > width ? other : width;
}

/* The shown column that is to be left out first: of the highest priority, the last one; TABLE_COLUMNS if none may. */
static size_t column_to_drop(const struct table *table, const bool shown[TABLE_COLUMNS]) {
    size_t drop = TABLE_COLUMNS;
    int highest = 1;
    for (size_t i = 0; i < table->columns; i++) {
        if (shown[i] && table->priority[i] >= highest) {
            highest = table->priority[i];
            drop = i;
        }
    }
    return drop;
}

/* Chooses the columns that fit and measures them. */
static void columns_fit(const struct table *table, size_t limit, bool shown[TABLE_COLUMNS],
                        size_t widths[TABLE_COLUMNS]) {
    size_t total = 0;
    for (size_t i = 0; i < table->columns; i++) {
        shown[i] = true;
        widths[i] = wider(0, table->heads[i]);
        for (size_t row = 0; row < table->rows; row++) {
            widths[i] = wider(widths[i], cell(table, row, i));
        }
        total += widths[i] + GAP;
    }
    while (limit > 0 && total > limit + GAP) {
        size_t drop = column_to_drop(table, shown);
        if (drop == TABLE_COLUMNS) {
            return;
        }
        shown[drop] = false;
        total -= widths[drop] + GAP;
    }
}

struct line {
    struct text *out;
    size_t column; /* where the next cell begins */
};

static void line_add(struct line *line, const char *text, size_t width, bool left) {
    size_t used = text_width(text, strlen(text));
    if (used > 0) {
        text_pad(line->out, line->column + (left || used > width ? 0 : width - used));
        text_add(line->out, text);
    }
    line->column += width + GAP;
}

void table_render(const struct table *table, size_t width, struct text *out) {
    bool shown[TABLE_COLUMNS] = {false};
    size_t widths[TABLE_COLUMNS] = {0};
    columns_fit(table, width, shown, widths);
    for (size_t row = 0; row <= table->rows; row++) {
        struct line line = {.out = out};
        for (size_t i = 0; i < table->columns; i++) {
            if (shown[i]) {
                line_add(&line, row == 0 ? table->heads[i] : cell(table, row - 1, i), widths[i], table->left[i]);
            }
        }
        text_add_char(out, '\n');
    }
}

/* A cell with a comma, a quote or a line end is quoted, quotes in it are doubled. */
static void csv_add(struct text *out, const char *text) {
    if (strpbrk(text, ",\"\r\n") == NULL) {
        text_add(out, text);
        return;
    }
    text_add_char(out, '"');
    for (; *text != '\0'; text++) {
        text_add(out, *text == '"' ? "\"" : "");
        text_add_char(out, *text);
    }
    text_add_char(out, '"');
}

void table_csv(const struct table *table, struct text *out) {
    for (size_t row = 0; row <= table->rows; row++) {
        for (size_t i = 0; i < table->columns; i++) {
            text_add(out, i > 0 ? "," : "");
            csv_add(out, row == 0 ? table->heads[i] : cell(table, row - 1, i));
        }
        text_add_char(out, '\n');
    }
}
