/* The six cycles, laid out and run. */
#include "schedule/vocabulary.h"

#include <math.h>

#include "base/arena.h"
#include "schedule/execute.h"
#include "schedule/rule.h"

enum { F, S, T, D, PHASES };
enum { CYCLES = 6 };
static const enum pass_kind phases[PHASES] = {PASS_FORWARD, PASS_SHARD, PASS_SHARD_END, PASS_FULL};

/* Places in the cycle of F, S, T and D. */
static const int cycles[CYCLES][PHASES] = {{0, 2, 3, 1}, {0, 3, 2, 1}, {0, 1, 3, 2},
                                           {0, 1, 2, 3}, {0, 3, 1, 2}, {0, 2, 1, 3}};

/* One cycle at given times; the starts of micro-batch 0, those of the others come a period later each. */
struct layout {
    int64_t ranks, barriers;
    double length[PHASES], position[PHASES];
    double period, hop, barrier;
};

static const struct pass_times usual = {
    .forward = 1, .backward = 1, .weight = 1, .shard = 0.25, .shard_end = 0.25};

static const struct pass_times *times_of(const struct schedule_shape *shape) {
    bool given = shape->times != NULL && pass_full(shape->times) > 0;
    return given ? shape->times : &usual;
}

static struct layout layout_of(const struct schedule_shape *shape, int64_t barriers, const int *cycle) {
    const struct pass_times *times = times_of(shape);
    struct layout layout = {.ranks = shape->ranks,
                            .barriers = barriers,
                            .length = {times->forward, times->shard, times->shard_end, pass_backward(times)},
                            .hop = times->hop,
                            .barrier = times->barrier};
    for (int phase = 0; phase < PHASES; phase++) {
        layout.period += layout.length[phase];
        for (int other = 0; other < PHASES; other++) {
            layout.position[phase] += cycle[other] < cycle[phase] ? layout.length[other] : 0;
        }
    }
    return layout;
}

/* The first turn of the phase on the rank that is not before `after`. */
static double turn(const struct layout *layout, int64_t rank, int phase, double after) {
    double first = (double)rank * (layout->length[F] + layout->hop) + layout->position[phase];
    return first + ceil((after - first) / layout->period - 1e-9) * layout->period;
}

static double forward_start(const struct layout *layout, int64_t rank) {
    double start = turn(layout, 0, F, 0);
    for (int64_t i = 1; i <= rank; i++) {
        start = turn(layout, i, F, start + layout->length[F] + layout->hop);
    }
    return start;
}

/* The last stage's forward is there; the ranks' S has it a hop later. */
static double shard_start(const struct layout *layout, int64_t rank, double done) {
    return turn(layout, rank, S, rank + 1 == layout->ranks ? done : done + layout->hop);
}

/* When all ranks have met behind S, whose forward is there at `done`. */
static double shards_met(const struct layout *layout, double done) {
    double latest = 0;
    for (int64_t rank = 0; rank < layout->ranks; rank++) {
        latest = larger(latest, shard_start(layout, rank, done) + layout->length[S]);
    }
    return latest + layout->barrier;
}

/* When the last stage's backward may start: behind S or behind T. */
static double all_met(const struct layout *layout, double reduced) {
    if (layout->barriers == 1) {
        return reduced;
    }
    double latest = 0;
    for (int64_t rank = 0; rank < layout->ranks; rank++) {
        latest = larger(latest, turn(layout, rank, T, reduced) + layout->length[T]);
    }
    return latest + layout->barrier;
}

static double backward_start(const struct layout *layout, int64_t rank, double met) {
    double start = turn(layout, layout->ranks - 1, D, met);
    for (int64_t i = layout->ranks - 2; i >= rank; i--) {
        start = turn(layout, i, D, start + layout->length[D] + layout->hop);
    }
    return start;
}

static void lay_out(const struct layout *layout, int64_t rank, double starts[PHASES]) {
    double done = forward_start(layout, layout->ranks - 1) + layout->length[F];
    double reduced = shards_met(layout, done);
    starts[F] = forward_start(layout, rank);
    starts[S] = shard_start(layout, rank, done);
    starts[T] = turn(layout, rank, T, reduced);
    starts[D] = backward_start(layout, rank, all_met(layout, reduced));
}

/* The rank's passes by their starts; of equal ones F before S before T before D. */
static void list_rank(const struct layout *layout, int64_t rank, int64_t micro_batches, struct pass_list *list) {
    int64_t next[PHASES] = {0};
    double starts[PHASES];
    lay_out(layout, rank, starts);
    for (int64_t i = 0; i < PHASES * micro_batches; i++) {
        int first = -1;
        double least = 0;
        for (int phase = 0; phase < PHASES; phase++) {
            double start = starts[phase] + (double)next[phase] * layout->period;
            if (next[phase] < micro_batches && (first < 0 || start < least - 1e-9 * layout->period)) {
                first = phase;
                least = start;
            }
        }
        list_add(list, phases[first], (struct visit){(int32_t)rank, (int32_t)next[first]++, 0});
    }
}

static bool run(struct arena *arena, const struct order *order, const struct pass_times *times,
                struct execution *execution) {
    double *costs[3];
    const double each[3] = {times->forward, times->backward, times->weight};
    for (int kind = 0; kind < 3; kind++) {
        costs[kind] = ARENA_ARRAY(arena, double, (size_t)order->stages);
        for (int64_t stage = 0; stage < order->stages; stage++) {
            costs[kind][stage] = each[kind];
        }
    }
    struct stage_costs all = {.forward = costs[0],
                              .backward = costs[1],
                              .weight = costs[2],
                              .hop = times->hop,
                              .shard = times->shard,
                              .shard_end = times->shard_end,
                              .barrier = times->barrier};
    return order_execute(arena, order, &all, execution);
}

static int64_t most_held(const struct execution *execution, int64_t ranks) {
    int64_t most = 0;
    for (int64_t rank = 0; rank < ranks; rank++) {
        int64_t held = execution->ranks[rank].held_to_backward;
        most = held > most ? held : most;
    }
    return most;
}

static void list_all(struct arena *arena, const struct layout *layout, struct order *order) {
    struct pass_list *lists =
        lists_open(arena, order->ranks, PHASES * order->micro_batches, order->micro_batches);
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        list_rank(layout, rank, order->micro_batches, &lists[rank]);
    }
    lists_join(arena, lists, order);
}

void vocabulary_arrange(struct arena *arena, const struct schedule_shape *shape, int64_t barriers,
                        struct order *order) {
    double best = (double)INFINITY;
    int64_t least = 0;
    order->barriers = barriers;
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        struct layout layout = layout_of(shape, barriers, cycles[cycle]);
        struct order next = *order;
        struct execution execution;
        list_all(arena, &layout, &next);
        if (!run(arena, &next, times_of(shape), &execution)) {
            continue;
        }
        int64_t held = most_held(&execution, shape->ranks);
        if (execution.makespan < best * (1 - 1e-9) || (execution.makespan <= best * (1 + 1e-9) && held < least)) {
            best = execution.makespan;
            least = held;
            *order = next;
        }
    }
}

double vocabulary_makespan(const struct schedule_shape *shape, const struct pass_times *times, int64_t barriers) {
    double p = (double)shape->ranks;
    double m = (double)shape->micro_batches;
    double full = pass_backward(times);
    double shards = times->shard + times->shard_end;
    double work = m * (pass_full(times) + shards);
    double way = (p - 1) * (times->forward + full + 2 * times->hop);
    if (barriers == 1) {
        return work + way - times->shard_end;
    }
    way += times->barrier;
    if (shape->ranks == 2 || shape->micro_batches < 3) {
        return work + way;
    }
    double more = (shape->ranks == 3 ? 1 : 2) * times->forward - shards + (p - 1) * times->hop;
    return work + way + more;
}

/* Forwards that start on the rank before its first backward has. */
static int64_t forwards_ahead(const struct layout *layout, int64_t rank) {
    double starts[PHASES];
    lay_out(layout, rank, starts);
    return 1 + (int64_t)floor((starts[D] - starts[F]) / layout->period + 1e-9);
}

double vocabulary_in_flight(const struct schedule_shape *shape, int64_t barriers, int64_t rank) {
    const struct pass_times *times = times_of(shape);
    if (times->hop <= 0 && times->barrier <= 0) {
        bool two = shape->ranks == 2 && shape->micro_batches > 3; /* the second barrier costs nothing */
        return (double)fewer(shape->ranks - rank + (two ? 1 : barriers), shape->micro_batches);
    }
    int64_t most = 0;
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        struct layout layout = layout_of(shape, barriers, cycles[cycle]);
        int64_t ahead = forwards_ahead(&layout, rank);
        most = ahead > most ? ahead : most;
    }
    return (double)fewer(most, shape->micro_batches);
}
