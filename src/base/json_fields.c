/* Structs as JSON by their field tables. Quantities are plain numbers in base units and their keys say the unit. */
#include "base/arena.h"
#include "base/field.h"
#include "base/json.h"

static void write_counts(struct json *json, const int64_t *values, size_t count) {
    json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        json_integer(json, values[i]);
    }
    json_close_array(json);
}

static void write_list(struct json *json, const struct field *field, const struct list *list) {
    if (field->kind == FIELD_COUNTS) {
        write_counts(json, list->items, list->count);
        return;
    }
    json_open_array(json);
    for (size_t i = 0; i < list->count; i++) {
        if (field->kind == FIELD_NUMBERS) {
            json_number(json, ((const double *)list->items)[i]);
        } else {
            json_string(json, ((const char *const *)list->items)[i]);
        }
    }
    json_close_array(json);
}

static void write_structs(struct json *json, const struct field *field, const struct list *list) {
    json_open_array(json);
    for (size_t i = 0; i < list->count; i++) {
        json_fields(json, field->fields, (const char *)list->items + i * field->size);
    }
    json_close_array(json);
}

static void write_choices(struct json *json, const struct field *field, uint64_t set) {
    json_open_array(json);
    for (size_t i = 0; i < 64 && field->choices[i] != NULL; i++) {
        if ((set >> i & 1) != 0) {
            json_string(json, field->choices[i]);
        }
    }
    json_close_array(json);
}

static void write_degrees(struct json *json, const struct degrees *degrees) {
    if (degrees->any) {
        json_string(json, "auto");
    } else {
        write_counts(json, degrees->values, degrees->count);
    }
}

static void write_optional(struct json *json, const struct field *field, const void *object) {
    if (object == NULL) {
        json_null(json);
    } else {
        json_fields(json, field->fields, object);
    }
}

static void write_member(struct json *json, const struct field *field, const void *member) {
    switch (field->kind) {
    case FIELD_BOOL:
        json_bool(json, *(const bool *)member);
        break;
    case FIELD_COUNT:
        json_integer(json, *(const int64_t *)member);
        break;
    case FIELD_NUMBER:
    case FIELD_RATIO:
    case FIELD_QUANTITY:
        json_number(json, *(const double *)member);
        break;
    case FIELD_CHOICE:
        json_string(json, field_choice_name(field, *(const int *)member));
        break;
    case FIELD_TEXT:
        json_string(json, *(const char *const *)member);
        break;
    case FIELD_DEGREES:
        write_degrees(json, member);
        break;
    case FIELD_CHOICES:
        write_choices(json, field, *(const uint64_t *)member);
        break;
    case FIELD_STRUCT:
        json_fields(json, field->fields, member);
        break;
    case FIELD_OPTIONAL:
        write_optional(json, field, *(const void *const *)member);
        break;
    case FIELD_STRUCTS:
        write_structs(json, field, member);
        break;
    case FIELD_COUNTS:
    case FIELD_NUMBERS:
    case FIELD_TEXTS:
        write_list(json, field, member);
        break;
    }
}

/* Lists of plain values are written on one line. */
static bool is_flat(const struct field *field) {
    return field->kind == FIELD_DEGREES || field->kind == FIELD_CHOICES || field->kind == FIELD_COUNTS ||
           field->kind == FIELD_NUMBERS || field->kind == FIELD_TEXTS;
}

static void write_key(struct json *json, const struct field *field) {
    bool quantity = field->kind == FIELD_QUANTITY || field->kind == FIELD_NUMBERS;
    const char *suffix = quantity ? units_suffix(field->dimension) : "";
    json_key(json,
             text_ends(field->key, suffix) ? field->key : arena_format(json->out->arena, "%s%s", field->key, suffix));
}

void json_members(struct json *json, const struct field *fields, const void *object) {
    for (const struct field *field = fields; field->key != NULL; field++) {
        if ((field->flags & FIELD_HIDDEN) != 0) {
            continue;
        }
        bool compact = json->compact;
        write_key(json, field);
        json->compact = compact || is_flat(field);
        write_member(json, field, field_member(field, object));
        json->compact = compact;
    }
}

void json_fields(struct json *json, const struct field *fields, const void *object) {
    json_open_object(json);
    json_members(json, fields, object);
    json_close_object(json);
}
