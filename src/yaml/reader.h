/* What document.c shares with merge.c: reading with a budget of nodes over several documents. */
#ifndef PARPLAN_YAML_READER_H
#define PARPLAN_YAML_READER_H

#include <stddef.h>

#include "base/diag.h"

struct arena;
struct node;

enum { DOCUMENT_BYTES = 64 * 1024 * 1024, DOCUMENT_DEPTH = 64, DOCUMENT_NODES = 1000000 };

/* Reads a source; every node, also those that aliases stand for, takes one from `*budget`. */
enum status reader_read(struct arena *arena, const struct source *source, size_t *budget, struct node **ret_root,
                        struct diag *diag) MUST_CHECK;

/* The first bytes of a text, for messages: a value may be as long as the file. */
const char *reader_clip(struct arena *arena, const char *text);

/* Records libyaml's reason for stopping, in parplan's words. */
struct yaml_parser_s;
enum status reader_syntax(const struct yaml_parser_s *parser, const struct source *source, const char *read,
                          struct diag *diag) MUST_CHECK;

#endif
