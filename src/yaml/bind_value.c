/* One value of a document to one member. Texts are read by the field table's own reader, which the command line uses
 * too; what only a document can get wrong is checked here: lists where one value is wanted, numbers in quotes. */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/field.h"
#include "base/text.h"
#include "yaml/binding.h"
#include "yaml/document.h"
#include "yaml/reader.h"

enum { VALUE_SIZE = 256 }; /* bytes of a value that is not text */

const char *binding_kind(const struct node *node) {
    switch (node->kind) {
    case NODE_SCALAR:
        return node_is_null(node) ? "nothing" : "one value";
    case NODE_LIST:
        return "a list";
    case NODE_MAP:
        return "a map of keys";
    }
    return "";
}

static void path_add(struct text *text, const struct path *path) {
    if (path->outer != NULL) {
        path_add(text, path->outer);
    }
    if (path->key == NULL) {
        text_add_format(text, "[%zu]", path->index);
    } else {
        text_add_format(text, "%s%s", path->outer == NULL ? "" : ".", path->key);
    }
}

const char *binding_path(const struct binding *binding, const struct path *path) {
    if (path == NULL) {
        return binding->what;
    }
    struct text text;
    text_init(&text, binding->arena);
    path_add(&text, path);
    return text.data;
}

static void refuse(const struct binding *binding, const struct path *path, const struct node *node,
                   const char *reason) {
    diag_error(binding->diag, node->mark, "%s: %s", binding_path(binding, path), reason);
}

static bool is_number(const char *text) {
    double number = 0;
    return text_number(text, strlen(text), &number);
}

/* Whether quotes around this text make it a text where the field wants a number or truth value. JSON has to quote
 * "80GiB", "62%" and "1..16", so those are read. */
static bool quotes_matter(const struct field *field, const char *text) {
    switch (field->kind) {
    case FIELD_BOOL:
    case FIELD_COUNT:
    case FIELD_NUMBER:
    case FIELD_COUNTS:
        return true;
    case FIELD_RATIO:
    case FIELD_NUMBERS:
    case FIELD_DEGREES:
        return is_number(text);
    case FIELD_QUANTITY:
    case FIELD_CHOICE:
    case FIELD_TEXT:
    case FIELD_CHOICES:
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
    case FIELD_STRUCTS:
    case FIELD_TEXTS:
        break;
    }
    return false;
}

/* Whether a node can be handed to the field table's reader: one value, not null, in quotes only where they say nothing,
 * of a sane size. The error is recorded if not. */
static bool check_scalar(const struct binding *binding, const struct path *path, const struct field *field,
                         const struct node *node) {
    if (node->kind != NODE_SCALAR || node_is_null(node)) {
        diag_error(binding->diag, node->mark, "%s: must be one value, not %s", binding_path(binding, path),
                   binding_kind(node));
        return false;
    }
    if (node->quoted && quotes_matter(field, node->text)) {
        refuse(binding, path, node,
               field->kind == FIELD_BOOL ? "must be true or false, not text in quotes"
                                         : "must be a number, not text in quotes");
        diag_help(binding->diag, "remove the quotes");
        return false;
    }
    if (field->kind != FIELD_TEXT && field->kind != FIELD_TEXTS && strlen(node->text) > VALUE_SIZE) {
        diag_error(binding->diag, node->mark, "%s: '%s' is no such value", binding_path(binding, path),
                   reader_clip(binding->arena, node->text));
        return false;
    }
    return true;
}

static bool read_scalar(const struct binding *binding, const struct path *path, const struct field *field,
                        const struct node *node, void *object) {
    const char *reason = NULL;
    if (!check_scalar(binding, path, field, node)) {
        return false;
    }
    if (!field_parse(binding->arena, field, node->text, object, &reason)) {
        refuse(binding, path, node, reason);
        return false;
    }
    return true;
}

/* Whether an element can stand in a comma-separated list. */
static bool check_element(const struct binding *binding, const struct path *path, const struct field *field,
                          const struct node *node) {
    if (!check_scalar(binding, path, field, node)) {
        return false;
    }
    if (field->kind != FIELD_TEXTS && (node->text[0] == '\0' || strpbrk(node->text, ",[]") != NULL)) {
        diag_error(binding->diag, node->mark, "%s: \"%s\" is no element of such a list", binding_path(binding, path),
                   node->text);
        return false;
    }
    return true;
}

/* Degrees and choices: the elements make the text that the command line would have. The place of an error is the first
 * element that is wrong by itself. */
static void read_set(const struct binding *binding, const struct path *path, const struct field *field,
                     const struct node *list, void *object) {
    struct text text;
    text_init(&text, binding->arena);
    size_t index = 0;
    for (const struct node *node = list->first; node != NULL; node = node->next, index++) {
        struct path element = {.outer = path, .index = index};
        const char *reason = NULL;
        if (!check_element(binding, &element, field, node)) {
            return;
        }
        if (!field_parse(binding->arena, field, node->text, object, &reason)) {
            refuse(binding, &element, node, reason);
            return;
        }
        text_add_format(&text, "%s%s", index > 0 ? "," : "", node->text);
    }
    const char *reason = NULL;
    if (index == 0) {
        refuse(binding, path, list, "an empty list leaves nothing to choose from; write auto for all");
    } else if (!field_parse(binding->arena, field, text.data, object, &reason)) {
        refuse(binding, path, list, reason);
    }
}

static size_t element_size(const struct field *field) {
    static_assert(sizeof(int64_t) == sizeof(double), "counts and numbers are equally large");
    if (field->kind == FIELD_TEXTS) {
        return sizeof(const char *);
    }
    return sizeof(double);
}

/* Counts, numbers and texts: an array, element by element, so that every wrong one is reported. */
static void read_list(const struct binding *binding, const struct path *path, const struct field *field,
                      const struct node *list, void *object) {
    struct list *member = field_member(field, object);
    size_t size = element_size(field);
    char *items = arena_alloc(binding->arena, list->count, size);
    struct field front = *field;
    front.offset = 0;
    size_t index = 0;
    for (const struct node *node = list->first; node != NULL; node = node->next, index++) {
        struct path element = {.outer = path, .index = index};
        struct list one = {0};
        bool good = check_element(binding, &element, field, node);
        if (field->kind == FIELD_TEXTS) {
            const char *text = good ? arena_text(binding->arena, node->text) : "";
            memcpy(items + index * size, &text, size);
        } else if (good && read_scalar(binding, &element, &front, node, &one)) {
            memcpy(items + index * size, one.items, size);
        }
    }
    *member = (struct list){.items = items, .count = list->count};
}

void binding_value(const struct binding *binding, const struct path *path, const struct field *field,
                   const struct node *node, void *object) {
    switch (field->kind) {
    case FIELD_BOOL:
    case FIELD_COUNT:
    case FIELD_NUMBER:
    case FIELD_RATIO:
    case FIELD_QUANTITY:
    case FIELD_CHOICE:
    case FIELD_TEXT:
        read_scalar(binding, path, field, node, object);
        return;
    case FIELD_DEGREES:
    case FIELD_CHOICES:
        if (node->kind == NODE_LIST) {
            read_set(binding, path, field, node, object);
        } else {
            read_scalar(binding, path, field, node, object);
        }
        return;
    case FIELD_COUNTS:
    case FIELD_NUMBERS:
    case FIELD_TEXTS:
        if (node->kind == NODE_LIST) {
            read_list(binding, path, field, node, object);
            return;
        }
        diag_error(binding->diag, node->mark, "%s: must be a list, not %s", binding_path(binding, path),
                   binding_kind(node));
        if (node->kind == NODE_SCALAR) {
            diag_help(binding->diag, "%s: [%s]", field->key, reader_clip(binding->arena, node->text));
        }
        return;
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
    case FIELD_STRUCTS:
        return;
    }
}
