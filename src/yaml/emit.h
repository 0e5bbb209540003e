/* Structs to YAML by field tables: canonical (table order, shortest exact numbers, block style), so that the same
 * struct gives the same bytes and loads back to the same struct. */
#ifndef PARPLAN_YAML_EMIT_H
#define PARPLAN_YAML_EMIT_H

#include <stdbool.h>

#include "base/text.h"

struct field;

/* Appends `schema: parplan/<kind>/v1` and the members; with `only_changes`, members equal to their fallback are left
 * out (required ones never). */
void emit_document(struct text *out, const char *kind, const struct field *fields, const void *object,
                   bool only_changes);
void emit_fields(struct text *out, const struct field *fields, const void *object, int indent, bool only_changes);

#endif
