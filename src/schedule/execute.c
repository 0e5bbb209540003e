/* The in-order executor: ranks advance as far as their dependencies are known, round after round, until all are done
 * or none moves. */
#include "schedule/execute.h"

#include "base/arena.h"
#include "schedule/rule.h"

/* Where and when a result of a visit became available; time < 0 = not yet. */
struct result {
    double time;
    int64_t rank;
};

/* An all-reduce around the vocabulary's shards: how many ranks have come to it, and when the last one came. */
struct meeting {
    double latest;
    int64_t ranks;
};

struct engine {
    const struct order *order;
    const struct stage_costs *costs;
    struct result *forward, *backward; /* by way, stage, micro-batch */
    struct meeting *meetings[2];       /* behind S, behind T; by way and micro-batch; NULL without shards */
    double *starts, *ends;
    int64_t *reached;
};

static int64_t place(const struct order *order, const struct visit *visit) {
    return (visit->way * order->stages + visit->stage) * order->micro_batches + visit->micro_batch;
}

/* Moves `start` to when `result` can be read on `rank`; false if there is none yet. */
static bool wait_for(const struct engine *engine, const struct result *result, int64_t rank, double *start) {
    if (result->time < 0) {
        return false;
    }
    double arrival = result->rank == rank ? result->time : result->time + engine->costs->hop;
    *start = larger(*start, arrival);
    return true;
}

static bool wait_forward(const struct engine *engine, const struct visit *visit, int64_t rank, double *start) {
    struct visit before = *visit;
    before.stage = (int32_t)order_before(engine->order, visit);
    if (before.stage < 0) {
        return before.stage != ORDER_SKIPPED;
    }
    return wait_for(engine, &engine->forward[place(engine->order, &before)], rank, start);
}

/* The all-reduce behind the micro-batch's S (`index` 0) or T (1): it begins when all ranks have come. */
static bool wait_meeting(const struct engine *engine, const struct visit *visit, int index, double *start) {
    const struct order *order = engine->order;
    const struct meeting *meeting = &engine->meetings[index][visit->way * order->micro_batches + visit->micro_batch];
    *start = larger(*start, meeting->latest + engine->costs->barrier);
    return meeting->ranks == order->ranks;
}

static bool wait_backward(const struct engine *engine, const struct visit *visit, int64_t rank, double *start) {
    const struct order *order = engine->order;
    if (!wait_for(engine, &engine->forward[place(order, visit)], rank, start)) {
        return false;
    }
    struct visit behind = *visit;
    behind.stage = (int32_t)order_behind(order, visit);
    if (behind.stage >= 0) {
        return wait_for(engine, &engine->backward[place(order, &behind)], rank, start);
    }
    if (behind.stage == ORDER_SKIPPED) {
        return false;
    }
    return order->barriers == 0 || wait_meeting(engine, visit, order->barriers == 1 ? 0 : 1, start);
}

/* The last stage's output goes to every rank's shard of the vocabulary. */
static bool wait_shard(const struct engine *engine, const struct visit *visit, int64_t rank, double *start) {
    struct visit last = *visit;
    last.stage = (int32_t)(engine->order->stages - 1);
    return wait_for(engine, &engine->forward[place(engine->order, &last)], rank, start);
}

static bool ready(const struct engine *engine, const struct pass *pass, int64_t rank, double *start) {
    switch (pass->kind) {
    case PASS_FORWARD:
        return wait_forward(engine, &pass->visit, rank, start);
    case PASS_BACKWARD:
    case PASS_FULL:
        return wait_backward(engine, &pass->visit, rank, start);
    case PASS_WEIGHT:
        return wait_for(engine, &engine->backward[place(engine->order, &pass->visit)], rank, start);
    case PASS_PAIR:
        return wait_forward(engine, &pass->visit, rank, start) && wait_backward(engine, &pass->backward, rank, start);
    case PASS_SHARD:
        return engine->order->barriers > 0 && wait_shard(engine, &pass->visit, rank, start);
    case PASS_SHARD_END:
        return engine->order->barriers > 0 && wait_meeting(engine, &pass->visit, 0, start);
    }
    return false;
}

static double duration(const struct stage_costs *costs, const struct pass *pass, int64_t rank) {
    int32_t stage = pass->visit.stage;
    switch (pass->kind) {
    case PASS_FORWARD:
        return costs->forward[stage];
    case PASS_BACKWARD:
        return costs->backward[stage];
    case PASS_WEIGHT:
        return costs->weight[stage];
    case PASS_FULL:
        return costs->backward[stage] + costs->weight[stage];
    case PASS_PAIR:
        if (costs->pair != NULL) {
            return costs->pair[rank];
        }
        return costs->forward[stage] + costs->backward[pass->backward.stage] + costs->weight[pass->backward.stage];
    case PASS_SHARD:
        return costs->shard;
    case PASS_SHARD_END:
        return costs->shard_end;
    }
    return 0;
}

static void publish(struct engine *engine, const struct pass *pass, struct result result) {
    if (pass->kind == PASS_FORWARD || pass->kind == PASS_PAIR) {
        engine->forward[place(engine->order, &pass->visit)] = result;
    }
    if (pass->kind == PASS_BACKWARD || pass->kind == PASS_FULL) {
        engine->backward[place(engine->order, &pass->visit)] = result;
    }
    if (pass->kind == PASS_PAIR) {
        engine->backward[place(engine->order, &pass->backward)] = result;
    }
    if (pass->kind == PASS_SHARD || pass->kind == PASS_SHARD_END) {
        struct meeting *meetings = engine->meetings[pass->kind == PASS_SHARD ? 0 : 1];
        struct meeting *meeting = &meetings[pass->visit.way * engine->order->micro_batches + pass->visit.micro_batch];
        meeting->latest = larger(meeting->latest, result.time);
        meeting->ranks++;
    }
}

/* Runs as many passes of the rank as can be run; true if any. */
static bool rank_advance(struct engine *engine, int64_t rank) {
    const struct order *order = engine->order;
    int64_t begin = engine->reached[rank];
    int64_t i = begin;
    while (i < order->first[rank + 1]) {
        const struct pass *pass = &order->passes[i];
        double start = i > order->first[rank] ? engine->ends[i - 1] : 0;
        if (!ready(engine, pass, rank, &start)) {
            break;
        }
        engine->starts[i] = start;
        engine->ends[i] = start + duration(engine->costs, pass, rank);
        publish(engine, pass, (struct result){engine->ends[i], rank});
        i++;
    }
    engine->reached[rank] = i;
    return i > begin;
}

static void engine_open(struct engine *engine, struct arena *arena, const struct order *order) {
    int64_t visits = order->ways * order->stages * order->micro_batches;
    size_t passes = (size_t)order->first[order->ranks];
    engine->order = order;
    engine->forward = ARENA_ARRAY(arena, struct result, (size_t)visits);
    engine->backward = ARENA_ARRAY(arena, struct result, (size_t)visits);
    engine->starts = ARENA_ARRAY(arena, double, passes);
    engine->ends = ARENA_ARRAY(arena, double, passes);
    engine->reached = ARENA_ARRAY(arena, int64_t, (size_t)order->ranks);
    if (order->barriers > 0) {
        engine->meetings[0] = ARENA_ARRAY(arena, struct meeting, (size_t)(order->ways * order->micro_batches));
        engine->meetings[1] = ARENA_ARRAY(arena, struct meeting, (size_t)(order->ways * order->micro_batches));
    }
    for (int64_t i = 0; i < visits; i++) {
        engine->forward[i].time = engine->backward[i].time = -1;
    }
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        engine->reached[rank] = order->first[rank];
    }
}

/* Activations alive change at pass starts and ends only, and a rank runs one pass after another: counting along the
 * list is exact. A pair allocates its forward's before it frees its backward's. */
static void rank_count(const struct order *order, int64_t rank, struct rank_run *run) {
    int64_t to_backward = 0;
    int64_t to_weight = 0;
    for (int64_t i = order->first[rank]; i < order->first[rank + 1]; i++) {
        enum pass_kind kind = order->passes[i].kind;
        bool full = kind == PASS_FULL || kind == PASS_PAIR;
        if (kind == PASS_FORWARD || kind == PASS_PAIR) {
            to_backward++;
            to_weight++;
        }
        run->held_to_backward = to_backward > run->held_to_backward ? to_backward : run->held_to_backward;
        run->held_to_weight = to_weight > run->held_to_weight ? to_weight : run->held_to_weight;
        to_backward -= full || kind == PASS_BACKWARD;
        to_weight -= full || kind == PASS_WEIGHT;
    }
}

static void rank_summarize(const struct engine *engine, int64_t rank, struct rank_run *run) {
    int64_t begin = engine->order->first[rank];
    int64_t end = engine->reached[rank];
    if (begin < end) {
        run->start = engine->starts[begin];
        run->end = engine->ends[end - 1];
    }
    for (int64_t i = begin; i < end; i++) {
        run->busy += engine->ends[i] - engine->starts[i];
    }
    rank_count(engine->order, rank, run);
}

bool order_execute(struct arena *arena, const struct order *order, const struct stage_costs *costs,
                   struct execution *ret_execution) {
    struct engine engine = {.costs = costs};
    engine_open(&engine, arena, order);
    bool moved = true;
    while (moved) {
        moved = false;
        for (int64_t rank = 0; rank < order->ranks; rank++) {
            moved = rank_advance(&engine, rank) || moved;
        }
    }
    struct rank_run *ranks = ARENA_ARRAY(arena, struct rank_run, (size_t)order->ranks);
    struct execution execution = {
        .ranks = ranks, .starts = engine.starts, .ends = engine.ends, .reached = engine.reached};
    bool done = true;
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        rank_summarize(&engine, rank, &ranks[rank]);
        execution.makespan = larger(execution.makespan, ranks[rank].end);
        execution.span = larger(execution.span, ranks[rank].end - ranks[rank].start);
        done = done && engine.reached[rank] == order->first[rank + 1];
    }
    *ret_execution = execution;
    return done;
}

double execution_bubble(const struct execution *execution, int64_t ranks) {
    double busy = 0;
    for (int64_t rank = 0; rank < ranks; rank++) {
        busy += execution->ranks[rank].busy;
    }
    double whole = (double)ranks * execution->makespan;
    return whole > 0 ? 1 - busy / whole : 0;
}

double execution_span_bubble(const struct execution *execution, int64_t ranks) {
    double most = 0;
    for (int64_t rank = 0; rank < ranks; rank++) {
        const struct rank_run *run = &execution->ranks[rank];
        double span = run->end - run->start;
        most = span > 0 ? larger(most, (span - run->busy) / span) : most;
    }
    return most;
}
