/* parplan show KIND [NAME]: a document as parplan understands it. Without NAME, the shipped documents of that kind. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/data.h"
#include "cli/kinds.h"
#include "cli/output.h"
#include "cli/show.h"

static enum status list_shipped(struct context *context, const char *folder_of) {
    const struct document_kind *kind = document_kind_find(folder_of);
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

static enum status list_models(struct context *context) {
    return list_shipped(context, "model");
}

static enum status list_topologies(struct context *context) {
    return list_shipped(context, "topology");
}

static enum status list_plans(struct context *context) {
    return list_shipped(context, "plan");
}

/* To add a view: its row here, its word in the command's operand. */
static const struct {
    const char *kind;
    enum status (*show)(struct context *context, const struct word *word);
    enum status (*list)(struct context *context); /* without a name */
} views[] = {
    {"model", show_model, list_models},
    {"topology", show_topology, list_topologies},
    {"plan", show_plan, list_plans},
    {"schedule", show_schedule, show_schedules},
    {"program", show_program, list_plans},
};

static const char *const view_words[] = {"model", "topology", "plan", "schedule", "program", NULL};

static enum status run(struct context *context) {
    const struct word *word = &context->operands[0];
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        if (text_equal(views[i].kind, word->text)) {
            return context->operand_count > 1 ? views[i].show(context, &context->operands[1])
                                              : views[i].list(context);
        }
    }
    enum status status = diag_error(context->diag, word->mark, "cannot show '%s'", word->text);
    diag_help(context->diag, "one of model, topology, plan, schedule, program");
    return status;
}

#define AT(member) .offset = offsetof(struct show_options, member)
static const struct field own_fields[] = {
    {.key = "seq_len", .kind = FIELD_COUNT, AT(seq_len), .min = 1, .max = 1e8, .fallback = "4096",
     .doc = "Tokens a sequence, for a model's FLOPs"},
    FIELD_END,
};

static const struct field schedule_options[] = {
    {.key = "pp", .kind = FIELD_COUNT, AT(pp), .min = 0, .max = 1024, .doc = "Ranks of the pipeline; 0 = 4"},
    {.key = "micro_batches", .kind = FIELD_COUNT, AT(micro_batches), .min = 1, .max = 1e6, .fallback = "8",
     .doc = "Micro-batches, of both ways together where they enter at both ends"},
    {.key = "chunks", .kind = FIELD_COUNT, AT(chunks), .min = 0, .max = 1024,
     .doc = "Chunks of the model a rank holds; 0 = what the schedule demands, or 2"},
    {.key = "pass_times", .kind = FIELD_NUMBERS, AT(pass_times), .value_name = "F,B,W[,FB]",
     .doc = "Time of a chunk's forward, input gradient, weight gradient and of an overlapped pair, in any one unit"},
    {.key = "p2p", .kind = FIELD_NUMBER, AT(p2p), .min = 0, .max = 1e9, .value_name = "C",
     .doc = "Time of a message between ranks, in the same unit"},
    {.key = "shard_times", .kind = FIELD_NUMBERS, AT(shard_times), .value_name = "S,T,C",
     .doc = "Time of a rank's two passes over its part of the vocabulary and of an all-reduce between them"},
    {.key = "group", .kind = FIELD_COUNT, AT(group), .min = 0, .max = 1e6,
     .doc = "Micro-batches that pass a chunk before the next chunk's turn (interleaved); 0 = as many as ranks"},
    {.key = "cap", .kind = FIELD_COUNT, AT(cap), .min = 0, .max = 1e6,
     .doc = "Chunk activations a rank may hold (zero-bubble); 0 = as the schedule rules"},
    {.key = "skip", .kind = FIELD_COUNT, AT(skip), .min = 0, .max = 1024,
     .doc = "Stages each micro-batch leaves out (skippipe); 0 = a quarter"},
    FIELD_END,
};

static const char *const detail_choices[] = {"pass", "layer", "op", NULL};

static const struct field program_options[] = {
    {.key = "detail", .kind = FIELD_CHOICE, AT(detail), .fallback = "layer", .choices = detail_choices,
     .doc = "What is one instruction: a pass of a chunk, a layer, or a kernel"},
    {.key = "role", .kind = FIELD_COUNT, AT(role), .min = -1, .max = 1023, .fallback = "-1",
     .doc = "Instructions of this pipeline rank alone; -1 = of all"},
    FIELD_END,
};
#undef AT

const struct command command_show = {
    .name = "show",
    .summary = "Show a model, a topology, a plan, a schedule or a program as parplan understands it",
    .description =
        "A model: parameters in total and active per token, by kind of layer, and the FLOPs of a training token under "
        "three conventions. A topology: one node with its links, the tiers above, and all rates. A plan: the degrees, "
        "where each mesh axis lies, the layers of each stage, and what was expected. A schedule: its passes in time, "
        "rank by rank, as a chart, a picture (-o FILE.svg) or numbers (--format json); NAME is a schedule's, or a file "
        "with an order of passes of your own, a line a rank: F0.0 F0.1 BW0.0 BW0.1 (forward of stage 0 and micro-batch "
        "0 ...; B and W for split backwards, F0.1&B1.0 for an overlapped pair, ' for the second direction). A program: "
        "what "
        "every rank of a plan does, instruction by instruction, as parplan simulates and runs it.\n\n"
        "Without NAME, lists the shipped documents of the kind, or all schedules.",
    .operands = (const struct operand[]){
        {.name = "KIND", .kind = OPERAND_WORD, .words = view_words,
         .doc = "model, topology, plan, schedule or program"},
        {.name = "NAME", .kind = OPERAND_DOCUMENT, .optional = true,
         .doc = "A file, or the name of a shipped document; a topology also in short form, such as 8xh100-sxm*64; "
                "or of a schedule; of a program its plan"},
        {.name = NULL},
    },
    .groups = (const struct option_group[]){
        {.title = "Options", .fields = own_fields},
        {.title = "Pipeline of a schedule", .fields = schedule_options},
        {.title = "Program of a plan", .fields = program_options},
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
        {"A schedule drawn", "parplan show schedule zb-h1 --pp 4 --micro-batches 8"},
        {"What the second pipeline rank of a plan does", "parplan show program plan.yaml --detail pass --role 1"},
        {.line = NULL},
    },
    .formats = HAS_JSON,
    .run = run,
};
