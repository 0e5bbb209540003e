/* Ranks advance in the order of time: of all that know what to do next, the one that is sure of it first. What a rank
 * would do next is worked out again when it has run a pass, or the rank has that it gets its input from. */
#include "schedule/fill.h"

#include "base/arena.h"
#include "schedule/rule.h"

static const double never = -1;

/* A rank on its way: the next of its row, and how many forwards, input and weight gradients it has run. */
struct walker {
    int64_t next, forwards, backwards, weights;
    double clock;
};

/* What a rank would run next, and from when on. */
struct step {
    struct pass pass;
    double start;
    double decided; /* when it is sure that nothing better turns up; never: it can only wait for others */
};

struct filler {
    const struct fill *fill;
    const struct pass_list *rows;
    struct pass_list *lists;
    struct walker *walkers;
    struct step *steps;         /* of each rank */
    struct visit **owed;        /* of each rank: its input gradients in the order they ran */
    double *forward, *backward; /* end of each, by stage and micro-batch; never: not yet */
};

static int64_t place(const struct filler *filler, int64_t stage, int64_t micro_batch) {
    return stage * filler->fill->micro_batches + micro_batch;
}

/* When the result of `stage` is on `rank`; never if it does not exist yet. */
static double arrival(const struct filler *filler, const double *ends, int64_t stage, int64_t micro_batch,
                      int64_t rank) {
    const struct fill *fill = filler->fill;
    double end = ends[place(filler, stage, micro_batch)];
    if (end < 0) {
        return never;
    }
    return placement_rank(fill->placement, fill->ranks, stage, 0) == rank ? end : end + fill->times.hop;
}

/* When the forward or input gradient could start at the earliest; never if that is not known yet. */
static double due(const struct filler *filler, const struct pass *pass, int64_t rank) {
    const struct visit *visit = &pass->visit;
    if (pass->kind == PASS_FORWARD) {
        return visit->stage == 0 ? 0 : arrival(filler, filler->forward, visit->stage - 1, visit->micro_batch, rank);
    }
    double own = arrival(filler, filler->forward, visit->stage, visit->micro_batch, rank);
    if (own < 0 || visit->stage + 1 == filler->fill->stages) {
        return own;
    }
    double behind = arrival(filler, filler->backward, visit->stage + 1, visit->micro_batch, rank);
    return behind < 0 ? never : larger(own, behind);
}

static bool full(const struct filler *filler, int64_t rank) {
    const struct walker *walker = &filler->walkers[rank];
    return walker->forwards - walker->weights >= filler->fill->caps[rank];
}

/* Whether a free choice may run another forward. */
static bool forward_open(const struct filler *filler, int64_t rank) {
    const struct walker *walker = &filler->walkers[rank];
    int64_t ahead = walker->forwards - walker->backwards;
    bool near = filler->fill->choice != FILL_FORWARD_FIRST || ahead < filler->fill->ranks - rank;
    return near && walker->forwards < filler->fill->micro_batches && !full(filler, rank);
}

/* The next forward or input gradient of a rank with one chunk; false if nothing is known to come. */
static bool choose(const struct filler *filler, int64_t rank, struct pass *pass) {
    const struct walker *walker = &filler->walkers[rank];
    int32_t stage = (int32_t)rank;
    struct pass forward = {.kind = PASS_FORWARD, .visit = {stage, (int32_t)walker->forwards, 0}};
    struct pass backward = {.kind = PASS_BACKWARD, .visit = {stage, (int32_t)walker->backwards, 0}};
    double forward_due = forward_open(filler, rank) ? due(filler, &forward, rank) : never;
    double backward_due = walker->backwards < walker->forwards ? due(filler, &backward, rank) : never;
    if (forward_due < 0 && backward_due < 0) {
        return false;
    }
    forward_due = larger(forward_due, forward_due < 0 ? never : walker->clock);
    backward_due = larger(backward_due, backward_due < 0 ? never : walker->clock);
    bool first = backward_due < 0 ||
                 (forward_due >= 0 && (filler->fill->choice == FILL_FORWARD_FIRST ? forward_due <= backward_due
                                                                                  : forward_due < backward_due));
    *pass = first ? forward : backward;
    return true;
}

/* False: the row is at its end, or nothing can be chosen. */
static bool next_pass(const struct filler *filler, int64_t rank, struct pass *pass) {
    if (filler->fill->choice != FILL_ROW) {
        return choose(filler, rank, pass);
    }
    const struct pass_list *row = &filler->rows[rank];
    int64_t next = filler->walkers[rank].next;
    if (next < row->count) {
        *pass = row->passes[next];
    }
    return next < row->count;
}

static void plan_step(struct filler *filler, int64_t rank) {
    struct walker *walker = &filler->walkers[rank];
    struct step *step = &filler->steps[rank];
    double length = filler->fill->times.weight;
    bool owes = walker->weights < walker->backwards;
    struct pass pass = {.kind = PASS_FORWARD};
    bool any = next_pass(filler, rank, &pass);
    bool blocked = any && pass.kind == PASS_FORWARD && full(filler, rank);
    double known = any && !blocked ? due(filler, &pass, rank) : never;
    double start = larger(walker->clock, known);
    bool fits = known >= 0 && start - walker->clock >= length * (1 - filler->fill->late - 1e-9);
    bool waits = any && !blocked && known < 0;
    if (owes && (known < 0 || (fits && start > walker->clock))) {
        step->pass = (struct pass){.kind = PASS_WEIGHT, .visit = filler->owed[rank][walker->weights]};
        step->start = walker->clock;
        step->decided = waits ? walker->clock + length * (1 - filler->fill->late) : walker->clock;
        return;
    }
    *step = (struct step){.pass = pass, .start = start, .decided = known >= 0 ? start : never};
}

static void run_step(struct filler *filler, int64_t rank, const struct step *step) {
    struct walker *walker = &filler->walkers[rank];
    const struct pass_times *times = &filler->fill->times;
    int64_t at = place(filler, step->pass.visit.stage, step->pass.visit.micro_batch);
    if (step->pass.kind == PASS_WEIGHT) {
        walker->clock = step->start + times->weight;
        walker->weights++;
    } else if (step->pass.kind == PASS_FORWARD) {
        walker->clock = filler->forward[at] = step->start + times->forward;
        walker->forwards++;
        walker->next++;
    } else {
        walker->clock = filler->backward[at] = step->start + times->backward;
        filler->owed[rank][walker->backwards++] = step->pass.visit;
        walker->next++;
    }
    list_add(&filler->lists[rank], step->pass.kind, step->pass.visit);
}

/* The rank itself, and the one that the pass's result goes to, think again. */
static void plan_after(struct filler *filler, int64_t rank, const struct pass *pass) {
    const struct fill *fill = filler->fill;
    int64_t stage = pass->visit.stage + (pass->kind == PASS_FORWARD ? 1 : -1);
    plan_step(filler, rank);
    if (pass->kind != PASS_WEIGHT && stage >= 0 && stage < fill->stages) {
        plan_step(filler, placement_rank(fill->placement, fill->ranks, stage, 0));
    }
}

/* False if no rank can go on. */
static bool advance(struct filler *filler) {
    int64_t first = -1;
    for (int64_t rank = 0; rank < filler->fill->ranks; rank++) {
        double decided = filler->steps[rank].decided;
        if (decided >= 0 && (first < 0 || decided < filler->steps[first].decided)) {
            first = rank;
        }
    }
    if (first >= 0) {
        struct step step = filler->steps[first];
        run_step(filler, first, &step);
        plan_after(filler, first, &step.pass);
    }
    return first >= 0;
}

bool fill_weights(struct arena *arena, const struct fill *fill, const struct pass_list *rows, struct pass_list *lists) {
    size_t visits = (size_t)(fill->stages * fill->micro_batches);
    struct filler filler = {.fill = fill,
                            .rows = rows,
                            .lists = lists,
                            .walkers = ARENA_ARRAY(arena, struct walker, (size_t)fill->ranks),
                            .steps = ARENA_ARRAY(arena, struct step, (size_t)fill->ranks),
                            .owed = ARENA_ARRAY(arena, struct visit *, (size_t)fill->ranks),
                            .forward = ARENA_ARRAY(arena, double, visits),
                            .backward = ARENA_ARRAY(arena, double, visits)};
    for (size_t i = 0; i < visits; i++) {
        filler.forward[i] = filler.backward[i] = never;
    }
    for (int64_t rank = 0; rank < fill->ranks; rank++) {
        filler.owed[rank] = ARENA_ARRAY(arena, struct visit, visits / (size_t)fill->ranks);
    }
    for (int64_t rank = 0; rank < fill->ranks; rank++) {
        plan_step(&filler, rank);
    }
    size_t left = 3 * visits;
    while (left > 0 && advance(&filler)) {
        left--;
    }
    return left == 0;
}
