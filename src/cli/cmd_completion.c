/* parplan completion SHELL: a script for the shell. `parplan completion names FOLDER` is what the scripts ask. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/data.h"
#include "cli/output.h"

static enum status list_names(struct context *context, struct text *text) {
    const char *const *names = NULL;
    const char *folder = command_operand(context, 1);
    size_t count = folder ? data_list(context->arena, folder, &names) : 0;
    for (size_t i = 0; i < count; i++) {
        text_add_format(text, "%s\n", names[i]);
    }
    return output_result(context, text);
}

static enum status run(struct context *context) {
    static void (*const writers[])(struct arena *, struct text *) = {completion_bash, completion_zsh, completion_fish};
    const struct word *word = &context->operands[0];
    struct text text;
    text_init(&text, context->arena);
    if (text_equal(word->text, "names")) {
        return list_names(context, &text);
    }
    for (size_t i = 0; completion_shells[i]; i++) {
        if (text_equal(completion_shells[i], word->text) && context->operand_count == 1) {
            writers[i](context->arena, &text);
            return output_result(context, &text);
        }
    }
    enum status status = diag_error(context->diag, word->mark, "no completion for '%s'", word->text);
    diag_help(context->diag, "one of bash, zsh, fish");
    return status;
}

const struct command command_completion = {
    .name = "completion",
    .summary = "Print a completion script for a shell",
    .description = "Prints a script that completes commands, options, their values and the names of shipped models and "
                   "topologies.",
    .operands = (const struct operand[]){
        {.name = "SHELL", .kind = OPERAND_WORD, .words = completion_shells, .doc = "bash, zsh or fish"},
        {.name = "FOLDER", .kind = OPERAND_WORD, .optional = true,
         .doc = "After the word 'names': models or topologies, whose names are listed"},
        {.name = NULL},
    },
    .examples = (const struct example[]){
        {"For bash: write the script, then source it", "parplan completion bash -o parplan.bash"},
        {.line = NULL},
    },
    .run = run,
};
