/* parplan search MODEL TOPOLOGY [JOB]: the best plans. */
#include <math.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/planning.h"
#include "cli/progress.h"
#include "cli/refine.h"
#include "cli/terminal.h"
#include "cli/view.h"
#include "cli/why_not.h"
#include "program/program.h"

struct search_options {
    struct scale scale;
    const char *why_not;
    int64_t refine;
};

/* A finished search and what was asked beside it. */
struct outcome {
    const struct planning *planning;
    struct search_result result;
    struct refinement refinement;
    struct why_not why_not;
};

static const struct estimate *best_of(const struct outcome *outcome) {
    return outcome->result.plans.count > 0 ? outcome->result.plans.items : NULL;
}

static void add_count(struct json *json, const char *key, int64_t value) {
    json_key(json, key);
    json_integer(json, value);
}

static void add_number(struct json *json, const char *key, double value) {
    json_key(json, key);
    json_number(json, value);
}

/* What the simulation says of a plan; null where it was not asked. */
static void add_refined(struct json *json, const struct refined *refined) {
    bool simulated = refined->step_time > 0;
    add_number(json, "simulated_step_time_s", simulated ? refined->step_time : (double)INFINITY);
    json_key(json, "simulated_detail");
    json_string(json, simulated ? detail_names[refined->detail] : NULL);
    add_number(json, "simulated_peak_bytes", simulated ? refined->peak : (double)INFINITY);
    add_count(json, "estimated_place", (int64_t)refined->before);
}

static void write_json(const struct outcome *outcome, struct text *text) {
    const struct search_result *result = &outcome->result;
    const struct estimate *plans = result->plans.items;
    struct json json;
    json_init(&json, text, false);
    json_open_object(&json);
    add_count(&json, "evaluated", result->evaluated);
    add_count(&json, "pruned_memory", result->pruned_memory);
    add_count(&json, "pruned_bound", result->pruned_bound);
    add_count(&json, "pruned_rule", result->pruned_rule);
    add_number(&json, "seconds", result->seconds);
    add_count(&json, "threads", result->threads);
    add_number(&json, "lower_bound_s", result->lower_bound);
    add_number(&json, "gap", result->gap);
    json_key(&json, "complete");
    json_bool(&json, result->complete);
    json_key(&json, "plans");
    json_open_array(&json);
    for (size_t i = 0; i < result->plans.count; i++) {
        json_open_object(&json);
        json_members(&json, estimate_fields, &plans[i]);
        if (outcome->refinement.plans) {
            add_refined(&json, &outcome->refinement.plans[i]);
        }
        json_close_object(&json);
    }
    json_close_array(&json);
    if (result->plans.count == 0 && result->has_nearest) {
        json_key(&json, "nearest");
        json_fields(&json, estimate_fields, &result->nearest);
    }
    if (outcome->why_not.question) {
        why_not_json(&outcome->why_not, &json);
    }
    json_close_object(&json);
    text_add_char(text, '\n');
}

static void add_effort(const struct search_result *result, struct text *text) {
    struct arena *arena = text->arena;
    text_add_format(text, "%s configurations priced, left out by memory %s, by bound %s, by rule %s; %s s on %lld %s\n",
                    view_amount(arena, (double)result->evaluated), view_amount(arena, (double)result->pruned_memory),
                    view_amount(arena, (double)result->pruned_bound), view_amount(arena, (double)result->pruned_rule),
                    text_fixed(arena, result->seconds, 2), (long long)result->threads,
                    result->threads == 1 ? "thread" : "threads");
}

static void add_best(const struct search_result *result, struct text *text) {
    const struct estimate *best = result->plans.items;
    struct arena *arena = text->arena;
    text_add_format(text, "\n%s: ", result->is_front ? "first of the front" : "best");
    view_summary(best, text);
    if (result->lower_bound > 0) {
        text_add_format(text, "\nno plan is faster than %s (gap %s%%)",
                        units_human(arena, result->lower_bound, UNIT_SECONDS, 4),
                        text_fixed(arena, 100 * result->gap, 1));
    }
    text_add_char(text, '\n');
}

static const double *simulated_steps(struct arena *arena, const struct outcome *outcome) {
    if (!outcome->refinement.plans) {
        return NULL;
    }
    double *steps = ARENA_ARRAY(arena, double, outcome->result.plans.count);
    for (size_t i = 0; i < outcome->result.plans.count; i++) {
        steps[i] = outcome->refinement.plans[i].step_time;
    }
    return steps;
}

static void write_text(const struct outcome *outcome, struct text *text) {
    const struct search_result *result = &outcome->result;
    view_heading(&outcome->planning->cost, text);
    add_effort(result, text);
    if (result->plans.count > 0) {
        text_add_char(text, '\n');
        view_table(&outcome->planning->cost, &result->plans, simulated_steps(text->arena, outcome), terminal_width(),
                   text);
        add_best(result, text);
        if (outcome->refinement.plans) {
            refine_text(&outcome->refinement, text);
        }
        view_detail(result->plans.items, text);
    }
    if (outcome->why_not.question) {
        why_not_text(&outcome->why_not, best_of(outcome), text);
    }
}

/* Says why nothing was found and what would change that. */
static void explain_failure(struct context *context, const struct outcome *outcome,
                            const struct search_control *control) {
    (void)diag_error(context->diag, NO_MARK, "%s", why_nothing(context->arena, &outcome->result));
    struct list found = search_relaxations(context->arena, &outcome->planning->cost, control);
    const struct relaxation *relaxations = found.items;
    struct text text;
    text_init(&text, context->arena);
    for (size_t i = 0; i < found.count; i++) {
        text_add_format(&text, "%s%s (%s a step)", i ? ", " : "it would fit with ", relaxations[i].text,
                        units_human(context->arena, relaxations[i].estimate.step_time, UNIT_SECONDS, 3));
    }
    const struct search_result *result = &outcome->result;
    if (result->has_nearest && result->nearest.memory.peak <= result->nearest.memory.limit) {
        diag_help(context->diag, "it fits into memory: a longer --max-step-time or more devices would do");
    } else if (found.count > 0) {
        diag_help(context->diag, "%s", text.data);
    } else {
        diag_help(context->diag, "more devices (--nodes) or a smaller --seq-len might; no single option does");
    }
}

static enum status print(struct context *context, const struct outcome *outcome) {
    struct text text;
    text_init(&text, context->arena);
    switch ((enum format)context->globals.format) {
    case FORMAT_JSON:
        write_json(outcome, &text);
        break;
    case FORMAT_CSV:
        view_csv(&outcome->result.plans, &text);
        break;
    case FORMAT_TABLE:
        write_text(outcome, &text);
        break;
    }
    return output_print(context, &text);
}

static enum status save(struct context *context, const struct outcome *outcome) {
    const struct search_result *result = &outcome->result;
    const struct estimate *best = best_of(outcome);
    if (!best || !context->globals.output) {
        return OK;
    }
    const struct plan *plan = planning_plan(context, outcome->planning, best, result->lower_bound, result->gap);
    return planning_save(context, plan, context->globals.output);
}

/* Writes the best plan, prints (the plan is safe before a closed pipe can end the program), and turns what happened
 * into an exit status. */
static enum status finish(struct context *context, const struct outcome *outcome,
                          const struct search_control *control) {
    const struct search_result *result = &outcome->result;
    const struct estimate *best = best_of(outcome);
    enum status saved = save(context, outcome);
    if (!best || !text_equal(context->globals.output, "-")) { /* a plan on standard output stands there alone */
        TRY(print(context, outcome));
    }
    TRY(saved);
    if (*control->stop) {
        diag_warning(context->diag, NO_MARK, "interrupted: %s", best ? "these are the best plans so far"
                                                                     : "no plan was found so far");
        return STATUS_INTERRUPTED;
    }
    if (!best && !result->complete) {
        (void)diag_error(context->diag, NO_MARK, "the time was up before any plan was found");
        return STATUS_INFEASIBLE;
    }
    if (!best) {
        explain_failure(context, outcome, control);
        return STATUS_INFEASIBLE;
    }
    if (!result->complete) {
        diag_warning(context->diag, NO_MARK, "the time was up: these are the best plans so far, the gap holds");
    }
    return OK;
}

/* What is to be refined is searched for, also where less is shown. */
static enum status search(struct context *context, const struct planning *planning,
                          const struct search_control *control, struct outcome *outcome) {
    const struct search_options *options = context->options;
    int64_t top = planning->job->top;
    planning->job->top = options->refine > top ? options->refine : top;
    enum status status = search_run(context->arena, &planning->cost, control, &outcome->result, context->diag);
    planning->job->top = top;
    if (options->refine > 0 && outcome->result.plans.count > 0) {
        refine(context, planning, options->refine, top, control, &outcome->result, &outcome->refinement);
    }
    return status;
}

static enum status run(struct context *context) {
    const struct search_options *options = context->options;
    struct planning planning;
    TRY(planning_load(context, &options->scale, &planning));
    struct outcome outcome = {.planning = &planning};
    if (options->why_not) {
        struct word question = {options->why_not, options_mark(context, "why-not")};
        TRY(why_not_read(context, &planning, &question, &outcome.why_not));
    }
    struct progress progress;
    progress_init(&progress, context->globals.quiet);
    struct search_control control = {
        .stop = progress_catch(), .clock = progress_clock, .progress = progress_show, .context = &progress};
    enum status status = search(context, &planning, &control, &outcome);
    progress_clear(&progress);
    if (status != OK && status != STATUS_INFEASIBLE && status != STATUS_INTERRUPTED) {
        return status;
    }
    if (outcome.why_not.question) {
        TRY(why_not_ask(context, &planning, &control, &outcome.why_not));
    }
    return finish(context, &outcome, &control);
}

#define AT(member) .offset = offsetof(struct search_options, member)
static const struct field own_fields[] = {
    {.key = "refine", .kind = FIELD_COUNT, AT(refine), .fallback = "0", .max = 1000,
     .doc = "Simulate the best N plans and put them in that order"},
    {.key = "why_not", .kind = FIELD_TEXT, AT(why_not), .value_name = "AXIS=VALUE,...",
     .doc = "Say what is wrong with a part of the space, such as tp=4,pp=2"},
    FIELD_END,
};
#undef AT

const struct command command_search = {
    .name = "search",
    .summary = "Find the best way to train a model on a cluster",
    .description =
        "Searches all combinations of parallelism, schedule, recomputation and placement that the job allows, and "
        "prints the best. The result is the optimum of the space under the cost model: what is left out is proven no "
        "better. With -o, the best plan is also written as a document.\n\n"
        "Every axis of the space is an option: a value, a list (1,2,4), a range (1..16) or auto. --pareto prints the "
        "plans that no other beats in all the named objectives. --time and Ctrl-C end the search with the best so far. "
        "--refine simulates the best plans and puts them in that order: -o then writes the best by simulation. "
        "When nothing fits, the exit status is 3 and the nearest configuration, its largest part and what would help "
        "are named.",
    .operands = planning_operands,
    .groups = (const struct option_group[]){
        {.title = "Options", .fields = own_fields},
        {.title = "Size of the topology", .fields = scale_fields, .offset = offsetof(struct search_options, scale)},
        {.title = "Job", .fields = job_fields, .document = true},
        {.title = NULL},
    },
    .size = sizeof(struct search_options),
    .examples = (const struct example[]){
        {"The best way to train Llama-3-70B on 512 H100s, also as a plan",
         "parplan search llama3-70b h100-sxm --gpus 512 --global-batch 1024 --seq-len 8192 -o plan.yaml"},
        {"Why not less tensor parallelism",
         "parplan search llama3-70b h100-sxm --gpus 512 --seq-len 8192 --why-not tp=1"},
        {"Time against memory, for a script",
         "parplan search llama3-8b 8xh100-sxm*2 --seq-len 8192 --pareto time,memory --format csv"},
        {.line = NULL},
    },
    .formats = HAS_JSON | HAS_CSV,
    .run = run,
};
