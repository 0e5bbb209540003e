/* parplan help [COMMAND]: the manual page through man(1) on a terminal, else the same facts as text. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/data.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/terminal.h"

/* Runs man on a page; false when there is no man, or it cannot show the page. */
static bool show_page(const char *path) {
    pid_t child = fork();
    if (child < 0) {
        return false;
    }
    if (child == 0) {
        execlp("man", "man", path, (char *)NULL);
        _exit(127);
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static enum status run(struct context *context) {
    const char *name = command_operand(context, 0);
    const struct command *command = name ? command_find(name) : NULL;
    if (name && !command) {
        enum status status = diag_error(context->diag, context->operands[0].mark, "unknown command '%s'", name);
        diag_help(context->diag, "'parplan help' lists the commands");
        return status;
    }
    const char *path = data_manual(context->arena, command ? command->name : NULL);
    bool interactive = !context->globals.output && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
    if (command && interactive && path && show_page(path)) {
        return OK;
    }
    struct text text;
    text_init(&text, context->arena);
    if (command) {
        help_full(context->arena, command, terminal_width(), &text);
    } else {
        help_overview(context->arena, &text);
    }
    return output_result(context, &text);
}

const struct command command_help = {
    .name = "help",
    .summary = "Show the commands, or the manual page of one",
    .description = "Without COMMAND, lists the commands. With COMMAND, shows its manual page through man(1) when "
                   "standard output is a terminal, and the same facts as plain text otherwise.",
    .operands = (const struct operand[]){
        {.name = "COMMAND", .kind = OPERAND_WORD, .optional = true, .doc = "Name of a command"},
        {.name = NULL},
    },
    .examples = (const struct example[]){
        {"What show can do", "parplan help show"},
        {.line = NULL},
    },
    .run = run,
};
