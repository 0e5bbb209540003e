/* A timeline by hand: 1F1B on p ranks with m micro-batches (Narayanan et al. 2021, figure 4), each pass with a
 * collective on a lane of its own in its last quarter, messages with lanes for sending and for receiving either way, an
 * optimizer step, memory over time.
 *
 *   rank 0   F0 F1       B0 F2 B1 ...       rank r runs p - 1 - r forwards ahead, then pairs, then what is left
 *   rank 1      F0 B0 F1 B1 ...
 */
#ifndef PARPLAN_TESTS_UNIT_TIMELINE_SAMPLE_H
#define PARPLAN_TESTS_UNIT_TIMELINE_SAMPLE_H

#include <string.h>

#include "base/arena.h"
#include "timeline/timeline.h"

enum { LANE_COMPUTE, LANE_TENSOR, LANE_SEND, LANE_RECEIVE, LANE_RECEIVE_BACK, SAMPLE_LANES };
enum { NAME_FORWARD, NAME_BACKWARD, NAME_ALL_REDUCE, NAME_SEND, NAME_RECEIVE, NAME_STEP, SAMPLE_NAMES };

#define FORWARD_TIME INT64_C(10000000000) /* 10 ms */
#define HOP_TIME INT64_C(1000000000)
#define ACTIVATION (1536.0 * 1048576)

struct sample {
    struct arena *arena;
    int64_t ranks, batches;
    struct slice *slices; /* a region of `room` for each lane */
    int64_t *counts, room;
    int64_t *ends[2];     /* when forward, backward of (rank, batch) ended; -1: not yet */
    struct arrow *arrows;
    int64_t arrow_count;
    struct counter_point *points; /* a region of `room` for each rank */
    int64_t *point_counts;
};

static inline int32_t sample_add(struct sample *s, int64_t rank, int lane, struct slice slice) {
    int64_t number = rank * SAMPLE_LANES + lane;
    int64_t place = number * s->room + s->counts[number]++;
    slice.lane = (int32_t)number;
    slice.stage = (int32_t)rank;
    s->slices[place] = slice;
    return (int32_t)place;
}

static inline void sample_memory(struct sample *s, int64_t rank, int64_t time, double change) {
    struct counter_point *points = s->points + rank * s->room;
    int64_t count = s->point_counts[rank]++;
    points[count] = (struct counter_point){time, (count == 0 ? 0 : points[count - 1].value) + change};
}

/* One pass and what belongs to it. Backward takes twice as long; later ranks are a little slower. */
static inline void sample_pass(struct sample *s, int64_t rank, int kind, int32_t batch, int64_t start) {
    int64_t length = (FORWARD_TIME + rank % 4 * FORWARD_TIME / 50) * (1 + kind);
    int64_t end = start + length, at = rank * s->batches + batch, other = kind == 0 ? rank + 1 : rank - 1;
    struct slice slice = {.start = start, .end = end, .name = kind, .micro_batch = batch, .layer = -1,
                          .sort = kind == 0 ? SORT_FORWARD : SORT_BACKWARD, .critical = rank == s->ranks - 1};
    sample_add(s, rank, LANE_COMPUTE, slice);
    slice.critical = false;
    slice.start = end - length / 4;
    slice.name = NAME_ALL_REDUCE;
    slice.sort = SORT_COLLECTIVE;
    slice.bytes = 67108864;
    sample_add(s, rank, LANE_TENSOR, slice);
    s->ends[kind][at] = end;
    sample_memory(s, rank, kind == 0 ? start : end, kind == 0 ? ACTIVATION : -ACTIVATION);
    if (other < 0 || other >= s->ranks) {
        return;
    }
    slice = (struct slice){.start = end, .end = end + HOP_TIME, .name = NAME_SEND, .micro_batch = batch, .layer = -1,
                           .sort = SORT_MESSAGE, .bytes = 33554432};
    int32_t from = sample_add(s, rank, LANE_SEND, slice);
    slice.name = NAME_RECEIVE;
    slice.start += HOP_TIME / 10;
    int32_t to = sample_add(s, other, LANE_RECEIVE + kind, slice);
    s->arrows[s->arrow_count++] = (struct arrow){from, to};
}

/* Pass `index` of the order of `rank`: a forward (0) or backward (1), and of which micro-batch. */
static inline int sample_order(const struct sample *s, int64_t rank, int64_t index, int64_t *ret_batch) {
    int64_t ahead = s->ranks - 1 - rank < s->batches ? s->ranks - 1 - rank : s->batches;
    int64_t pairs = s->batches - ahead;
    int64_t inside = index - ahead;
    if (index < ahead) {
        *ret_batch = index;
        return 0;
    }
    if (inside < 2 * pairs) {
        *ret_batch = inside % 2 == 0 ? ahead + inside / 2 : inside / 2;
        return inside % 2 == 0 ? 0 : 1;
    }
    *ret_batch = inside - pairs;
    return 1;
}

/* When the input of a pass is there, -1 if that is not known yet. */
static inline int64_t sample_ready(const struct sample *s, int64_t rank, int kind, int64_t batch) {
    int64_t other = kind == 0 ? rank - 1 : rank + 1;
    if (other < 0) {
        return 0;
    }
    if (other == s->ranks) {
        return s->ends[0][rank * s->batches + batch];
    }
    int64_t end = s->ends[kind][other * s->batches + batch];
    return end < 0 ? -1 : end + HOP_TIME * 11 / 10;
}

/* Runs all ranks as far as they come, until all are done. Returns the latest end. */
static inline int64_t sample_run(struct sample *s) {
    int64_t *index = ARENA_ARRAY(s->arena, int64_t, (size_t)s->ranks);
    int64_t *free_at = ARENA_ARRAY(s->arena, int64_t, (size_t)s->ranks);
    int64_t left = s->ranks * s->batches * 2, latest = 0;
    while (left > 0) {
        for (int64_t rank = 0; rank < s->ranks; rank++) {
            int64_t batch = 0;
            while (index[rank] < 2 * s->batches) {
                int kind = sample_order(s, rank, index[rank], &batch);
                int64_t ready = sample_ready(s, rank, kind, batch);
                if (ready < 0) {
                    break;
                }
                sample_pass(s, rank, kind, (int32_t)batch, ready > free_at[rank] ? ready : free_at[rank]);
                free_at[rank] = s->ends[kind][rank * s->batches + batch];
                latest = free_at[rank] > latest ? free_at[rank] : latest;
                index[rank]++;
                left--;
            }
        }
    }
    return latest;
}

/* Slices from regions into one row; arrows follow. */
static inline void sample_close(struct sample *s, struct timeline *timeline) {
    int64_t lanes = s->ranks * SAMPLE_LANES, count = 0;
    int32_t *moved = ARENA_ARRAY(s->arena, int32_t, (size_t)(lanes * s->room));
    for (int64_t lane = 0; lane < lanes; lane++) {
        for (int64_t i = 0; i < s->counts[lane]; i++) {
            moved[lane * s->room + i] = (int32_t)count;
            s->slices[count++] = s->slices[lane * s->room + i];
        }
    }
    for (int64_t i = 0; i < s->arrow_count; i++) {
        s->arrows[i] = (struct arrow){moved[s->arrows[i].from], moved[s->arrows[i].to]};
    }
    timeline->slices = s->slices;
    timeline->slice_count = count;
    timeline->arrows = s->arrows;
    timeline->arrow_count = s->arrow_count;
}

static inline void sample_names(struct sample *s, struct timeline *timeline) {
    static const char *const lane_names[] = {"compute", "tensor", "send", "receive", "receive back"};
    static const char *const names[] = {"F", "B", "all-reduce", "send", "receive", "optimizer step"};
    struct timeline_group *groups = ARENA_ARRAY(s->arena, struct timeline_group, (size_t)s->ranks);
    struct timeline_lane *lanes = ARENA_ARRAY(s->arena, struct timeline_lane, (size_t)(s->ranks * SAMPLE_LANES));
    struct counter *counters = ARENA_ARRAY(s->arena, struct counter, (size_t)s->ranks);
    for (int64_t rank = 0; rank < s->ranks; rank++) {
        const char *name = arena_format(s->arena, "rank %lld, stage %lld", (long long)rank * 8, (long long)rank);
        groups[rank] = (struct timeline_group){rank * 8, 8, name};
        for (int lane = 0; lane < SAMPLE_LANES; lane++) {
            lanes[rank * SAMPLE_LANES + lane] = (struct timeline_lane){(int32_t)rank, lane, lane_names[lane]};
        }
        counters[rank] = (struct counter){(int32_t)rank, "memory", "B", s->points + rank * s->room,
                                          s->point_counts[rank]};
    }
    timeline->groups = groups;
    timeline->lanes = lanes;
    timeline->counters = counters;
    timeline->names = names;
    timeline->group_count = timeline->counter_count = s->ranks;
    timeline->lane_count = s->ranks * SAMPLE_LANES;
    timeline->name_count = SAMPLE_NAMES;
}

static inline struct timeline sample_1f1b(struct arena *arena, int64_t ranks, int64_t batches) {
    struct timeline timeline = {.title = arena_format(arena, "1F1B, %lld ranks, %lld micro-batches", (long long)ranks,
                                                      (long long)batches)};
    size_t passes = (size_t)(ranks * batches);
    struct sample s = {.arena = arena, .ranks = ranks, .batches = batches, .room = 2 * batches + 2};
    s.slices = ARENA_ARRAY(arena, struct slice, (size_t)(ranks * SAMPLE_LANES * s.room));
    s.counts = ARENA_ARRAY(arena, int64_t, (size_t)(ranks * SAMPLE_LANES));
    s.points = ARENA_ARRAY(arena, struct counter_point, (size_t)(ranks * s.room));
    s.point_counts = ARENA_ARRAY(arena, int64_t, (size_t)ranks);
    s.arrows = ARENA_ARRAY(arena, struct arrow, 2 * passes);
    for (int kind = 0; kind < 2; kind++) {
        s.ends[kind] = ARENA_ARRAY(arena, int64_t, passes);
        memset(s.ends[kind], 0xFF, passes * sizeof(int64_t));
    }
    for (int64_t rank = 0; rank < ranks; rank++) {
        sample_memory(&s, rank, 0, 6.0 * 1073741824);
    }
    timeline.end = sample_run(&s) + FORWARD_TIME;
    for (int64_t rank = 0; rank < ranks; rank++) {
        struct slice step = {.start = timeline.end - FORWARD_TIME, .end = timeline.end, .name = NAME_STEP,
                             .micro_batch = -1, .layer = -1, .sort = SORT_OPTIMIZER, .critical = true};
        sample_add(&s, rank, LANE_COMPUTE, step);
    }
    sample_close(&s, &timeline);
    sample_names(&s, &timeline);
    return timeline;
}

#endif
