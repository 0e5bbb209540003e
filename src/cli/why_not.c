#include "cli/why_not.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/options.h"
#include "cli/view.h"
#include "plan/job.h"

/* Applies "axis=value" to the space; the value may be all that the flag accepts. */
static void apply(struct context *context, const struct word *question, const char *pair, size_t size,
                  struct space *space) {
    struct mark mark = question->mark;
    mark.column += (unsigned)(pair - question->text);
    mark.length = (unsigned)size;
    const char *equals = memchr(pair, '=', size);
    const struct field *axes = field_find(job_fields, "search")->fields;
    char *key = arena_copy(context->arena, pair, equals ? (size_t)(equals - pair) : size);
    for (char *at = key; *at; at++) {
        *at = *at == '-' ? '_' : *at;
    }
    const struct field *axis = field_find(axes, key);
    const char *reason = NULL;
    if (!equals || !axis) {
        (void)diag_error(context->diag, mark, "'%s' is no axis of the space", key);
        diag_help(context->diag, "such as tp=4,pp=2 or recompute=none");
        return;
    }
    const char *value = arena_copy(context->arena, equals + 1, size - (size_t)(equals + 1 - pair));
    if (!field_parse(context->arena, axis, value, space, &reason)) {
        (void)diag_error(context->diag, mark, "%s: %s", key, reason);
    }
}

enum status why_not_read(struct context *context, const struct planning *planning, const struct word *question,
                         struct why_not *ret) {
    struct job *job = ARENA_NEW(context->arena, struct job);
    *job = *planning->job;
    job->top = 1;
    job->pareto = (struct list){NULL, 0};
    for (const char *at = question->text; *at;) {
        size_t size = strcspn(at, ",");
        apply(context, question, at, size, &job->space);
        at += size + (at[size] == ',');
    }
    *ret = (struct why_not){.question = question->text, .job = job};
    return diag_status(context->diag);
}

enum status why_not_ask(struct context *context, const struct planning *planning, const struct search_control *control,
                        struct why_not *answer) {
    struct cost_context cost = cost_context_make(planning->model, planning->topology, answer->job);
    enum status status = search_run(context->arena, &cost, control, &answer->result, context->diag);
    answer->feasible = answer->result.plans.count > 0;
    return status == STATUS_INFEASIBLE || status == STATUS_INTERRUPTED ? OK : status;
}

/* The largest part and what it takes, of an estimate that does not fit. */
static struct view_part largest_part(const struct estimate *estimate) {
    struct view_part parts[VIEW_MEMORY_PARTS];
    view_memory_parts(&estimate->memory.parts, parts);
    size_t largest = 0;
    for (size_t i = 1; i < VIEW_MEMORY_PARTS; i++) {
        largest = parts[i].value > parts[largest].value ? i : largest;
    }
    return parts[largest];
}

const char *why_nothing(struct arena *arena, const struct search_result *result) {
    if (!result->complete) {
        return "not known: the search was ended before it found anything";
    }
    if (result->has_nearest) {
        const struct estimate *nearest = &result->nearest;
        if (nearest->memory.peak <= nearest->memory.limit) {
            return arena_format(arena, "no plan is fast enough: the fastest (%s) takes %s a step",
                                view_decision(arena, &nearest->decision),
                                units_human(arena, nearest->step_time, UNIT_SECONDS, 4));
        }
        struct view_part part = largest_part(nearest);
        double excess = nearest->memory.peak - nearest->memory.limit;
        return arena_format(arena,
                            "nothing fits into memory: the nearest (%s) needs %s of %s on rank %lld, %s MiB too much; "
                            "its largest part is %s with %s",
                            view_decision(arena, &nearest->decision),
                            units_human(arena, nearest->memory.peak, UNIT_BYTES, 3),
                            units_human(arena, nearest->memory.limit, UNIT_BYTES, 3), (long long)nearest->memory.rank,
                            text_fixed(arena, excess / 1048576, 0), part.name,
                            units_human(arena, part.value, UNIT_BYTES, 3));
    }
    if (result->refusals.count > 0) {
        const struct search_refusal *first = result->refusals.items;
        return arena_format(arena, "no configuration is legal; the rule that refused most is %s: %s", first->rule,
                            first->doc);
    }
    return "the space is empty: no choice of tp, pp, cp and dp multiplies to the devices, or no schedule goes with pp";
}

/* Where the slower one loses, largest loss first; at most three parts. */
static void add_losses(const struct estimate *slow, const struct estimate *best, struct text *out) {
    struct view_part loss[VIEW_TIME_PARTS], fast[VIEW_TIME_PARTS];
    view_time_parts(&slow->time, loss);
    view_time_parts(&best->time, fast);
    for (size_t i = 0; i < VIEW_TIME_PARTS; i++) {
        loss[i].value -= fast[i].value;
    }
    for (int shown = 0; shown < 3; shown++) {
        size_t largest = 0;
        for (size_t i = 1; i < VIEW_TIME_PARTS; i++) {
            largest = loss[i].value > loss[largest].value ? i : largest;
        }
        if (loss[largest].value <= 0.001 * slow->step_time) {
            return;
        }
        text_add_format(out, "%s%s +%s ms", shown ? ", " : ": ", loss[largest].name,
                        text_fixed(out->arena, 1e3 * loss[largest].value, 1));
        loss[largest].value = 0;
    }
}

void why_not_text(const struct why_not *answer, const struct estimate *best, struct text *out) {
    struct arena *arena = out->arena;
    text_add_format(out, "\nwhy not %s: ", answer->question);
    if (!answer->feasible) {
        text_add_format(out, "%s\n", why_nothing(arena, &answer->result));
        return;
    }
    const struct estimate *other = answer->result.plans.items;
    if (!best) {
        text_add_format(out, "it fits: %s\n", view_decision(arena, &other->decision));
        return;
    }
    double slower = other->step_time - best->step_time;
    if (slower <= 0) {
        text_add_format(out, "nothing against it, its best takes %s a step (%s)\n",
                        units_human(arena, other->step_time, UNIT_SECONDS, 4),
                        view_decision(arena, &other->decision));
        return;
    }
    text_add_format(out, "slower by %s ms (%s%%)", text_fixed(arena, 1e3 * slower, 1),
                    text_fixed(arena, 100 * slower / best->step_time, 1));
    add_losses(other, best, out);
    text_add_format(out, "\n  at its best: %s, %s a step, %s\n", view_decision(arena, &other->decision),
                    units_human(arena, other->step_time, UNIT_SECONDS, 4),
                    units_human(arena, other->memory.peak, UNIT_BYTES, 3));
}

void why_not_json(const struct why_not *answer, struct json *json) {
    json_key(json, "why_not");
    json_open_object(json);
    json_key(json, "question");
    json_string(json, answer->question);
    json_key(json, "feasible");
    json_bool(json, answer->feasible);
    if (answer->feasible || answer->result.has_nearest) {
        json_key(json, "nearest");
        json_fields(json, estimate_fields,
                    answer->feasible ? answer->result.plans.items : &answer->result.nearest);
    } else {
        json_key(json, "reason");
        json_string(json, why_nothing(json->out->arena, &answer->result));
    }
    json_close_object(json);
}
