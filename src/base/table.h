/* Aligned text tables for people. Cells are texts; columns are right- or left-aligned; the rendering is a text. */
#ifndef PARPLAN_BASE_TABLE_H
#define PARPLAN_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct text;

enum { TABLE_COLUMNS = 32 };

struct table {
    struct arena *arena;
    size_t columns, rows, room;
    const char *heads[TABLE_COLUMNS];
    bool left[TABLE_COLUMNS];
    int priority[TABLE_COLUMNS]; /* 0 = always shown; higher ones are dropped first when the width is short */
    const char **cells;
};

void table_init(struct table *table, struct arena *arena);
void table_column(struct table *table, const char *head, bool left, int priority);
/* Adds a row of empty cells and returns its index; table_set fills cells from left to right or by column. */
size_t table_row(struct table *table);
void table_set(struct table *table, size_t row, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Renders at most `width` columns wide (0 = unbounded) by leaving out columns of low priority; never wraps. */
void table_render(const struct table *table, size_t width, struct text *out);
/* All columns as CSV with a header row, quoted as in RFC 4180; lines end with LF, as Unix tools want them. */
void table_csv(const struct table *table, struct text *out);

#endif
