/* One row of a corpus while it becomes a case: its cells as numbers, the first reason that refuses it, and what was
 * filled where it says nothing. */
#ifndef PARPLAN_PORT_ROW_H
#define PARPLAN_PORT_ROW_H

#include "base/text.h"
#include "port/corpus.h"
#include "port/framework.h"

struct row {
    struct arena *arena;
    const struct csv *csv;
    size_t index;
    struct corpus_case *ret;
    const struct framework *framework;
    struct text filled;
};

const char *row_cell(const struct row *row, const char *column); /* "" when empty or no such column */

void row_refuse(struct row *row, const char *reason); /* only the first is kept */
void row_fill(struct row *row, const char *column, const char *value);

/* A number >= 0, or `fallback` where the cell is empty; anything else refuses the row and reads as `fallback`. */
double row_number(struct row *row, const char *column, double fallback);
/* The same, whole and at most 1e9. */
int64_t row_count(struct row *row, const char *column, int64_t fallback);
/* A count >= 1 that a run cannot do without; a `fallback` < 1 refuses a row that lacks it. */
int64_t row_needed(struct row *row, const char *column, int64_t fallback);

/* A cell that is not empty or 0 into `object`'s member `key` of `fields`, within that field's bounds. */
struct field;
void row_override(struct row *row, const char *column, const struct field *fields, const char *key, void *object);

/* The parts of a case, each in its file. */
void corpus_model(struct row *row, const struct corpus_loader *loader);
void corpus_job(struct row *row);

#endif
