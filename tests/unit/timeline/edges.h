/* Timelines at the edges: names made to break out of their place, a picosecond, as long as there is. */
#ifndef PARPLAN_TESTS_UNIT_TIMELINE_EDGES_H
#define PARPLAN_TESTS_UNIT_TIMELINE_EDGES_H

#include "sample.h"

#define HOSTILE                                                                                                        \
    "</script><script>document.title='broken'</script>&amp;<b a='\"'>]]>--><!--\\u0041\x01\x7F\xC3\x28 \xF0\x9F\x9A\x80"

/* Every text of a small timeline replaced. */
static inline struct timeline sample_hostile(struct arena *arena) {
    struct timeline timeline = sample_1f1b(arena, 3, 4);
    struct timeline_group *groups = ARENA_ARRAY(arena, struct timeline_group, (size_t)timeline.group_count);
    struct timeline_lane *lanes = ARENA_ARRAY(arena, struct timeline_lane, (size_t)timeline.lane_count);
    struct counter *counters = ARENA_ARRAY(arena, struct counter, (size_t)timeline.counter_count);
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)timeline.name_count);
    for (int64_t i = 0; i < timeline.group_count; i++) {
        groups[i] = timeline.groups[i];
        groups[i].name = HOSTILE;
        counters[i] = timeline.counters[i];
        counters[i].name = counters[i].unit = HOSTILE;
    }
    for (int64_t i = 0; i < timeline.lane_count; i++) {
        lanes[i] = timeline.lanes[i];
        lanes[i].name = HOSTILE;
    }
    for (int64_t i = 0; i < timeline.name_count; i++) {
        names[i] = HOSTILE;
    }
    timeline.title = HOSTILE;
    timeline.groups = groups;
    timeline.lanes = lanes;
    timeline.counters = counters;
    timeline.names = names;
    return timeline;
}

/* One lane with the slices given. */
static inline struct timeline sample_lane(struct arena *arena, const char *title, const struct slice *slices,
                                          int64_t count, int64_t end) {
    static const struct timeline_group group = {0, 1, "rank 0"};
    static const struct timeline_lane lane = {0, 0, "compute"};
    static const char *const names[] = {"F", "B"};
    struct slice *own = ARENA_ARRAY(arena, struct slice, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        own[i] = slices[i];
    }
    return (struct timeline){.title = title, .groups = &group, .lanes = &lane, .slices = own, .names = names,
                             .group_count = 1, .lane_count = 1, .slice_count = count, .name_count = 2, .end = end};
}

/* A step of one picosecond; something of no length at either end. */
static inline struct timeline sample_short(struct arena *arena) {
    const struct slice slices[] = {
        {.start = 0, .end = 0, .sort = SORT_FORWARD, .micro_batch = 0, .stage = -1, .layer = -1},
        {.start = 0, .end = 1, .sort = SORT_FORWARD, .micro_batch = 1, .stage = -1, .layer = -1},
        {.start = 1, .end = 1, .sort = SORT_BACKWARD, .name = 1, .micro_batch = 1, .stage = -1, .layer = -1}};
    return sample_lane(arena, "a picosecond", slices, 3, 1);
}

/* As long as 64 bits allow, 106 days; in its midst a picosecond. */
static inline struct timeline sample_long(struct arena *arena) {
    const int64_t middle = INT64_C(4000000000000000000);
    const struct slice slices[] = {
        {.start = 0, .end = middle, .sort = SORT_FORWARD, .micro_batch = 2147483647, .stage = 2147483647, .layer = 0,
         .bytes = 1e30},
        {.start = middle, .end = middle + 1, .sort = SORT_BACKWARD, .name = 1, .micro_batch = -1, .stage = -1,
         .layer = -1},
        {.start = middle + 1, .end = INT64_MAX, .sort = SORT_FORWARD, .micro_batch = 1, .stage = -1, .layer = -1}};
    return sample_lane(arena, "106 days", slices, 3, INT64_MAX);
}

#endif
