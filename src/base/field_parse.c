/* Texts to members. A reason is a sentence that continues "key: ": `must be between 1 and 8, not 12`. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/field.h"
#include "base/text.h"

enum { VALUES_LIMIT = 4096 }; /* degrees in one list */

struct piece {
    const char *text;
    size_t size;
};

/* The bounds that hold for a field; see struct field. */
struct bounds {
    double min, max;
};

static struct bounds bounds_of(const struct field *field) {
    bool given = field->min < 0 || field->min > 0 || field->max < 0 || field->max > 0;
    if (given) {
        return (struct bounds){field->min, field->max < field->min ? HUGE_VAL : field->max};
    }
    switch (field->kind) {
    case FIELD_DEGREES:
        return (struct bounds){1, HUGE_VAL};
    case FIELD_RATIO:
        return (struct bounds){0, 1};
    case FIELD_NUMBER:
    case FIELD_NUMBERS:
        return (struct bounds){(field->flags & FIELD_POSITIVE) != 0 ? 0 : -HUGE_VAL, HUGE_VAL};
    case FIELD_BOOL:
    case FIELD_COUNT:
    case FIELD_QUANTITY:
    case FIELD_CHOICE:
    case FIELD_TEXT:
    case FIELD_CHOICES:
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
    case FIELD_STRUCTS:
    case FIELD_COUNTS:
    case FIELD_TEXTS:
        break;
    }
    return (struct bounds){0, HUGE_VAL};
}

/* The reason for a value out of its bounds, NULL if it is within. */
static const char *bounds_wrong(struct arena *arena, const struct field *field, double value, const char *text) {
    struct bounds bounds = bounds_of(field);
    bool positive = (field->flags & FIELD_POSITIVE) != 0 && bounds.min <= 0 && bounds.min >= 0;
    if (value >= bounds.min && value <= bounds.max && !(positive && value <= 0)) {
        return NULL;
    }
    bool quantity = field->kind == FIELD_QUANTITY || field->kind == FIELD_NUMBERS;
    enum dimension dimension = quantity ? field->dimension : UNIT_NONE;
    const char *least = positive ? "0" : units_exact(arena, bounds.min, dimension);
    const char *most = units_exact(arena, bounds.max, dimension);
    if (isinf(bounds.max)) {
        return arena_format(arena, "must be %s %s, not %s", positive ? "above" : "at least", least, text);
    }
    if (isinf(bounds.min)) {
        return arena_format(arena, "must be at most %s, not %s", most, text);
    }
    if (positive) {
        return arena_format(arena, "must be above 0 and at most %s, not %s", most, text);
    }
    return arena_format(arena, "must be between %s and %s, not %s", least, most, text);
}

static bool refuse(const char **ret_reason, const char *reason) {
    *ret_reason = reason;
    return false;
}

static bool parse_count(struct arena *arena, const struct field *field, const char *text, int64_t *ret_value,
                        const char **ret_reason) {
    long long value = 0;
    if (text_integer(text, strlen(text), &value)) {
        *ret_value = value;
        *ret_reason = bounds_wrong(arena, field, (double)value, text);
        return *ret_reason == NULL;
    }
    double number = 0;
    if (!text_number(text, strlen(text), &number)) {
        return refuse(ret_reason, arena_format(arena, "must be a whole number, not \"%s\"", text));
    }
    if (fabs(number) >= 0x1p63) {
        const char *reason = bounds_wrong(arena, field, number, text);
        return refuse(ret_reason, reason != NULL ? reason : arena_format(arena, "%s is too large", text));
    }
    bool whole = rint(number) <= number && rint(number) >= number;
    return refuse(ret_reason, whole
                                  ? arena_format(arena, "must be a whole number written in full, such as %lld, not %s",
                                                 (long long)number, text)
                                  : arena_format(arena, "must be a whole number, not %s", text));
}

static bool parse_number(struct arena *arena, const struct field *field, const char *text, double *ret_value,
                         const char **ret_reason) {
    double value = 0;
    size_t size = strlen(text);
    if (field->kind == FIELD_RATIO) {
        bool percent = size > 0 && text[size - 1] == '%';
        if (!text_number_scaled(text, size - percent, percent ? -2 : 0, &value)) {
            return refuse(ret_reason, arena_format(arena, "must be a ratio such as 0.62 or 62%%, not \"%s\"", text));
        }
    } else if (!units_parse(arena, text, field->kind == FIELD_NUMBER ? UNIT_NONE : field->dimension, &value,
                            ret_reason)) {
        return false;
    }
    *ret_value = value;
    *ret_reason = bounds_wrong(arena, field, value, text);
    return *ret_reason == NULL;
}

/* Index of the choice called `word`, or -1 and the reason. */
static int parse_choice(struct arena *arena, const struct field *field, const char *word, const char **ret_reason) {
    int count = 0;
    for (; field->choices[count] != NULL; count++) {
        if (text_equal(field->choices[count], word)) {
            return count;
        }
    }
    const char *nearest = text_nearest(word, field->choices, (size_t)count);
    *ret_reason = arena_format(arena, "must be %s, not \"%s\"%s%s%s", field_values(arena, field), word,
                               nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
                               nearest == NULL ? "" : "?");
    return -1;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct piece piece_trim(struct piece piece) {
    while (piece.size > 0 && is_blank(piece.text[0])) {
        piece.text++;
        piece.size--;
    }
    while (piece.size > 0 && is_blank(piece.text[piece.size - 1])) {
        piece.size--;
    }
    return piece;
}

/* Splits "a, b" or "[a, b]" at its commas into trimmed texts; no text at all gives none. False when a piece is empty or
 * a bracket is missing. */
static bool split(struct arena *arena, const char *text, struct list *ret_texts) {
    struct piece all = piece_trim((struct piece){text, strlen(text)});
    if (all.size > 0 && (all.text[0] == '[') != (all.text[all.size - 1] == ']')) {
        return false;
    }
    if (all.size > 1 && all.text[0] == '[') {
        all = piece_trim((struct piece){all.text + 1, all.size - 2});
    }
    size_t count = all.size > 0;
    for (size_t i = 0; i < all.size; i++) {
        count += all.text[i] == ',';
    }
    const char **texts = ARENA_ARRAY(arena, const char *, count);
    *ret_texts = (struct list){.items = texts, .count = count};
    const char *at = all.text;
    for (size_t i = 0; i < count; i++) {
        size_t left = all.size - (size_t)(at - all.text);
        const char *comma = memchr(at, ',', left);
        struct piece piece = piece_trim((struct piece){at, comma == NULL ? left : (size_t)(comma - at)});
        if (piece.size == 0) {
            return false;
        }
        texts[i] = arena_copy(arena, piece.text, piece.size);
        at = comma == NULL ? at : comma + 1;
    }
    return true;
}

static int compare_values(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void degrees_sort(int64_t *values, size_t *count) {
    if (*count == 0) {
        return;
    }
    qsort(values, *count, sizeof *values, compare_values);
    size_t kept = 1;
    for (size_t i = 1; i < *count; i++) {
        if (values[i] != values[kept - 1]) {
            values[kept++] = values[i];
        }
    }
    *count = kept;
}

/* Adds "8" or "1..16" to the values. */
static bool degrees_add(struct arena *arena, const struct field *field, const char *text, int64_t *values,
                        size_t *count, const char **ret_reason) {
    const char *dots = strstr(text, "..");
    int64_t from = 0;
    int64_t to = 0;
    const char *first = dots == NULL ? text : arena_copy(arena, text, (size_t)(dots - text));
    if (!parse_count(arena, field, first, &from, ret_reason) ||
        !parse_count(arena, field, dots == NULL ? text : dots + 2, &to, ret_reason)) {
        return false;
    }
    if (to < from) {
        return refuse(ret_reason,
                      arena_format(arena, "%s is empty: write %lld..%lld", text, (long long)to, (long long)from));
    }
    if ((uint64_t)to - (uint64_t)from >= VALUES_LIMIT - *count) {
        return refuse(ret_reason, arena_format(arena, "has more than %d values", VALUES_LIMIT));
    }
    for (int64_t value = from; value < to; value++) {
        values[(*count)++] = value;
    }
    values[(*count)++] = to;
    return true;
}

static bool parse_degrees(struct arena *arena, const struct field *field, const char *text, struct degrees *ret_degrees,
                          const char **ret_reason) {
    struct list texts;
    if (text_equal(text, "auto")) {
        *ret_degrees = (struct degrees){.any = true};
        return true;
    }
    if (!split(arena, text, &texts) || texts.count == 0) {
        return refuse(ret_reason,
                      arena_format(arena,
                                   "must be auto, a whole number, a list such as 1,2,4 or a range such as 1..16, "
                                   "not \"%s\"",
                                   text));
    }
    int64_t *values = ARENA_ARRAY(arena, int64_t, VALUES_LIMIT);
    size_t count = 0;
    for (size_t i = 0; i < texts.count; i++) {
        if (!degrees_add(arena, field, ((const char **)texts.items)[i], values, &count, ret_reason)) {
            return false;
        }
    }
    degrees_sort(values, &count);
    int64_t *kept = ARENA_ARRAY(arena, int64_t, count);
    memcpy(kept, values, count * sizeof *kept);
    *ret_degrees = (struct degrees){.values = kept, .count = count};
    return true;
}

static bool parse_choices(struct arena *arena, const struct field *field, const char *text, uint64_t *ret_set,
                          const char **ret_reason) {
    struct list texts;
    if (text_equal(text, "auto")) {
        *ret_set = field_all_choices(field);
        return true;
    }
    if (!split(arena, text, &texts) || texts.count == 0) {
        return refuse(ret_reason, arena_format(arena, "must be auto, or a list of %s", field_values(arena, field)));
    }
    uint64_t set = 0;
    for (size_t i = 0; i < texts.count; i++) {
        int index = parse_choice(arena, field, ((const char **)texts.items)[i], ret_reason);
        if (index < 0) {
            return false;
        }
        set |= UINT64_C(1) << index;
    }
    *ret_set = set;
    return true;
}

static bool parse_list(struct arena *arena, const struct field *field, const char *text, struct list *ret_list,
                       const char **ret_reason) {
    struct list texts;
    if (!split(arena, text, &texts)) {
        return refuse(ret_reason, arena_format(arena, "must be a list such as %s, not \"%s\"",
                                               field->kind == FIELD_TEXTS ? "a,b" : "1,2,4", text));
    }
    if (field->kind == FIELD_TEXTS || texts.count == 0) {
        *ret_list = texts;
        return true;
    }
    bool counts = field->kind == FIELD_COUNTS;
    int64_t *integers = ARENA_ARRAY(arena, int64_t, texts.count);
    double *numbers = ARENA_ARRAY(arena, double, texts.count);
    for (size_t i = 0; i < texts.count; i++) {
        const char *item = ((const char **)texts.items)[i];
        if (!(counts ? parse_count(arena, field, item, &integers[i], ret_reason)
                     : parse_number(arena, field, item, &numbers[i], ret_reason))) {
            return false;
        }
    }
    *ret_list = (struct list){.items = counts ? (void *)integers : (void *)numbers, .count = texts.count};
    return true;
}

static bool parse_bool(struct arena *arena, const char *text, bool *ret_value, const char **ret_reason) {
    *ret_value = text_equal(text, "true");
    if (*ret_value || text_equal(text, "false")) {
        return true;
    }
    return refuse(ret_reason, arena_format(arena, "must be true or false, not \"%s\"", text));
}

bool field_parse(struct arena *arena, const struct field *field, const char *text, void *object,
                 const char **ret_reason) {
    void *member = field_member(field, object);
    switch (field->kind) {
    case FIELD_BOOL:
        return parse_bool(arena, text, member, ret_reason);
    case FIELD_COUNT:
        return parse_count(arena, field, text, member, ret_reason);
    case FIELD_NUMBER:
    case FIELD_RATIO:
    case FIELD_QUANTITY:
        return parse_number(arena, field, text, member, ret_reason);
    case FIELD_CHOICE: {
        int index = parse_choice(arena, field, text, ret_reason);
        *(int *)member = index < 0 ? *(int *)member : index;
        return index >= 0;
    }
    case FIELD_TEXT:
        *(const char **)member = arena_text(arena, text);
        return true;
    case FIELD_DEGREES:
        return parse_degrees(arena, field, text, member, ret_reason);
    case FIELD_CHOICES:
        return parse_choices(arena, field, text, member, ret_reason);
    case FIELD_COUNTS:
    case FIELD_NUMBERS:
    case FIELD_TEXTS:
        return parse_list(arena, field, text, member, ret_reason);
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
    case FIELD_STRUCTS:
        break;
    }
    return refuse(ret_reason, "is made of several values and cannot be one text");
}
