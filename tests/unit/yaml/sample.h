/* A field table with a row of every kind, for tests and fuzzers of bind and emit. */
#ifndef PARPLAN_TESTS_UNIT_YAML_SAMPLE_H
#define PARPLAN_TESTS_UNIT_YAML_SAMPLE_H

#include "base/field.h"

struct sample_inner {
    int64_t count;
    const char *note;
    double rate;
};

struct sample_part {
    const char *name;
    double memory;
    struct sample_inner inner;
    struct list tags;
};

struct sample {
    const char *title, *source;
    bool enabled, flagged;
    int64_t heads, shift;
    double scale, share, memory, latency;
    int colour;
    struct degrees tp;
    uint64_t colours;
    struct sample_inner inner;
    struct sample_inner *extra;
    struct list parts; /* struct sample_part */
    struct list counts, numbers, rates, texts;
    double result;
    int64_t verbose;
};

static const char *const sample_colours[] = {"none", "red", "deep-blue", "off", NULL};

#define SAMPLE_ROW(type, member) .key = #member, .offset = offsetof(struct type, member)

static const struct field sample_inner_fields[] = {
    {SAMPLE_ROW(sample_inner, count), .kind = FIELD_COUNT, .fallback = "3", .min = 0, .max = 100, .doc = "how many"},
    {SAMPLE_ROW(sample_inner, note), .kind = FIELD_TEXT},
    {SAMPLE_ROW(sample_inner, rate), .kind = FIELD_QUANTITY, .dimension = UNIT_BYTES_RATE},
    FIELD_END,
};

static const struct field sample_part_fields[] = {
    {SAMPLE_ROW(sample_part, memory), .kind = FIELD_QUANTITY, .dimension = UNIT_BYTES},
    {SAMPLE_ROW(sample_part, name), .kind = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_KEY},
    {SAMPLE_ROW(sample_part, inner), .kind = FIELD_STRUCT, .fields = sample_inner_fields,
     .size = sizeof(struct sample_inner)},
    {SAMPLE_ROW(sample_part, tags), .kind = FIELD_TEXTS},
    FIELD_END,
};

static const struct field sample_fields[] = {
    {SAMPLE_ROW(sample, title), .kind = FIELD_TEXT, .flags = FIELD_REQUIRED, .doc = "what it is called"},
    {SAMPLE_ROW(sample, source), .kind = FIELD_TEXT},
    {SAMPLE_ROW(sample, enabled), .kind = FIELD_BOOL, .fallback = "true"},
    {SAMPLE_ROW(sample, flagged), .kind = FIELD_BOOL},
    {SAMPLE_ROW(sample, heads), .kind = FIELD_COUNT, .flags = FIELD_REQUIRED | FIELD_POSITIVE,
     .doc = "number of heads"},
    {SAMPLE_ROW(sample, shift), .kind = FIELD_COUNT, .min = -9.3e18, .max = 9.3e18},
    {SAMPLE_ROW(sample, scale), .kind = FIELD_NUMBER, .fallback = "1.5"},
    {SAMPLE_ROW(sample, share), .kind = FIELD_RATIO, .fallback = "0.25"},
    {SAMPLE_ROW(sample, memory), .kind = FIELD_QUANTITY, .dimension = UNIT_BYTES, .fallback = "80GiB"},
    {SAMPLE_ROW(sample, latency), .kind = FIELD_QUANTITY, .dimension = UNIT_SECONDS},
    {SAMPLE_ROW(sample, colour), .kind = FIELD_CHOICE, .choices = sample_colours, .fallback = "red"},
    {SAMPLE_ROW(sample, tp), .kind = FIELD_DEGREES},
    {SAMPLE_ROW(sample, colours), .kind = FIELD_CHOICES, .choices = sample_colours},
    {SAMPLE_ROW(sample, inner), .kind = FIELD_STRUCT, .fields = sample_inner_fields,
     .size = sizeof(struct sample_inner)},
    {SAMPLE_ROW(sample, extra), .kind = FIELD_OPTIONAL, .fields = sample_inner_fields,
     .size = sizeof(struct sample_inner)},
    {SAMPLE_ROW(sample, parts), .kind = FIELD_STRUCTS, .fields = sample_part_fields,
     .size = sizeof(struct sample_part)},
    {SAMPLE_ROW(sample, counts), .kind = FIELD_COUNTS, .fallback = "1,2"},
    {SAMPLE_ROW(sample, numbers), .kind = FIELD_NUMBERS},
    {SAMPLE_ROW(sample, rates), .kind = FIELD_NUMBERS, .dimension = UNIT_BYTES_RATE},
    {SAMPLE_ROW(sample, texts), .kind = FIELD_TEXTS},
    {SAMPLE_ROW(sample, result), .kind = FIELD_NUMBER, .flags = FIELD_OUTPUT},
    {SAMPLE_ROW(sample, verbose), .kind = FIELD_COUNT, .flags = FIELD_NO_FILE},
    FIELD_END,
};

#endif
