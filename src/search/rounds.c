/* Rounds over nodes, best bound first. A round takes a fixed number of nodes, whatever the number of threads, and all
 * of them see the plans kept by the rounds before, so that results and counts never depend on who was faster. The first
 * rounds are small: their plans rule out most of what follows. */
#include "search/rounds.h"

#include <math.h>

#include "base/arena.h"
#include "base/threads.h"

enum { ROUND = 64 };

/* One node's outcome within a round. */
struct outcome {
    struct best best;
    struct tally tally;
    bool skipped; /* the search was stopped before it */
};

struct rounds {
    const struct search_control *control;
    struct search_space space;
    struct explore_plan plan;
    struct frontier frontier;
    int64_t *blocks; /* shapes that share tp and cp begin here */
    int64_t block_count;
    size_t workers;
    struct arena **arenas;
    struct explorer **explorers;
    struct tally *tallies; /* of workers */
    struct search_node nodes[ROUND];
    struct outcome outcomes[ROUND];
    double started, time_limit;
    bool by_time;  /* the only objective grows with the step time alone */
    bool *stopped; /* of workers, while bounding */
    struct rounds_result result;
};

static double now(const struct rounds *r) {
    return r->control->clock != NULL ? r->control->clock() : 0;
}

static bool must_stop(const struct rounds *r) {
    return (r->control->stop != NULL && *r->control->stop != 0) ||
           (r->time_limit > 0 && now(r) - r->started >= r->time_limit);
}

static void open_workers(struct arena *arena, struct rounds *r, int64_t top) {
    const struct job *job = r->space.context->job;
    r->workers = job->threads > 0 ? (size_t)job->threads : threads_available();
    r->arenas = ARENA_ARRAY(arena, struct arena *, r->workers);
    r->explorers = ARENA_ARRAY(arena, struct explorer *, r->workers);
    r->tallies = ARENA_ARRAY(arena, struct tally, r->workers);
    r->stopped = ARENA_ARRAY(arena, bool, r->workers);
    best_init(&r->result.best, arena, top, r->plan.objective_count);
    for (int i = 0; i < ROUND; i++) {
        best_init(&r->outcomes[i].best, arena, top, r->plan.objective_count);
    }
}

/* A worker's room is made by itself, when it first has something to do. */
static struct explorer *explorer_of(struct rounds *r, size_t worker) {
    if (r->explorers[worker] == NULL) {
        r->arenas[worker] = arena_open(NULL, NULL);
        r->explorers[worker] = explorer_open(r->arenas[worker], &r->plan);
    }
    return r->explorers[worker];
}

static void list_blocks(struct arena *arena, struct rounds *r) {
    const struct frontier *f = &r->frontier;
    r->blocks = ARENA_ARRAY(arena, int64_t, (size_t)f->shape_count + 1);
    for (int64_t i = 0; i < f->shape_count; i++) {
        const struct parallel *p = &f->shapes[i].parallel, *q = &f->shapes[i > 0 ? i - 1 : 0].parallel;
        if (i == 0 || p->tp != q->tp || p->cp != q->cp) {
            r->blocks[r->block_count++] = i;
        }
    }
    r->blocks[r->block_count] = f->shape_count;
}

static void bound_task(void *context, size_t index, size_t worker) {
    struct rounds *r = context;
    struct explorer *e = explorer_of(r, worker);
    struct floors *floors = r->plan.exhaustive ? NULL : explorer_floors(e);
    for (int64_t i = r->blocks[index]; i < r->blocks[index + 1]; i++) {
        r->stopped[worker] = r->stopped[worker] || must_stop(r);
        if (r->stopped[worker]) {
            return;
        }
        frontier_bound(&r->frontier, i, r->plan.objectives[0], floors, explorer_cuts(e), &r->tallies[worker]);
    }
}

/* Bounds all nodes; false when the search was stopped meanwhile. */
static bool bound_all(struct rounds *r) {
    bool finished = true;
    threads_for(r->workers, (size_t)r->block_count, bound_task, r);
    for (size_t i = 0; i < r->workers; i++) {
        tally_add(&r->result.tally, &r->tallies[i]);
        finished = finished && !r->stopped[i];
    }
    if (finished) {
        frontier_order(&r->frontier);
    }
    return finished;
}

static void explore_task(void *context, size_t index, size_t worker) {
    struct rounds *r = context;
    struct outcome *outcome = &r->outcomes[index];
    outcome->best.count = 0;
    outcome->tally = (struct tally){0};
    outcome->skipped = must_stop(r);
    if (!outcome->skipped) {
        struct explorer *e = explorer_of(r, worker);
        outcome->best.arena = r->arenas[worker]; /* a front may grow */
        explore_node(e, &r->nodes[index], &r->result.best, &outcome->best, &outcome->tally);
    }
}

/* Whether nothing in the node can be kept. */
static bool is_hopeless(const struct rounds *r, const struct search_node *node) {
    double bounds[BEST_OBJECTIVES];
    for (int i = 0; i < r->plan.objective_count; i++) {
        bounds[i] = objective_bound(r->space.context, r->plan.objectives[i], &node->floor);
    }
    return !r->plan.exhaustive && best_rejects(&r->result.best, bounds);
}

static void leave_out(struct rounds *r, const struct search_node *node) {
    r->result.floor = fmin(r->result.floor, node->floor.seconds);
    r->result.tally.pruned_bound += frontier_size(&r->frontier, node);
}

/* The next nodes worth opening, at most `most`. */
static int64_t take_nodes(struct rounds *r, int64_t most) {
    int64_t count = 0;
    while (count < most && frontier_next(&r->frontier) != NULL) {
        struct search_node node = frontier_take(&r->frontier);
        if (is_hopeless(r, &node)) {
            leave_out(r, &node);
        } else {
            r->nodes[count++] = node;
        }
    }
    return count;
}

/* Adds a round's outcomes; false when some nodes were skipped. */
static bool merge(struct rounds *r, int64_t count) {
    bool whole = true;
    for (int64_t i = 0; i < count; i++) {
        const struct outcome *outcome = &r->outcomes[i];
        if (outcome->skipped || !r->by_time) { /* by time, what was not kept is no faster than what was */
            r->result.floor = fmin(r->result.floor, r->nodes[i].floor.seconds);
        }
        for (int64_t j = 0; j < outcome->best.count; j++) {
            best_offer(&r->result.best, &outcome->best.items[j]);
        }
        tally_add(&r->result.tally, &outcome->tally);
        whole = whole && !outcome->skipped;
    }
    return whole;
}

static void tell(const struct rounds *r) {
    const struct tally *t = &r->result.tally;
    const struct best *best = &r->result.best;
    struct estimate first;
    struct search_result so_far = {.evaluated = t->evaluated,
                                   .pruned_memory = t->pruned_memory,
                                   .pruned_bound = t->pruned_bound,
                                   .pruned_rule = t->pruned_rule,
                                   .seconds = now(r) - r->started,
                                   .threads = r->result.threads};
    if (r->control->progress == NULL) {
        return;
    }
    if (best->count > 0 && r->plan.objectives[0] == OBJECTIVE_STEP_TIME) {
        first = (struct estimate){.decision = best->items[0].decision, .step_time = best->items[0].values[0]};
        so_far.plans = (struct list){&first, 1};
    }
    r->control->progress(r->control->context, &so_far);
}

static bool explore_all(struct rounds *r) {
    int64_t size = 1;
    for (;;) {
        if (must_stop(r)) {
            return frontier_next(&r->frontier) == NULL;
        }
        int64_t count = take_nodes(r, size);
        if (count == 0) {
            return true;
        }
        threads_for(r->workers, (size_t)count, explore_task, r);
        if (!merge(r, count)) {
            return false;
        }
        tell(r);
        size = 2 * size < ROUND ? 2 * size : ROUND;
    }
}

struct rounds_result rounds_run(struct arena *arena, const struct search_space *space, const struct rounds_goal *goal,
                                const struct search_control *control, double started) {
    struct rounds *r = ARENA_NEW(arena, struct rounds);
    r->control = control;
    r->started = started;
    r->time_limit = space->context->job->time;
    r->space = *space;
    r->space.memory_limit = goal->memory_limit;
    r->space.longest = goal->longest;
    r->plan = (struct explore_plan){.space = &r->space,
                                    .frontier = &r->frontier,
                                    .objective_count = goal->objective_count,
                                    .exhaustive = control->exhaustive};
    for (int i = 0; i < goal->objective_count; i++) {
        enum objective objective = goal->objectives[i];
        r->plan.objectives[i] = objective;
        r->space.wants_bytes = r->space.wants_bytes || objective == OBJECTIVE_MEMORY;
        r->space.wants_compute = r->space.wants_compute || objective == OBJECTIVE_ENERGY;
    }
    r->by_time = goal->objective_count == 1 && !r->space.wants_bytes && !r->space.wants_compute;
    open_workers(arena, r, goal->top);
    r->result.floor = (double)INFINITY;
    r->result.threads = (int64_t)r->workers;
    frontier_list(arena, &r->space, &r->frontier, &r->result.tally);
    list_blocks(arena, r);
    if (!bound_all(r)) {
        r->result.floor = 0;
    } else {
        r->result.complete = explore_all(r);
        for (int64_t i = 0; i < r->frontier.count; i++) {
            r->result.floor = fmin(r->result.floor, r->frontier.nodes[i].floor.seconds);
        }
    }
    for (size_t i = 0; i < r->workers; i++) {
        if (r->arenas[i] != NULL) {
            arena_close(r->arenas[i]);
        }
    }
    return r->result;
}
