/* parplan estimate MODEL TOPOLOGY [JOB]: the price of exactly one configuration. */
#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/planning.h"
#include "cli/single.h"
#include "cli/terminal.h"
#include "cli/view.h"

struct estimate_options {
    struct scale scale;
};

static void write_text(const struct planning *planning, const struct estimate *estimate, struct text *text) {
    struct list one = {(struct estimate *)(uintptr_t)estimate, 1};
    view_heading(&planning->cost, text);
    if (estimate->step_time > 0) {
        text_add_char(text, '\n');
        view_table(&planning->cost, &one, NULL, terminal_width(), text);
        text_add_char(text, '\n');
        view_summary(estimate, text);
        text_add_char(text, '\n');
        view_detail(estimate, text);
    } else {
        text_add_format(text, "%s\n", view_decision(text->arena, &estimate->decision));
    }
    for (size_t i = 0; i < estimate->reasons.count; i++) {
        text_add_format(text, "%sinfeasible: %s\n", i ? "" : "\n", ((const char *const *)estimate->reasons.items)[i]);
    }
}

static enum status run(struct context *context) {
    const struct estimate_options *options = context->options;
    struct planning planning;
    struct decision decision;
    TRY(planning_load(context, &options->scale, &planning));
    TRY(single_decision(context, &planning.cost, &decision));
    struct estimate estimate = cost_estimate(context->arena, &planning.cost, &decision, NULL);
    struct text text;
    text_init(&text, context->arena);
    if (context->globals.format == FORMAT_JSON) {
        struct json json;
        json_init(&json, &text, false);
        json_fields(&json, estimate_fields, &estimate);
        text_add_char(&text, '\n');
    } else if (context->globals.format == FORMAT_CSV) {
        view_csv(&(struct list){&estimate, 1}, &text);
    } else {
        write_text(&planning, &estimate, &text);
    }
    if (!context->globals.output || !estimate.feasible) {
        TRY(output_print(context, &text));
        return estimate.feasible ? OK : STATUS_INFEASIBLE;
    }
    enum status saved =
        planning_save(context, planning_plan(context, &planning, &estimate, 0, 0), context->globals.output);
    if (!text_equal(context->globals.output, "-")) { /* a plan on standard output stands there alone */
        TRY(output_print(context, &text));
    }
    return saved;
}

const struct command command_estimate = {
    .name = "estimate",
    .summary = "Price exactly one configuration",
    .description =
        "Prices the configuration that the options and the job fix: time of a step by what it is spent on, memory of "
        "the rank that peaks by what it holds. What is left open takes the usual value of training frameworks: degree "
        "1 (dp fills the devices), micro-batches of one sequence, sequence parallelism wherever tp is above 1, ZeRO 1, "
        "1f1b (interleaved with several chunks), no recomputation. With -o, also writes a plan.\n\n"
        "Exit status 3 when the configuration breaks a rule or does not fit into memory; the reasons say which and by "
        "how much.",
    .operands = planning_operands,
    .groups = (const struct option_group[]){
        {.title = "Size of the topology", .fields = scale_fields, .offset = offsetof(struct estimate_options, scale)},
        {.title = "Job", .fields = job_fields, .document = true},
        {.title = NULL},
    },
    .size = sizeof(struct estimate_options),
    .examples = (const struct example[]){
        {"Llama-3-70B on 512 H100s, as trained with tensor and pipeline parallelism",
         "parplan estimate llama3-70b h100-sxm --gpus 512 --global-batch 1024 --seq-len 8192 --tp 8 --pp 4"},
        {"The same, with its memory at another micro-batch size, for a script",
         "parplan estimate llama3-70b h100-sxm --gpus 512 --seq-len 8192 --tp 8 --pp 4 --micro-batch 2 --format json"},
        {.line = NULL},
    },
    .formats = HAS_JSON | HAS_CSV,
    .run = run,
};
