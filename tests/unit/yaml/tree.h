/* Documents in tests: parsed from text, shown as one line. */
#ifndef PARPLAN_TESTS_UNIT_YAML_TREE_H
#define PARPLAN_TESTS_UNIT_YAML_TREE_H

#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "yaml/document.h"

/* {a: 1, b: ["x", ~]}; texts in quotes were quoted, ~ is null. */
static inline void tree_add(struct text *out, const struct node *node) {
    if (node->kind == NODE_SCALAR) {
        text_add_format(out, node->quoted ? "\"%s\"" : "%s", node_is_null(node) ? "~" : node->text);
        return;
    }
    text_add(out, node->kind == NODE_MAP ? "{" : "[");
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        if (node->kind == NODE_MAP) {
            text_add_format(out, "%s: ", child->key);
        }
        tree_add(out, child);
        text_add(out, child->next == NULL ? "" : ", ");
    }
    text_add(out, node->kind == NODE_MAP ? "}" : "]");
}

static inline const char *tree_text(struct arena *arena, const struct node *node) {
    if (node == NULL) {
        return "(none)";
    }
    struct text out;
    text_init(&out, arena);
    tree_add(&out, node);
    return out.data;
}

/* "3:7 key: what is wrong" of one entry; "" when there is none. */
static inline const char *entry_text(struct arena *arena, const struct diag *diag, size_t index) {
    if (index >= diag->count) {
        return "";
    }
    const struct diag_entry *entry = &diag->entries[index];
    return arena_format(arena, "%u:%u %s", entry->mark.line, entry->mark.column, entry->text);
}

/* All entries, one a line. */
static inline const char *entries_text(struct arena *arena, const struct diag *diag) {
    struct text out;
    text_init(&out, arena);
    for (size_t i = 0; i < diag->count; i++) {
        text_add_format(&out, "%s\n", entry_text(arena, diag, i));
    }
    return out.data;
}

static inline struct node *tree_parse(struct arena *arena, const char *text, struct diag *diag) {
    struct node *root = NULL;
    diag_init(diag, arena);
    enum status status = document_parse(arena, "test.yaml", text, strlen(text), &root, diag);
    return status == OK ? root : NULL;
}

#endif
