/* Help as text, from the command table. */
#ifndef PARPLAN_CLI_HELP_H
#define PARPLAN_CLI_HELP_H

#include <stddef.h>

struct arena;
struct command;
struct context;
struct option;
struct text;

/* What `parplan` can do, in one screen. */
void help_overview(struct arena *arena, struct text *out);
/* -h: at most a screen. */
void help_short(struct arena *arena, const struct command *command, size_t width, struct text *out);
/* --help: everything the man page's OPTIONS and EXAMPLES have. */
void help_full(struct arena *arena, const struct command *command, size_t width, struct text *out);

/* "parplan search MODEL TOPOLOGY [JOB] [OPTIONS]" */
const char *help_synopsis(struct arena *arena, const struct command *command);
/* "-o, --output=FILE", "--[no-]quiet" */
const char *help_flag(struct arena *arena, const struct option *option);
/* The field's sentence with its default and limits: "tensor-parallel degree (default auto)". */
const char *help_sentence(struct arena *arena, const struct option *option);
/* Appends `words` filled into lines of `width`, each indented by `indent`; the first continues the open line. */
void help_fill(struct text *out, const char *words, size_t indent, size_t width);

extern const char *const exit_statuses[]; /* "0", "done", "1", ...; NULL-terminated pairs */

#endif
