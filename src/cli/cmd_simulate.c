/* parplan simulate PLAN: the step of a plan, event by event. */
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/pictures.h"
#include "cli/terminal.h"
#include "sim/to_timeline.h"

struct cmd_options {
    struct simulating_options how;
    const char *ranks;
};

static bool wants_chart(const struct context *context) {
    return context->globals.format == FORMAT_TABLE && isatty(STDOUT_FILENO);
}

static enum status print(struct context *context, const struct simulating *simulating,
                         const struct simulate_options *how, const struct simulation *simulation,
                         const struct timeline *timeline) {
    struct text text;
    text_init(&text, context->arena);
    switch ((enum format)context->globals.format) {
    case FORMAT_JSON:
        simulated_json(simulating, how, simulation, &text);
        break;
    case FORMAT_CSV:
        simulated_csv(simulation, &text);
        break;
    case FORMAT_TABLE:
        simulated_text(simulating, how, simulation, terminal_width(), &text);
        break;
    }
    if (wants_chart(context)) {
        text_add_char(&text, '\n');
        pictures_chart(context, timeline, &text);
    }
    return output_print(context, &text);
}

static void warn_memory(struct context *context, const struct simulating *simulating,
                        const struct simulation *simulation) {
    struct memory_report memory = simulated_memory(simulating, simulation);
    if (memory.peak > memory.limit) {
        diag_warning(context->diag, NO_MARK, "it does not fit: rank %lld needs %s of %s", (long long)memory.rank,
                     units_human(context->arena, memory.peak, UNIT_BYTES, 4),
                     units_human(context->arena, memory.limit, UNIT_BYTES, 4));
    }
}

static enum status run(struct context *context) {
    const struct cmd_options *options = context->options;
    const char *path = context->globals.output;
    struct simulating simulating;
    struct simulate_options how;
    struct list ranks = {NULL, 0};
    struct simulation *simulation = ARENA_NEW(context->arena, struct simulation);
    if (path) {
        TRY(pictures_check(context, path));
    }
    TRY(simulating_load(context, &context->operands[0], &simulating));
    TRY(simulating_choose(context, &simulating, &options->how, &how));
    if (options->ranks) {
        struct word word = {options->ranks, options_mark(context, "ranks")};
        TRY(pictures_ranks(context, &word, simulating.plan->devices, &ranks));
    }
    TRY(simulating_run(context, &simulating, &how, simulation));
    struct timeline timeline = {.title = NULL};
    enum status saved = OK;
    if (path || wants_chart(context)) {
        simulation_timeline(context->arena, &simulating.planning.cost, simulating.plan, simulation, &ranks, &timeline);
    }
    if (path) {
        saved = pictures_save(context, &simulating, simulation, &timeline, path);
    }
    TRY(print(context, &simulating, &how, simulation, &timeline));
    warn_memory(context, &simulating, simulation);
    return saved;
}

static const struct field own_fields[] = {
    {.key = "ranks", .kind = FIELD_TEXT, .offset = offsetof(struct cmd_options, ranks), .value_name = "LIST",
     .doc = "Ranks that the file of -o and the chart show, such as 0-7,12; otherwise one of each that behave alike"},
    FIELD_END,
};

const struct command command_simulate = {
    .name = "simulate",
    .summary = "Play a plan's training step event by event",
    .description =
        "Lowers the plan to the program that every rank runs, plays it exactly and tells what a step takes, where its "
        "time goes, how busy every stream is, what memory every rank needs, and what the critical path consists of. "
        "Ranks that do the same are played once. The same plan gives the same result on every machine.\n\n"
        "With -o the step is also written as a file to look at, by its ending: .json or .json.gz is a Chrome trace "
        "(ui.perfetto.dev), .html a report by itself, .svg a picture, .txt a chart. A scenario "
        "(parplan-scenario(5)) slows ranks and links, adds jitter and pauses or lets ranks fail; with --seeds it is "
        "drawn several times.\n\n"
        "Exit status 2 when the plan makes no sense, with the place and the reason; 1 when a scenario brings the step "
        "to a stand.",
    .operands = simulating_operands,
    .groups = (const struct option_group[]){
        {.title = "Simulation", .fields = simulating_fields, .offset = offsetof(struct cmd_options, how)},
        {.title = "Output", .fields = own_fields},
        {.title = NULL},
    },
    .size = sizeof(struct cmd_options),
    .examples = (const struct example[]){
        {"The step of a plan, and a report of it to look at in a browser",
         "parplan simulate plan.yaml -o report.html"},
        {"A trace of the first pipeline's ranks, kernel by kernel",
         "parplan simulate plan.yaml --detail op --ranks 0,8 -o trace.json.gz"},
        {"What one slow rank costs, for a script",
         "parplan simulate plan.yaml --scenario slow.yaml --seeds 20 --format json"},
        {.line = NULL},
    },
    .formats = HAS_JSON | HAS_CSV,
    .run = run,
};
