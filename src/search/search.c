/* What is searched for, and what is told of it. */
#include "search/search.h"

#include <math.h>

#include "base/arena.h"
#include "cost/rule.h"
#include "plan/constraint.h"
#include "search/rounds.h"

static double now(const struct search_control *control) {
    return control->clock != NULL ? control->clock() : 0;
}

static struct rounds_goal goal_of(const struct cost_context *context) {
    const struct job *job = context->job;
    struct rounds_goal goal = {.objectives = {(enum objective)job->objective},
                               .objective_count = 1,
                               .top = job->top > 0 ? job->top : 1,
                               .memory_limit = context->memory_limit,
                               .longest = job->max_step_time > 0 ? job->max_step_time : (double)INFINITY};
    for (size_t i = 0; i < job->pareto.count && i < BEST_OBJECTIVES; i++) {
        goal.objectives[i] = objective_named(((const char **)job->pareto.items)[i]);
        goal.objective_count = (int)i + 1;
    }
    return goal;
}

static void fill_counts(const struct rounds_result *rounds, struct search_result *ret) {
    ret->evaluated = rounds->tally.evaluated;
    ret->pruned_memory = rounds->tally.pruned_memory;
    ret->pruned_bound = rounds->tally.pruned_bound;
    ret->pruned_rule = rounds->tally.pruned_rule;
    ret->threads = rounds->threads;
    ret->complete = rounds->complete;
}

static void add_refusal(struct search_refusal *items, size_t *count, struct search_refusal refusal) {
    if (refusal.count > 0) {
        size_t at = (*count)++;
        while (at > 0 && items[at - 1].count < refusal.count) {
            items[at] = items[at - 1];
            at--;
        }
        items[at] = refusal;
    }
}

static void list_refusals(struct arena *arena, const struct tally *tally, struct search_result *ret) {
    struct search_refusal *items = ARENA_ARRAY(arena, struct search_refusal, RULES_MAX + 1);
    size_t count = 0;
    for (int i = 0; rules[i].name != NULL; i++) {
        add_refusal(items, &count, (struct search_refusal){rules[i].name, rules[i].doc, tally->refused[i]});
    }
    add_refusal(items, &count, (struct search_refusal){"forbid", "the job forbids it", tally->forbidden});
    ret->refusals = (struct list){items, count};
}

/* Whether the first of the plans has the shortest step of all once the search is complete. */
static bool finds_shortest(const struct cost_context *c, const struct rounds_goal *goal) {
    bool shortest = false;
    for (int i = 0; i < goal->objective_count; i++) {
        enum objective o = goal->objectives[i];
        shortest = shortest || o == OBJECTIVE_STEP_TIME || o == OBJECTIVE_TOKENS || o == OBJECTIVE_COST ||
                   (o == OBJECTIVE_ENERGY && !(c->power.busy > 0));
    }
    return shortest;
}

static void report(struct arena *arena, const struct cost_context *context, const struct rounds_goal *goal,
                   const struct rounds_result *rounds, struct search_result *ret) {
    const struct best *best = &rounds->best;
    struct estimate *plans = ARENA_ARRAY(arena, struct estimate, (size_t)best->count + 1);
    double least = (double)INFINITY;
    for (int64_t i = 0; i < best->count; i++) {
        plans[i] = cost_estimate(arena, context, &best->items[i].decision, NULL);
        least = fmin(least, plans[i].step_time);
    }
    ret->plans = (struct list){plans, (size_t)best->count};
    ret->is_front = goal->objective_count > 1;
    bool proven = rounds->complete && finds_shortest(context, goal) && best->count > 0;
    double bound = proven ? least : fmin(least, rounds->floor);
    ret->lower_bound = bound < (double)INFINITY ? bound : 0;
    ret->gap = best->count > 0 && ret->lower_bound > 0 ? plans[0].step_time / ret->lower_bound - 1 : 0;
    list_refusals(arena, &rounds->tally, ret);
}

/* Nothing was found: the configuration that misses memory by least; if that one fits, the fastest that does. */
static void find_nearest(struct arena *arena, const struct search_space *space, const struct search_control *control,
                         struct search_result *ret) {
    const struct search_control quiet = {.stop = control->stop}; /* without a clock, without an end */
    struct rounds_goal goal = {.objectives = {OBJECTIVE_MEMORY},
                               .objective_count = 1,
                               .top = 1,
                               .memory_limit = (double)INFINITY,
                               .longest = (double)INFINITY};
    struct rounds_result rounds = rounds_run(arena, space, &goal, &quiet, 0);
    if (rounds.best.count > 0 && rounds.best.items[0].values[0] <= space->context->memory_limit) {
        goal.objectives[0] = OBJECTIVE_STEP_TIME;
        goal.memory_limit = space->context->memory_limit;
        rounds = rounds_run(arena, space, &goal, &quiet, 0);
    }
    ret->has_nearest = rounds.complete && rounds.best.count > 0;
    if (ret->has_nearest) {
        ret->nearest = cost_estimate(arena, space->context, &rounds.best.items[0].decision, NULL);
    }
}

enum status search_run(struct arena *arena, const struct cost_context *context, const struct search_control *control,
                       struct search_result *ret, struct diag *diag) {
    struct search_space space = {.context = context};
    struct space_axes axes;
    struct pipelines pipelines;
    double started = now(control);
    *ret = (struct search_result){0};
    TRY(constraint_parse(arena, &context->job->forbid, &space.constraint, diag));
    space_make(arena, context, &axes);
    pipelines_make(arena, &axes, &pipelines);
    space.axes = &axes;
    space.pipelines = &pipelines;
    struct rounds_goal goal = goal_of(context);
    struct rounds_result rounds = rounds_run(arena, &space, &goal, control, started);
    fill_counts(&rounds, ret);
    report(arena, context, &goal, &rounds, ret);
    if (ret->complete && ret->plans.count == 0 && !control->plans_only) {
        find_nearest(arena, &space, control, ret);
    }
    ret->seconds = now(control) - started;
    if (!ret->complete) {
        return STATUS_INTERRUPTED;
    }
    return ret->plans.count > 0 ? OK : STATUS_INFEASIBLE;
}
