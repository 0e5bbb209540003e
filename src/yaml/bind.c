/* Maps to structs. Each key of a map is looked up in the field table and its value goes where the row says; then the
 * rows that must be there are checked. Nothing stops at an error, so one pass reports them all. */
#include "yaml/bind.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/field.h"
#include "base/text.h"
#include "yaml/binding.h"
#include "yaml/document.h"
#include "yaml/names.h"
#include "yaml/reader.h"

enum { ELEMENTS_LIMIT = 65536, NAMED_LIMIT = 4096 }; /* structs in one list; those that are known by a name */

/* The place of a map by its key, as its own is that of its first child. */
static struct mark map_mark(const struct node *map) {
    return map->key != NULL ? map->key_mark : map->mark;
}

static bool in_documents(const struct field *field) {
    return (field->flags & FIELD_NO_FILE) == 0;
}

/* The nested table that has this very key: the key is right, its level is not. */
static const struct field *table_with(const struct field *fields, const char *key) {
    for (; fields->key != NULL; fields++) {
        bool nested = fields->kind == FIELD_STRUCT || fields->kind == FIELD_OPTIONAL;
        if (nested && in_documents(fields) && field_find(fields->fields, key) != NULL) {
            return fields;
        }
    }
    return NULL;
}

static void refuse_key(const struct binding *binding, const struct path *path, const struct field *fields,
                       const struct node *child) {
    if (binding->diag->count == DIAG_LIMIT) {
        diag_error(binding->diag, child->key_mark, "unknown key");
        return;
    }
    const char *key = reader_clip(binding->arena, child->key);
    diag_error(binding->diag, child->key_mark, "unknown key '%s' in %s", key, binding_path(binding, path));
    if (strcmp(child->key, "<<") == 0) {
        diag_help(binding->diag, "merge keys are not read; repeat the keys, or extend another file by 'extends'");
        return;
    }
    const struct field *table = table_with(fields, child->key);
    if (table != NULL) {
        diag_help(binding->diag, "did you mean '%s' in '%s'?", key, table->key);
        return;
    }
    const char **keys = ARENA_ARRAY(binding->arena, const char *, field_count(fields) + 1);
    size_t count = 0;
    for (const struct field *field = fields; field->key != NULL; field++) {
        if (in_documents(field)) {
            keys[count++] = field->key;
        }
    }
    if (path == NULL) {
        keys[count++] = "extends";
    }
    const char *nearest = text_nearest(key, keys, count);
    if (nearest != NULL) {
        diag_help(binding->diag, "did you mean '%s'?", nearest);
    }
}

static bool check_map(const struct binding *binding, const struct path *path, const struct node *node) {
    if (node->kind == NODE_MAP) {
        return true;
    }
    diag_error(binding->diag, node->mark, "%s: must be a map of keys, not %s", binding_path(binding, path),
               binding_kind(node));
    return false;
}

/* The field that elements of the list are known by, NULL if there is none. */
static const struct field *key_field(const struct field *field) {
    const struct field *key = field->fields;
    while (key->key != NULL && (key->flags & FIELD_KEY) == 0) {
        key++;
    }
    return key->key == NULL ? NULL : key;
}

/* Elements of one list that carry the same name. */
static void check_names(const struct binding *binding, const struct path *path, const struct field *field,
                        const struct node *list, const char *items) {
    const struct field *key = key_field(field);
    if (key == NULL) {
        return;
    }
    struct names names;
    names_init(&names, binding->arena);
    size_t index = 0;
    for (const struct node *node = list->first; node != NULL; node = node->next, index++) {
        const char *text = field_text(binding->arena, key, items + index * field->size);
        const struct node *value = node_find(node, key->key);
        if (text == NULL || value == NULL) {
            continue;
        }
        struct name *name = names_add(&names, text);
        if (name->value != NULL) {
            diag_error(binding->diag, value->mark, "%s: two elements are called '%s'; the first is in line %u",
                       binding_path(binding, path), reader_clip(binding->arena, text),
                       ((const struct node *)name->value)->mark.line);
        } else {
            name->value = value;
        }
    }
}

static void bind_structs(const struct binding *binding, const struct path *path, const struct field *field,
                         const struct node *list, void *object) {
    if (list->kind != NODE_LIST) {
        diag_error(binding->diag, list->mark, "%s: must be a list, not %s", binding_path(binding, path),
                   binding_kind(list));
        return;
    }
    int limit = key_field(field) != NULL ? NAMED_LIMIT : ELEMENTS_LIMIT;
    if (list->count > (size_t)limit) {
        diag_error(binding->diag, list->mark, "%s: %zu elements; at most %d are read", binding_path(binding, path),
                   list->count, limit);
        return;
    }
    char *items = arena_alloc(binding->arena, list->count, field->size);
    size_t index = 0;
    for (const struct node *node = list->first; node != NULL; node = node->next, index++) {
        struct path element = {.outer = path, .index = index};
        void *item = items + index * field->size;
        field_defaults(binding->arena, field->fields, item);
        if (check_map(binding, &element, node)) {
            binding_map(binding, &element, field->fields, node, item);
        }
    }
    check_names(binding, path, field, list, items);
    *(struct list *)field_member(field, object) = (struct list){.items = items, .count = list->count};
}

static void bind_member(const struct binding *binding, const struct path *path, const struct field *field,
                        const struct node *node, void *object) {
    if (field->kind == FIELD_STRUCTS) {
        bind_structs(binding, path, field, node, object);
    } else if (field->kind == FIELD_STRUCT) {
        if (check_map(binding, path, node)) {
            binding_map(binding, path, field->fields, node, field_member(field, object));
        }
    } else if (field->kind == FIELD_OPTIONAL) {
        void *nested = arena_alloc(binding->arena, 1, field->size);
        field_defaults(binding->arena, field->fields, nested);
        *(void **)field_member(field, object) = nested;
        if (check_map(binding, path, node)) {
            binding_map(binding, path, field->fields, node, nested);
        }
    } else {
        binding_value(binding, path, field, node, object);
    }
}

static void check_required(const struct binding *binding, const struct path *path, const struct field *fields,
                           const struct node *map, const bool *seen) {
    for (size_t i = 0; fields[i].key != NULL; i++) {
        if ((fields[i].flags & FIELD_REQUIRED) == 0 || seen[i] || !in_documents(&fields[i])) {
            continue;
        }
        const struct node *empty = node_find(map, fields[i].key);
        if (empty != NULL) {
            diag_error(binding->diag, empty->key_mark, "%s: '%s' has no value", binding_path(binding, path),
                       fields[i].key);
        } else {
            diag_error(binding->diag, map_mark(map), "%s: the key '%s' is missing", binding_path(binding, path),
                       fields[i].key);
        }
        diag_help(binding->diag, "%s: %s   # %s", fields[i].key, field_placeholder(&fields[i]),
                  fields[i].doc == NULL ? "required" : fields[i].doc);
    }
}

void binding_map(const struct binding *binding, const struct path *path, const struct field *fields,
                 const struct node *map, void *object) {
    bool *seen = ARENA_ARRAY(binding->arena, bool, field_count(fields));
    for (const struct node *child = map->first; child != NULL; child = child->next) {
        const struct field *field = field_find(fields, child->key);
        if (field == NULL || !in_documents(field)) {
            if (!text_starts(child->key, "x-")) {
                refuse_key(binding, path, fields, child);
            }
        } else if (!node_is_null(child)) {
            struct path inner = {.outer = path, .key = field->key};
            seen[field - fields] = true;
            bind_member(binding, &inner, field, child, object);
        }
    }
    check_required(binding, path, fields, map, seen);
}

enum status bind_fields(struct arena *arena, const struct node *map, const char *what, const struct field *fields,
                        void *object, struct diag *diag) {
    size_t errors = diag->errors;
    struct binding binding = {.arena = arena, .diag = diag, .what = what};
    field_defaults(arena, fields, object);
    if (check_map(&binding, NULL, map)) {
        binding_map(&binding, NULL, fields, map, object);
    }
    return diag->errors == errors ? OK : STATUS_INVALID;
}

static enum status refuse_schema(const struct node *value, const char *kind, struct diag *diag) {
    const char *text = value->kind == NODE_SCALAR ? reader_clip(diag->arena, value->text) : "";
    const char *rest = text_starts(text, "parplan/") ? text + strlen("parplan/") : "";
    const char *slash = strchr(rest, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - rest);
    if (size > 0 && size == strlen(kind) && memcmp(rest, kind, size) == 0) {
        return diag_error(diag, value->mark, "version '%s' of %s documents is not known; this parplan reads v1",
                          slash + 1, kind);
    }
    if (size > 0) {
        return diag_error(diag, value->mark, "a document of kind '%.*s', where a %s is wanted", (int)size, rest, kind);
    }
    return diag_error(diag, value->mark, "schema: must be parplan/%s/v1, not '%s'", kind, text);
}

enum status bind_schema(struct node *root, const char *kind, struct diag *diag) {
    if (root->kind != NODE_MAP) {
        return diag_error(diag, root->mark, "a %s document is a map of keys, not %s", kind, binding_kind(root));
    }
    const struct node *schema = node_find(root, "schema");
    if (schema == NULL || schema != root->first) {
        struct mark mark = schema == NULL ? root->mark : schema->key_mark;
        diag_error(diag, mark, schema == NULL ? "the key 'schema' is missing" : "'schema' must be the first key");
        diag_help(diag, "let the document begin with 'schema: parplan/%s/v1'", kind);
        return STATUS_INVALID;
    }
    char *expected = arena_format(diag->arena, "parplan/%s/v1", kind);
    if (schema->kind != NODE_SCALAR || strcmp(schema->text, expected) != 0) {
        return refuse_schema(schema, kind, diag);
    }
    root->first = schema->next;
    root->count--;
    return OK;
}

/* The child that a segment of a path names: a key of a map or an index of a list. */
static const struct node *node_step(const struct node *node, const char *segment, size_t size) {
    const struct node *child = node->first;
    if (node->kind == NODE_LIST) {
        char *end = NULL;
        unsigned long index = size == 0 ? 0 : strtoul(segment, &end, 10);
        if (end != segment + size) {
            return NULL;
        }
        while (child != NULL && index-- > 0) {
            child = child->next;
        }
        return child;
    }
    while (child != NULL && (strncmp(child->key, segment, size) != 0 || child->key[size] != '\0')) {
        child = child->next;
    }
    return child;
}

struct mark bind_mark(const struct node *root, const char *path) {
    if (root == NULL) {
        return NO_MARK;
    }
    const struct node *node = root;
    while (*path != '\0') {
        size_t size = strcspn(path, ".");
        node = node_step(node, path, size);
        if (node == NULL) {
            return root->mark;
        }
        path += size + (path[size] == '.');
    }
    bool words = node->kind == NODE_SCALAR && node->text[0] != '\0';
    return words || node->key == NULL ? node->mark : node->key_mark;
}
