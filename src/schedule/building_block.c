/* A run in slots: what every slot of every rank holds and how many activations are alive in it. */
#include "schedule/building_block.h"

#include "base/arena.h"
#include "schedule/execute.h"
#include "schedule/fill.h"
#include "schedule/rule.h"

enum { PERIOD = 6, ROUNDS = 6 };

struct slots {
    int64_t ranks, micro_batches, length;
    struct pass *passes; /* by rank and slot; only where `used` is START */
    char *used;          /* by rank and slot */
    int64_t *alive;      /* by rank and slot */
    int64_t *ends;       /* first slot behind a pass; by kind, stage and micro-batch */
};
enum { FREE, START, REST };

static int64_t at_slot(const struct slots *slots, int64_t rank, int64_t slot) {
    return rank * slots->length + slot;
}

static int64_t pass_length(enum pass_kind kind) {
    return kind == PASS_FULL ? 2 : 1;
}

/* Full backwards count as backwards. */
static int64_t *end_of(const struct slots *slots, enum pass_kind kind, int64_t stage, int64_t micro_batch) {
    int64_t row = kind == PASS_FORWARD ? 0 : kind == PASS_WEIGHT ? 2 : 1;
    return &slots->ends[(row * 2 * slots->ranks + stage) * slots->micro_batches + micro_batch];
}

static void slots_open(struct slots *slots, struct arena *arena, const struct order *order, int64_t length) {
    *slots = (struct slots){.ranks = order->ranks, .micro_batches = order->micro_batches, .length = length};
    size_t all = (size_t)(length * order->ranks);
    slots->passes = ARENA_ARRAY(arena, struct pass, all);
    slots->used = ARENA_ARRAY(arena, char, all);
    slots->alive = ARENA_ARRAY(arena, int64_t, all);
    slots->ends = ARENA_ARRAY(arena, int64_t, (size_t)(6 * order->ranks * order->micro_batches));
}

static void slots_put(struct slots *slots, int64_t rank, int64_t slot, const struct pass *pass) {
    int64_t at = at_slot(slots, rank, slot);
    slots->passes[at] = *pass;
    slots->used[at] = START;
    for (int64_t i = 1; i < pass_length(pass->kind); i++) {
        slots->used[at + i] = REST;
    }
    *end_of(slots, pass->kind, pass->visit.stage, pass->visit.micro_batch) = slot + pass_length(pass->kind);
}

/* W, oldest first, in the free slots behind their B; the last ones behind everything. */
static void put_weights(struct arena *arena, struct slots *slots, int64_t rank) {
    struct visit *owed = ARENA_ARRAY(arena, struct visit, (size_t)(2 * slots->micro_batches));
    int64_t begin = 0;
    int64_t end = 0;
    for (int64_t slot = 0; slot < slots->length; slot++) {
        int64_t at = at_slot(slots, rank, slot);
        if (slots->used[at] == START && slots->passes[at].kind == PASS_BACKWARD) {
            owed[end++] = slots->passes[at].visit;
        } else if (slots->used[at] == FREE && begin < end) {
            slots_put(slots, rank, slot, &(struct pass){.kind = PASS_WEIGHT, .visit = owed[begin++]});
        }
    }
}

static void put_row(struct slots *slots, const struct building_block *block, const struct block_row *row,
                    int64_t rank) {
    enum pass_kind backward = block->fused ? PASS_FULL : PASS_BACKWARD;
    for (int64_t j = 0; j < slots->micro_batches; j++) {
        for (int64_t chunk = 0; chunk < 2; chunk++) {
            int64_t stage = placement_stage(PLACEMENT_WAVE, slots->ranks, rank, chunk);
            struct visit visit = {(int32_t)stage, (int32_t)j, 0};
            struct pass passes[2] = {{.kind = PASS_FORWARD, .visit = visit}, {.kind = backward, .visit = visit}};
            slots_put(slots, rank, row->forward[chunk] + PERIOD * j, &passes[0]);
            slots_put(slots, rank, row->backward[chunk] + PERIOD * j, &passes[1]);
        }
    }
}

/* Slots up to the end of the last pass of the block, and room for W behind it. */
static int64_t length_of(const struct block_row *rows, const struct order *order) {
    int64_t last = 0;
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        last = rows[rank].backward[0] > last ? rows[rank].backward[0] : last;
    }
    return last + PERIOD * order->micro_batches + 2 * order->micro_batches;
}

static void slots_repeat(struct slots *slots, struct arena *arena, const struct building_block *block,
                         const struct order *order) {
    struct block_row *rows = ARENA_ARRAY(arena, struct block_row, (size_t)order->ranks);
    block->place(order->ranks, rows);
    slots_open(slots, arena, order, length_of(rows, order));
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        put_row(slots, block, &rows[rank], rank);
        if (!block->fused) {
            put_weights(arena, slots, rank);
        }
    }
}

static bool frees(enum pass_kind kind) {
    return kind == PASS_WEIGHT || kind == PASS_FULL;
}

static void count_alive(struct slots *slots, int64_t rank) {
    int64_t alive = 0;
    int64_t leaving = -1; /* slot in which what frees an activation ends */
    for (int64_t slot = 0; slot < slots->length; slot++) {
        int64_t at = at_slot(slots, rank, slot);
        if (slots->used[at] == START) {
            enum pass_kind kind = slots->passes[at].kind;
            alive += kind == PASS_FORWARD;
            leaving = frees(kind) ? slot + pass_length(kind) - 1 : leaving;
        }
        slots->alive[at] = alive;
        alive -= leaving == slot;
    }
}

/* The first slot in which the pass may start: all it needs has ended. */
static int64_t earliest(const struct slots *slots, const struct pass *pass) {
    int64_t stage = pass->visit.stage;
    int64_t j = pass->visit.micro_batch;
    if (pass->kind == PASS_FORWARD) {
        return stage == 0 ? 0 : *end_of(slots, PASS_FORWARD, stage - 1, j);
    }
    if (pass->kind == PASS_WEIGHT) {
        return *end_of(slots, PASS_BACKWARD, stage, j);
    }
    int64_t own = *end_of(slots, PASS_FORWARD, stage, j);
    if (stage + 1 == 2 * slots->ranks) {
        return own;
    }
    int64_t behind = *end_of(slots, PASS_BACKWARD, stage + 1, j);
    return own > behind ? own : behind;
}

static bool room(const struct slots *slots, int64_t rank, int64_t slot, int64_t length) {
    for (int64_t i = 0; i < length; i++) {
        if (slots->used[at_slot(slots, rank, slot + i)] != FREE) {
            return false;
        }
    }
    return true;
}

/* Where the pass, taken out of `slot`, goes: the first room behind `from`; a forward not before the last slot in which
 * the rank already holds all it may. */
static int64_t better_slot(const struct slots *slots, int64_t rank, int64_t slot, int64_t from, enum pass_kind kind,
                           int64_t cap) {
    if (kind == PASS_FORWARD) {
        int64_t lowest = slot;
        while (lowest > from && slots->alive[at_slot(slots, rank, lowest - 1)] < cap) {
            lowest--;
        }
        from = lowest;
    }
    while (from < slot && !room(slots, rank, from, pass_length(kind))) {
        from++;
    }
    return from;
}

static void move(struct slots *slots, int64_t rank, int64_t slot, int64_t cap) {
    struct pass pass = slots->passes[at_slot(slots, rank, slot)];
    int64_t length = pass_length(pass.kind);
    for (int64_t i = 0; i < length; i++) {
        slots->used[at_slot(slots, rank, slot + i)] = FREE;
    }
    int64_t to = better_slot(slots, rank, slot, earliest(slots, &pass), pass.kind, cap);
    slots_put(slots, rank, to, &pass);
    for (int64_t i = to; pass.kind == PASS_FORWARD && i < slot; i++) {
        slots->alive[at_slot(slots, rank, i)]++;
    }
    for (int64_t i = to + length; frees(pass.kind) && i < slot + length; i++) {
        slots->alive[at_slot(slots, rank, i)]--;
    }
}

/* Moves every pass, in the order of time, into the first slot that its needs and the rank's memory allow. */
static void move_all(struct slots *slots, const int64_t *caps) {
    for (int64_t rank = 0; rank < slots->ranks; rank++) {
        count_alive(slots, rank);
    }
    for (int64_t slot = 0; slot < slots->length; slot++) {
        for (int64_t rank = 0; rank < slots->ranks; rank++) {
            if (slots->used[at_slot(slots, rank, slot)] == START) {
                move(slots, rank, slot, caps[rank]);
            }
        }
    }
}

/* Each rank's passes in the order of their slots, W left out or not. */
static struct pass_list *slots_list(struct arena *arena, const struct slots *slots, bool weights) {
    struct pass_list *lists = lists_open(arena, slots->ranks, 6 * slots->micro_batches, slots->micro_batches);
    for (int64_t rank = 0; rank < slots->ranks; rank++) {
        for (int64_t slot = 0; slot < slots->length; slot++) {
            int64_t at = at_slot(slots, rank, slot);
            if (slots->used[at] == START && (weights || slots->passes[at].kind != PASS_WEIGHT)) {
                list_add(&lists[rank], slots->passes[at].kind, slots->passes[at].visit);
            }
        }
    }
    return lists;
}

void block_repeat(struct arena *arena, const struct building_block *block, struct order *order) {
    struct slots slots;
    slots_repeat(&slots, arena, block, order);
    lists_join(arena, slots_list(arena, &slots, true), order);
}

/* The passes of the order in the slots they start in when each takes one. */
static void slots_take(struct slots *slots, struct arena *arena, const struct order *order,
                       const struct execution *execution) {
    slots_open(slots, arena, order, (int64_t)execution->makespan + 1);
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        for (int64_t i = order->first[rank]; i < order->first[rank + 1]; i++) {
            slots_put(slots, rank, (int64_t)execution->starts[i], &order->passes[i]);
        }
    }
}

static bool run_in_slots(struct arena *arena, const struct order *order, struct execution *execution) {
    double *one = ARENA_ARRAY(arena, double, (size_t)order->stages);
    for (int64_t stage = 0; stage < order->stages; stage++) {
        one[stage] = 1;
    }
    return order_execute(arena, order, &(struct stage_costs){.forward = one, .backward = one, .weight = one},
                         execution);
}

/* The moved passes as an order, W where ranks would idle. */
static bool slots_finish(struct arena *arena, const struct slots *slots, const int64_t *caps, bool fused,
                         struct order *order) {
    struct pass_list *lists = slots_list(arena, slots, fused);
    if (!fused) {
        struct fill fill = {.ranks = slots->ranks,
                            .stages = 2 * slots->ranks,
                            .micro_batches = slots->micro_batches,
                            .placement = PLACEMENT_WAVE,
                            .caps = caps,
                            .times = {.forward = 1, .backward = 1, .weight = 1}};
        struct pass_list *rows = lists;
        lists = lists_open(arena, slots->ranks, 6 * slots->micro_batches, slots->micro_batches);
        if (!fill_weights(arena, &fill, rows, lists)) {
            return false;
        }
    }
    lists_join(arena, lists, order);
    return true;
}

/* Once is enough for most; V-Min gains for some p from up to ROUNDS times. */
void block_arrange(struct arena *arena, const struct building_block *block, const struct schedule_shape *shape,
                   struct order *order) {
    int64_t *caps = ARENA_ARRAY(arena, int64_t, (size_t)shape->ranks);
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        caps[rank] = block_in_flight(block, shape, rank);
    }
    struct slots slots;
    slots_repeat(&slots, arena, block, order);
    lists_join(arena, slots_list(arena, &slots, true), order);
    double best = (double)slots.length;
    for (int round = 0; round < ROUNDS; round++) {
        struct order next = *order;
        struct execution run;
        move_all(&slots, caps);
        if (!slots_finish(arena, &slots, caps, block->fused, &next) || !run_in_slots(arena, &next, &run)) {
            return;
        }
        if (run.makespan < best) {
            best = run.makespan;
            *order = next;
        }
        slots_take(&slots, arena, &next, &run);
    }
}

int64_t block_in_flight(const struct building_block *block, const struct schedule_shape *shape, int64_t rank) {
    int64_t m = shape->micro_batches;
    int64_t before = m + 1 + (block->fused ? 3 * rank / 2 : rank);
    return fewer(fewer(block->cap(shape->ranks), 2 * m), before);
}

double block_makespan(const struct schedule_shape *shape, const struct pass_times *times, const struct excess *paths,
                      size_t count) {
    double longest = 0;
    for (size_t i = 0; i < count; i++) {
        double excess = paths[i].forward * times->forward + paths[i].backward * times->backward +
                        paths[i].weight * times->weight + paths[i].hop * times->hop;
        longest = larger(longest, excess);
    }
    double work = 2 * (double)shape->micro_batches * pass_full(times);
    return larger(work + longest, schedule_bound(shape, times, false));
}
