/* The caching allocator: each of its rules by hand, and what must hold whatever is asked of it. */
#include "tensors.h"
#include "sim/caching_allocator.h"

static struct allocator_report replayed(struct arena *arena, const struct living *livings, int count,
                                        bool expandable) {
    struct played played;
    struct allocator_report report;
    play(arena, livings, count, 2, &played);
    allocator_replay(arena, &played.program, 0, played.starts, played.ends, expandable, &report);
    return report;
}

/* What one request alone reserves. */
Test(caching_allocator, reserves_by_size) {
    static const struct { double bytes, reserved, expandable; } rows[] = {
        {1, 2 * MIB, 2 * MIB},
        {512, 2 * MIB, 2 * MIB},
        {MIB, 2 * MIB, 2 * MIB},
        {MIB + 1, 20 * MIB, 20 * MIB},
        {10 * MIB - 512, 20 * MIB, 20 * MIB},
        {10 * MIB - 511, 10 * MIB, 20 * MIB}, /* rounded to 10 MiB, which is large */
        {10 * MIB, 10 * MIB, 20 * MIB},
        {10 * MIB + 1, 12 * MIB, 20 * MIB},
        {21 * MIB, 22 * MIB, 40 * MIB},
        {100 * MIB, 100 * MIB, 100 * MIB},
        {0, 0, 0},
        {0.25, 2 * MIB, 2 * MIB},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        struct living living = {rows[i].bytes, TENSOR_WORKING, 1, 2};
        struct allocator_report report = replayed(arena, &living, 1, false);
        cr_expect(report.reserved == rows[i].reserved, "%g: %g", rows[i].bytes, report.reserved);
        cr_expect(report.allocated == rows[i].bytes && report.at_allocated == report.reserved);
        cr_expect(report.segments == (rows[i].bytes > 0));
        report = replayed(arena, &living, 1, true);
        cr_expect(report.reserved == rows[i].expandable, "%g: %g", rows[i].bytes, report.reserved);
        arena_close(arena);
    }
}

struct sequence {
    const char *name;
    struct living livings[6];
    int count;
    double reserved, expandable;
};

Test(caching_allocator, follows_the_rules) {
    static const struct sequence rows[] = {
        {"small ones share a segment: four quarters of 2 MiB, then another segment",
         {{MIB / 2, 0, 1, 9}, {MIB / 2, 0, 1, 9}, {MIB / 2, 0, 1, 9}, {MIB / 2, 0, 1, 9}, {512, 0, 2, 9}},
         5, 4 * MIB, 4 * MIB},
        {"512 B are left and serve again", {{MIB, 0, 1, 9}, {MIB - 512, 0, 1, 9}, {512, 0, 2, 9}}, 3, 2 * MIB, 2 * MIB},
        {"up to 10 MiB share 20 MiB", {{9 * MIB, 0, 1, 9}, {9 * MIB, 0, 1, 9}}, 2, 20 * MIB, 20 * MIB},
        {"what is left of 20 MiB does not serve 3 MiB", {{9 * MIB, 0, 1, 9}, {9 * MIB, 0, 1, 9}, {3 * MIB, 0, 2, 9}},
         3, 40 * MIB, 40 * MIB},
        {"small and large do not share", {{MIB, 0, 1, 9}, {2 * MIB, 0, 1, 9}}, 2, 22 * MIB, 22 * MIB},
        {"what was freed serves again", {{64 * MIB, 0, 1, 2}, {64 * MIB, 0, 3, 4}}, 2, 64 * MIB, 80 * MIB},
        {"what is freed comes before what is allocated", {{64 * MIB, 0, 1, 2}, {64 * MIB, 0, 2, 4}},
         2, 64 * MIB, 80 * MIB},
        {"a free block is split for something smaller",
         {{64 * MIB, 0, 1, 2}, {30 * MIB, 0, 3, 9}, {34 * MIB, 0, 4, 9}}, 3, 64 * MIB, 80 * MIB},
        {"1 MiB that is left is not split off: it goes with the block",
         {{64 * MIB, 0, 1, 2}, {63 * MIB, 0, 3, 9}, {MIB + 1, 0, 4, 9}}, 3, 84 * MIB, 80 * MIB},
        {"more than 1 MiB is",
         {{64 * MIB, 0, 1, 2}, {63 * MIB - 512, 0, 3, 9}, {MIB + 1, 0, 4, 9}}, 3, 64 * MIB, 80 * MIB},
        {"the best fit is taken, not the first",
         {{64 * MIB, 0, 1, 3}, {32 * MIB, 0, 2, 3}, {32 * MIB, 0, 4, 9}, {64 * MIB, 0, 5, 9}},
         4, 96 * MIB, 100 * MIB},
        {"fragments of two segments do not make one large block",
         {{32 * MIB, 0, 1, 3}, {32 * MIB, 0, 2, 3}, {64 * MIB, 0, 4, 9}}, 3, 128 * MIB, 80 * MIB},
        {"neighbours merge", {{30 * MIB, 0, 2, 5}, {34 * MIB, 0, 3, 6}, {64 * MIB, 0, 0, 1}, {64 * MIB, 0, 7, 9}},
         4, 64 * MIB, 80 * MIB},
        {"held tensors come first", {{64 * MIB, 0, 1, 2}, {64 * MIB, 0, -1, -1}, {64 * MIB, 0, 3, 4}},
         3, 128 * MIB, 140 * MIB},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        struct allocator_report plain = replayed(arena, rows[i].livings, rows[i].count, false);
        struct allocator_report expandable = replayed(arena, rows[i].livings, rows[i].count, true);
        cr_expect(plain.reserved == rows[i].reserved, "%s: %g MiB", rows[i].name, plain.reserved / MIB);
        cr_expect(expandable.reserved == rows[i].expandable, "%s, expandable: %g MiB", rows[i].name,
                  expandable.reserved / MIB);
        arena_close(arena);
    }
}

Test(caching_allocator, reports_what_was_reserved_when_most_was_allocated) {
    static const struct living livings[] = {
        {100 * MIB, TENSOR_WORKING, 1, 2}, {60 * MIB, TENSOR_WORKING, 3, 5}, {44 * MIB, TENSOR_WORKING, 4, 5}};
    struct arena *arena = support_arena();
    struct allocator_report report = replayed(arena, livings, ROWS(livings), false);
    cr_expect(report.allocated == 104 * MIB && report.at_allocated == 144 * MIB && report.reserved == 144 * MIB);
    cr_expect(report.segments == 2);
    arena_close(arena);
}

/* Of equal blocks the one at the lowest address. */
Test(caching_allocator, prefers_low_addresses) {
    struct arena *arena = support_arena();
    struct caching_allocator *allocator = caching_allocator_open(arena, false);
    struct memory_block *blocks[4];
    int64_t addresses[4];
    for (int i = 0; i < 4; i++) {
        blocks[i] = caching_allocator_take(allocator, 32 << 20);
        addresses[i] = blocks[i]->address;
    }
    static const int order[] = {2, 0, 3, 1};
    for (int i = 0; i < 4; i++) {
        caching_allocator_return(allocator, blocks[order[i]]);
    }
    for (int i = 0; i < 4; i++) {
        cr_expect(caching_allocator_take(allocator, 32 << 20)->address == addresses[i]);
    }
    arena_close(arena);
}

Test(caching_allocator, keeps_what_is_too_small_to_serve_with_the_block) {
    struct arena *arena = support_arena();
    struct caching_allocator *allocator = caching_allocator_open(arena, false);
    caching_allocator_return(allocator, caching_allocator_take(allocator, 64 << 20));
    struct memory_block *block = caching_allocator_take(allocator, 63 << 20);
    cr_expect(block->size == 64 << 20);
    caching_allocator_return(allocator, block);
    cr_expect(caching_allocator_take(allocator, (63 << 20) - 512)->size == (63 << 20) - 512);
    arena_close(arena);
}

/* The end of a growing segment is kept for what does not fit elsewhere. */
Test(caching_allocator, takes_the_end_of_a_growing_segment_last) {
    struct arena *arena = support_arena();
    struct caching_allocator *allocator = caching_allocator_open(arena, true);
    struct memory_block *first = caching_allocator_take(allocator, 30 << 20);
    struct memory_block *second = caching_allocator_take(allocator, 25 << 20);
    caching_allocator_return(allocator, first); /* free: 30 MiB in the middle, 5 MiB at the end */
    cr_expect(caching_allocator_reserved(allocator) == 60 << 20);
    cr_expect(caching_allocator_take(allocator, 4 << 20)->address == 0);
    cr_expect(caching_allocator_take(allocator, 28 << 20)->address == second->address + second->size);
    cr_expect(caching_allocator_reserved(allocator) == 100 << 20); /* 23 MiB more, in pages of 20 */
    cr_expect(caching_allocator_segments(allocator) == 1);
    arena_close(arena);
}

enum { BLOCKS = 600 };

static int block_before(const void *a, const void *b) {
    const struct memory_block *x = *(struct memory_block *const *)a, *y = *(struct memory_block *const *)b;
    return x->address < y->address ? -1 : x->address > y->address;
}

/* Blocks in use do not overlap; with what is free between them they fill what is reserved. */
static void check_blocks(struct memory_block *const *blocks, int count, const struct caching_allocator *allocator) {
    struct memory_block *sorted[BLOCKS];
    int64_t used = 0;
    memcpy(sorted, blocks, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, block_before);
    for (int i = 0; i < count; i++) {
        cr_assert(!sorted[i]->free && sorted[i]->size % 512 == 0);
        cr_assert(i == 0 || sorted[i - 1]->address + sorted[i - 1]->size <= sorted[i]->address);
        const struct memory_block *behind = sorted[i]->behind;
        cr_assert(behind == NULL || (behind->address == sorted[i]->address + sorted[i]->size &&
                                     behind->before == sorted[i]));
        used += sorted[i]->size;
    }
    cr_assert(used <= caching_allocator_reserved(allocator));
}

static void run_random(struct random *random, bool expandable, int64_t largest) {
    struct arena *arena = support_arena();
    struct caching_allocator *allocator = caching_allocator_open(arena, expandable);
    struct memory_block *blocks[BLOCKS];
    int64_t reserved = 0;
    int count = 0;
    for (int step = 0; step < 4 * BLOCKS; step++) {
        bool take = count == 0 || (count < BLOCKS && random_below(random, 100) < 55);
        if (take) {
            int64_t bytes = 1 + (int64_t)(random_unit(random) * random_unit(random) * (double)largest);
            blocks[count] = caching_allocator_take(allocator, bytes);
            cr_assert(blocks[count]->size >= bytes);
            cr_assert(expandable || blocks[count]->small || blocks[count]->size - bytes <= MIB + 512);
            count++;
        } else {
            int which = (int)random_below(random, (uint32_t)count);
            caching_allocator_return(allocator, blocks[which]);
            blocks[which] = blocks[--count];
        }
        cr_assert(caching_allocator_reserved(allocator) >= reserved);
        reserved = caching_allocator_reserved(allocator);
        if (step % 16 == 0) {
            check_blocks(blocks, count, allocator);
        }
    }
    struct memory_block *firsts[BLOCKS];
    for (int i = 0; i < count; i++) {
        firsts[i] = blocks[i];
        while (firsts[i]->before != NULL) {
            firsts[i] = firsts[i]->before;
        }
    }
    for (int left = count; left > 0;) {
        caching_allocator_return(allocator, blocks[--left]);
        check_blocks(blocks, left, allocator);
    }
    for (int i = 0; i < count; i++) { /* every segment is one free block again */
        cr_assert(firsts[i]->free && firsts[i]->before == NULL && firsts[i]->behind == NULL);
    }
    cr_assert(caching_allocator_reserved(allocator) == reserved);
    arena_close(arena);
}

Test(caching_allocator, keeps_its_blocks_in_order) {
    struct random random;
    random_stream(&random, 1, "allocator", 0);
    static const int64_t largest[] = {1 << 12, 1 << 20, 1 << 22, 1 << 26, INT64_C(1) << 34};
    for (int round = 0; round < 40; round++) {
        run_random(&random, round % 2 == 1, largest[round / 2 % (int)ROWS(largest)]);
    }
}

/* Reserved covers allocated, which is the curve's peak. */
Test(allocator_replay, covers_the_curve) {
    struct random random;
    random_stream(&random, 1, "replay", 0);
    struct living *livings = calloc(TENSORS_MOST, sizeof *livings);
    for (int round = 0; round < 100; round++) {
        struct arena *arena = support_arena();
        struct played played;
        struct memory_curve curve;
        int count = random_livings(&random, livings, round < 95 ? 200 : TENSORS_MOST, 100, round % 3 ? 5e7 : 1e5);
        play(arena, livings, count, 1 + round % STREAM_COUNT, &played);
        memory_curve(arena, &played.program, 0, played.starts, played.ends, &curve);
        for (int expandable = 0; expandable < 2; expandable++) {
            struct allocator_report report;
            allocator_replay(arena, &played.program, 0, played.starts, played.ends, expandable, &report);
            cr_assert(report.allocated == curve.peak, "%g, not %g", report.allocated, curve.peak);
            cr_assert(report.reserved >= report.at_allocated && report.at_allocated >= report.allocated);
            cr_assert(report.segments >= 1 && (!expandable || report.segments <= 2));
        }
        arena_close(arena);
    }
    free(livings);
}
