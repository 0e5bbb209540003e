#include "sim/simulate.h"

#include <stdlib.h>

#include "base/arena.h"
#include "program/check.h"
#include "sim/parts.h"
#include "sim/price.h"
#include "sim/rank_report.h"

#define SECOND 1e-12 /* of a picosecond */

/* What the closed form charges for what it hides: computation runs slower while it hides communication. */
static struct contention contention_of(const struct cost_context *context, int level) {
    return (struct contention){
        .level = (enum contention_level)level,
        .compute = 1 - context->topology->runtime.overlap_slowdown,
        .communication = 1,
        .sms = (double)context->device->sms,
    };
}

static enum status make_program(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                                const struct simulate_options *options, struct simulation *ret, struct diag *diag) {
    TRY(lower(arena, context->model, context->topology, plan, options->root, (enum detail)options->detail,
              &ret->program, diag));
    TRY(program_check(arena, &ret->program, context->model, diag));
    price_program(arena, context, plan, &ret->program, &ret->prices);
    return OK;
}

/* Waiting of many nodes for the slowest, relative: a scenario that brings its own leaves none to guess. */
static double usual_jitter(const struct cost_context *context, const struct scenario *scenario) {
    return scenario && scenario->jitter.count > 0 ? 0 : cost_jitter(context);
}

static double step_seconds(const struct cost_context *context, const struct scenario *scenario, int64_t end) {
    return (double)end * SECOND * (1 + usual_jitter(context, scenario)) + context->topology->runtime.step_overhead;
}

static enum status play(struct arena *arena, const struct engine_input *input, struct engine_result *ret,
                        struct diag *diag) {
    engine_run(arena, input, ret);
    if (ret->finished) {
        return OK;
    }
    (void)diag_error(diag, NO_MARK, "the step comes to a stand: %s", ret->stuck);
    diag_help(diag, input->scenario ? "a failure of the scenario stops what waits for it" : "the program deadlocks");
    return input->scenario ? STATUS_NEGATIVE : STATUS_INVALID;
}

/* Further steps under other seeds, their times alone. */
static enum status draw_steps(struct arena *arena, const struct cost_context *context, struct engine_input input,
                              int64_t seeds, struct simulation *ret, struct diag *diag) {
    ret->step_times = ARENA_ARRAY(arena, double, (size_t)seeds);
    ret->step_times[0] = ret->step_time;
    input.times = input.causes = false;
    for (int64_t i = 1; i < seeds; i++) {
        struct engine_result result;
        struct arena_place begin = arena_mark(arena);
        input.seed++;
        TRY(play(arena, &input, &result, diag));
        ret->step_times[i] = step_seconds(context, input.scenario, result.end);
        arena_rewind(arena, begin);
    }
    return OK;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value that `part` of the ascending values stay below, between the two nearest in proportion. */
static double percentile(const double *values, int64_t count, double part) {
    double at = part * (double)(count - 1);
    int64_t below = (int64_t)at, above = below + 1 < count ? below + 1 : below;
    return values[below] + (at - (double)below) * (values[above] - values[below]);
}

static void sort_steps(struct arena *arena, int64_t seeds, struct simulation *ret) {
    double *sorted = ARENA_ARRAY(arena, double, (size_t)seeds);
    for (int64_t i = 0; i < seeds; i++) {
        sorted[i] = ret->step_times[i];
    }
    qsort(sorted, (size_t)seeds, sizeof *sorted, compare);
    ret->p50 = percentile(sorted, seeds, 0.5);
    ret->p95 = percentile(sorted, seeds, 0.95);
    ret->p99 = percentile(sorted, seeds, 0.99);
}

static void report(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                   const struct simulate_options *options, const struct engine_input *input, struct simulation *ret) {
    report_ranks(arena, context, plan, options->expandable, ret);
    critical_path(arena, &ret->program, &ret->result, &ret->path);
    const struct work_shares *shares = program_shares(arena, context, plan, &ret->program, ret->prices);
    ret->parts = parts_of(arena, &ret->program, ret->prices, shares, &input->contention, &ret->result,
                          ret->ranks[ret->busiest].instance);
    ret->parts.overhead += ret->step_time - (double)ret->result.end * SECOND;
}

enum status simulate(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                     const struct simulate_options *options, struct simulation *ret, struct diag *diag) {
    *ret = (struct simulation){.step_time = 0};
    TRY(make_program(arena, context, plan, options, ret, diag));
    struct engine_input input = {
        .program = &ret->program,
        .prices = ret->prices,
        .contention = contention_of(context, options->contention),
        .scenario = options->scenario,
        .seed = options->seed,
        .every_rank = options->every_rank || (options->scenario && scenario_is_uneven(options->scenario)),
        .times = !options->brief,
        .causes = !options->brief,
    };
    TRY(play(arena, &input, &ret->result, diag));
    ret->step_time = step_seconds(context, options->scenario, ret->result.end);
    int64_t seeds = options->seeds > 1 ? options->seeds : 1;
    TRY(draw_steps(arena, context, input, seeds, ret, diag));
    sort_steps(arena, seeds, ret);
    if (!options->brief) {
        report(arena, context, plan, options, &input, ret);
    }
    return OK;
}
