/* What is packed for the report is all of the timeline, or, where it must be short, all of its work. */
#include <inttypes.h>

#include "../support.h"
#include "random.h"
#include "timeline/varints.h"
#include "timeline/write.h"
#include "unpack.h"

struct shape_read { int64_t name, sort, stage, layer, bytes; };

static const char *pack(struct arena *arena, const struct timeline *timeline, int64_t most, size_t limit) {
    struct text text;
    text_init(&text, arena);
    pack_timeline(timeline, most, limit, &text);
    return text.data;
}

static struct shape_read *read_shapes(struct arena *arena, struct unpacker *unpacker) {
    int64_t count = unpack(unpacker);
    struct shape_read *shapes = ARENA_ARRAY(arena, struct shape_read, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        shapes[i].name = unpack(unpacker);
        shapes[i].sort = unpack(unpacker);
        shapes[i].stage = unpack(unpacker) - 1;
        shapes[i].layer = unpack(unpacker) - 1;
        shapes[i].bytes = unpack(unpacker);
    }
    return shapes;
}

static void expect_slice(const struct slice *slice, const struct shape_read *shape, int64_t batch, bool critical) {
    cr_expect_eq(shape->name, slice->name);
    cr_expect_eq(shape->sort, slice->sort);
    cr_expect_eq(shape->stage, slice->stage);
    cr_expect_eq(shape->layer, slice->layer);
    cr_expect_eq(shape->bytes, (int64_t)slice->bytes);
    cr_expect_eq(batch, slice->micro_batch);
    cr_expect_eq(critical, slice->critical);
}

/* Reads all lanes and compares; slices of one block count and add up. Returns how many blocks there are, and in
 * `places` the block of each slice, -1 where it is joined. */
static int64_t expect_lanes(struct arena *arena, struct unpacker *unpacker, const struct timeline *timeline,
                            int64_t *places) {
    struct view view = view_make(arena, timeline);
    struct shape_read *shapes = read_shapes(arena, unpacker);
    int64_t blocks = 0;
    for (int64_t lane = 0; lane < timeline->lane_count; lane++) {
        int64_t slice = view.first[lane], time = 0, batch = 0, busy = 0, count = unpack(unpacker);
        for (int64_t i = 0; i < count; i++) {
            int64_t start = time + unpack(unpacker), kind = unpack(unpacker);
            time = start + unpack(unpacker);
            int64_t more = unpack(unpacker);
            batch += (more >> 1 & 1) != 0 ? -(more >> 2) - 1 : more >> 2;
            int64_t joined = kind % 2 == 1 ? unpack(unpacker) : 1, idle = kind % 2 == 1 ? unpack(unpacker) : 0;
            cr_assert_leq(slice + joined, view.first[lane + 1]);
            cr_expect_eq(start, timeline->slices[slice].start);
            cr_expect_eq(time, timeline->slices[slice + joined - 1].end);
            cr_expect(joined > 1 || kind % 2 == 0);
            if (joined == 1) {
                expect_slice(&timeline->slices[slice], &shapes[kind / 2], batch, more & 1);
            }
            for (int64_t k = 0; k < joined; k++) {
                places[slice + k] = joined == 1 ? blocks + i : -1;
            }
            busy += time - start - idle;
            slice += joined;
        }
        cr_expect_eq(slice, view.first[lane + 1]);
        cr_expect_eq(busy, view_busy(&view, lane));
        blocks += count;
    }
    return blocks;
}

/* Arrows between slices of their own, in order. */
static void expect_arrows(struct unpacker *unpacker, const struct timeline *timeline, const int64_t *places) {
    int64_t from = 0, count = unpack(unpacker);
    for (int64_t i = 0; i < timeline->arrow_count; i++) {
        const struct arrow *arrow = &timeline->arrows[i];
        if (places[arrow->from] >= 0 && places[arrow->to] >= 0) {
            from += unpack_signed(unpacker);
            cr_expect_eq(from, places[arrow->from]);
            cr_expect_eq(from + unpack_signed(unpacker), places[arrow->to]);
            count--;
        }
    }
    cr_expect_eq(count, 0);
}

static void expect_counters(struct unpacker *unpacker, const struct timeline *timeline) {
    for (int64_t i = 0; i < timeline->counter_count; i++) {
        const struct counter *counter = &timeline->counters[i];
        int64_t time = 0, value = 0;
        cr_assert_eq(unpack(unpacker), counter->count);
        for (int64_t k = 0; k < counter->count; k++) {
            time += unpack(unpacker);
            value += unpack_signed(unpacker);
            cr_expect_eq(time, counter->points[k].time);
            cr_expect_eq(value, (int64_t)counter->points[k].value);
        }
    }
}

Test(pack, holds_all) {
    struct random random;
    random_seed(&random, 11, 1);
    for (int round = 0; round < 200; round++) {
        struct arena *arena = support_arena();
        struct timeline timeline = sample_random(arena, &random, 40);
        struct unpacker unpacker = unpack_open(arena, pack(arena, &timeline, 1 << 20, 1 << 24));
        int64_t *places = ARENA_ARRAY(arena, int64_t, (size_t)timeline.slice_count);
        cr_expect_eq(expect_lanes(arena, &unpacker, &timeline, places), timeline.slice_count);
        expect_arrows(&unpacker, &timeline, places);
        expect_counters(&unpacker, &timeline);
        cr_expect_eq(unpacker.place, unpacker.size, "numbers are left over");
        arena_close(arena);
    }
}

Test(pack, joins_to_stay_within_bounds) {
    struct random random;
    random_seed(&random, 13, 1);
    for (int round = 0; round < 40; round++) {
        struct arena *arena = support_arena();
        struct timeline timeline = sample_random(arena, &random, 300);
        int64_t most = timeline.lane_count + random_below(&random, 200);
        struct unpacker unpacker = unpack_open(arena, pack(arena, &timeline, most, 1 << 24));
        int64_t *places = ARENA_ARRAY(arena, int64_t, (size_t)timeline.slice_count);
        cr_expect_leq(expect_lanes(arena, &unpacker, &timeline, places), most);
        expect_arrows(&unpacker, &timeline, places);
        const char *small = pack(arena, &timeline, 1 << 20, 3000);
        unpacker = unpack_open(arena, small);
        expect_lanes(arena, &unpacker, &timeline, places);
        cr_expect_leq(strlen(strstr(small, "\"numbers\"")), 3050);
        arena_close(arena);
    }
}

/* More points than any screen has: the peak stays, to the byte, and so does the end. */
Test(pack, thins_out_curves) {
    struct arena *arena = support_arena();
    struct timeline timeline = sample_1f1b(arena, 1, 1);
    struct counter_point *points = ARENA_ARRAY(arena, struct counter_point, 100000);
    for (int64_t i = 0; i < 100000; i++) {
        points[i] = (struct counter_point){i * timeline.end / 100000, (double)((100000 - i) * 7919 % 1000003)};
    }
    points[54321].value = 123456789012.0;
    struct counter counter = {0, "memory", "B", points, 100000};
    timeline.counters = &counter;
    struct unpacker unpacker = unpack_open(arena, pack(arena, &timeline, 1 << 20, 1 << 24));
    int64_t places[16];
    cr_assert_leq(timeline.slice_count, 16);
    expect_lanes(arena, &unpacker, &timeline, places);
    expect_arrows(&unpacker, &timeline, places);
    int64_t count = unpack(&unpacker), time = 0, value = 0, peak = 0, peak_time = 0;
    cr_expect_leq(count, 2048);
    cr_expect_geq(count, 1024);
    for (int64_t i = 0; i < count; i++) {
        int64_t step = unpack(&unpacker);
        cr_expect_geq(step, 0);
        time += step;
        value += unpack_signed(&unpacker);
        peak_time = value > peak ? time : peak_time;
        peak = value > peak ? value : peak;
    }
    cr_expect_eq(peak, INT64_C(123456789012));
    cr_expect_eq(peak_time, points[54321].time);
    cr_expect_eq(value, (int64_t)points[99999].value);
    arena_close(arena);
}

Test(pack, edges) {
    struct arena *arena = support_arena();
    int64_t places[3];
    struct timeline nothing = {.title = "t"}, instant = sample_short(arena), longest = sample_long(arena);
    struct unpacker unpacker = unpack_open(arena, pack(arena, &nothing, 10, 1000));
    cr_expect_eq(unpack(&unpacker), 0);
    cr_expect_eq(unpack(&unpacker), 0);
    cr_expect_eq(unpacker.place, unpacker.size);
    unpacker = unpack_open(arena, pack(arena, &instant, 10, 1000));
    cr_expect_eq(expect_lanes(arena, &unpacker, &instant, places), 3);
    struct slice slices[3];
    memcpy(slices, longest.slices, sizeof slices);
    slices[0].bytes = 8e15; /* beyond, a double would round */
    longest.slices = slices;
    unpacker = unpack_open(arena, pack(arena, &longest, 10, 1000));
    cr_expect_eq(expect_lanes(arena, &unpacker, &longest, places), 3);
    unpacker = unpack_open(arena, pack(arena, &longest, 0, 0)); /* no way to keep that: as short as it gets */
    cr_expect_eq(expect_lanes(arena, &unpacker, &longest, places), 1);
    arena_close(arena);
}

Test(pack, is_safe_within_a_script) {
    struct arena *arena = support_arena();
    struct timeline hostile = sample_hostile(arena);
    const char *json = pack(arena, &hostile, 1 << 20, 1 << 24);
    cr_expect(strchr(json, '<') == NULL);
    cr_expect(strstr(json, "\\u003c/script>\\u003cscript>") != NULL);
    arena_close(arena);
}

Test(varints, numbers_and_base64) {
    static const struct { const char *bytes, *text; } rows[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
    struct arena *arena = support_arena();
    struct text text;
    for (size_t i = 0; i < ROWS(rows); i++) {
        text_init(&text, arena);
        base64_add(&text, rows[i].bytes, strlen(rows[i].bytes));
        cr_expect_str_eq(text.data, rows[i].text);
    }
    text_init(&text, arena);
    varint_add(&text, 300);
    varint_add(&text, UINT64_MAX);
    cr_expect_eq(text.size, 12);
    cr_expect(memcmp(text.data, "\xAC\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 12) == 0);
    cr_expect_eq(varint_signed(-1), 1);
    cr_expect_eq(varint_signed(1), 2);
    cr_expect_eq(varint_signed(INT64_MIN), UINT64_MAX);
    arena_close(arena);
}
