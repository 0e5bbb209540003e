/* Comma-separated values (RFC 4180): a header row, then records; fields may be quoted and then hold commas, quotes and
 * line breaks. */
#ifndef PARPLAN_PORT_CSV_H
#define PARPLAN_PORT_CSV_H

#include "base/diag.h"

struct arena;

struct csv {
    const struct source *source;
    const char **columns;  /* names, of the header */
    size_t column_count;
    const char **cells;    /* row by row; missing cells of short rows are "" */
    const unsigned *lines; /* of each row, from 1 */
    size_t row_count;
};

/* Refuses: no header, repeated column names, a row with more cells than columns, a quote that never ends, NUL bytes. */
enum status csv_parse(struct arena *arena, const struct source *source, struct csv *ret, struct diag *diag) MUST_CHECK;

/* The cell, "" when the column does not exist. */
const char *csv_cell(const struct csv *csv, size_t row, const char *column);

#endif
