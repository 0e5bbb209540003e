#include "tensors.h"

static void curve_of(struct arena *arena, const struct living *livings, int count, int streams,
                     struct memory_curve *ret) {
    struct played played;
    play(arena, livings, count, streams, &played);
    memory_curve(arena, &played.program, 0, played.starts, played.ends, ret);
}

static bool points_are(const struct memory_curve *curve, const struct memory_point *points, int64_t count) {
    bool same = curve->count == count;
    for (int64_t i = 0; same && i < count; i++) {
        same = curve->points[i].time == points[i].time && curve->points[i].bytes == points[i].bytes;
    }
    return same;
}

Test(memory_curve, follows_what_comes_and_goes) {
    static const struct living livings[] = {
        {100, TENSOR_WEIGHTS, -1, -1},
        {10, TENSOR_ACTIVATIONS, 5, 20},
        {20, TENSOR_WORKING, 10, 12},
        {40, TENSOR_LOGITS, 12, 20}, /* comes when the one before goes */
    };
    static const struct memory_point points[] = {{0, 100}, {5, 110}, {10, 130}, {12, 150}, {20, 100}};
    struct arena *arena = support_arena();
    struct memory_curve curve;
    curve_of(arena, livings, ROWS(livings), 3, &curve);
    cr_assert(points_are(&curve, points, ROWS(points)));
    cr_expect(curve.held == 100 && curve.peak == 150 && curve.peak_time == 12);
    cr_expect(curve.at_peak[TENSOR_WEIGHTS] == 100 && curve.at_peak[TENSOR_ACTIVATIONS] == 10 &&
              curve.at_peak[TENSOR_LOGITS] == 40 && curve.at_peak[TENSOR_WORKING] == 0);
    cr_expect(curve.class_peak[TENSOR_WORKING] == 20 && curve.class_peak[TENSOR_LOGITS] == 40);
    cr_expect(curve.peak_instruction == 3, "%d", curve.peak_instruction);
    arena_close(arena);
}

Test(memory_curve, of_nothing_is_flat) {
    static const struct living held[] = {{7, TENSOR_OPTIMIZER, -1, -1}};
    static const struct memory_point points[] = {{0, 7}};
    struct arena *arena = support_arena();
    struct memory_curve curve;
    curve_of(arena, held, 1, 1, &curve);
    cr_expect(points_are(&curve, points, 1));
    cr_expect(curve.peak == 7 && curve.peak_time == 0 && curve.peak_instruction == NOTHING);
    curve_of(arena, held, 0, 1, &curve);
    cr_expect(curve.count == 1 && curve.peak == 0 && curve.peak_instruction == NOTHING);
    arena_close(arena);
}

Test(memory_curve, begins_with_what_comes_at_once) {
    static const struct living livings[] = {{5, TENSOR_ACTIVATIONS, 0, 3}, {0, TENSOR_WORKING, 0, 1}};
    static const struct memory_point points[] = {{0, 5}, {1, 5}, {3, 0}};
    struct arena *arena = support_arena();
    struct memory_curve curve;
    curve_of(arena, livings, ROWS(livings), 2, &curve);
    cr_expect(points_are(&curve, points, ROWS(points)));
    cr_expect(curve.peak_time == 0);
    arena_close(arena);
}

/* A tensor that comes and goes at one moment was never there. */
Test(memory_curve, leaves_out_what_has_no_time) {
    static const struct living livings[] = {{5, TENSOR_ACTIVATIONS, 1, 4}, {50, TENSOR_WORKING, 2, 2}};
    struct arena *arena = support_arena();
    struct memory_curve curve;
    curve_of(arena, livings, ROWS(livings), 2, &curve);
    cr_expect(curve.peak == 5 && curve.class_peak[TENSOR_WORKING] == 0);
    arena_close(arena);
}

/* Sums of a class at a moment, by looking at every tensor. */
static double sum_at(const struct living *livings, int count, int class, int64_t time) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
        bool there = livings[i].begin < 0 || (livings[i].begin <= time && time < livings[i].end);
        sum += there && (int)livings[i].class == class ? livings[i].bytes : 0;
    }
    return sum;
}

static void check_curve(const struct living *livings, int count, int64_t span, const struct memory_curve *curve) {
    double peak = -1, class_peak[TENSOR_CLASSES] = {0}, sum = 0;
    int64_t peak_time = 0, point = 0;
    for (int64_t time = 0; time <= 2 * span; time++) {
        double total = 0;
        for (int class = 0; class < TENSOR_CLASSES; class++) {
            double bytes = sum_at(livings, count, class, time);
            total += bytes;
            class_peak[class] = bytes > class_peak[class] ? bytes : class_peak[class];
        }
        peak_time = total > peak ? time : peak_time;
        peak = total > peak ? total : peak;
        while (point + 1 < curve->count && curve->points[point + 1].time <= time) {
            point++;
            cr_assert(curve->points[point].time > curve->points[point - 1].time);
        }
        cr_assert(curve->points[point].bytes == total, "at %lld: %g, not %g", (long long)time,
                  curve->points[point].bytes, total);
    }
    cr_assert(curve->peak == peak && curve->peak_time == peak_time, "%g at %lld, not %g at %lld", curve->peak,
              (long long)curve->peak_time, peak, (long long)peak_time);
    for (int class = 0; class < TENSOR_CLASSES; class++) {
        cr_assert(curve->class_peak[class] == class_peak[class]);
        cr_assert(curve->at_peak[class] == sum_at(livings, count, class, peak_time));
        sum += curve->at_peak[class];
    }
    cr_assert(sum == curve->peak && curve->held <= curve->peak);
}

Test(memory_curve, equals_brute_force) {
    struct random random;
    random_stream(&random, 1, "memory", 0);
    for (int round = 0; round < 500; round++) {
        struct arena *arena = support_arena();
        struct living livings[60];
        struct memory_curve curve;
        int64_t span = 1 + random_below(&random, 40);
        int count = random_livings(&random, livings, ROWS(livings), span, 1e9);
        curve_of(arena, livings, count, 1 + (int)random_below(&random, STREAM_COUNT), &curve);
        check_curve(livings, count, span, &curve);
        arena_close(arena);
    }
}
