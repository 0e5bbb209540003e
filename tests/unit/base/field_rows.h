/* A table with a row of every kind, for the tests of field tables. */
#ifndef PARPLAN_TESTS_FIELD_ROWS_H
#define PARPLAN_TESTS_FIELD_ROWS_H

#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "../support.h"
#include "base/field.h"
#include "base/random.h"

static const char *const WORDS[] = {"none", "selective", "full", NULL};

struct inner {
    int64_t depth;
    int kind;
};

static const struct field INNER[] = {
    {.key = "depth", .kind = FIELD_COUNT, .offset = offsetof(struct inner, depth), .fallback = "3"},
    {.key = "kind", .kind = FIELD_CHOICE, .offset = offsetof(struct inner, kind), .choices = WORDS, .fallback = "full"},
    FIELD_END};

struct outer {
    bool on;
    int64_t count, bounded, least, positive, negative;
    double number, fraction, ratio, ranged_ratio, size, duration, above_zero, wide;
    int choice;
    const char *name;
    struct degrees degrees, zero, limited;
    uint64_t set;
    struct inner inner;
    struct inner *optional;
    struct list inners, counts, numbers, delays, texts;
};

#define ROW(member, field_kind, ...)                                                                                   \
    { .key = #member, .kind = field_kind, .offset = offsetof(struct outer, member), __VA_ARGS__ }

static const struct field OUTER[] = {
    ROW(on, FIELD_BOOL, .fallback = "true"),
    ROW(count, FIELD_COUNT, .fallback = "42"),
    ROW(bounded, FIELD_COUNT, .fallback = "1", .min = 1, .max = 8),
    ROW(least, FIELD_COUNT, .fallback = "5", .min = 2),
    ROW(positive, FIELD_COUNT, .fallback = "1", .flags = FIELD_POSITIVE),
    ROW(negative, FIELD_COUNT, .fallback = "-2", .min = -5, .max = 0),
    ROW(number, FIELD_NUMBER, .fallback = "-1.5"),
    ROW(fraction, FIELD_NUMBER, .min = 0, .max = 2.5),
    ROW(ratio, FIELD_RATIO, .fallback = "62%"),
    ROW(ranged_ratio, FIELD_RATIO, .fallback = "1", .min = 0.5, .max = 2),
    ROW(size, FIELD_QUANTITY, .dimension = UNIT_BYTES, .fallback = "80GiB"),
    ROW(duration, FIELD_QUANTITY, .dimension = UNIT_SECONDS),
    ROW(above_zero, FIELD_QUANTITY, .dimension = UNIT_SECONDS, .fallback = "1s", .flags = FIELD_POSITIVE, .max = 3600),
    ROW(wide, FIELD_QUANTITY, .dimension = UNIT_BYTES, .min = 1024, .max = 1048576, .fallback = "1KiB"),
    ROW(choice, FIELD_CHOICE, .choices = WORDS, .fallback = "selective"),
    ROW(name, FIELD_TEXT, .fallback = "unnamed"),
    ROW(degrees, FIELD_DEGREES, .doc = ""),
    ROW(zero, FIELD_DEGREES, .min = 0, .max = 3, .fallback = "0..1"),
    ROW(limited, FIELD_DEGREES, .min = 2, .max = 16, .fallback = "2,4"),
    ROW(set, FIELD_CHOICES, .choices = WORDS),
    ROW(inner, FIELD_STRUCT, .fields = INNER, .size = sizeof(struct inner)),
    ROW(optional, FIELD_OPTIONAL, .fields = INNER, .size = sizeof(struct inner)),
    ROW(inners, FIELD_STRUCTS, .fields = INNER, .size = sizeof(struct inner)),
    ROW(counts, FIELD_COUNTS, .fallback = "1, 2"),
    ROW(numbers, FIELD_NUMBERS, .doc = ""),
    ROW(delays, FIELD_NUMBERS, .dimension = UNIT_SECONDS, .fallback = "[2us]"),
    ROW(texts, FIELD_TEXTS, .fallback = "tp > 8,ep > 1 && cp > 1"),
    FIELD_END};

static const struct field *row(const char *key) {
    const struct field *field = field_find(OUTER, key);
    cr_assert_not_null(field, "%s", key);
    return field;
}

#endif
