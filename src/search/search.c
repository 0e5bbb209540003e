/* Rounds over shapes in the order of their bounds. Every round has a fixed number of shapes and one threshold, that of the
 * round before, so that counts and results are the same at any number of threads. */
#include "search/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/threads.h"
#include "cost/rule.h"
#include "plan/constraint.h"
#include "search/explore.h"

enum { ROUND = 64 };

/* One shape's outcome within a round. */
struct outcome {
    struct best best;
    struct tally tally;
};

struct search {
    struct arena *arena;
    const struct cost_context *context;
    const struct search_control *control;
    struct space_axes axes;
    struct explore_plan plan;
    struct shape *shapes;
    int64_t shape_count;
    size_t workers;
    struct arena **arenas;
    struct explorer **explorers;
    struct outcome outcomes[ROUND];
    struct best best;
    struct tally tally;
    double started, threshold;
    int64_t round_first;
};

static double now(const struct search *s) {
    return s->control->clock != NULL ? s->control->clock() : 0;
}

static bool must_stop(const struct search *s) {
    double limit = s->context->job->time;
    return (s->control->stop != NULL && *s->control->stop != 0) || (limit > 0 && now(s) - s->started >= limit);
}

static void add_shape(struct search *s, const struct parallel *parallel, int64_t *room) {
    if (s->shape_count == *room) {
        int64_t grown = *room == 0 ? 1024 : 2 * *room;
        struct shape *shapes = ARENA_ARRAY(s->arena, struct shape, (size_t)grown);
        if (s->shape_count > 0) {
            memcpy(shapes, s->shapes, (size_t)s->shape_count * sizeof *shapes);
        }
        s->shapes = shapes;
        *room = grown;
    }
    s->shapes[s->shape_count] = (struct shape){.parallel = *parallel, .serial = s->shape_count};
    s->shape_count++;
}

/* Shapes that break a rule are counted at once. */
static void enumerate(struct search *s) {
    const struct space_axes *a = &s->axes;
    int64_t room = 0;
    for (int64_t tp = 0; tp < a->tp.count; tp++) {
        for (int64_t cp = 0; cp < a->cp.count; cp++) {
            for (int64_t pp = 0; pp < a->pp.count; pp++) {
                int64_t dp = space_dp(a, a->tp.items[tp], a->cp.items[cp], a->pp.items[pp]);
                for (int64_t ep = 0; ep < a->ep.count && dp > 0; ep++) {
                    for (int64_t etp = 0; etp < a->etp.count; etp++) {
                        struct parallel parallel = {.tp = a->tp.items[tp], .cp = a->cp.items[cp], .dp = dp, .vpp = 1,
                                                    .pp = a->pp.items[pp], .ep = a->ep.items[ep],
                                                    .etp = a->etp.items[etp], .ulysses = 1};
                        add_shape(s, &parallel, &room);
                    }
                }
            }
        }
    }
}

static void bound_task(void *context, size_t index, size_t worker) {
    struct search *s = context;
    (void)worker;
    struct decision decision = {.parallel = s->shapes[index].parallel};
    const struct rule *rule = rule_broken(s->context, &decision, RULE_SHAPE);
    s->shapes[index].bound = rule != NULL ? (double)INFINITY : explore_bound(&s->plan, &s->shapes[index].parallel);
}

static int by_bound(const void *a, const void *b) {
    const struct shape *x = a, *y = b;
    if (x->bound < y->bound || x->bound > y->bound) {
        return x->bound < y->bound ? -1 : 1;
    }
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void explore_task(void *context, size_t index, size_t worker) {
    struct search *s = context;
    struct outcome *outcome = &s->outcomes[index];
    outcome->best.count = 0;
    outcome->tally = (struct tally){0};
    if (s->control->stop == NULL || *s->control->stop == 0) {
        explore_shape(s->explorers[worker], &s->shapes[s->round_first + (int64_t)index], s->threshold, &outcome->best,
                      &outcome->tally);
    }
}

static void merge(struct search *s, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < s->outcomes[i].best.count; j++) {
            best_offer(&s->best, &s->outcomes[i].best.items[j]);
        }
        tally_add(&s->tally, &s->outcomes[i].tally);
    }
}

/* Whether all shapes from here on are slower than everything kept. */
static bool rest_is_slower(const struct search *s, int64_t first) {
    enum objective objective = s->plan.objectives[0];
    bool by_time = s->plan.objective_count == 1 && (objective == OBJECTIVE_STEP_TIME || objective == OBJECTIVE_TOKENS);
    return by_time && !s->plan.exhaustive && s->shapes[first].bound > best_threshold(&s->best);
}

static void prune_rest(struct search *s, int64_t first) {
    for (int64_t i = first; i < s->shape_count; i++) {
        struct decision decision = {.parallel = s->shapes[i].parallel};
        const struct rule *rule = rule_broken(s->context, &decision, RULE_SHAPE);
        int64_t size = explore_size(s->explorers[0], &s->shapes[i]);
        if (rule != NULL) {
            s->tally.pruned_rule += size;
            s->tally.refused[rule - rules] += size;
        } else {
            s->tally.pruned_bound += size;
        }
    }
}

static void fill_counts(struct search *s, struct search_result *ret) {
    ret->evaluated = s->tally.evaluated;
    ret->pruned_memory = s->tally.pruned_memory;
    ret->pruned_bound = s->tally.pruned_bound;
    ret->pruned_rule = s->tally.pruned_rule;
    ret->seconds = now(s) - s->started;
    ret->threads = (int64_t)s->workers;
    ret->is_front = s->plan.objective_count > 1;
}

/* Runs the rounds; returns the first shape that was not explored. */
static int64_t run_rounds(struct search *s, struct search_result *ret) {
    int64_t first = 0;
    while (first < s->shape_count) {
        if (must_stop(s)) {
            return first;
        }
        if (rest_is_slower(s, first)) {
            prune_rest(s, first);
            return s->shape_count;
        }
        int64_t count = s->shape_count - first < ROUND ? s->shape_count - first : ROUND;
        s->round_first = first;
        s->threshold = best_threshold(&s->best);
        threads_for(s->workers, (size_t)count, explore_task, s);
        merge(s, count);
        first += count;
        if (s->control->progress != NULL) {
            fill_counts(s, ret);
            s->control->progress(s->control->context, ret);
        }
    }
    return first;
}

static int objective_of(const char *name) {
    static const char *const known[] = {"time", "tokens", "cost", "energy", "memory"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(known[i], name) == 0) {
            return i;
        }
    }
    return OBJECTIVE_STEP_TIME;
}

static void set_objectives(struct search *s) {
    const struct job *job = s->context->job;
    s->plan.objectives[0] = (enum objective)job->objective;
    s->plan.objective_count = 1;
    if (job->pareto.count > 0) {
        s->plan.objective_count = 0;
        for (size_t i = 0; i < job->pareto.count && i < BEST_OBJECTIVES; i++) {
            const char *name = ((const char **)job->pareto.items)[i];
            s->plan.objectives[s->plan.objective_count++] = (enum objective)objective_of(name);
        }
    }
}

static void open_workers(struct search *s) {
    s->workers = s->context->job->threads > 0 ? (size_t)s->context->job->threads : threads_available();
    s->arenas = ARENA_ARRAY(s->arena, struct arena *, s->workers);
    s->explorers = ARENA_ARRAY(s->arena, struct explorer *, s->workers);
    for (size_t i = 0; i < s->workers; i++) {
        s->arenas[i] = arena_open(NULL, NULL);
        s->explorers[i] = explorer_open(s->arenas[i], &s->plan);
    }
    best_init(&s->best, s->arena, s->context->job->top, s->plan.objective_count);
    for (int i = 0; i < ROUND; i++) {
        best_init(&s->outcomes[i].best, s->arena, s->context->job->top, s->plan.objective_count);
    }
}

static void list_refusals(struct search *s, struct search_result *ret) {
    struct search_refusal *items = ARENA_ARRAY(s->arena, struct search_refusal, 64);
    size_t count = 0;
    for (int i = 0; rules[i].name != NULL; i++) {
        if (s->tally.refused[i] > 0) {
            size_t at = count++;
            while (at > 0 && items[at - 1].count < s->tally.refused[i]) {
                items[at] = items[at - 1];
                at--;
            }
            items[at] = (struct search_refusal){rules[i].name, rules[i].doc, s->tally.refused[i]};
        }
    }
    ret->refusals = (struct list){items, count};
}

static void report(struct search *s, int64_t explored, struct search_result *ret) {
    fill_counts(s, ret);
    ret->complete = explored == s->shape_count;
    struct estimate *plans = ARENA_ARRAY(s->arena, struct estimate, (size_t)s->best.count + 1);
    for (int64_t i = 0; i < s->best.count; i++) {
        plans[i] = cost_estimate(s->arena, s->context, &s->best.items[i].decision, NULL);
    }
    ret->plans = (struct list){plans, (size_t)s->best.count};
    ret->has_nearest = s->best.count == 0 && s->tally.has_nearest;
    if (ret->has_nearest) {
        ret->nearest = cost_estimate(s->arena, s->context, &s->tally.nearest, NULL);
    }
    double least = s->best.count > 0 ? plans[0].step_time : (double)INFINITY;
    for (int64_t i = 0; i < s->best.count; i++) {
        least = fmin(least, plans[i].step_time);
    }
    ret->lower_bound = least;
    bool by_time = s->plan.objectives[0] == OBJECTIVE_STEP_TIME || s->plan.objectives[0] == OBJECTIVE_TOKENS;
    if (!by_time || !ret->complete) { /* what was not explored may be as fast as its bound */
        int64_t from = by_time ? explored : 0;
        for (int64_t i = from; i < s->shape_count; i++) {
            ret->lower_bound = fmin(ret->lower_bound, s->shapes[i].bound);
        }
    }
    ret->gap = s->best.count > 0 && ret->lower_bound > 0 ? plans[0].step_time / ret->lower_bound - 1 : 0;
    list_refusals(s, ret);
}

enum status search_run(struct arena *arena, const struct cost_context *context, const struct search_control *control,
                       struct search_result *ret, struct diag *diag) {
    struct search *s = ARENA_NEW(arena, struct search);
    s->arena = arena;
    s->context = context;
    s->control = control;
    s->plan = (struct explore_plan){.axes = &s->axes, .exhaustive = control->exhaustive};
    s->started = now(s);
    TRY(constraint_parse(arena, &context->job->forbid, &s->plan.constraint, diag));
    space_make(arena, context, &s->axes);
    set_objectives(s);
    open_workers(s);
    enumerate(s);
    threads_for(s->workers, (size_t)s->shape_count, bound_task, s);
    qsort(s->shapes, (size_t)s->shape_count, sizeof *s->shapes, by_bound);
    *ret = (struct search_result){0};
    int64_t explored = run_rounds(s, ret);
    report(s, explored, ret);
    for (size_t i = 0; i < s->workers; i++) {
        arena_close(s->arenas[i]);
    }
    if (!ret->complete) {
        return STATUS_INTERRUPTED;
    }
    return ret->plans.count > 0 ? OK : STATUS_INFEASIBLE;
}
