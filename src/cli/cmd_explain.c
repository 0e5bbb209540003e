/* parplan explain PLAN: where a plan's step and memory go, what binds them, what would help. */
#include "base/arena.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/neighbours.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/simulated.h"
#include "cli/terminal.h"
#include "cli/whatif.h"
#include "cli/why_not.h"

struct cmd_options {
    struct simulating_options how;
    const char *why_not;
};

/* What is explained. */
struct explanation {
    struct simulating simulating;
    struct simulate_options how;
    struct simulation simulation;
    struct whatif_answer answers[WHATIFS_MOST];
    size_t answer_count;
    struct neighbour neighbours[NEIGHBOURS_MOST];
    size_t neighbour_count;
    struct why_not why_not;
};

static void sort_parts(struct view_part *parts, size_t count) {
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 0 && parts[j].value > parts[j - 1].value; j--) {
            struct view_part moved = parts[j];
            parts[j] = parts[j - 1];
            parts[j - 1] = moved;
        }
    }
}

static const char *binding(const struct explanation *e) {
    const char *resource = whatif_binding(e->answers, e->answer_count);
    return resource ? resource : "nothing that a better machine would have more of";
}

static void add_answers(const struct explanation *e, struct text *out) {
    struct table table;
    table_init(&table, out->arena);
    table_column(&table, "what if", true, 0);
    table_column(&table, "step", false, 0);
    table_column(&table, "saves", false, 0);
    table_column(&table, "", false, 0);
    for (size_t i = 0; i < e->answer_count; i++) {
        const struct whatif_answer *answer = &e->answers[i];
        double saved = e->simulation.step_time - answer->step_time;
        size_t row = table_row(&table);
        table_set(&table, row, 0, "%s", answer->what->doc);
        table_set(&table, row, 1, "%s", units_human(out->arena, answer->step_time, UNIT_SECONDS, 4));
        table_set(&table, row, 2, "%s ms", text_fixed(out->arena, 1e3 * saved, 1));
        table_set(&table, row, 3, "%s%%", text_fixed(out->arena, 100 * answer->saved, 2));
    }
    text_add_format(out, "\nit is bound by %s\n", binding(e));
    table_render(&table, terminal_width(), out);
}

static void write_text(const struct explanation *e, struct text *out) {
    struct view_part time[VIEW_TIME_PARTS], memory[VIEW_MEMORY_PARTS], path[SIMULATED_PATH];
    struct memory_report report = simulated_memory(&e->simulating, &e->simulation);
    view_heading(&e->simulating.planning.cost, out);
    text_add_format(out, "%s\n", view_decision(out->arena, &e->simulating.plan->decision));
    view_time_parts(&e->simulation.parts, time);
    sort_parts(time, VIEW_TIME_PARTS);
    view_parts("step", time, VIEW_TIME_PARTS, e->simulation.step_time, UNIT_SECONDS, out);
    size_t count = simulated_path(out->arena, &e->simulation, path);
    view_parts("critical path", path, count, (double)e->simulation.result.end * 1e-12, UNIT_SECONDS, out);
    view_memory_parts(&report.parts, memory);
    sort_parts(memory, VIEW_MEMORY_PARTS);
    view_parts(arena_format(out->arena, "memory of rank %lld", (long long)report.rank), memory, VIEW_MEMORY_PARTS,
               report.peak, UNIT_BYTES, out);
    text_add_format(out, "of %s that may be filled, %s%%\n", units_human(out->arena, report.limit, UNIT_BYTES, 4),
                    text_fixed(out->arena, 100 * report.peak / report.limit, 1));
    add_answers(e, out);
    neighbours_text(e->neighbours, e->neighbour_count, e->simulation.step_time, report.peak <= report.limit, out);
    if (e->why_not.question) {
        const struct estimate *closed = &e->simulating.estimate;
        why_not_text(&e->why_not, closed->step_time > 0 ? closed : NULL, out);
    }
}

static void add_json_answers(const struct explanation *e, struct json *json) {
    json_key(json, "what_if");
    json_open_array(json);
    for (size_t i = 0; i < e->answer_count; i++) {
        json_open_object(json);
        json_key(json, "change");
        json_string(json, e->answers[i].what->key);
        json_key(json, "what");
        json_string(json, e->answers[i].what->doc);
        json_key(json, "step_time_s");
        json_number(json, e->answers[i].step_time);
        json_key(json, "saved");
        json_number(json, e->answers[i].saved);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_json(const struct explanation *e, struct text *out) {
    struct memory_report memory = simulated_memory(&e->simulating, &e->simulation);
    struct json json;
    json_init(&json, out, false);
    json_open_object(&json);
    json_key(&json, "step_time_s");
    json_number(&json, e->simulation.step_time);
    json_key(&json, "bubble_fraction");
    json_number(&json, e->simulation.bubble);
    json_key(&json, "time");
    json_fields(&json, field_find(estimate_fields, "time")->fields, &e->simulation.parts);
    json_key(&json, "memory");
    json_fields(&json, field_find(estimate_fields, "memory")->fields, &memory);
    simulated_path_json(&e->simulation, &json);
    json_key(&json, "bound_by");
    json_string(&json, binding(e));
    add_json_answers(e, &json);
    neighbours_json(e->neighbours, e->neighbour_count, &json);
    if (e->why_not.question) {
        why_not_json(&e->why_not, &json);
    }
    json_close_object(&json);
    text_add_char(out, '\n');
}

static enum status ask_why_not(struct context *context, const char *question, struct explanation *e) {
    struct word word = {question, options_mark(context, "why-not")};
    struct progress progress;
    progress_init(&progress, context->globals.quiet);
    TRY(why_not_read(context, &e->simulating.planning, &word, &e->why_not));
    struct search_control control = {
        .stop = progress_catch(), .clock = progress_clock, .progress = progress_show, .context = &progress};
    enum status status = why_not_ask(context, &e->simulating.planning, &control, &e->why_not);
    progress_clear(&progress);
    return status;
}

static enum status run(struct context *context) {
    const struct cmd_options *options = context->options;
    struct explanation *e = ARENA_NEW(context->arena, struct explanation);
    TRY(simulating_load(context, &context->operands[0], &e->simulating));
    TRY(simulating_choose(context, &e->simulating, &options->how, &e->how));
    TRY(simulating_run(context, &e->simulating, &e->how, &e->simulation));
    TRY(whatif_ask(context, &e->simulating, &e->how, e->simulation.step_time, e->answers, &e->answer_count));
    neighbours_ask(context, &e->simulating, &e->how, e->neighbours, &e->neighbour_count);
    if (options->why_not) {
        TRY(ask_why_not(context, options->why_not, e));
    }
    struct text text;
    text_init(&text, context->arena);
    if (context->globals.format == FORMAT_JSON) {
        write_json(e, &text);
    } else {
        write_text(e, &text);
    }
    return output_result(context, &text);
}

static const struct field own_fields[] = {
    {.key = "why_not", .kind = FIELD_TEXT, .offset = offsetof(struct cmd_options, why_not),
     .value_name = "AXIS=VALUE,...", .doc = "Say what is wrong with another plan for the same job, such as tp=4,pp=2"},
    FIELD_END,
};

const struct command command_explain = {
    .name = "explain",
    .summary = "Say where a plan's time and memory go, what binds, what would help",
    .description =
        "Simulates the plan's step and sorts what it consists of: its time as the busiest rank sees it, the critical "
        "path through all ranks, the memory of the fullest. Then the step is simulated again on machines that are "
        "better in one thing each, and the savings are compared: what helps most for its size is what binds. Last, the "
        "plan itself is changed in one choice at a time: recomputation, micro-batch, schedule, sharding.\n\n"
        "With --why-not, a part of the space is searched for the plan's own job, and its best compared with the plan.",
    .operands = simulating_operands,
    .groups = (const struct option_group[]){
        {.title = "Simulation", .fields = simulating_fields, .offset = offsetof(struct cmd_options, how)},
        {.title = "Questions", .fields = own_fields},
        {.title = NULL},
    },
    .size = sizeof(struct cmd_options),
    .examples = (const struct example[]){
        {"What a plan's step waits for, and what would make it faster", "parplan explain plan.yaml"},
        {"Why it has so much tensor parallelism", "parplan explain plan.yaml --why-not tp=1"},
        {"Which upgrade pays most, for a script", "parplan explain plan.yaml --format json"},
        {.line = NULL},
    },
    .formats = HAS_JSON,
    .run = run,
};
