/* Nodes to structs by field tables. All errors of a document are reported in one pass: unknown keys with the nearest
 * known one, missing required keys, wrong kinds, values out of range, units missing or of another dimension. */
#ifndef PARPLAN_YAML_BIND_H
#define PARPLAN_YAML_BIND_H

#include "base/diag.h"

struct arena;
struct field;
struct node;

/* Sets `object` to its defaults, then from `map`. Keys starting with "x-" are free. On error `object` is unspecified
 * but safe to read. `what` names the document in messages ("model"). */
enum status bind_fields(struct arena *arena, const struct node *map, const char *what, const struct field *fields,
                        void *object, struct diag *diag) MUST_CHECK;

/* Checks and removes the first key `schema: parplan/<kind>/v1`; must be there, first, and of this kind. */
enum status bind_schema(struct node *root, const char *kind, struct diag *diag) MUST_CHECK;

/* The place of a (dotted) key in the document, for checks across fields: "moe.num_experts", "layers[3].kind" is
 * "layers.3.kind". The root's mark when absent. */
struct mark bind_mark(const struct node *root, const char *path);

#endif
