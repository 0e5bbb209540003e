/* parplan manual PAGE.scd: a man page's source with the sections from the tables in place. Used by the build; `parplan
 * manual examples` prints every example of the help, for the tests that run them. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/manual.h"
#include "cli/output.h"
#include "yaml/document.h"

static void list_examples(struct text *text) {
    for (size_t i = 0; commands[i]; i++) {
        const struct example *example = commands[i]->examples;
        for (; example && example->line; example++) {
            text_add_format(text, "%s\t%s\n", commands[i]->name, example->line);
        }
    }
}

static enum status run(struct context *context) {
    struct text text;
    text_init(&text, context->arena);
    if (text_equal(context->operands[0].text, "examples")) {
        list_examples(&text);
        return output_result(context, &text);
    }
    struct source *source = NULL;
    TRY(document_read(context->arena, context->operands[0].text, &source, context->diag));
    TRY(manual_expand(context->arena, source, &text, context->diag));
    return output_result(context, &text);
}

const struct command command_manual = {
    .name = "manual",
    .summary = "Put the generated sections into a man page's source",
    .operands = (const struct operand[]){
        {.name = "PAGE", .kind = OPERAND_FILE, .doc = "Source of the page, or the word 'examples'"},
        {.name = NULL},
    },
    .hidden = true,
    .run = run,
};
