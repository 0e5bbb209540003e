/* One pipeline to try: a schedule, a legal shape, times of every stage, and its execution. */
#ifndef PARPLAN_TESTS_PROPERTY_SCHEDULE_INSTANCE_H
#define PARPLAN_TESTS_PROPERTY_SCHEDULE_INSTANCE_H

#include <string.h>

#include "base/arena.h"
#include "base/random.h"
#include "schedule/execute.h"
#include "schedule/schedule.h"

enum { STAGES = 64, RANKS = 16 };

struct stages {
    double forward[STAGES], backward[STAGES], weight[STAGES];
    double pair[RANKS];
};

struct instance {
    const struct schedule *schedule;
    struct schedule_shape shape;
    struct stages stages;
    bool paired; /* overlapped pairs have a time of their own */
    double hop;
};

static inline double between(struct random *random, double low, double high) {
    return low + (high - low) * random_unit(random);
}

static inline int64_t count_between(struct random *random, int64_t low, int64_t high) {
    return low + (int64_t)random_below(random, (uint32_t)(high - low + 1));
}

/* A legal shape of at most `most` ranks. */
static inline struct schedule_shape draw_shape(struct random *random, const struct schedule *schedule, int64_t most) {
    struct schedule_shape shape = {0};
    do {
        shape.ranks = count_between(random, 1, most);
        shape.chunks = schedule->fixed_chunks > 0 ? schedule->fixed_chunks : count_between(random, 2, 4);
        shape.micro_batches = count_between(random, 1, 5 * shape.ranks);
    } while (schedule->refuse(&shape) != NULL);
    return shape;
}

/* Any group that the shape may have. */
static inline void draw_group(struct random *random, const struct schedule *schedule, struct schedule_shape *shape) {
    struct schedule_shape grouped = *shape;
    grouped.group = count_between(random, 1, 3 * shape->ranks);
    if (schedule->refuse(&grouped) == NULL) {
        *shape = grouped;
    }
}

/* Whether a rank works on every micro-batch in each of its stages, forward and backward. */
static inline bool whole(const struct schedule *schedule) {
    return !schedule->skips && schedule->placement != PLACEMENT_ROUND;
}

static inline bool pairs(const struct schedule *schedule) {
    return schedule->pairs;
}

/* Rank of a stage of way 0. */
static inline int64_t rank_of(const struct instance *instance, int64_t stage) {
    return placement_rank(instance->schedule->placement, instance->shape.ranks, stage, 0);
}

static inline void set_equal(struct instance *instance, const struct pass_times *times) {
    for (int i = 0; i < STAGES; i++) {
        instance->stages.forward[i] = times->forward;
        instance->stages.backward[i] = times->backward;
        instance->stages.weight[i] = times->weight;
    }
    for (int i = 0; i < RANKS; i++) {
        instance->stages.pair[i] = times->pair;
    }
    instance->paired = times->pair > 0;
    instance->hop = times->hop;
}

static inline void scale_stage(struct instance *instance, int64_t stage, double factor) {
    instance->stages.forward[stage] *= factor;
    instance->stages.backward[stage] *= factor;
    instance->stages.weight[stage] *= factor;
}

static inline bool execute(struct arena *arena, const struct instance *instance, struct order *order,
                           struct execution *execution) {
    const struct stages *stages = &instance->stages;
    struct stage_costs costs = {stages->forward, stages->backward, stages->weight,
                                instance->paired ? stages->pair : NULL, instance->hop};
    order_make(arena, instance->schedule, &instance->shape, order);
    return order_execute(arena, order, &costs, execution);
}

static inline double executed_makespan(struct arena *arena, const struct instance *instance) {
    struct arena_place place = arena_mark(arena);
    struct order order;
    struct execution execution;
    bool done = execute(arena, instance, &order, &execution);
    arena_rewind(arena, place);
    return done ? execution.makespan : -1;
}

/* Each rank's mean over its chunks; with two ways a rank holds a stage of each. */
static inline void mean_times(const struct instance *instance, struct pass_times each[RANKS]) {
    int64_t ranks = instance->shape.ranks;
    int64_t stages = placement_stages(instance->schedule->placement, ranks, instance->shape.chunks);
    double part = 1 / (double)(instance->shape.chunks * instance->schedule->ways);
    memset(each, 0, RANKS * sizeof(each[0]));
    for (int64_t i = 0; i < stages * instance->schedule->ways; i++) {
        int64_t stage = i % stages;
        int64_t rank = rank_of(instance, stage);
        struct pass_times *times = &each[i < stages ? rank : ranks - 1 - rank];
        times->forward += instance->stages.forward[stage] * part;
        times->backward += instance->stages.backward[stage] * part;
        times->weight += instance->stages.weight[stage] * part;
    }
    for (int64_t rank = 0; rank < ranks; rank++) {
        each[rank].pair = instance->paired ? instance->stages.pair[rank] : 0;
    }
}

static inline const char *describe(struct arena *arena, const struct instance *instance) {
    return arena_format(arena, "%s p=%ld m=%ld v=%ld c=%g tF=%g tB=%g tW=%g", instance->schedule->name,
                        (long)instance->shape.ranks, (long)instance->shape.micro_batches, (long)instance->shape.chunks,
                        instance->hop, instance->stages.forward[0], instance->stages.backward[0],
                        instance->stages.weight[0]);
}

#endif
