/* parplan show KIND [NAME]: a document as parplan understands it. Without NAME, the shipped documents of that kind. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/data.h"
#include "cli/kinds.h"
#include "cli/output.h"
#include "cli/show.h"

static const struct {
    const char *kind;
    enum status (*show)(struct context *context, const struct word *word);
} views[] = {
    {"model", show_model},
    {"topology", show_topology},
    {"plan", show_plan},
};

static enum status list_shipped(struct context *context, const struct document_kind *kind) {
    const char *const *names = NULL;
    size_t count = data_list(context->arena, kind->folder, &names);
    if (count == 0) {
        enum status status = diag_error(context->diag, NO_MARK, "no %s is shipped", kind->name);
        diag_help(context->diag, "name a file: parplan show %s FILE", kind->name);
        return status;
    }
    struct text text;
    text_init(&text, context->arena);
    for (size_t i = 0; i < count; i++) {
        text_add_format(&text, "%s\n", names[i]);
    }
    return output_result(context, &text);
}

static enum status run(struct context *context) {
    const struct word *word = &context->operands[0];
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        if (text_equal(views[i].kind, word->text)) {
            return context->operand_count > 1 ? views[i].show(context, &context->operands[1])
                                              : list_shipped(context, document_kind_find(word->text));
        }
    }
    enum status status = diag_error(context->diag, word->mark, "cannot show '%s'", word->text);
    diag_help(context->diag, "one of model, topology, plan");
    return status;
}

#define AT(member) .offset = offsetof(struct show_options, member)
static const struct field own_fields[] = {
    {.key = "seq_len", .kind = FIELD_COUNT, AT(seq_len), .min = 1, .max = 1e8, .fallback = "4096",
     .doc = "Tokens a sequence, for a model's FLOPs"},
    FIELD_END,
};

const struct command command_show = {
    .name = "show",
    .summary = "Show a model, a topology or a plan as parplan understands it",
    .description =
        "A model: parameters in total and active per token, by kind of layer, and the FLOPs of a training token under "
        "three conventions. A topology: one node with its links, the tiers above, and all rates. A plan: the degrees, "
        "where each mesh axis lies, the layers of each stage, and what was expected.\n\n"
        "Without NAME, lists the shipped documents of the kind.",
    .operands = (const struct operand[]){
        {.name = "KIND", .kind = OPERAND_WORD, .words = (const char *const[]){"model", "topology", "plan", NULL},
         .doc = "model, topology or plan"},
        {.name = "NAME", .kind = OPERAND_DOCUMENT, .optional = true,
         .doc = "A file, or the name of a shipped document; a topology also in short form, such as 8xh100-sxm*64"},
        {.name = NULL},
    },
    .groups = (const struct option_group[]){
        {.title = "Options", .fields = own_fields},
        {.title = "Size of the topology", .fields = scale_fields, .offset = offsetof(struct show_options, scale)},
        {.title = NULL},
    },
    .size = sizeof(struct show_options),
    .examples = (const struct example[]){
        {"Parameters and FLOPs of a model", "parplan show model llama3-70b"},
        {"The same for a script, at another sequence length",
         "parplan show model deepseek-v3 --seq-len 32768 --format json"},
        {"A cluster of 64 nodes drawn", "parplan show topology h100-sxm --nodes 64"},
        {"All shipped topologies", "parplan show topology"},
        {.line = NULL},
    },
    .formats = HAS_JSON,
    .run = run,
};
