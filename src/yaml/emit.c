/* Members in table order, nested structs indented by two blanks, lists of structs one "- " each, other lists in one
 * line. What has no text (NULL, an empty list without a fallback, NaN) is left out: it loads back as absent. */
#include "yaml/emit.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/field.h"
#include "yaml/quote.h"

struct emitter {
    struct text *out;
    bool only_changes;
};

enum { INDENT = 2 };

static void emit_members(const struct emitter *emitter, const struct field *fields, const void *object, int indent);

static void emit_key(const struct emitter *emitter, const struct field *field, int indent) {
    text_add_format(emitter->out, "%*s%s:", indent, "", field->key);
}

static void emit_choices(const struct emitter *emitter, const struct field *field, uint64_t set) {
    bool first = true;
    text_add_char(emitter->out, '[');
    for (size_t i = 0; i < 64 && field->choices[i] != NULL; i++) {
        if ((set >> i & 1) != 0) {
            text_add(emitter->out, first ? "" : ", ");
            quote_text(emitter->out, field->choices[i], true);
            first = false;
        }
    }
    text_add_char(emitter->out, ']');
}

static void emit_texts(const struct emitter *emitter, const struct list *list) {
    text_add_char(emitter->out, '[');
    for (size_t i = 0; i < list->count; i++) {
        const char *text = ((const char *const *)list->items)[i];
        text_add(emitter->out, i > 0 ? ", " : "");
        quote_text(emitter->out, text == NULL ? "" : text, true);
    }
    text_add_char(emitter->out, ']');
}

/* Whether a member of one of the plain kinds has a value that a document can hold. */
static bool has_value(const struct field *field, const void *object) {
    const void *member = field_member(field, object);
    switch (field->kind) {
    case FIELD_NUMBER:
    case FIELD_RATIO:
    case FIELD_QUANTITY:
        return isfinite(*(const double *)member);
    case FIELD_TEXT:
        return *(const char *const *)member != NULL;
    case FIELD_OPTIONAL:
        return *(const void *const *)member != NULL;
    case FIELD_STRUCTS:
        return ((const struct list *)member)->count > 0;
    case FIELD_COUNTS:
    case FIELD_NUMBERS:
    case FIELD_TEXTS:
        return ((const struct list *)member)->count > 0 || field->fallback != NULL;
    case FIELD_BOOL:
    case FIELD_COUNT:
    case FIELD_CHOICE:
    case FIELD_DEGREES:
    case FIELD_CHOICES:
    case FIELD_STRUCT:
        break;
    }
    return true;
}

static void emit_value(const struct emitter *emitter, const struct field *field, const void *object) {
    const void *member = field_member(field, object);
    const char *text = field->kind == FIELD_TEXTS ? NULL : field_text(emitter->out->arena, field, object);
    text_add_char(emitter->out, ' ');
    if (field->kind == FIELD_TEXTS) {
        emit_texts(emitter, member);
    } else if (field->kind == FIELD_CHOICES && strcmp(text, "auto") != 0) {
        emit_choices(emitter, field, *(const uint64_t *)member);
    } else if (field->kind == FIELD_TEXT || field->kind == FIELD_CHOICE) {
        quote_text(emitter->out, text, false);
    } else {
        text_add(emitter->out, text);
    }
    text_add_char(emitter->out, '\n');
}

/* A nested struct below its key; what is empty becomes "{}", or is left out where that means the same. */
static void emit_struct(const struct emitter *emitter, const struct field *field, const void *nested, int indent) {
    size_t before = emitter->out->size;
    emit_key(emitter, field, indent);
    text_add_char(emitter->out, '\n');
    size_t head = emitter->out->size;
    emit_members(emitter, field->fields, nested, indent + INDENT);
    if (emitter->out->size > head) {
        return;
    }
    bool keep = field->kind == FIELD_OPTIONAL || (field->flags & (FIELD_REQUIRED | FIELD_ALWAYS)) != 0;
    emitter->out->size = keep ? head - 1 : before;
    emitter->out->data[emitter->out->size] = '\0';
    text_add(emitter->out, keep ? " {}\n" : "");
}

/* The elements' members are indented for "- ", which then replaces the blanks before the first one. */
static void emit_structs(const struct emitter *emitter, const struct field *field, const struct list *list,
                         int indent) {
    emit_key(emitter, field, indent);
    text_add_char(emitter->out, '\n');
    for (size_t i = 0; i < list->count; i++) {
        size_t start = emitter->out->size;
        const char *item = (const char *)list->items + i * field->size;
        emit_members(emitter, field->fields, item, indent + 2 * INDENT);
        if (emitter->out->size == start) {
            text_add_format(emitter->out, "%*s{}\n", indent + 2 * INDENT, "");
        }
        emitter->out->data[start + (size_t)(indent + INDENT)] = '-';
    }
}

static void emit_member(const struct emitter *emitter, const struct field *field, const void *object, int indent) {
    const void *member = field_member(field, object);
    if (field->kind == FIELD_STRUCT) {
        emit_struct(emitter, field, member, indent);
    } else if (field->kind == FIELD_OPTIONAL) {
        emit_struct(emitter, field, *(const void *const *)member, indent);
    } else if (field->kind == FIELD_STRUCTS) {
        emit_structs(emitter, field, member, indent);
    } else {
        emit_key(emitter, field, indent);
        emit_value(emitter, field, object);
    }
}

static void emit_members(const struct emitter *emitter, const struct field *fields, const void *object, int indent) {
    for (const struct field *field = fields; field->key != NULL; field++) {
        if ((field->flags & FIELD_NO_FILE) != 0 || !has_value(field, object)) {
            continue;
        }
        bool required = (field->flags & (FIELD_REQUIRED | FIELD_ALWAYS)) != 0;
        if (emitter->only_changes && !required && field_is_default(emitter->out->arena, field, object)) {
            continue;
        }
        emit_member(emitter, field, object, indent);
    }
}

void emit_fields(struct text *out, const struct field *fields, const void *object, int indent, bool only_changes) {
    const struct emitter emitter = {.out = out, .only_changes = only_changes};
    emit_members(&emitter, fields, object, indent);
}

void emit_document(struct text *out, const char *kind, const struct field *fields, const void *object,
                   bool only_changes) {
    text_add_format(out, "schema: parplan/%s/v1\n", kind);
    emit_fields(out, fields, object, 0, only_changes);
}
