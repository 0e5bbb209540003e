/* Joining keeps order, work, counts; only what is short is joined. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "../support.h"
#include "random.h"
#include "timeline/blocks.h"

static struct slice at(int64_t start, int64_t end, int sort) {
    return (struct slice){.start = start, .end = end, .sort = sort};
}

Test(blocks, joins_what_begins_in_one_quantum) {
    struct arena *arena = support_arena();
    const struct slice slices[] = {at(0, 3, SORT_FORWARD),     at(3, 4, SORT_BACKWARD), at(6, 8, SORT_BACKWARD),
                                   at(9, 10, SORT_BACKWARD),   at(10, 12, SORT_HEAD),   at(12, 25, SORT_WEIGHT),
                                   at(26, 27, SORT_COLLECTIVE)};
    struct timeline timeline = sample_lane(arena, "", slices, 7, 30);
    struct view view = view_make(arena, &timeline);
    struct block blocks[7];
    cr_assert_eq(blocks_make(&view, 0, 10, blocks), 4);
    const struct block expected[] = {
        {0, 10, 7, 2, 4, false}, {10, 12, 2, 4, 1, false}, {12, 25, 13, 5, 1, false}, {26, 27, 1, 6, 1, false}};
    for (int i = 0; i < 4; i++) {
        cr_expect(memcmp(&blocks[i], &expected[i], offsetof(struct block, critical)) == 0,
                  "block %d: %" PRId64 " to %" PRId64 ", busy %" PRId64 ", slice %" PRId64 ", %" PRId64, i,
                  blocks[i].start, blocks[i].end, blocks[i].busy, blocks[i].slice, blocks[i].count);
    }
    cr_expect_eq(blocks_make(&view, 0, 0, blocks), 7, "quantum 0 joins nothing");
    cr_expect_eq(blocks_make(&view, 0, 100, blocks), 1, "a large one joins all");
    cr_expect_eq(blocks[0].slice, 5, "the longest of the sort that takes most");
    arena_close(arena);
}

Test(blocks, keep_what_slices_say) {
    struct random random;
    random_seed(&random, 7, 1);
    for (int round = 0; round < 300; round++) {
        struct arena *arena = support_arena();
        struct timeline timeline = sample_random(arena, &random, 60);
        struct view view = view_make(arena, &timeline);
        struct block *blocks = ARENA_ARRAY(arena, struct block, (size_t)timeline.slice_count + 1);
        int64_t quantum = random_length(&random);
        for (int64_t lane = 0; lane < timeline.lane_count; lane++) {
            int64_t count = blocks_make(&view, lane, quantum, blocks), slice = view.first[lane], busy = 0, end = 0;
            for (int64_t i = 0; i < count; i++) {
                const struct slice *first = &timeline.slices[slice];
                cr_expect_eq(blocks[i].start, first->start);
                cr_expect_geq(blocks[i].start, end, "blocks overlap");
                cr_expect(blocks[i].slice >= slice && blocks[i].slice < slice + blocks[i].count);
                cr_expect(blocks[i].count == 1 || first->end - first->start < quantum, "a long slice was joined");
                slice += blocks[i].count;
                end = blocks[i].end;
                cr_expect_eq(end, timeline.slices[slice - 1].end);
                busy += blocks[i].busy;
            }
            cr_expect_eq(slice, view.first[lane + 1], "slices are missing");
            cr_expect_eq(busy, view_busy(&view, lane));
        }
        arena_close(arena);
    }
}
