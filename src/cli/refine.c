#include "cli/refine.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"
#include "sim/simulate.h"

/* A plan and what was found out about it, moved together. */
struct candidate {
    struct estimate estimate;
    struct refined refined;
};

/* Plays one plan, in memory that is given back unless a reason lies in it. */
static void play(struct context *context, const struct planning *planning, int detail, struct candidate *candidate) {
    struct arena_place begin = arena_mark(context->arena);
    const struct simulate_options options = {
        .detail = detail, .contention = CONTENTION_SCALAR, .expandable = true, .seeds = 1};
    struct plan *plan = ARENA_NEW(context->arena, struct plan);
    struct diag *diag = ARENA_NEW(context->arena, struct diag);
    struct simulation *simulation = ARENA_NEW(context->arena, struct simulation);
    *plan = (struct plan){
        .devices = planning->cost.world, .job = *planning->job, .decision = candidate->estimate.decision};
    diag_init(diag, context->arena);
    enum status status = simulate(context->arena, &planning->cost, plan, &options, simulation, diag);
    candidate->refined.detail = detail;
    candidate->refined.step_time = status == OK ? simulation->step_time : 0;
    candidate->refined.peak = status == OK ? simulation->ranks[simulation->fullest].peak : 0;
    candidate->refined.reason = status == OK ? NULL : diag->entries[0].text;
    if (status == OK) {
        arena_rewind(context->arena, begin);
    }
}

/* Plans that cannot be simulated come last, in their order, before them those that do not fit; equals keep theirs. */
static bool is_better(const struct candidate *a, const struct candidate *b, double limit) {
    double x = a->refined.step_time, y = b->refined.step_time;
    bool fits = a->refined.peak <= limit, other_fits = b->refined.peak <= limit;
    return x > 0 && (y <= 0 || (fits != other_fits ? fits : x < y));
}

static void sort(struct candidate *candidates, size_t count, double limit) {
    for (size_t i = 1; i < count; i++) {
        struct candidate moved = candidates[i];
        size_t at = i;
        for (; at > 0 && is_better(&moved, &candidates[at - 1], limit); at--) {
            candidates[at] = candidates[at - 1];
        }
        candidates[at] = moved;
    }
}

/* Plays all pass by pass; then, as long as the first is known by that alone, plays it kernel by kernel and sorts it in:
 * the first in the end is a plan known closely that no other beats, however closely that is known. */
static void play_all(struct context *context, const struct planning *planning, const struct search_control *control,
                     bool sorted, struct candidate *candidates, size_t count) {
    for (size_t i = 0; i < count && !*control->stop; i++) {
        play(context, planning, DETAIL_PASS, &candidates[i]);
    }
    if (!sorted) {
        return;
    }
    sort(candidates, count, planning->cost.memory_limit);
    while (candidates[0].refined.step_time > 0 && candidates[0].refined.detail != DETAIL_OPERATION && !*control->stop) {
        play(context, planning, DETAIL_OPERATION, &candidates[0]);
        sort(candidates, count, planning->cost.memory_limit);
    }
}

/* Devices are the same for all plans, so what is bought by the hour follows the time. */
static bool is_by_time(const struct planning *planning, const struct search_result *result) {
    int objective = planning->job->objective;
    return !result->is_front &&
           (objective == OBJECTIVE_STEP_TIME || objective == OBJECTIVE_TOKENS || objective == OBJECTIVE_COST);
}

void refine(struct context *context, const struct planning *planning, int64_t count, int64_t top,
            const struct search_control *control, struct search_result *result, struct refinement *ret) {
    size_t total = result->plans.count, some = (size_t)count < total ? (size_t)count : total;
    struct estimate *plans = result->plans.items;
    struct candidate *candidates = ARENA_ARRAY(context->arena, struct candidate, total);
    struct refined *refined = ARENA_ARRAY(context->arena, struct refined, total);
    bool sorted = is_by_time(planning, result);
    for (size_t i = 0; i < total; i++) {
        candidates[i] = (struct candidate){.estimate = plans[i], .refined = {.before = i + 1}};
    }
    play_all(context, planning, control, sorted, candidates, some);
    result->plans.count = total < (size_t)top || result->is_front ? total : (size_t)top;
    for (size_t i = 0; i < result->plans.count; i++) {
        plans[i] = candidates[i].estimate;
        refined[i] = candidates[i].refined;
    }
    if (result->lower_bound > 0 && total > 0) {
        result->gap = plans[0].step_time / result->lower_bound - 1;
    }
    *ret = (struct refinement){.plans = refined, .simulated = some, .limit = planning->cost.memory_limit};
}

void refine_text(const struct refinement *refinement, struct text *out) {
    const struct refined *first = &refinement->plans[0];
    const char *step = units_human(out->arena, first->step_time, UNIT_SECONDS, 4);
    if (first->step_time <= 0) {
        text_add(out, "none of them was simulated\n");
    } else if (first->before == 1) {
        text_add_format(out, "simulation of the best %zu agrees on the first: %s a step\n", refinement->simulated,
                        step);
    } else {
        text_add_format(out, "simulation of the best %zu puts first what was number %zu in closed form: %s a step\n",
                        refinement->simulated, first->before, step);
    }
    if (first->step_time > 0 && first->peak > refinement->limit) {
        text_add_format(out, "but it does not fit: the simulation finds %s where %s may be filled\n",
                        units_human(out->arena, first->peak, UNIT_BYTES, 4),
                        units_human(out->arena, refinement->limit, UNIT_BYTES, 4));
    }
}
