#include "cli/manual.h"

#include <string.h>

#include "base/arena.h"
#include "base/field.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/help.h"
#include "cli/kinds.h"
#include "cli/options.h"

/* Appends words with scdoc's own characters escaped. */
static void add_plain(struct text *out, const char *words) {
    for (; *words; words++) {
        if (strchr("\\*_#|[]<>", *words)) {
            text_add_char(out, '\\');
        }
        text_add_char(out, *words);
    }
}

static void add_marked(struct text *out, char mark, const char *words) {
    text_add_char(out, mark);
    add_plain(out, words);
    text_add_char(out, mark);
}

static void add_name(struct text *out, const struct command *command) {
    text_add_format(out, "parplan-%s - ", command->name);
    add_plain(out, command->summary);
    text_add_char(out, '\n');
}

static void add_synopsis(struct text *out, const struct command *command) {
    text_add_format(out, "*parplan %s*", command->name);
    for (const struct operand *operand = command->operands; operand && operand->name; operand++) {
        text_add(out, operand->optional ? " \\[" : " ");
        add_marked(out, '_', operand->name);
        text_add(out, operand->repeats ? "..." : "");
        text_add(out, operand->optional ? "\\]" : "");
    }
    text_add(out, " \\[_OPTIONS_\\]\n");
}

static void add_description(struct text *out, const struct command *command) {
    add_plain(out, command->description ? command->description : "");
    text_add_char(out, '\n');
    for (const struct operand *operand = command->operands; operand && operand->name; operand++) {
        text_add_char(out, '\n');
        add_marked(out, '_', operand->name);
        text_add(out, "\n\t");
        add_plain(out, operand->doc);
        text_add(out, ".\n");
    }
}

static void add_option(struct arena *arena, const struct option *option, struct text *out) {
    if (option->field->flags & FIELD_HIDDEN) {
        return;
    }
    text_add_char(out, '\n');
    if (option->field->letter) {
        text_add_format(out, "*-%c*, ", option->field->letter);
    }
    text_add(out, "*--");
    if (option_is_switch(option->field) && !text_equal(option->name, "help")) {
        text_add(out, "\\[no-\\]");
    }
    add_plain(out, option->name);
    text_add_char(out, '*');
    if (!option_is_switch(option->field)) {
        text_add_char(out, '=');
        add_marked(out, '_', field_placeholder(option->field));
    }
    text_add(out, "\n\t");
    add_plain(out, help_sentence(arena, option));
    text_add(out, ".\n");
}

static void add_group(struct arena *arena, const struct option_group *group, struct text *out) {
    struct option *options;
    size_t count = options_of_group(arena, group, &options);
    text_add_format(out, "\n## %s\n", group->title);
    for (size_t i = 0; i < count; i++) {
        add_option(arena, &options[i], out);
    }
}

static void add_options(struct text *out, const struct command *command) {
    for (const struct option_group *group = command->groups; group && group->title; group++) {
        add_group(out->arena, group, out);
    }
    add_group(out->arena, &global_group, out);
}

static void add_examples(struct text *out, const struct command *command) {
    for (const struct example *example = command->examples; example && example->line; example++) {
        add_plain(out, example->what);
        text_add_format(out, ":\n\n```\n$ %s\n```\n\n", example->line);
    }
}

/* What kind of value a field takes, as the end of its sentence. */
static const char *kind_text(struct arena *arena, const struct field *field) {
    switch (field->kind) {
    case FIELD_BOOL:
        return "true or false";
    case FIELD_COUNT:
        return "whole number";
    case FIELD_NUMBER:
        return "number";
    case FIELD_RATIO:
        return "ratio such as 0.62 or 62%";
    case FIELD_QUANTITY:
        return arena_format(arena, "quantity such as %s", units_example(field->dimension));
    case FIELD_CHOICE:
        return arena_format(arena, "one of %s", field_values(arena, field));
    case FIELD_TEXT:
        return "text";
    case FIELD_DEGREES:
        return "auto, a whole number, a list or a range such as 1..16";
    case FIELD_CHOICES:
        return arena_format(arena, "auto, or any of %s", field_values(arena, field));
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
        return "keys below";
    case FIELD_STRUCTS:
        return "list, each with the keys below";
    case FIELD_COUNTS:
        return "list of whole numbers";
    case FIELD_NUMBERS:
        return field->dimension == UNIT_NONE ? "list of numbers" : "list of quantities";
    case FIELD_TEXTS:
        return "list of texts";
    }
    return "";
}

static void add_fields(struct text *out, const struct field *fields, const char *prefix) {
    for (const struct field *field = fields; field->key; field++) {
        if (field->flags & (FIELD_NO_FILE | FIELD_HIDDEN)) {
            continue;
        }
        const char *path = arena_format(out->arena, "%s%s", prefix, field->key);
        text_add_char(out, '\n');
        add_marked(out, '*', path);
        text_add(out, "\n\t");
        add_plain(out, field->doc ? field->doc : "");
        text_add(out, " (");
        add_plain(out, kind_text(out->arena, field));
        if (field->fallback && *field->fallback) {
            text_add(out, "; default ");
            add_plain(out, field->fallback);
        }
        text_add(out, field->flags & FIELD_REQUIRED ? "; required" : "");
        text_add(out, field->flags & FIELD_OUTPUT ? "; a result, ignored when read" : "");
        text_add(out, ").\n");
        if (field->fields) {
            add_fields(out, field->fields,
                       arena_format(out->arena, "%s%s.", path, field->kind == FIELD_STRUCTS ? "[]" : ""));
        }
    }
}

static void add_commands(struct text *out) {
    for (size_t i = 0; commands[i]; i++) {
        if (!commands[i]->hidden) {
            text_add_format(out, "\n*%s*\n\t", commands[i]->name);
            add_plain(out, commands[i]->summary);
            text_add_format(out, "; see *parplan-%s*(1).\n", commands[i]->name);
        }
    }
}

static void add_status(struct text *out) {
    for (size_t i = 0; exit_statuses[i]; i += 2) {
        text_add_format(out, "\n*%s*\n\t", exit_statuses[i]);
        add_plain(out, exit_statuses[i + 1]);
        text_add(out, ".\n");
    }
}

/* Sections of one command. */
static const struct {
    const char *name;
    void (*add)(struct text *out, const struct command *command);
} sections[] = {
    {"name", add_name},       {"synopsis", add_synopsis}, {"description", add_description},
    {"options", add_options}, {"examples", add_examples},
};

/* The section that a line "@what which@" asks for; false when there is none. */
static bool add_section(struct text *out, const char *what, const char *which) {
    if (text_equal(what, "commands") || text_equal(what, "status") || text_equal(what, "globals")) {
        if (text_equal(what, "globals")) {
            add_group(out->arena, &global_group, out);
        } else if (text_equal(what, "status")) {
            add_status(out);
        } else {
            add_commands(out);
        }
        return !*which;
    }
    const struct document_kind *kind = document_kind_find(which);
    if (text_equal(what, "fields") && kind) {
        add_fields(out, kind->fields, "");
        return true;
    }
    const struct command *command = command_find(which);
    for (size_t i = 0; command && i < sizeof sections / sizeof *sections; i++) {
        if (text_equal(sections[i].name, what)) {
            sections[i].add(out, command);
            return true;
        }
    }
    return false;
}

enum status manual_expand(struct arena *arena, const struct source *source, struct text *out, struct diag *diag) {
    const char *at = source->text;
    for (unsigned line = 1; *at; line++) {
        size_t size = strcspn(at, "\n");
        if (size > 2 && at[0] == '@' && at[size - 1] == '@') {
            const char *words = arena_copy(arena, at + 1, size - 2);
            size_t first = strcspn(words, " ");
            const char *which = words[first] ? words + first + 1 : words + first;
            if (!add_section(out, arena_copy(arena, words, first), which)) {
                struct mark mark = {.source = source, .line = line, .column = 1, .length = (unsigned)size};
                (void)diag_error(diag, mark, "no such section");
            }
        } else {
            text_add_bytes(out, at, size);
            text_add_char(out, '\n');
        }
        at += size + (at[size] == '\n');
    }
    return diag_status(diag);
}
