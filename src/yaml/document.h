/* YAML and JSON documents as trees of nodes with places. libyaml's events in, nodes out; JSON is read by the same
 * reader (it is YAML's flow style), with the same quality of errors.
 *
 * Refused with an error at the place: a file over 64 MiB, invalid UTF-8, NUL bytes, nesting deeper than 64, more than
 * 1,000,000 nodes after aliases are expanded (alias bombs), duplicate keys, non-scalar keys, several documents in one
 * file, tags. Scalars keep their text: no YAML 1.1 booleans, octal or sexagesimal numbers.
 */
#ifndef PARPLAN_YAML_DOCUMENT_H
#define PARPLAN_YAML_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

struct arena;

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

/* One node. Children are a linked list in document order; a map's children carry their keys. */
struct node {
    enum node_kind kind;
    struct mark mark;
    const char *text; /* scalar: its text; NULL otherwise */
    bool quoted;      /* scalar in quotes: never null, always text */
    const char *key;  /* in a map: the key of this child */
    struct mark key_mark;
    struct node *first, *next;
    size_t count; /* children */
};

/* Reads a file ("-" = standard input). Missing or unreadable: STATUS_ENVIRONMENT when I/O fails, STATUS_INVALID when
 * the file does not exist (a wrong name is wrong usage). A directory, FIFO or device is refused. */
enum status document_load(struct arena *arena, const char *path, struct node **ret_root, struct diag *diag) MUST_CHECK;
/* The same from memory; `name` appears in places. Syntax errors are reported once, as the parser cannot go on. */
enum status document_parse(struct arena *arena, const char *name, const char *text, size_t size, struct node **ret_root,
                           struct diag *diag) MUST_CHECK;

/* The file's bytes (also for digests); same refusals as document_load. */
enum status document_read(struct arena *arena, const char *path, struct source **ret_source,
                          struct diag *diag) MUST_CHECK;

/* Finds where a name given by the user lies: an existing path, or a shipped document `<name>.yaml` of the data folder
 * for `folder` ("models"). NULL when there is none. Defined by the caller: only cli knows the data folders. */
typedef const char *document_locate(void *context, const char *name, const char *folder);

/* Resolves `extends: other.yaml` or `extends: [a.yaml, b.yaml]` at the root: the named documents (relative to the
 * extending file, else by `locate`) are loaded first, in order, and overridden by the later: maps merge key by key,
 * lists of maps that carry `name` merge by name, everything else is replaced. Cycles and chains deeper than 16 are
 * errors. The `extends` key is removed. */
enum status document_extend(struct arena *arena, struct node *root, const char *folder, document_locate *locate,
                            void *context, struct node **ret_root, struct diag *diag) MUST_CHECK;

struct node *node_find(const struct node *map, const char *key); /* NULL if absent or not a map */
bool node_is_null(const struct node *node);                      /* unquoted empty, ~ or null */

#endif
