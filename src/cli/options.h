/* The command line against field tables. A flag is a field's key with '-' for '_' (or the field's `flag`); nested
 * structs contribute their members. Accepted: --flag value, --flag=value, -x value, -xvalue, switches as --flag and
 * --no-flag, -- before operands. All errors are found in one pass, each with its place in the source "<arguments>". */
#ifndef PARPLAN_CLI_OPTIONS_H
#define PARPLAN_CLI_OPTIONS_H

#include "cli/command.h"

/* One flag of a command. */
struct option {
    const char *name; /* without "--" */
    const char *path; /* key in the group's document, dotted: "space.tp" */
    const struct field *field;
    const struct option_group *group;
    size_t offset; /* of the struct that holds the member, in the command's options (globals: in struct globals) */
};

/* The flags of a group in the order of its table, hidden ones and members of document lists left out. */
size_t options_of_group(struct arena *arena, const struct option_group *group, struct option **ret_options);
/* All flags of a command: its groups', then the global ones. `command` may be NULL. */
size_t options_of_command(struct arena *arena, const struct command *command, struct option **ret_options);
extern const struct option_group global_group;

/* Whether the flag stands without a value and has a --no- form: booleans, and choices between off and on. */
bool option_is_switch(const struct field *field);

/* Reads the words after the command's name into `context`. `first` is the index of the first of them in argv. */
enum status options_parse(struct context *context, int argc, char **argv, int first) MUST_CHECK;

/* The command line as a source: argv joined by blanks. */
struct source options_source(struct arena *arena, int argc, char **argv);

/* The name that an unknown word was most likely meant to be: the only one that begins with it, else the nearest. */
const char *options_suggest(const char *word, const char *const *names, size_t count);

/* The text of a given flag; "true", "off" and the like for a switch. */
const char *option_value(const struct argument *argument);

/* The place of a flag on the command line, or of the command itself when it was not given. */
struct mark options_mark(const struct context *context, const char *name);

#endif
