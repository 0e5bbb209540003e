/* Cells to values. What no run can have is refused here, so that the parts compute with sane numbers only. */
#include "port/row.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/field.h"

/* More of anything, or a larger measurement, is a misprint. */
#define COUNT_MAX 1e9
#define NUMBER_MAX 1e15

const char *row_cell(const struct row *row, const char *column) {
    return csv_cell(row->csv, row->index, column);
}

void row_refuse(struct row *row, const char *reason) {
    if (row->ret->refusal == NULL) {
        row->ret->refusal = reason;
    }
}

void row_fill(struct row *row, const char *column, const char *value) {
    text_add_format(&row->filled, "%s%s = %s", row->filled.size > 0 ? ", " : "", column, value);
}

/* A number with the reason why it is none, NULL if it is. */
static const char *number_wrong(const char *text, double most, double *ret_value) {
    if (!text_number(text, strlen(text), ret_value)) {
        return "is no number";
    }
    return *ret_value < 0 ? "is negative" : *ret_value > most ? "is too large" : NULL;
}

static double number(struct row *row, const char *column, double fallback, double most) {
    const char *text = row_cell(row, column);
    double value = fallback;
    const char *wrong = text[0] == '\0' ? NULL : number_wrong(text, most, &value);
    if (wrong != NULL) {
        row_refuse(row, arena_format(row->arena, "%s: '%s' %s", column, text, wrong));
        return fallback;
    }
    return value;
}

double row_number(struct row *row, const char *column, double fallback) {
    return number(row, column, fallback, NUMBER_MAX);
}

int64_t row_count(struct row *row, const char *column, int64_t fallback) {
    double value = number(row, column, (double)fallback, COUNT_MAX);
    if (value > floor(value)) {
        row_refuse(row, arena_format(row->arena, "%s: '%s' is not whole", column, row_cell(row, column)));
    }
    return (int64_t)value;
}

int64_t row_needed(struct row *row, const char *column, int64_t fallback) {
    if (row_cell(row, column)[0] == '\0') {
        if (fallback < 1) {
            row_refuse(row, arena_format(row->arena, "%s is not stated", column));
            return 1;
        }
        row_fill(row, column, arena_format(row->arena, "%lld", (long long)fallback));
        return fallback;
    }
    int64_t value = row_count(row, column, 1);
    if (value < 1) {
        row_refuse(row, arena_format(row->arena, "%s: '%s' must be at least 1", column, row_cell(row, column)));
        return 1;
    }
    return value;
}

void row_override(struct row *row, const char *column, const struct field *fields, const char *key, void *object) {
    if (row_count(row, column, 0) < 1) {
        return;
    }
    const char *reason = NULL;
    const struct field *field = field_find(fields, key);
    const char *text = arena_format(row->arena, "%lld", (long long)row_count(row, column, 0));
    if (!field_parse(row->arena, field, text, object, &reason)) {
        row_refuse(row, arena_format(row->arena, "%s: %s", column, reason));
    }
}
