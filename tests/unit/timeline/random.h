/* Random timelines: lanes with gaps, slices of very different lengths, some of none; arrows between later slices. */
#ifndef PARPLAN_TESTS_UNIT_TIMELINE_RANDOM_H
#define PARPLAN_TESTS_UNIT_TIMELINE_RANDOM_H

#include "base/random.h"
#include "edges.h"

static inline int64_t random_length(struct random *random) {
    uint32_t most = UINT32_C(1) << random_below(random, 30);
    return random_below(random, 4) == 0 ? 0 : (int64_t)random_below(random, most);
}

/* Slices of `lanes` lanes, at most `most` each. */
static inline int64_t random_slices(struct random *random, int64_t lanes, uint32_t most, struct slice *slices,
                                    int64_t *ret_end) {
    int64_t count = 0;
    for (int64_t lane = 0; lane < lanes; lane++) {
        int64_t time = 0;
        for (int64_t left = random_below(random, most + 1); left > 0; left--) {
            int64_t start = time + random_length(random), length = random_length(random);
            time = start + length;
            slices[count++] = (struct slice){
                .start = start, .end = time, .lane = (int32_t)lane, .name = (int32_t)random_below(random, SAMPLE_NAMES),
                .micro_batch = (int32_t)random_below(random, 70) - 1, .stage = (int32_t)random_below(random, 3) - 1,
                .layer = (int32_t)random_below(random, 90) - 1, .sort = (int32_t)random_below(random, SORT_COUNT),
                .bytes = random_below(random, 2) * 1e9, .critical = random_below(random, 3) == 0};
        }
        *ret_end = time > *ret_end ? time : *ret_end;
    }
    return count;
}

static inline struct timeline sample_random(struct arena *arena, struct random *random, uint32_t most) {
    struct timeline timeline = sample_1f1b(arena, 1 + random_below(random, 4), 2); /* names, groups, lanes */
    struct slice *slices = ARENA_ARRAY(arena, struct slice, (size_t)timeline.lane_count * most + 1);
    struct arrow *arrows = ARENA_ARRAY(arena, struct arrow, most);
    timeline.end = 0;
    timeline.slice_count = random_slices(random, timeline.lane_count, most, slices, &timeline.end);
    timeline.slices = slices;
    timeline.arrow_count = timeline.slice_count == 0 ? 0 : random_below(random, most);
    for (int64_t i = 0; i < timeline.arrow_count; i++) {
        arrows[i] = (struct arrow){(int32_t)random_below(random, (uint32_t)timeline.slice_count),
                                   (int32_t)random_below(random, (uint32_t)timeline.slice_count)};
    }
    timeline.arrows = arrows;
    return timeline;
}

#endif
