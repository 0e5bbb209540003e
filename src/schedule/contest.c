/* Run, compare, keep. */
#include "schedule/contest.h"

#include "base/arena.h"
#include "schedule/execute.h"
#include "schedule/rule.h"

static const struct pass_times unit = {.forward = 1, .backward = 1, .weight = 1};

void contest_open(struct contest *contest, struct arena *arena, const struct schedule_shape *shape,
                  enum placement placement, struct order *order) {
    bool given = shape->times != NULL && pass_full(shape->times) > 0;
    *contest = (struct contest){.arena = arena,
                                .fill = {.ranks = shape->ranks,
                                         .stages = order->stages,
                                         .micro_batches = shape->micro_batches,
                                         .placement = placement,
                                         .times = given ? *shape->times : unit},
                                .best = order};
}

struct pass_list *contest_lists(const struct contest *contest) {
    const struct fill *fill = &contest->fill;
    int64_t passes = 3 * fill->micro_batches * fill->stages / fill->ranks;
    return lists_open(contest->arena, fill->ranks, passes, fill->micro_batches);
}

static bool run(const struct contest *contest, const struct order *order, struct execution *execution) {
    const struct pass_times *times = &contest->fill.times;
    double *costs[3];
    const double each[3] = {times->forward, times->backward, times->weight};
    for (int kind = 0; kind < 3; kind++) {
        costs[kind] = ARENA_ARRAY(contest->arena, double, (size_t)order->stages);
        for (int64_t stage = 0; stage < order->stages; stage++) {
            costs[kind][stage] = each[kind];
        }
    }
    struct stage_costs all = {.forward = costs[0], .backward = costs[1], .weight = costs[2], .hop = times->hop};
    return order_execute(contest->arena, order, &all, execution);
}

/* -1 less, 1 more, 0 the same but for rounding. */
static int compare(double a, double b) {
    double margin = 1e-9 * larger(a, b);
    return a < b - margin ? -1 : a > b + margin;
}

void contest_enter(struct contest *contest, const struct pass_list *lists) {
    struct order order = *contest->best;
    struct execution execution;
    lists_join(contest->arena, lists, &order);
    if (!run(contest, &order, &execution)) {
        return;
    }
    int64_t held = 0;
    for (int64_t rank = 0; rank < order.ranks; rank++) {
        held += execution.ranks[rank].held_to_weight;
    }
    int sooner = contest->held == 0 ? -1 : compare(execution.makespan, contest->makespan);
    int shorter = compare(execution.span, contest->span);
    if (sooner < 0 || (sooner == 0 && (shorter < 0 || (shorter == 0 && held < contest->held)))) {
        *contest->best = order;
        contest->makespan = execution.makespan;
        contest->span = execution.span;
        contest->held = held;
    }
}

void contest_fill(struct contest *contest, const struct pass_list *rows) {
    struct pass_list *lists = contest_lists(contest);
    if (fill_weights(contest->arena, &contest->fill, rows, lists)) {
        contest_enter(contest, lists);
    }
}
