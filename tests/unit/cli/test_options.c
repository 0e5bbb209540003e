/* The command line against a command with one field of every kind that can be a flag. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/options.h"

struct inner {
    int64_t depth;
};

struct sample {
    bool on, secret, result;
    int64_t count;
    double size;
    int color;
    const char *name;
    struct degrees tp;
    uint64_t sp;
    struct inner inner;
    struct list tags;
};

static const char *const colors[] = {"red", "green", NULL};
static const char *const off_on[] = {"off", "on", NULL};
#define AT(member) .offset = offsetof(struct sample, member)
static const struct field inner_fields[] = {
    {.key = "depth_limit", .kind = FIELD_COUNT, .offset = offsetof(struct inner, depth), .fallback = "3", .doc = "D"},
    FIELD_END};
static const struct field sample_fields[] = {
    {.key = "on", .kind = FIELD_BOOL, AT(on), .fallback = "true", .doc = "O"},
    {.key = "count", .kind = FIELD_COUNT, AT(count), .fallback = "7", .max = 100, .letter = 'c', .doc = "C"},
    {.key = "size", .kind = FIELD_QUANTITY, AT(size), .dimension = UNIT_BYTES, .doc = "S"},
    {.key = "color_name", .kind = FIELD_CHOICE, AT(color), .choices = colors, .doc = "N"},
    {.key = "name", .kind = FIELD_TEXT, AT(name), .flag = "called", .doc = "T"},
    {.key = "tp", .kind = FIELD_DEGREES, AT(tp), .doc = "P"},
    {.key = "sp", .kind = FIELD_CHOICES, AT(sp), .choices = off_on, .doc = "Q"},
    {.key = "inner", .kind = FIELD_STRUCT, AT(inner), .fields = inner_fields, .size = sizeof(struct inner), .doc = "I"},
    {.key = "tags", .kind = FIELD_TEXTS, AT(tags), .doc = "G"},
    {.key = "secret", .kind = FIELD_BOOL, AT(secret), .flags = FIELD_NO_FLAG, .doc = "not a flag"},
    {.key = "result", .kind = FIELD_BOOL, AT(result), .flags = FIELD_OUTPUT, .doc = "not a flag either"},
    FIELD_END};

static enum status never_run(struct context *context) {
    (void)context;
    return STATUS_BUG;
}

static const struct command sample_command = {
    .name = "sample",
    .operands = (const struct operand[]){{.name = "FIRST", .doc = "F"},
                                         {.name = "SECOND", .optional = true, .doc = "S"},
                                         {.name = NULL}},
    .groups = (const struct option_group[]){{.title = "Sample", .fields = sample_fields}, {.title = NULL}},
    .size = sizeof(struct sample),
    .formats = HAS_JSON,
    .run = never_run,
};

/* A line is split at blanks; "~" stands for a blank inside a word. */
static struct context parse(struct arena *arena, const char *line, enum status *ret_status) {
    char *text = arena_text(arena, line);
    char **argv = ARENA_ARRAY(arena, char *, 64);
    int argc = 0;
    argv[argc++] = arena_text(arena, "parplan");
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        for (char *at = word; *at; at++) {
            *at = *at == '~' ? ' ' : *at;
        }
        argv[argc++] = word;
    }
    struct diag *diag = ARENA_NEW(arena, struct diag);
    diag_init(diag, arena);
    struct source *kept = ARENA_NEW(arena, struct source);
    *kept = options_source(arena, argc, argv);
    struct context *context = ARENA_NEW(arena, struct context);
    *context = (struct context){.arena = arena, .diag = diag, .command = &sample_command, .source = *kept};
    *ret_status = options_parse(context, argc, argv, 2);
    return *context;
}

/* What a line leaves in the struct, as one text. */
static const char *outcome(struct arena *arena, const struct context *context) {
    const struct sample *sample = context->options;
    struct text text;
    text_init(&text, arena);
    text_add_format(&text, "%d %lld %.0f %s %s ", sample->on, (long long)sample->count, sample->size,
                    colors[sample->color], sample->name ? sample->name : "-");
    for (size_t i = 0; i < sample->tp.count; i++) {
        text_add_format(&text, "%s%lld", i ? "," : "", (long long)sample->tp.values[i]);
    }
    text_add_format(&text, "%s %llu %lld", sample->tp.any ? "any" : "", (unsigned long long)sample->sp,
                    (long long)sample->inner.depth);
    for (size_t i = 0; i < sample->tags.count; i++) {
        text_add_format(&text, " %s", ((const char *const *)sample->tags.items)[i]);
    }
    for (size_t i = 0; i < context->operand_count; i++) {
        text_add_format(&text, " [%s]", context->operands[i].text);
    }
    return text.data;
}

Test(options, good) {
    static const struct {
        const char *line, *expected;
    } rows[] = {
        {"sample a", "1 7 0 red - any 3 3 [a]"},
        {"sample a b", "1 7 0 red - any 3 3 [a] [b]"},
        {"sample --count 5 a", "1 5 0 red - any 3 3 [a]"},
        {"sample a --count=5", "1 5 0 red - any 3 3 [a]"},
        {"sample a -c 5", "1 5 0 red - any 3 3 [a]"},
        {"sample a -c5", "1 5 0 red - any 3 3 [a]"},
        {"sample a --count 5 --count 6", "1 6 0 red - any 3 3 [a]"},
        {"sample a --no-on", "0 7 0 red - any 3 3 [a]"},
        {"sample a --no-on --on", "1 7 0 red - any 3 3 [a]"},
        {"sample a --on=false", "0 7 0 red - any 3 3 [a]"},
        {"sample --on a", "1 7 0 red - any 3 3 [a]"},
        {"sample a --size 2KiB", "1 7 2048 red - any 3 3 [a]"},
        {"sample a --color-name green", "1 7 0 green - any 3 3 [a]"},
        {"sample a --called x~y", "1 7 0 red x y any 3 3 [a]"},
        {"sample a --called -", "1 7 0 red - any 3 3 [a]"},
        {"sample a --tp 1,2,8", "1 7 0 red - 1,2,8 3 3 [a]"},
        {"sample a --tp 2..4", "1 7 0 red - 2,3,4 3 3 [a]"},
        {"sample a --sp", "1 7 0 red - any 2 3 [a]"},
        {"sample a --no-sp", "1 7 0 red - any 1 3 [a]"},
        {"sample a --sp=auto", "1 7 0 red - any 3 3 [a]"},
        {"sample a --depth-limit 9", "1 7 0 red - any 3 9 [a]"},
        {"sample a --tags x,y", "1 7 0 red - any 3 3 x y [a]"},
        {"sample -- --count", "1 7 0 red - any 3 3 [--count]"},
        {"sample - --", "1 7 0 red - any 3 3 [-]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_open(NULL, NULL);
        enum status status;
        struct context context = parse(arena, rows[i].line, &status);
        cr_expect(status == OK, "%s: %s", rows[i].line, context.diag->count ? context.diag->entries[0].text : "");
        const char *got = outcome(arena, &context);
        cr_expect(strcmp(got, rows[i].expected) == 0, "%s: \"%s\", not \"%s\"", rows[i].line, got, rows[i].expected);
        arena_close(arena);
    }
}

/* Columns count from the p of parplan; "sample" begins at 9. */
Test(options, bad) {
    static const struct {
        const char *line;
        unsigned column, length;
        const char *text, *help;
    } rows[] = {
        {"sample a --cuont 5", 18, 7, "unknown option '--cuont'", "'--count'"},
        {"sample a --cou=5", 18, 5, "unknown option '--cou'", "'--count'"},
        {"sample a --no-onn", 18, 8, "unknown option '--no-onn'", "'--no-on'"},
        {"sample a --no-count", 18, 10, "unknown option '--no-count'", NULL},
        {"sample a --secret", 18, 8, "unknown option '--secret'", NULL},
        {"sample a --result", 18, 8, "unknown option '--result'", NULL},
        {"sample a --inner", 18, 7, "unknown option '--inner'", NULL},
        {"sample a -x", 18, 2, "unknown option '-x'", "sample --help"},
        {"sample a --count", 18, 7, "option '--count' needs a value", NULL},
        {"sample a --count --on", 18, 7, "option '--count' needs a value", NULL},
        {"sample a --count=", 26, 0, "option '--count' needs a value", NULL},
        {"sample a --count 101", 26, 3, "--count: must be between 0 and 100, not 101", NULL},
        {"sample a --count -1", 26, 2, "--count: must be between 0 and 100, not -1", NULL},
        {"sample a --count=abc", 26, 3, "--count: must be a whole number", NULL},
        {"sample a -cabc", 20, 3, "--count: must be a whole number", NULL},
        {"sample a --size 80", 25, 2, "--size: ", NULL},
        {"sample a --no-on=true", 18, 7, "option '--no-on' takes no value", NULL},
        {"sample a -qq", 18, 2, "option '-q' takes no value", NULL},
        {"sample a b c", 20, 1, "unexpected argument 'c'", "usage: parplan sample FIRST [SECOND]"},
        {"sample", 0, 0, "FIRST is missing", "usage: parplan sample FIRST [SECOND]"},
        {"sample a --format csv", 27, 3, "'sample' has no csv form", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_open(NULL, NULL);
        enum status status;
        struct context context = parse(arena, rows[i].line, &status);
        cr_expect(status == STATUS_INVALID, "%s: status %d", rows[i].line, status);
        cr_assert(context.diag->count == 1, "%s: %zu entries", rows[i].line, context.diag->count);
        const struct diag_entry *entry = &context.diag->entries[0];
        cr_expect(text_starts(entry->text, rows[i].text), "%s: %s", rows[i].line, entry->text);
        cr_expect(entry->mark.column == rows[i].column, "%s: column %u", rows[i].line, entry->mark.column);
        cr_expect(entry->mark.length == rows[i].length, "%s: length %u", rows[i].line, entry->mark.length);
        cr_expect(!rows[i].help || (entry->help && strstr(entry->help, rows[i].help)), "%s: help %s", rows[i].line,
                  entry->help ? entry->help : "none");
        arena_close(arena);
    }
}

Test(options, all_errors_in_the_order_of_the_line) {
    struct arena *arena = arena_open(NULL, NULL);
    enum status status;
    struct context context = parse(arena, "sample --count x --nope a --size 5 b c", &status);
    static const unsigned columns[] = {24, 26, 42, 46};
    cr_assert(status == STATUS_INVALID);
    cr_assert(context.diag->count == 4, "%zu", context.diag->count);
    for (size_t i = 0; i < 4; i++) {
        cr_expect(context.diag->entries[i].mark.column == columns[i], "%zu: %u", i, context.diag->entries[i].mark.column);
    }
    arena_close(arena);
}

Test(options, help_wins_over_errors) {
    struct arena *arena = arena_open(NULL, NULL);
    enum status status;
    struct context context = parse(arena, "sample --nope -h", &status);
    cr_expect(status == OK && context.globals.short_help && !context.globals.help);
    context = parse(arena, "sample --help", &status);
    cr_expect(status == OK && context.globals.help && !context.globals.short_help);
    arena_close(arena);
}

/* No command may have two flags of one name or letter: the second could never be given. */
Test(options, flags_of_every_command_are_distinct) {
    struct arena *arena = arena_open(NULL, NULL);
    size_t seen = 0;
    for (size_t i = 0; commands[i]; i++) {
        struct option *options;
        size_t count = options_of_command(arena, commands[i], &options);
        for (size_t j = 0; j < count; j++) {
            const struct field *field = options[j].field;
            cr_expect(field->doc && *field->doc && !text_ends(field->doc, "."), "%s --%s: its sentence",
                      commands[i]->name, options[j].name);
            for (size_t k = 0; k < j; k++) {
                cr_expect(strcmp(options[j].name, options[k].name) != 0, "%s has --%s twice", commands[i]->name,
                          options[j].name);
                cr_expect(!field->letter || field->letter != options[k].field->letter, "%s has -%c twice",
                          commands[i]->name, field->letter);
            }
            seen++;
        }
    }
    cr_expect(seen > 30, "%zu options in all", seen);
    arena_close(arena);
}
