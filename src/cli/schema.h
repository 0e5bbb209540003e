/* JSON Schema (draft-07) of a document kind, from its field table: what editors use to complete and check YAML. */
#ifndef PARPLAN_CLI_SCHEMA_H
#define PARPLAN_CLI_SCHEMA_H

#include "base/units.h"

struct document_kind;
struct text;

void schema_write(const struct document_kind *kind, struct text *out);

/* The pattern of a quantity: an extended regular expression that JSON Schema and POSIX read alike. */
const char *schema_pattern(enum dimension dimension);

#endif
