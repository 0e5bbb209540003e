#include "cli/options.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/help.h"

const struct field global_fields[] = {
    {.key = "format", .kind = FIELD_CHOICE, .offset = offsetof(struct globals, format), .fallback = "table",
     .choices = (const char *const[]){"table", "json", "csv", NULL},
     .doc = "Form of the result; json and csv use SI base units and do not depend on the terminal"},
    {.key = "output", .kind = FIELD_TEXT, .offset = offsetof(struct globals, output), .letter = 'o',
     .value_name = "FILE", .doc = "Write the result to FILE, whole or not at all"},
    {.key = "color", .kind = FIELD_CHOICE, .offset = offsetof(struct globals, color), .fallback = "auto",
     .choices = (const char *const[]){"auto", "always", "never", NULL},
     .doc = "Colour; auto asks the terminal, NO_COLOR and CLICOLOR_FORCE"},
    {.key = "ascii", .kind = FIELD_BOOL, .offset = offsetof(struct globals, ascii), .fallback = "false",
     .doc = "Draw with ASCII characters only"},
    {.key = "quiet", .kind = FIELD_BOOL, .offset = offsetof(struct globals, quiet), .fallback = "false", .letter = 'q',
     .doc = "No progress, warnings or notes"},
    {.key = "help", .kind = FIELD_BOOL, .offset = offsetof(struct globals, help), .fallback = "false",
     .letter = 'h', .doc = "Show all help; -h shows it in short"},
    FIELD_END,
};

const struct option_group global_group = {.title = "Global options", .fields = global_fields};

/* What the parser is at. */
struct parser {
    struct context *context;
    struct option *options;
    size_t option_count;
    char **words;
    size_t count, at;
    size_t *columns; /* of each word in the source, from 1 */
    bool only_operands;
};

bool option_is_switch(const struct field *field) {
    if (field->kind == FIELD_BOOL) {
        return true;
    }
    if ((field->kind != FIELD_CHOICE && field->kind != FIELD_CHOICES) || !field->choices) {
        return false;
    }
    const char *const *choices = field->choices;
    return choices[0] && choices[1] && !choices[2] && (text_equal(choices[1], "on") || text_equal(choices[1], "true"));
}

static const char *flag_name(struct arena *arena, const struct field *field) {
    char *name = arena_text(arena, field->flag ? field->flag : field->key);
    for (char *at = name; *at; at++) {
        if (*at == '_') {
            *at = '-';
        }
    }
    return name;
}

/* Counts the flags of a table and, when `options` is not NULL, describes them. */
static size_t collect(struct arena *arena, const struct option_group *group, const struct field *fields, size_t offset,
                      const char *prefix, struct option *options) {
    size_t count = 0;
    for (const struct field *field = fields; field->key; field++) {
        if (field->flags & (FIELD_NO_FLAG | FIELD_OUTPUT)) {
            continue;
        }
        const char *path = arena_format(arena, "%s%s", prefix, field->key);
        if (field->kind == FIELD_STRUCT) {
            count += collect(arena, group, field->fields, offset + field->offset, arena_format(arena, "%s.", path),
                             options ? options + count : NULL);
        } else if (field->kind != FIELD_OPTIONAL && field->kind != FIELD_STRUCTS) {
            if (options) {
                options[count] = (struct option){.name = flag_name(arena, field), .path = path, .field = field,
                                                 .group = group, .offset = offset};
            }
            count++;
        }
    }
    return count;
}

size_t options_of_group(struct arena *arena, const struct option_group *group, struct option **ret_options) {
    size_t count = collect(arena, group, group->fields, group->offset, "", NULL);
    *ret_options = ARENA_ARRAY(arena, struct option, count);
    return collect(arena, group, group->fields, group->offset, "", *ret_options);
}

size_t options_of_command(struct arena *arena, const struct command *command, struct option **ret_options) {
    size_t count = collect(arena, &global_group, global_fields, 0, "", NULL);
    const struct option_group none = {.title = NULL};
    const struct option_group *groups = command && command->groups ? command->groups : &none;
    for (const struct option_group *group = groups; group->title; group++) {
        count += collect(arena, group, group->fields, group->offset, "", NULL);
    }
    *ret_options = ARENA_ARRAY(arena, struct option, count);
    count = 0;
    for (const struct option_group *group = groups; group->title; group++) {
        count += collect(arena, group, group->fields, group->offset, "", *ret_options + count);
    }
    return count + collect(arena, &global_group, global_fields, 0, "", *ret_options + count);
}

struct source options_source(struct arena *arena, int argc, char **argv) {
    struct text line;
    text_init(&line, arena);
    text_add(&line, "parplan");
    for (int i = 1; i < argc; i++) {
        text_add_char(&line, ' ');
        text_add(&line, argv[i]);
    }
    return (struct source){.name = "<arguments>", .text = line.data, .size = line.size};
}

/* The place of `length` bytes from `from` on of word `index`. */
static struct mark mark_part(const struct parser *parser, size_t index, size_t from, size_t length) {
    return (struct mark){.source = &parser->context->source, .line = 1,
                         .column = (unsigned)(parser->columns[index] + from), .length = (unsigned)length};
}

static struct mark mark_word(const struct parser *parser, size_t index) {
    return mark_part(parser, index, 0, strlen(parser->words[index]));
}

static const struct option *find_name(const struct parser *parser, const char *name, size_t size) {
    for (size_t i = 0; i < parser->option_count; i++) {
        const char *candidate = parser->options[i].name;
        if (strlen(candidate) == size && memcmp(candidate, name, size) == 0) {
            return &parser->options[i];
        }
    }
    return NULL;
}

static const struct option *find_letter(const struct parser *parser, char letter) {
    for (size_t i = 0; i < parser->option_count; i++) {
        if (parser->options[i].field->letter == letter) {
            return &parser->options[i];
        }
    }
    return NULL;
}

const char *options_suggest(const char *word, const char *const *names, size_t count) {
    const char *nearest = text_nearest(word, names, count);
    size_t matches = 0;
    const char *match = NULL;
    for (size_t i = 0; i < count; i++) {
        bool begins = *word && text_starts(names[i], word);
        matches += begins;
        match = begins ? names[i] : match;
    }
    return matches == 1 ? match : nearest;
}

static void report_unknown(const struct parser *parser, const char *name, size_t size, struct mark mark) {
    struct context *context = parser->context;
    const char *word = arena_copy(context->arena, name, size);
    (void)diag_error(context->diag, mark, "unknown option '--%s'", word);
    const char **names = ARENA_ARRAY(context->arena, const char *, 2 * parser->option_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < parser->option_count; i++) {
        const struct option *option = &parser->options[i];
        if (!(option->field->flags & FIELD_HIDDEN)) {
            names[count++] = option->name;
            if (option_is_switch(option->field)) {
                names[count++] = arena_format(context->arena, "no-%s", option->name);
            }
        }
    }
    const char *nearest = options_suggest(word, names, count);
    if (nearest) {
        diag_help(context->diag, "did you mean '--%s'?", nearest);
    } else {
        diag_help(context->diag, "'parplan %s --help' lists the options", context->command->name);
    }
}

const char *option_value(const struct argument *argument) {
    if (argument->value.text) {
        return argument->value.text;
    }
    const struct field *field = argument->option->field;
    if (field->kind == FIELD_BOOL) {
        return argument->negated ? "false" : "true";
    }
    return field->choices[argument->negated ? 0 : 1];
}

/* Keeps a flag, and stores its value when it belongs to one of the command's own structs. */
static void add_argument(struct context *context, struct argument argument) {
    const struct option *option = argument.option;
    context->arguments[context->argument_count++] = argument;
    if (option->group->document) {
        return;
    }
    char *base = option->group == &global_group ? (char *)&context->globals : context->options;
    const char *reason = NULL;
    if (!field_parse(context->arena, option->field, option_value(&argument), base + option->offset, &reason)) {
        struct mark mark = argument.value.text ? argument.value.mark : argument.mark;
        (void)diag_error(context->diag, mark, "--%s: %s", option->name, reason);
    }
}

/* Whether the next word can be the value of a flag: "-" and "-5" can, another flag cannot. */
static bool is_value(const struct parser *parser, size_t index) {
    if (index >= parser->count) {
        return false;
    }
    const char *word = parser->words[index];
    return word[0] != '-' || !word[1] || (word[1] >= '0' && word[1] <= '9') || word[1] == '.';
}

/* An empty value is a shell variable that was not set; what YAML reads as nothing would silently be the default. */
static bool says_nothing(const struct option *option, const char *value) {
    return !*value || (option->group->document && (text_equal(value, "~") || text_equal(value, "null")));
}

/* A flag that was recognised: `attached` is its value in the same word, starting at byte `from`, or NULL. */
static void take(struct parser *parser, const struct option *option, bool negated, const char *attached, size_t from,
                 struct mark mark) {
    struct argument argument = {.option = option, .mark = mark, .negated = negated};
    if (attached) {
        argument.value = (struct word){attached, mark_part(parser, parser->at, from, strlen(attached))};
    } else if (!option_is_switch(option->field)) {
        if (!is_value(parser, parser->at + 1)) {
            (void)diag_error(parser->context->diag, mark, "option '--%s' needs a value: %s", option->name,
                             field_placeholder(option->field));
            return;
        }
        parser->at++;
        argument.value = (struct word){parser->words[parser->at], mark_word(parser, parser->at)};
    }
    if (argument.value.text && says_nothing(option, argument.value.text)) {
        (void)diag_error(parser->context->diag, argument.value.mark, "option '--%s' needs a value: %s, not '%s'",
                         option->name, field_placeholder(option->field), argument.value.text);
        return;
    }
    add_argument(parser->context, argument);
}

static void parse_long(struct parser *parser) {
    const char *word = parser->words[parser->at] + 2;
    const char *equals = strchr(word, '=');
    size_t size = equals ? (size_t)(equals - word) : strlen(word);
    struct mark mark = mark_part(parser, parser->at, 0, size + 2);
    const struct option *option = find_name(parser, word, size);
    bool negated = false;
    if (!option && size > 3 && text_starts(word, "no-")) {
        option = find_name(parser, word + 3, size - 3);
        negated = option && option_is_switch(option->field);
        option = negated ? option : NULL;
    }
    if (!option) {
        report_unknown(parser, word, size, mark);
    } else if (negated && equals) {
        (void)diag_error(parser->context->diag, mark, "option '--no-%s' takes no value", option->name);
    } else {
        take(parser, option, negated, equals ? equals + 1 : NULL, size + 3, mark);
    }
}

static void parse_letter(struct parser *parser) {
    const char *word = parser->words[parser->at];
    struct mark mark = mark_part(parser, parser->at, 0, 2);
    if (word[1] == 'h' && !word[2]) {
        parser->context->globals.short_help = true;
        return;
    }
    const struct option *option = find_letter(parser, word[1]);
    if (!option) {
        (void)diag_error(parser->context->diag, mark_word(parser, parser->at), "unknown option '%s'", word);
        diag_help(parser->context->diag, "'parplan %s --help' lists the options", parser->context->command->name);
    } else if (word[2] && option_is_switch(option->field)) {
        (void)diag_error(parser->context->diag, mark, "option '-%c' takes no value", word[1]);
    } else {
        take(parser, option, false, word[2] ? word + 2 : NULL, 2, mark);
    }
}

static void parse_word(struct parser *parser) {
    struct context *context = parser->context;
    const char *word = parser->words[parser->at];
    if (parser->only_operands || word[0] != '-' || !word[1]) {
        context->operands[context->operand_count++] = (struct word){word, mark_word(parser, parser->at)};
    } else if (text_equal(word, "--")) {
        parser->only_operands = true;
    } else if (word[1] == '-') {
        parse_long(parser);
    } else {
        parse_letter(parser);
    }
}

static void set_defaults(struct context *context) {
    field_defaults(context->arena, global_fields, &context->globals);
    const struct option_group *groups = context->command->groups;
    for (; groups && groups->title; groups++) {
        if (!groups->document) {
            field_defaults(context->arena, groups->fields, (char *)context->options + groups->offset);
        }
    }
}

static void check_operands(struct context *context) {
    size_t expected = 0;
    bool repeats = false;
    const struct operand *operands = context->command->operands;
    for (; operands && operands[expected].name; expected++) {
        repeats = operands[expected].repeats;
        if (!operands[expected].optional && expected >= context->operand_count) {
            (void)diag_error(context->diag, NO_MARK, "%s is missing", operands[expected].name);
            diag_help(context->diag, "usage: %s", help_synopsis(context->arena, context->command));
        }
    }
    if (!repeats && context->operand_count > expected) {
        struct word *extra = &context->operands[expected];
        (void)diag_error(context->diag, extra->mark, "unexpected argument '%s'", extra->text);
        diag_help(context->diag, "usage: %s", help_synopsis(context->arena, context->command));
    }
}

static void check_format(struct context *context) {
    int format = context->globals.format;
    if (format != FORMAT_TABLE && !(context->command->formats & (1U << format))) {
        (void)diag_error(context->diag, options_mark(context, "format"), "'%s' has no %s form", context->command->name,
                         field_choice(global_fields, "format", &context->globals));
    }
}

enum status options_parse(struct context *context, int argc, char **argv, int first) {
    size_t count = argc > first ? (size_t)(argc - first) : 0;
    struct parser parser = {.context = context, .words = argv + first, .count = count};
    parser.option_count = options_of_command(context->arena, context->command, &parser.options);
    parser.columns = ARENA_ARRAY(context->arena, size_t, count + 1);
    size_t column = 1 + strlen("parplan");
    for (int i = 1; i < argc; i++) {
        if (i >= first) {
            parser.columns[i - first] = column + 1;
        }
        column += 1 + strlen(argv[i]);
    }
    context->options = arena_alloc(context->arena, 1, context->command->size ? context->command->size : 1);
    context->operands = ARENA_ARRAY(context->arena, struct word, count + 1);
    context->arguments = ARENA_ARRAY(context->arena, struct argument, count + 1);
    set_defaults(context);
    for (; parser.at < parser.count; parser.at++) {
        parse_word(&parser);
    }
    if (context->globals.help || context->globals.short_help) {
        return OK;
    }
    check_operands(context);
    check_format(context);
    return diag_status(context->diag);
}

struct mark options_mark(const struct context *context, const char *name) {
    for (size_t i = context->argument_count; i-- > 0;) {
        const struct argument *argument = &context->arguments[i];
        if (text_equal(argument->option->name, name)) {
            return argument->value.text ? argument->value.mark : argument->mark;
        }
    }
    return (struct mark){.source = &context->source, .line = 1, .column = 1, .length = 7};
}
