#include "cli/help.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/options.h"

enum { FLAG_COLUMN = 2, SENTENCE_COLUMN = 26, NAME_COLUMN = 14, OVERVIEW_WIDTH = 80 };

const char *const exit_statuses[] = {
    "0", "done",
    "1", "a negative answer: a check failed, outputs differ",
    "2", "wrong usage or invalid input",
    "3", "nothing feasible",
    "4", "trouble with the environment: a missing library, input or output errors, out of memory",
    "5", "the numbers of a run differ from the reference",
    "70", "a bug in parplan",
    "130", "interrupted; the best result so far has been written",
    NULL,
};

void help_fill(struct text *out, const char *words, size_t indent, size_t width) {
    size_t column = 0;
    while (column < out->size && out->data[out->size - 1 - column] != '\n') {
        column++;
    }
    bool first = true;
    while (*words) {
        words += strspn(words, " ");
        size_t size = strcspn(words, " ");
        if (size == 0) {
            break;
        }
        if (!first && column + 1 + size > width) {
            text_add_char(out, '\n');
            column = 0;
            first = true;
        }
        if (first && column < indent) {
            text_pad(out, indent);
            column = indent;
        } else if (!first) {
            text_add_char(out, ' ');
            column++;
        }
        text_add_bytes(out, words, size);
        column += size;
        words += size;
        first = false;
    }
    text_add_char(out, '\n');
}

const char *help_synopsis(struct arena *arena, const struct command *command) {
    struct text text;
    text_init(&text, arena);
    text_add_format(&text, "parplan %s", command->name);
    for (const struct operand *operand = command->operands; operand && operand->name; operand++) {
        text_add_format(&text, operand->optional ? " [%s]" : " %s", operand->name);
        text_add(&text, operand->repeats ? "..." : "");
    }
    text_add(&text, " [OPTIONS]");
    return text.data;
}

const char *help_flag(struct arena *arena, const struct option *option) {
    const struct field *field = option->field;
    struct text text;
    text_init(&text, arena);
    if (field->letter) {
        text_add_format(&text, "-%c, ", field->letter);
    }
    if (text_equal(option->name, "help")) {
        text_add(&text, "--help");
    } else if (option_is_switch(field)) {
        text_add_format(&text, "--[no-]%s", option->name);
    } else {
        text_add_format(&text, "--%s=%s", option->name, field_placeholder(field));
    }
    return text.data;
}

/* Whether saying the default would tell a reader anything. */
static bool has_default(const struct field *field) {
    if (!field->fallback || !*field->fallback) {
        return false;
    }
    return field->kind != FIELD_BOOL || !text_equal(field->fallback, "false");
}

const char *help_sentence(struct arena *arena, const struct option *option) {
    const struct field *field = option->field;
    struct text text;
    text_init(&text, arena);
    text_add(&text, field->doc ? field->doc : "");
    const char *values = option_is_switch(field) ? "" : field_values(arena, field);
    if (*values) {
        text_add_format(&text, ": %s", values);
    }
    if (has_default(field)) {
        bool on = field->kind == FIELD_BOOL && text_equal(field->fallback, "true");
        text_add_format(&text, " (default %s)", on ? "on" : field->fallback);
    }
    return text.data;
}

static void add_option(struct arena *arena, const struct option *option, size_t width, struct text *out) {
    if (option->field->flags & FIELD_HIDDEN) {
        return;
    }
    text_pad(out, FLAG_COLUMN);
    const char *flag = help_flag(arena, option);
    text_add(out, flag);
    if (FLAG_COLUMN + strlen(flag) + 2 > SENTENCE_COLUMN) {
        text_add_char(out, '\n');
    }
    text_pad(out, SENTENCE_COLUMN);
    help_fill(out, help_sentence(arena, option), SENTENCE_COLUMN, width);
}

static void add_group(struct arena *arena, const struct option_group *group, size_t width, struct text *out) {
    struct option *options;
    size_t count = options_of_group(arena, group, &options);
    text_add_format(out, "\n%s:\n", group->title);
    for (size_t i = 0; i < count; i++) {
        add_option(arena, &options[i], width, out);
    }
}

/* The names alone, for groups too long for a screen. */
static void add_group_names(struct arena *arena, const struct option_group *group, size_t width, struct text *out) {
    struct option *options;
    size_t count = options_of_group(arena, group, &options);
    struct text names;
    text_init(&names, arena);
    text_add(&names, "");
    for (size_t i = 0; i < count; i++) {
        if (!(options[i].field->flags & FIELD_HIDDEN)) {
            text_add_format(&names, "--%s ", options[i].name);
        }
    }
    text_add_format(out, "\n%s:\n", group->title);
    text_pad(out, FLAG_COLUMN);
    help_fill(out, names.data, FLAG_COLUMN, width);
}

static void add_operands(const struct command *command, size_t width, struct text *out) {
    if (!command->operands || !command->operands->name) {
        return;
    }
    text_add_char(out, '\n');
    for (const struct operand *operand = command->operands; operand->name; operand++) {
        text_pad(out, FLAG_COLUMN);
        text_add(out, operand->name);
        text_pad(out, NAME_COLUMN);
        help_fill(out, operand->doc, NAME_COLUMN, width);
    }
}

static void add_examples(const struct command *command, struct text *out) {
    if (!command->examples || !command->examples->line) {
        return;
    }
    text_add(out, "\nExamples:\n");
    for (const struct example *example = command->examples; example->line; example++) {
        text_add_format(out, "  # %s\n  %s\n", example->what, example->line);
    }
}

static void add_opening(struct arena *arena, const struct command *command, size_t width, struct text *out) {
    help_fill(out, arena_format(arena, "parplan %s: %s", command->name, command->summary), 0, width);
    text_add_format(out, "usage: %s\n", help_synopsis(arena, command));
}

void help_short(struct arena *arena, const struct command *command, size_t width, struct text *out) {
    add_opening(arena, command, width, out);
    add_operands(command, width, out);
    for (const struct option_group *group = command->groups; group && group->title; group++) {
        if (group->document) {
            add_group_names(arena, group, width, out);
        } else {
            add_group(arena, group, width, out);
        }
    }
    add_group_names(arena, &global_group, width, out);
    text_add_format(out, "\n'parplan %s --help' says more.\n", command->name);
}

static void add_paragraphs(struct arena *arena, const char *paragraphs, size_t width, struct text *out) {
    while (paragraphs && *paragraphs) {
        const char *end = strstr(paragraphs, "\n\n");
        size_t size = end ? (size_t)(end - paragraphs) : strlen(paragraphs);
        text_add_char(out, '\n');
        help_fill(out, arena_copy(arena, paragraphs, size), 0, width);
        paragraphs += size + (end ? 2 : 0);
    }
}

void help_full(struct arena *arena, const struct command *command, size_t width, struct text *out) {
    add_opening(arena, command, width, out);
    add_paragraphs(arena, command->description, width, out);
    add_operands(command, width, out);
    for (const struct option_group *group = command->groups; group && group->title; group++) {
        add_group(arena, group, width, out);
    }
    add_group(arena, &global_group, width, out);
    add_examples(command, out);
    text_add(out, "\nExit status:\n");
    for (size_t i = 0; exit_statuses[i]; i += 2) {
        text_add_format(out, "  %3s  ", exit_statuses[i]);
        help_fill(out, exit_statuses[i + 1], 7, width);
    }
}

void help_overview(struct arena *arena, struct text *out) {
    text_add(out, "parplan plans the training of large models in parallel.\n"
                  "usage: parplan COMMAND [ARGUMENTS] [OPTIONS]\n\n");
    for (size_t i = 0; commands[i]; i++) {
        if (!commands[i]->hidden) {
            text_pad(out, FLAG_COLUMN);
            text_add(out, commands[i]->name);
            text_pad(out, NAME_COLUMN);
            help_fill(out, commands[i]->summary, NAME_COLUMN, OVERVIEW_WIDTH);
        }
    }
    const struct command *first = commands[0];
    if (first->examples && first->examples->line) {
        text_add(out, "\nFor example:\n");
        text_add_format(out, "  %s\n", first->examples->line);
    }
    help_fill(out, arena_format(arena, "\n'parplan COMMAND -h' shows a command's options, 'parplan help COMMAND' its "
                                       "manual page."), 0, OVERVIEW_WIDTH + 20);
}
