/* parplan schema KIND: the JSON Schema of a document kind. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/kinds.h"
#include "cli/output.h"
#include "cli/schema.h"

static enum status run(struct context *context) {
    const struct word *word = &context->operands[0];
    const struct document_kind *kind = document_kind_find(word->text);
    if (!kind) {
        enum status status = diag_error(context->diag, word->mark, "no document kind '%s'", word->text);
        diag_help(context->diag, "one of model, topology, job, plan");
        return status;
    }
    struct text text;
    text_init(&text, context->arena);
    schema_write(kind, &text);
    return output_result(context, &text);
}

const struct command command_schema = {
    .name = "schema",
    .summary = "Print the JSON Schema of a document kind",
    .description = "Prints a JSON Schema (draft-07) that editors use to complete and check documents. A document that "
                   "extends another need not have the required keys itself.",
    .operands = (const struct operand[]){
        {.name = "KIND", .kind = OPERAND_WORD, .words = document_kind_names,
         .doc = "model, topology, job, plan or scenario"},
        {.name = NULL},
    },
    .examples = (const struct example[]){
        {"Let an editor check models", "parplan schema model -o parplan-model.json"},
        {.line = NULL},
    },
    .formats = HAS_JSON,
    .run = run,
};
