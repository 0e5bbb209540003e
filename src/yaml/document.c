/* libyaml's events become nodes. The containers that are open lie on a stack of fixed depth, so no input makes the
 * program recurse:
 *
 *   frames   root map ─ "layers" list ─ map of layer 3      ◀ the next event is a child of the last one
 *
 * An alias shares the children of the node it names; only the top node is copied, for its own key and neighbour. What
 * it stands for is taken from the budget all the same, so what walks the tree later is bounded. */
#include "yaml/document.h"

#include <string.h>

#include <yaml.h>

#include "base/arena.h"
#include "base/text.h"
#include "yaml/flow.h"
#include "yaml/inspect.h"
#include "yaml/names.h"
#include "yaml/place.h"
#include "yaml/reader.h"

struct anchor {
    const struct node *node;
    size_t nodes; /* it stands for, with itself */
    size_t height;
    bool open; /* its container has not ended */
};

struct frame {
    struct node *node;
    struct node **end; /* where the next child is linked */
    struct names keys;
    struct anchor *anchor;
    const char *key; /* waits for its value; NULL: none */
    struct mark key_mark;
    size_t nodes, height;
    bool repeated; /* the key was there before: the value is read and dropped */
};

struct builder {
    struct arena *arena;
    struct diag *diag;
    struct place place;
    struct names anchors;
    size_t *budget;
    struct node *root;
    size_t depth, documents;
    struct frame frames[DOCUMENT_DEPTH];
};

const char *reader_clip(struct arena *arena, const char *text) {
    enum { CLIP = 60 };
    size_t size = strlen(text);
    if (size <= CLIP) {
        return text;
    }
    size = CLIP;
    while (((unsigned char)text[size] & 0xC0U) == 0x80) {
        size--;
    }
    return arena_format(arena, "%.*s...", (int)size, text);
}

static struct mark event_mark(struct builder *builder, const yaml_event_t *event) {
    place_move(&builder->place, event->start_mark.index);
    return place_mark(&builder->place, event->end_mark.index);
}

static struct frame *builder_top(struct builder *builder) {
    return builder->depth == 0 ? NULL : &builder->frames[builder->depth - 1];
}

static enum status take_nodes(struct builder *builder, size_t count, struct mark mark) {
    if (count > *builder->budget) {
        return diag_error(builder->diag, mark, "more than %d values, counting what aliases stand for", DOCUMENT_NODES);
    }
    *builder->budget -= count;
    return OK;
}

/* Links a node as the next child of the open container, or as the root. */
static void add_node(struct builder *builder, struct node *node, size_t nodes, size_t height) {
    struct frame *top = builder_top(builder);
    if (top == NULL) {
        builder->root = node;
        return;
    }
    top->nodes += nodes;
    top->height = top->height > height ? top->height : height;
    node->key = top->key;
    node->key_mark = top->key_mark;
    top->key = NULL;
    if (!top->repeated) {
        *top->end = node;
        top->end = &node->next;
        top->node->count++;
    }
}

static bool is_key(struct builder *builder) {
    const struct frame *top = builder_top(builder);
    return top != NULL && top->node->kind == NODE_MAP && top->key == NULL;
}

/* The line of a key's first occurrence; asked for only when a message is kept. */
static unsigned first_line(const struct frame *frame, const char *key) {
    const struct node *child = node_find(frame->node, key);
    return child == NULL ? 0 : child->key_mark.line;
}

static enum status take_key(struct builder *builder, const struct node *node) {
    struct frame *top = builder_top(builder);
    if (node->kind != NODE_SCALAR) {
        return diag_error(builder->diag, node->mark, "a key must be a name, not a list or map");
    }
    if (node->text[0] == '\0') {
        return diag_error(builder->diag, node->mark, "a name is missing before ':'");
    }
    struct name *name = names_add(&top->keys, node->text);
    top->repeated = name->value != NULL;
    if (top->repeated && builder->diag->count < DIAG_LIMIT) {
        diag_error(builder->diag, node->mark, "the key '%s' is here twice; it was first given in line %u",
                   reader_clip(builder->arena, node->text), first_line(top, node->text));
    } else if (top->repeated) {
        builder->diag->errors++;
        builder->diag->suppressed++;
    }
    name->value = top;
    top->key = node->text;
    top->key_mark = node->mark;
    return OK;
}

/* Remembers a node by its anchor; a later anchor of the same name takes over. */
static struct anchor *set_anchor(struct builder *builder, const yaml_char_t *name, const struct node *node, bool open) {
    if (name == NULL) {
        return NULL;
    }
    struct anchor *anchor = ARENA_NEW(builder->arena, struct anchor);
    *anchor = (struct anchor){.node = node, .nodes = 1, .height = 1, .open = open};
    names_add(&builder->anchors, arena_text(builder->arena, (const char *)name))->value = anchor;
    return anchor;
}

static enum status take_scalar(struct builder *builder, const yaml_event_t *event) {
    struct mark mark = event_mark(builder, event);
    const char *value = (const char *)event->data.scalar.value;
    if (event->data.scalar.tag != NULL) {
        return diag_error(builder->diag, mark, "tags such as !!int are not read; write the value alone");
    }
    if (memchr(value, '\0', event->data.scalar.length) != NULL) {
        return diag_error(builder->diag, mark, "a NUL character in a text");
    }
    struct node *node = ARENA_NEW(builder->arena, struct node);
    *node = (struct node){.kind = NODE_SCALAR,
                          .mark = mark,
                          .text = arena_copy(builder->arena, value, event->data.scalar.length),
                          .quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE};
    set_anchor(builder, event->data.scalar.anchor, node, false);
    if (is_key(builder)) {
        return take_key(builder, node);
    }
    TRY(take_nodes(builder, 1, mark));
    add_node(builder, node, 1, 1);
    return OK;
}

static enum status take_alias(struct builder *builder, const yaml_event_t *event) {
    struct mark mark = event_mark(builder, event);
    const char *text = (const char *)event->data.alias.anchor;
    const struct name *name = names_find(&builder->anchors, text);
    const char *shown = reader_clip(builder->arena, text);
    if (name == NULL) {
        return diag_error(builder->diag, mark, "no anchor '&%s' before this alias", shown);
    }
    const struct anchor *anchor = name->value;
    if (anchor->open) {
        return diag_error(builder->diag, mark, "the alias '*%s' is inside what it stands for", shown);
    }
    struct node *node = ARENA_NEW(builder->arena, struct node);
    *node = *anchor->node;
    node->mark = mark;
    node->next = NULL;
    if (is_key(builder)) {
        return take_key(builder, node);
    }
    if (builder->depth + anchor->height > DOCUMENT_DEPTH) {
        return diag_error(builder->diag, mark, "nested deeper than %d levels by this alias", DOCUMENT_DEPTH);
    }
    TRY(take_nodes(builder, anchor->nodes, mark));
    add_node(builder, node, anchor->nodes, anchor->height);
    return OK;
}

static enum status open_container(struct builder *builder, const yaml_event_t *event, enum node_kind kind) {
    bool map = kind == NODE_MAP;
    struct mark mark = event_mark(builder, event);
    if ((map ? event->data.mapping_start.tag : event->data.sequence_start.tag) != NULL) {
        return diag_error(builder->diag, mark, "tags such as !!map are not read; write the value alone");
    }
    struct node *node = ARENA_NEW(builder->arena, struct node);
    *node = (struct node){.kind = kind, .mark = mark};
    if (is_key(builder)) {
        return take_key(builder, node);
    }
    if (builder->depth == DOCUMENT_DEPTH) {
        return diag_error(builder->diag, mark, "nested deeper than %d levels", DOCUMENT_DEPTH);
    }
    TRY(take_nodes(builder, 1, mark));
    const yaml_char_t *name = map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    struct frame *frame = &builder->frames[builder->depth];
    *frame = (struct frame){.node = node, .end = &node->first, .nodes = 1};
    frame->anchor = set_anchor(builder, name, node, true);
    names_init(&frame->keys, builder->arena);
    builder->depth++;
    return OK;
}

static void close_container(struct builder *builder) {
    struct frame *frame = &builder->frames[--builder->depth];
    size_t height = frame->height + 1;
    if (frame->anchor != NULL) {
        frame->anchor->nodes = frame->nodes;
        frame->anchor->height = height;
        frame->anchor->open = false;
    }
    add_node(builder, frame->node, frame->nodes, height);
}

static enum status take_event(struct builder *builder, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (builder->documents++ > 0) {
            return diag_error(builder->diag, event_mark(builder, event),
                              "another document begins here; a file holds one");
        }
        return OK;
    case YAML_SCALAR_EVENT:
        return take_scalar(builder, event);
    case YAML_ALIAS_EVENT:
        return take_alias(builder, event);
    case YAML_MAPPING_START_EVENT:
        return open_container(builder, event, NODE_MAP);
    case YAML_SEQUENCE_START_EVENT:
        return open_container(builder, event, NODE_LIST);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        close_container(builder);
        return OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return OK;
    }
    return STATUS_BUG;
}

static enum status take_events(struct builder *builder, yaml_parser_t *parser) {
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            return reader_syntax(parser, builder->place.source, builder->place.read, builder->diag);
        }
        bool end = event.type == YAML_STREAM_END_EVENT;
        enum status status = take_event(builder, &event);
        yaml_event_delete(&event);
        if (status != OK || end) {
            return status;
        }
    }
}

/* A byte order mark is no part of the text. */
static const struct source *source_without_mark(struct arena *arena, const struct source *source) {
    if (source->size < 3 || memcmp(source->text, "\xEF\xBB\xBF", 3) != 0) {
        return source;
    }
    struct source *rest = ARENA_NEW(arena, struct source);
    *rest = (struct source){.name = source->name, .text = source->text + 3, .size = source->size - 3};
    return rest;
}

enum status reader_read(struct arena *arena, const struct source *source, size_t *budget, struct node **ret_root,
                        struct diag *diag) {
    *ret_root = NULL;
    source = source_without_mark(arena, source);
    size_t errors = diag->errors;
    struct builder *builder = ARENA_NEW(arena, struct builder);
    builder->arena = arena;
    builder->diag = diag;
    builder->budget = budget;
    builder->place = place_start(source, flow_text(arena, source));
    names_init(&builder->anchors, arena);
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        return diag_trouble(diag, NO_MARK, "out of memory");
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const yaml_char_t *)builder->place.read, source->size);
    enum status status = take_events(builder, &parser);
    yaml_parser_delete(&parser);
    if (status == OK && builder->root == NULL) {
        return diag_error(diag, (struct mark){.source = source, .line = 1, .column = 1, .length = 1},
                          "the document is empty");
    }
    *ret_root = status == OK && diag->errors == errors ? builder->root : NULL;
    return *ret_root != NULL || status != OK ? status : STATUS_INVALID;
}

enum status document_parse(struct arena *arena, const char *name, const char *text, size_t size, struct node **ret_root,
                           struct diag *diag) {
    *ret_root = NULL;
    if (size > DOCUMENT_BYTES) {
        return diag_error(diag, NO_MARK, "%s: larger than %d MiB, the limit for a document", name,
                          DOCUMENT_BYTES / (1024 * 1024));
    }
    struct source *source = ARENA_NEW(arena, struct source);
    *source = (struct source){.name = arena_text(arena, name), .text = arena_copy(arena, text, size), .size = size};
    TRY(inspect_text(source, diag));
    size_t budget = DOCUMENT_NODES;
    return reader_read(arena, source, &budget, ret_root, diag);
}

enum status document_load(struct arena *arena, const char *path, struct node **ret_root, struct diag *diag) {
    *ret_root = NULL;
    struct source *source = NULL;
    TRY(document_read(arena, path, &source, diag));
    size_t budget = DOCUMENT_NODES;
    return reader_read(arena, source, &budget, ret_root, diag);
}

struct node *node_find(const struct node *map, const char *key) {
    if (map == NULL || map->kind != NODE_MAP) {
        return NULL;
    }
    for (struct node *child = map->first; child != NULL; child = child->next) {
        if (strcmp(child->key, key) == 0) {
            return child;
        }
    }
    return NULL;
}

bool node_is_null(const struct node *node) {
    return node->kind == NODE_SCALAR && !node->quoted &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}
