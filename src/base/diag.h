/* Diagnostics: errors, warnings and notes with their place, collected and never printed here (cli/report prints them).
 *
 *   models/x.yaml:12:9: error: num_attention_heads: 48 does not divide hidden_size 5000
 *      12 |   num_attention_heads: 48
 *         |                        ^~
 *   help: did you mean ...
 */
#ifndef PARPLAN_BASE_DIAG_H
#define PARPLAN_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct arena;

/* A text that was read: a file, or "<arguments>" for the command line joined by blanks. */
struct source {
    const char *name;
    const char *text; /* NUL-terminated; may be NULL when unknown */
    size_t size;
};

/* A place in a source; line and column count from 1, 0 = unknown. `length` in bytes, for the underline. */
struct mark {
    const struct source *source; /* NULL: no place */
    unsigned line, column, length;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };

struct diag_entry {
    enum severity severity;
    struct mark mark;
    const char *text;
    const char *help;    /* what to do, pasteable; NULL if none */
    const char *context; /* note: where this arose ("in moe", "extended by x.yaml"); NULL if none */
};

enum { DIAG_LIMIT = 20 };

struct diag {
    struct arena *arena;
    struct diag_entry entries[DIAG_LIMIT];
    size_t count;            /* entries kept */
    size_t errors;           /* errors met, also those past the limit */
    size_t suppressed;       /* entries past the limit */
    struct diag_entry *last; /* recorded last, for diag_help; NULL: none, or it was past the limit */
};

extern const struct mark NO_MARK;

void diag_init(struct diag *diag, struct arena *arena);

/* Records an error and returns STATUS_INVALID, so that `return diag_error(...)` is the idiom. */
enum status diag_error(struct diag *diag, struct mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for trouble with the environment (I/O, missing file): returns STATUS_ENVIRONMENT. */
enum status diag_trouble(struct diag *diag, struct mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_warning(struct diag *diag, struct mark mark, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Adds help or context to the entry recorded last. */
void diag_help(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_context(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* OK while no error was recorded, else STATUS_INVALID. */
enum status diag_status(const struct diag *diag) MUST_CHECK;

#endif
