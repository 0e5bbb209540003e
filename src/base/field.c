/* Field tables: finding rows, setting members to their fallbacks and comparing with them. Texts to members is
 * field_parse.c, members to texts is field_text.c. */
#include "base/field.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

size_t field_count(const struct field *fields) {
    size_t count = 0;
    while (fields[count].key != NULL) {
        count++;
    }
    return count;
}

const struct field *field_find(const struct field *fields, const char *key) {
    for (; fields->key != NULL; fields++) {
        if (text_equal(fields->key, key)) {
            return fields;
        }
    }
    return NULL;
}

/* Bytes of a member that is no nested struct. */
static size_t member_size(const struct field *field) {
    switch (field->kind) {
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_COUNT:
        return sizeof(int64_t);
    case FIELD_NUMBER:
    case FIELD_RATIO:
    case FIELD_QUANTITY:
        return sizeof(double);
    case FIELD_CHOICE:
        return sizeof(int);
    case FIELD_TEXT:
    case FIELD_OPTIONAL:
        return sizeof(void *);
    case FIELD_DEGREES:
        return sizeof(struct degrees);
    case FIELD_CHOICES:
        return sizeof(uint64_t);
    case FIELD_STRUCT:
        return field->size;
    case FIELD_STRUCTS:
    case FIELD_COUNTS:
    case FIELD_NUMBERS:
    case FIELD_TEXTS:
        return sizeof(struct list);
    }
    return 0;
}

static const char *fallback_of(const struct field *field) {
    bool space = field->kind == FIELD_DEGREES || field->kind == FIELD_CHOICES;
    return field->fallback == NULL && space ? "auto" : field->fallback;
}

/* Sets a member that is no nested struct to its fallback. */
static void member_default(struct arena *arena, const struct field *field, void *object) {
    memset(field_member(field, object), 0, member_size(field));
    const char *fallback = fallback_of(field);
    if (fallback != NULL) {
        const char *reason = NULL;
        bool good = field_parse(arena, field, fallback, object, &reason);
        assert(good && "a fallback in a field table is wrong");
        (void)good;
    }
}

void field_defaults(struct arena *arena, const struct field *fields, void *object) {
    for (const struct field *field = fields; field->key != NULL; field++) {
        if (field->kind == FIELD_STRUCT) {
            field_defaults(arena, field->fields, field_member(field, object));
        } else {
            member_default(arena, field, object);
        }
    }
}

static bool same_number(double a, double b) {
    return a <= b && a >= b;
}

static bool same_list(const struct field *field, const struct list *a, const struct list *b) {
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        bool same = true;
        if (field->kind == FIELD_COUNTS) {
            same = ((const int64_t *)a->items)[i] == ((const int64_t *)b->items)[i];
        } else if (field->kind == FIELD_NUMBERS) {
            same = same_number(((const double *)a->items)[i], ((const double *)b->items)[i]);
        } else {
            same = text_equal(((const char *const *)a->items)[i], ((const char *const *)b->items)[i]);
        }
        if (!same) {
            return false;
        }
    }
    return true;
}

static bool same_degrees(const struct degrees *a, const struct degrees *b) {
    if (a->any || b->any) {
        return a->any == b->any;
    }
    return a->count == b->count && (a->count == 0 || memcmp(a->values, b->values, a->count * sizeof *a->values) == 0);
}

/* Whether two members of the same field, no nested structs, hold the same value. */
static bool same_member(const struct field *field, const void *a, const void *b) {
    switch (field->kind) {
    case FIELD_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case FIELD_COUNT:
        return *(const int64_t *)a == *(const int64_t *)b;
    case FIELD_NUMBER:
    case FIELD_RATIO:
    case FIELD_QUANTITY:
        return same_number(*(const double *)a, *(const double *)b);
    case FIELD_CHOICE:
        return *(const int *)a == *(const int *)b;
    case FIELD_TEXT:
        return text_equal(*(const char *const *)a, *(const char *const *)b);
    case FIELD_DEGREES:
        return same_degrees(a, b);
    case FIELD_CHOICES:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    case FIELD_COUNTS:
    case FIELD_NUMBERS:
    case FIELD_TEXTS:
        return same_list(field, a, b);
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
    case FIELD_STRUCTS:
        break;
    }
    return false;
}

static bool structs_default(struct arena *arena, const struct field *fields, const void *object) {
    for (const struct field *field = fields; field->key != NULL; field++) {
        if (!field_is_default(arena, field, object)) {
            return false;
        }
    }
    return true;
}

bool field_is_default(struct arena *arena, const struct field *field, const void *object) {
    const void *member = field_member(field, object);
    if (field->kind == FIELD_STRUCT) {
        return structs_default(arena, field->fields, member);
    }
    if (field->kind == FIELD_OPTIONAL) {
        return *(void *const *)member == NULL;
    }
    if (field->kind == FIELD_STRUCTS) {
        return ((const struct list *)member)->count == 0;
    }
    /* The fallback is read into a member of its own, through a row that says it lies at the front. */
    union {
        int64_t integer;
        double number;
        struct list list;
        struct degrees degrees;
    } fallback;
    struct field front = *field;
    front.offset = 0;
    struct arena_place place = arena_mark(arena);
    member_default(arena, &front, &fallback);
    bool same = same_member(field, member, &fallback);
    arena_rewind(arena, place);
    return same;
}

const char *field_choice(const struct field *fields, const char *key, const void *object) {
    const struct field *field = field_find(fields, key);
    assert(field != NULL && field->kind == FIELD_CHOICE);
    return field == NULL ? NULL : field_choice_name(field, *(const int *)field_member(field, object));
}

const char *field_choice_name(const struct field *field, int index) {
    int i = 0;
    while (field->choices[i] != NULL && i < index) {
        i++;
    }
    return index < 0 ? NULL : field->choices[i];
}

static const char *quantity_placeholder(enum dimension dimension) {
    static const char *const NAMES[UNIT_DIMENSIONS] = {"X",    "BYTES", "TIME",  "BYTES/S", "FLOP/S",
                                                       "FLOP", "WATT",  "USD/H", "USD",     "JOULE"};
    return NAMES[dimension];
}

const char *field_placeholder(const struct field *field) {
    if (field->value_name != NULL) {
        return field->value_name;
    }
    switch (field->kind) {
    case FIELD_BOOL:
        return "true|false";
    case FIELD_COUNT:
        return "N";
    case FIELD_NUMBER:
    case FIELD_QUANTITY:
        return quantity_placeholder(field->dimension);
    case FIELD_RATIO:
        return "RATIO";
    case FIELD_CHOICE:
        return "NAME";
    case FIELD_TEXT:
        return "TEXT";
    case FIELD_DEGREES:
        return "N|N,N|N..N|auto";
    case FIELD_CHOICES:
        return "NAME,...|auto";
    case FIELD_COUNTS:
        return "N,...";
    case FIELD_NUMBERS:
        return "X,...";
    case FIELD_TEXTS:
        return "TEXT,...";
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
        return "{...}";
    case FIELD_STRUCTS:
        return "[{...}]";
    }
    return "";
}
