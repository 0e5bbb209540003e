/* The document kinds: what `parplan schema`, the FIELDS of man section 5 and the loaders know about each. */
#ifndef PARPLAN_CLI_KINDS_H
#define PARPLAN_CLI_KINDS_H

struct field;

struct document_kind {
    const char *name, *doc; /* name NULL ends the table */
    const char *folder;     /* of shipped documents; NULL: none are shipped */
    const struct field *fields;
};

extern const struct document_kind document_kinds[];
extern const char *const document_kind_names[]; /* NULL-terminated, same order */
const struct document_kind *document_kind_find(const char *name);

#endif
