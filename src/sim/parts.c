#include "sim/parts.h"

#include <math.h>

#include "base/arena.h"
#include "sim/lanes.h"

enum part {
    PART_COMPUTE, PART_BUBBLE, PART_TP, PART_PP, PART_DP, PART_CP, PART_EP, PART_OPTIMIZER, PART_OVERHEAD, PART_COUNT
};

struct walk {
    const struct program *program;
    const struct work_shares *shares;
    const struct engine_result *result;
    const struct role *role;
    int64_t instance;
    struct lane lanes[STREAM_COUNT];
    double beside; /* of overlapping communication: at most so much is lost to it */
    double sums[PART_COUNT]; /* picoseconds */
};

static enum part part_of_axis(enum axis axis) {
    switch (axis) {
    case AXIS_TP:
        return PART_TP;
    case AXIS_CP:
        return PART_CP;
    case AXIS_PP:
        return PART_PP;
    case AXIS_EP:
    case AXIS_ETP:
        return PART_EP;
    case AXIS_DP:
    case AXIS_EDP:
    case AXIS_DP_CP:
    case AXIS_COUNT:
        break;
    }
    return PART_DP;
}

/* What time spent waiting for an instruction is: of this rank or another. */
static enum part part_of(const struct program *program, const struct instruction *instruction) {
    switch ((enum action)instruction->action) {
    case ACTION_COLLECTIVE:
        return part_of_axis(program->works[instruction->work].axis);
    case ACTION_SEND:
    case ACTION_RECEIVE:
        return PART_PP;
    case ACTION_OPTIMIZER:
        return PART_OPTIMIZER;
    case ACTION_LOAD:
    case ACTION_STORE:
        return PART_OVERHEAD;
    case ACTION_FORWARD:
    case ACTION_BACKWARD:
    case ACTION_WEIGHT:
    case ACTION_FULL:
    case ACTION_PAIR:
    case ACTION_RECOMPUTE:
    case ACTION_SHARD:
    case ACTION_SHARD_END:
    case ACTION_HOST:
    case ACTION_COUNT:
        break;
    }
    return PART_BUBBLE;
}

/* Where the times of an instance's instruction lie in the result. */
static int64_t place_of(const struct walk *w, int64_t instance, int64_t instruction) {
    int64_t roles = w->program->role_count;
    return instance / roles * w->program->count + w->program->roles[instance % roles].first + instruction;
}

/* The time from `until` to `moment` by what is waited for: `cause` and what led to it. */
static void blame(struct walk *w, struct cause cause, int64_t until, int64_t moment) {
    while (moment > until && cause.instance >= 0) {
        int64_t place = place_of(w, cause.instance, cause.instruction);
        int64_t start = w->result->starts[place], end = w->result->ends[place];
        end = end > until ? end : until;
        if (end < moment) { /* nothing ran: a pause */
            w->sums[PART_BUBBLE] += (double)(moment - end);
            moment = end;
        }
        start = start > until ? start : until;
        int64_t first = w->program->roles[cause.instance % w->program->role_count].first;
        w->sums[part_of(w->program, &w->program->instructions[first + cause.instruction])] +=
            moment > start ? (double)(moment - start) : 0;
        moment = moment > start ? start : moment;
        cause = w->result->causes[place];
    }
    w->sums[PART_BUBBLE] += moment > until ? (double)(moment - until) : 0;
}

/* What an instruction took longer because of communication beside it, charged to that; returns how much. */
static double charge_beside(struct walk *w, int64_t start, int64_t end, double excess) {
    double overlaps[PART_COUNT] = {0}, sum = 0;
    for (int stream = STREAM_COMPUTE + 1; stream < STREAM_COUNT && excess > 0; stream++) {
        struct lane *lane = &w->lanes[stream];
        for (int64_t i = lane->next; i < lane->count; i++) {
            int64_t place = place_of(w, w->instance, lane->items[i]);
            int64_t from = w->result->starts[place], to = w->result->ends[place];
            lane->next += to <= start && i == lane->next;
            if (from >= end) {
                break;
            }
            double both = (double)((to < end ? to : end) - (from > start ? from : start));
            overlaps[part_of(w->program, &w->program->instructions[w->role->first + lane->items[i]])] += fmax(0, both);
            sum += fmax(0, both);
        }
    }
    double lost = fmin(excess, w->beside * fmin(sum, (double)(end - start)));
    for (int part = 0; part < PART_COUNT && sum > 0; part++) {
        w->sums[part] += lost * overlaps[part] / sum;
    }
    return sum > 0 ? lost : 0;
}

/* The time of an instruction of the compute stream itself. */
static void charge_own(struct walk *w, const struct work_price *prices, const struct instruction *instruction,
                       int64_t start, int64_t end) {
    double time = (double)(end - start);
    if (instruction->action == ACTION_HOST) {
        w->sums[PART_OVERHEAD] += time;
        return;
    }
    enum part part = part_of(w->program, instruction);
    if (part != PART_BUBBLE) {
        w->sums[part] += time;
        return;
    }
    time -= charge_beside(w, start, end, time - (double)prices[instruction->work].picoseconds);
    const struct work_shares *share = &w->shares[instruction->work];
    w->sums[PART_COMPUTE] += time * share->compute;
    w->sums[PART_TP] += time * share->tp;
    w->sums[PART_CP] += time * share->cp;
    w->sums[PART_EP] += time * share->ep;
    w->sums[PART_OVERHEAD] += time * share->overhead;
}

/* The instruction that ends the step: of this instance if it has one, else the first. */
static struct cause last_of_all(const struct walk *w) {
    struct cause last = {.instance = -1};
    for (int64_t replica = 0; replica < w->result->replicas; replica++) {
        for (int64_t role = 0; role < w->program->role_count; role++) {
            int64_t instance = replica * w->program->role_count + role;
            for (int64_t i = 0; i < w->program->roles[role].count; i++) {
                if (w->result->ends[place_of(w, instance, i)] == w->result->end &&
                    (last.instance < 0 || instance == w->instance)) {
                    last = (struct cause){.instance = instance, .instruction = (int32_t)i};
                }
            }
        }
    }
    return last;
}

struct time_parts parts_of(struct arena *arena, const struct program *program, const struct work_price *prices,
                           const struct work_shares *shares, const struct contention *contention,
                           const struct engine_result *result, int64_t instance) {
    struct walk w = {
        .program = program,
        .shares = shares,
        .result = result,
        .role = &program->roles[instance % program->role_count],
        .instance = instance,
        .beside = contention->level == CONTENTION_SCALAR ? 1 - contention->compute : 1,
    };
    struct arena_place begin = arena_mark(arena);
    lanes_open(arena, program, instance % program->role_count, w.lanes);
    int64_t reached = 0;
    const struct lane *own = &w.lanes[STREAM_COMPUTE];
    for (int64_t i = 0; i < own->count; i++) {
        int64_t place = place_of(&w, instance, own->items[i]);
        blame(&w, result->causes[place], reached, result->starts[place]);
        charge_own(&w, prices, &program->instructions[w.role->first + own->items[i]], result->starts[place],
                   result->ends[place]);
        reached = result->ends[place];
    }
    blame(&w, last_of_all(&w), reached, result->end);
    arena_rewind(arena, begin);
    const double *s = w.sums;
    const double second = 1e12;
    return (struct time_parts){s[PART_COMPUTE] / second, s[PART_BUBBLE] / second,    s[PART_TP] / second,
                               s[PART_PP] / second,      s[PART_DP] / second,        s[PART_CP] / second,
                               s[PART_EP] / second,      s[PART_OPTIMIZER] / second, s[PART_OVERHEAD] / second};
}
