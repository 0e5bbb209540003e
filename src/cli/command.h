/* What a command is, and the table of all. To add one: write cmd_<name>.c, declare its struct here, add a row to the
 * table in command.c, a man page man/parplan-<name>.1.scd and a golden case. Parsing, help, man OPTIONS and completion
 * follow from the struct. */
#ifndef PARPLAN_CLI_COMMAND_H
#define PARPLAN_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/field.h"

struct arena;
struct context;

/* What an operand names; completion offers accordingly. */
enum operand_kind { OPERAND_WORD, OPERAND_MODEL, OPERAND_TOPOLOGY, OPERAND_DOCUMENT, OPERAND_FILE };

struct operand {
    const char *name; /* as in the synopsis: "MODEL"; NULL ends a list */
    enum operand_kind kind;
    bool optional, repeats;
    const char *const *words; /* OPERAND_WORD: what it may be, NULL-terminated; checked by the command */
    const char *doc;
};

/* Flags with a common title, from one field table. The flags of a group either fill the command's own struct, or, when
 * they are the keys of a document, are laid over that document before it is loaded (load.h). */
struct option_group {
    const char *title; /* NULL ends a list */
    const struct field *fields;
    size_t offset; /* of the struct that `fields` describes, in the command's options */
    bool document;
};

struct example {
    const char *what, *line; /* line NULL ends a list; the line is run as a test */
};

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };
enum { HAS_JSON = 1 << FORMAT_JSON, HAS_CSV = 1 << FORMAT_CSV };

struct command {
    const char *name, *summary, *description; /* description: paragraphs separated by an empty line */
    const struct operand *operands;           /* NULL: none */
    const struct option_group *groups;        /* NULL: only the global options */
    const struct example *examples;
    size_t size;      /* of the command's options struct */
    unsigned formats; /* machine formats besides the table: HAS_JSON, HAS_CSV */
    bool hidden;
    enum status (*run)(struct context *context) MUST_CHECK;
};

/* Options of every command. */
struct globals {
    int format; /* enum format */
    const char *output;
    int color; /* index into auto, always, never */
    bool ascii, quiet, help, short_help;
};
extern const struct field global_fields[];

/* A word of the command line with its place. */
struct word {
    const char *text;
    struct mark mark;
};

/* A flag that was given. */
struct argument {
    const struct option *option;
    struct word value; /* text NULL: a switch without value */
    struct mark mark;  /* of the flag */
    bool negated;      /* --no-... */
};

/* All that a running command works with. */
struct context {
    struct arena *arena;
    struct diag *diag;
    const struct command *command;
    struct globals globals;
    void *options; /* the command's struct: defaults, then flags */
    struct source source; /* the command line */
    struct word *operands;
    size_t operand_count;
    struct argument *arguments;
    size_t argument_count;
};

extern const struct command *const commands[]; /* NULL-terminated, in the order of the overview */
const struct command *command_find(const char *name);

/* The operand's text, or NULL when it was not given. */
const char *command_operand(const struct context *context, size_t index);

/* Runs the program: argv to exit status. */
int command_main(int argc, char **argv);

#endif
