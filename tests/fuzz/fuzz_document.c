/* YAML and JSON to trees: within the bounds that document.h promises, every place inside the text. */
#include "fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "yaml/document.h"

static size_t count_lines(const struct source *source) {
    size_t lines = 1;
    for (size_t i = 0; i < source->size; i++) {
        lines += source->text[i] == '\n';
    }
    return lines;
}

static void check_mark(const struct mark *mark, size_t lines) {
    PROMISE(mark->source != NULL && mark->line >= 1 && mark->line <= lines);
    PROMISE(mark->column >= 1 && mark->column <= mark->source->size + 1);
    PROMISE(mark->length >= 1 && mark->length <= mark->source->size + 1);
}

static size_t check_node(const struct node *node, size_t depth, size_t lines) {
    size_t count = 0, nodes = 1;
    PROMISE(depth <= 64 || node->kind == NODE_SCALAR);
    PROMISE((node->kind == NODE_SCALAR) == (node->text != NULL));
    check_mark(&node->mark, lines);
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        PROMISE((node->kind == NODE_MAP) == (child->key != NULL));
        if (child->key != NULL) {
            check_mark(&child->key_mark, lines);
            PROMISE(child->key[0] != '\0');
        }
        nodes += check_node(child, depth + 1, lines);
        count++;
    }
    PROMISE(count == node->count);
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_open(NULL, NULL);
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag, arena);
    enum status status = document_parse(arena, "fuzz.yaml", (const char *)data, size, &root, &diag);
    PROMISE((status == OK) == (root != NULL) && (status == OK) == (diag.errors == 0));
    PROMISE(status == OK || status == STATUS_INVALID);
    if (root != NULL) {
        size_t lines = count_lines(root->mark.source);
        PROMISE(check_node(root, 1, lines) <= 1000000);
    }
    for (size_t i = 0; i < diag.count; i++) {
        PROMISE(strlen(diag.entries[i].text) < 1000);
        if (diag.entries[i].mark.source != NULL) {
            check_mark(&diag.entries[i].mark, count_lines(diag.entries[i].mark.source));
        }
    }
    arena_close(arena);
    return 0;
}
