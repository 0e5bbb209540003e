#include "cli/overlay.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/options.h"
#include "yaml/document.h"

static struct node *new_node(struct arena *arena, enum node_kind kind, const char *key, struct mark mark) {
    struct node *node = ARENA_NEW(arena, struct node);
    *node = (struct node){.kind = kind, .mark = mark, .key = key, .key_mark = mark};
    return node;
}

static void append(struct node *parent, struct node *child) {
    struct node **end = &parent->first;
    while (*end) {
        end = &(*end)->next;
    }
    *end = child;
    parent->count++;
}

struct node *overlay_empty(const struct context *context, const char *kind) {
    struct mark mark = {.source = &context->source, .line = 1, .column = 1, .length = 7};
    struct node *root = new_node(context->arena, NODE_MAP, NULL, mark);
    struct node *schema = new_node(context->arena, NODE_SCALAR, "schema", mark);
    schema->text = arena_format(context->arena, "parplan/%s/v1", kind);
    append(root, schema);
    return root;
}

static bool is_list(enum field_kind kind) {
    return kind == FIELD_DEGREES || kind == FIELD_CHOICES || kind == FIELD_COUNTS || kind == FIELD_NUMBERS ||
           kind == FIELD_TEXTS;
}

/* Fills `node` from a value: "1,2,4" of a list kind becomes a list, each item with its place. */
static void set_value(const struct context *context, const struct argument *argument, struct node *node) {
    struct arena *arena = context->arena;
    const char *value = option_value(argument);
    struct mark mark = argument->value.text ? argument->value.mark : argument->mark;
    bool list = is_list(argument->option->field->kind) &&
                (strchr(value, ',') || argument->option->field->kind == FIELD_TEXTS);
    node->mark = mark;
    node->key_mark = argument->mark;
    if (!list) {
        node->kind = NODE_SCALAR;
        node->text = value;
        node->quoted = argument->option->field->kind == FIELD_TEXT;
        return;
    }
    node->kind = NODE_LIST;
    node->text = NULL;
    for (const char *at = value;; at++) {
        size_t size = strcspn(at, ",");
        struct mark place = mark;
        place.column += (unsigned)(at - value);
        place.length = (unsigned)size;
        struct node *item = new_node(arena, NODE_SCALAR, NULL, place);
        item->text = arena_copy(arena, at, size);
        append(node, item);
        at += size;
        if (!*at) {
            return;
        }
    }
}

/* The child `key` of `map`, made when absent. */
static struct node *reach(struct arena *arena, struct node *map, const char *key, struct mark mark) {
    struct node *child = node_find(map, key);
    if (!child) {
        child = new_node(arena, NODE_MAP, key, mark);
        append(map, child);
    }
    return child;
}

/* Walks a dotted path through `root` and sets its end. A document whose inner node is no map is left to the loader's
 * complaint. */
static void set_path(const struct context *context, const struct argument *argument, struct node *root, bool again) {
    struct arena *arena = context->arena;
    struct node *map = root;
    const char *at = argument->option->path;
    for (const char *dot = strchr(at, '.'); dot; at = dot + 1, dot = strchr(at, '.')) {
        map = reach(arena, map, arena_copy(arena, at, (size_t)(dot - at)), argument->mark);
        if (map->kind != NODE_MAP) {
            return;
        }
    }
    struct node *node = reach(arena, map, arena_text(arena, at), argument->mark);
    if (!again || argument->option->field->kind != FIELD_TEXTS) {
        node->first = NULL;
        node->count = 0;
    }
    set_value(context, argument, node);
}

void overlay_flags(const struct context *context, struct node *root) {
    if (root->kind != NODE_MAP) {
        return;
    }
    for (size_t i = 0; i < context->argument_count; i++) {
        const struct argument *argument = &context->arguments[i];
        if (!argument->option->group->document) {
            continue;
        }
        bool again = false;
        for (size_t j = 0; j < i; j++) {
            again = again || context->arguments[j].option == argument->option;
        }
        set_path(context, argument, root, again);
    }
}
