/* What the files of bind share: where in the document a value is, for messages. */
#ifndef PARPLAN_YAML_BINDING_H
#define PARPLAN_YAML_BINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

struct arena;
struct field;
struct node;

/* "moe.num_experts" or "groups[2].count", from the inside out. */
struct path {
    const struct path *outer; /* NULL: in the root */
    const char *key;          /* NULL: an element of a list */
    size_t index;
};

struct binding {
    struct arena *arena;
    struct diag *diag;
    const char *what;
};

/* The path as text; the name of the document for the root (NULL). */
const char *binding_path(const struct binding *binding, const struct path *path);

/* "a list", "a map" or "text": what a node is, for messages. */
const char *binding_kind(const struct node *node);

/* Sets a member that is no nested struct from a node that is not null. Errors are recorded. */
void binding_value(const struct binding *binding, const struct path *path, const struct field *field,
                   const struct node *node, void *object);

/* Sets all members of `object`, which holds its defaults, from a map. */
void binding_map(const struct binding *binding, const struct path *path, const struct field *fields,
                 const struct node *map, void *object);

#endif
