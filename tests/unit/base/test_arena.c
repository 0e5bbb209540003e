/* Arenas: alignment, zeroing also of memory used again, marks, exhaustion. */
#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "../support.h"
#include "base/random.h"

static bool all_zero(const unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

Test(arena, memory_is_zeroed_aligned_and_separate) {
    struct arena *arena = support_arena();
    static const size_t SIZES[] = {0, 1, 3, 16, 17, 1000, 65535, 65536, 65537, 5000000, 8, 1};
    unsigned char *objects[ROWS(SIZES)];
    for (size_t i = 0; i < ROWS(SIZES); i++) {
        objects[i] = arena_alloc(arena, SIZES[i], 1);
        cr_assert_eq((uintptr_t)objects[i] % _Alignof(max_align_t), 0, "%zu bytes are not aligned", SIZES[i]);
        cr_assert(all_zero(objects[i], SIZES[i]), "%zu bytes are not zero", SIZES[i]);
        memset(objects[i], (int)i + 1, SIZES[i]);
    }
    for (size_t i = 0; i < ROWS(SIZES); i++) {
        for (size_t k = 0; k < SIZES[i]; k++) {
            cr_assert_eq(objects[i][k], i + 1, "byte %zu of object %zu was overwritten", k, i);
        }
    }
    arena_close(arena);
}

Test(arena, rewind_gives_the_same_memory_again_zeroed) {
    struct arena *arena = support_arena();
    char *kept = arena_text(arena, "kept");
    struct arena_place place = arena_mark(arena);
    unsigned char *first = arena_alloc(arena, 100, 1);
    memset(first, 0xAA, 100);
    memset(arena_alloc(arena, 300000, 1), 0xBB, 300000);
    size_t footprint = arena_footprint(arena);
    for (int round = 0; round < 50; round++) {
        arena_rewind(arena, place);
        unsigned char *again = arena_alloc(arena, 100, 1);
        unsigned char *large = arena_alloc(arena, 300000, 1);
        cr_assert_eq(again, first, "memory is not used again");
        cr_assert(all_zero(again, 100) && all_zero(large, 300000), "round %d: not zero", round);
        memset(again, 0xCC, 100);
        memset(large, 0xDD, 300000);
    }
    cr_assert_eq(arena_footprint(arena), footprint, "blocks were not used again");
    cr_assert_str_eq(kept, "kept");
    arena_close(arena);
}

Test(arena, rewind_of_an_empty_arena_keeps_its_blocks) {
    struct arena *arena = support_arena();
    struct arena_place start = arena_mark(arena);
    void *first = arena_alloc(arena, 10, 1);
    size_t footprint = arena_footprint(arena);
    arena_rewind(arena, start);
    cr_assert_eq(arena_alloc(arena, 10, 1), first);
    cr_assert_eq(arena_footprint(arena), footprint);
    arena_close(arena);
}

/* Random allocations, marks and rewinds; every live object keeps its bytes. */
Test(arena, live_objects_survive_random_marks) {
    enum { LIVE = 200, MARKS = 20, STEPS = 20000 };
    struct live {
        unsigned char *bytes;
        size_t size;
        unsigned char fill;
    } live[LIVE];
    struct saved {
        struct arena_place place;
        size_t count;
    } saved[MARKS];
    size_t count = 0;
    size_t marks = 0;
    struct random random;
    random_stream(&random, 1, "arena", 0);
    struct arena *arena = support_arena();
    for (int step = 0; step < STEPS; step++) {
        uint32_t action = random_below(&random, 20);
        if (action == 0 && marks < MARKS) {
            saved[marks++] = (struct saved){arena_mark(arena), count};
        } else if ((action == 1 || count == LIVE) && marks > 0) {
            marks--;
            arena_rewind(arena, saved[marks].place);
            count = saved[marks].count;
        } else if (count < LIVE) {
            size_t size = random_below(&random, action == 2 ? 200000 : 2000);
            struct live object = {arena_alloc(arena, size, 1), size, (unsigned char)(1 + step % 255)};
            cr_assert(all_zero(object.bytes, size), "step %d: not zero", step);
            memset(object.bytes, object.fill, size);
            live[count++] = object;
        }
        size_t check = count > 0 ? random_below(&random, (uint32_t)count) : 0;
        for (size_t k = 0; count > 0 && k < live[check].size; k++) {
            cr_assert_eq(live[check].bytes[k], live[check].fill, "step %d: object %zu changed", step, check);
        }
    }
    cr_assert_lt(arena_footprint(arena), (size_t)64 << 20, "blocks are not used again");
    arena_close(arena);
}

static void jump(void *context) {
    longjmp(*(jmp_buf *)context, 1);
}

Test(arena, overflow_and_exhaustion_reach_the_handler) {
    static const size_t REQUESTS[][2] = {
        {SIZE_MAX, 1},        {1, SIZE_MAX},      {SIZE_MAX / 2 + 1, 2},
        {SIZE_MAX / 8, 16},   {SIZE_MAX - 15, 1}, {SIZE_MAX / 4, 2},
#ifndef __SANITIZE_ADDRESS__ /* which ends the program itself */
        {(size_t)1 << 46, 1},
#endif
    };
    for (volatile size_t i = 0; i < ROWS(REQUESTS); i++) {
        jmp_buf point;
        struct arena *volatile arena = arena_open(jump, &point);
        if (setjmp(point) == 0) {
            arena_alloc(arena, REQUESTS[i][0], REQUESTS[i][1]);
            cr_assert(false, "row %zu: memory was given", (size_t)i);
        }
        cr_assert_not_null(arena_alloc(arena, 10, 10), "the arena is of no use after a refused request");
        arena_close(arena);
    }
}

Test(arena, texts_are_copied_and_formatted) {
    struct arena *arena = support_arena();
    char source[] = "abc";
    char *copy = arena_text(arena, source);
    source[0] = 'x';
    cr_assert_str_eq(copy, "abc");
    cr_assert_str_eq(arena_copy(arena, "abcdef", 3), "abc");
    cr_assert_str_eq(arena_copy(arena, NULL, 0), "");
    cr_assert_null(arena_text(arena, NULL));
    cr_assert_str_eq(arena_format(arena, "%d-%s", 42, "x"), "42-x");
    cr_assert_str_eq(arena_format(arena, "%s", ""), "");
    char *wide = arena_format(arena, "%200000d", 7);
    cr_assert_eq(strlen(wide), 200000);
    cr_assert_eq(wide[199999], '7');
    arena_close(arena);
}

Test(arena, closing_nothing_is_fine) {
    arena_close(NULL);
}
