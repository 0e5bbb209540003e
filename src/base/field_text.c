/* Members to texts, as a document has them. */
#include <stddef.h>

#include "base/arena.h"
#include "base/field.h"
#include "base/text.h"

uint64_t field_all_choices(const struct field *field) {
    uint64_t all = 0;
    for (size_t i = 0; i < 64 && field->choices[i] != NULL; i++) {
        all |= UINT64_C(1) << i;
    }
    return all;
}

const char *field_values(struct arena *arena, const struct field *field) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; field->choices != NULL && field->choices[i] != NULL; i++) {
        text_add_format(&text, "%s%s", i > 0 ? "|" : "", field->choices[i]);
    }
    return text.data;
}

/* "8", "1..16" for three and more numbers without a gap, else "[1, 2, 4]". */
static const char *degrees_text(struct arena *arena, const struct degrees *degrees) {
    if (degrees->any) {
        return "auto";
    }
    size_t count = degrees->count;
    const int64_t *values = degrees->values;
    if (count == 1) {
        return arena_format(arena, "%lld", (long long)values[0]);
    }
    if (count > 2 && (uint64_t)values[count - 1] - (uint64_t)values[0] == count - 1) {
        return arena_format(arena, "%lld..%lld", (long long)values[0], (long long)values[count - 1]);
    }
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < count; i++) {
        text_add_format(&text, "%s%lld", i > 0 ? ", " : "[", (long long)values[i]);
    }
    text_add(&text, count > 0 ? "]" : "[]");
    return text.data;
}

static const char *choices_text(struct arena *arena, const struct field *field, uint64_t set) {
    if (set == field_all_choices(field)) {
        return "auto";
    }
    struct text text;
    text_init(&text, arena);
    size_t count = 0;
    for (size_t i = 0; i < 64 && field->choices[i] != NULL; i++) {
        if ((set >> i & 1) != 0) {
            text_add_format(&text, "%s%s", count++ > 0 ? ", " : "", field->choices[i]);
        }
    }
    return count == 1 ? text.data : arena_format(arena, "[%s]", text.data);
}

static const char *list_text(struct arena *arena, const struct field *field, const struct list *list) {
    struct text text;
    text_init(&text, arena);
    text_add(&text, "[");
    for (size_t i = 0; i < list->count; i++) {
        text_add(&text, i > 0 ? ", " : "");
        if (field->kind == FIELD_COUNTS) {
            text_add_format(&text, "%lld", (long long)((const int64_t *)list->items)[i]);
        } else if (field->kind == FIELD_NUMBERS) {
            text_add(&text, units_exact(arena, ((const double *)list->items)[i], field->dimension));
        } else {
            text_add(&text, ((const char *const *)list->items)[i]);
        }
    }
    text_add(&text, "]");
    return text.data;
}

const char *field_text(struct arena *arena, const struct field *field, const void *object) {
    const void *member = field_member(field, object);
    switch (field->kind) {
    case FIELD_BOOL:
        return *(const bool *)member ? "true" : "false";
    case FIELD_COUNT:
        return arena_format(arena, "%lld", (long long)*(const int64_t *)member);
    case FIELD_NUMBER:
    case FIELD_RATIO:
        return units_exact(arena, *(const double *)member, UNIT_NONE);
    case FIELD_QUANTITY:
        return units_exact(arena, *(const double *)member, field->dimension);
    case FIELD_CHOICE:
        return field_choice_name(field, *(const int *)member);
    case FIELD_TEXT:
        return *(const char *const *)member;
    case FIELD_DEGREES:
        return degrees_text(arena, member);
    case FIELD_CHOICES:
        return choices_text(arena, field, *(const uint64_t *)member);
    case FIELD_COUNTS:
    case FIELD_NUMBERS:
    case FIELD_TEXTS:
        return list_text(arena, field, member);
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
    case FIELD_STRUCTS:
        break;
    }
    return NULL;
}
