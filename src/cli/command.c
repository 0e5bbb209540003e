#include "cli/command.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/terminal.h"

const struct command *const commands[] = {
    &command_search,
    &command_estimate,
    &command_simulate,
    &command_explain,
    &command_show,
    &command_score,
    &command_schema,
    &command_completion,
    &command_help,
    &command_version,
    &command_manual,
    NULL,
};

const struct command *command_find(const char *name) {
    for (size_t i = 0; commands[i]; i++) {
        if (text_equal(commands[i]->name, name)) {
            return commands[i];
        }
    }
    return NULL;
}

const char *command_operand(const struct context *context, size_t index) {
    return index < context->operand_count ? context->operands[index].text : NULL;
}

static void exhausted(void *unused) {
    (void)unused;
    static const char message[] = "parplan: error: out of memory\n";
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0) {
        _exit(STATUS_BUG);
    }
    _exit(STATUS_ENVIRONMENT);
}

static enum status report_unknown(struct context *context, const char *name) {
    struct mark mark = {.source = &context->source, .line = 1, .column = 9, .length = (unsigned)strlen(name)};
    const char *what = name[0] == '-' ? "the command comes before its options, not" : "unknown command";
    enum status status = diag_error(context->diag, mark, "%s '%s'", what, name);
    const char **names = ARENA_ARRAY(context->arena, const char *, sizeof commands / sizeof *commands);
    size_t count = 0;
    for (size_t i = 0; commands[i]; i++) {
        if (!commands[i]->hidden) {
            names[count++] = commands[i]->name;
        }
    }
    const char *nearest = options_suggest(name, names, count);
    if (nearest) {
        diag_help(context->diag, "did you mean '%s'?", nearest);
    } else {
        diag_help(context->diag, "'parplan help' lists the commands");
    }
    return status;
}

/* `parplan` by itself, -h, --help and --version have no command. */
static enum status run_without_command(struct context *context, const char *word, const struct command **ret_command) {
    struct text text;
    text_init(&text, context->arena);
    if (!word) {
        help_overview(context->arena, &text);
        fputs(text.data, stderr);
        return STATUS_INVALID;
    }
    if (text_equal(word, "-h") || text_equal(word, "--help")) {
        help_overview(context->arena, &text);
        return output_print(context, &text);
    }
    *ret_command = command_find(text_equal(word, "--version") ? "version" : word);
    return *ret_command ? OK : report_unknown(context, word);
}

static enum status run_command(struct context *context, int argc, char **argv) {
    enum status status = options_parse(context, argc, argv, 2);
    if (context->globals.help || context->globals.short_help) {
        struct text text;
        text_init(&text, context->arena);
        size_t width = terminal_width();
        if (context->globals.help) {
            help_full(context->arena, context->command, width, &text);
        } else {
            help_short(context->arena, context->command, width, &text);
        }
        context->diag->count = 0;
        return output_print(context, &text);
    }
    TRY(status);
    return context->command->run(context);
}

int command_main(int argc, char **argv) {
    setlocale(LC_CTYPE, "");
    signal(SIGXFSZ, SIG_IGN); /* a file that may grow no more is an error of write, not the end */
    struct arena *arena = arena_open(exhausted, NULL);
    struct diag *diag = ARENA_NEW(arena, struct diag);
    struct context *context = ARENA_NEW(arena, struct context);
    diag_init(diag, arena);
    *context = (struct context){.arena = arena, .diag = diag, .source = options_source(arena, argc, argv)};
    enum status status = run_without_command(context, argc > 1 ? argv[1] : NULL, &context->command);
    if (context->command) {
        status = run_command(context, argc, argv);
    }
    bool color = terminal_color((enum color_choice)context->globals.color, STDERR_FILENO);
    report_print(diag, color, !context->globals.quiet);
    arena_close(arena);
    return (int)status;
}
