#include "sim/curve.h"

#include <math.h>
#include <stddef.h>

#include "base/arena.h"

int64_t times_insert(int64_t *times, int64_t count, int64_t time) {
    int64_t at = count;
    while (at > 0 && times[at - 1] > time) {
        at--;
    }
    if (time == NEVER || (at > 0 && times[at - 1] == time)) {
        return count;
    }
    for (int64_t i = count; i > at; i--) {
        times[i] = times[i - 1];
    }
    times[at] = time;
    return count + 1;
}

/* Products of many factors below 1 stay numbers. */
static const double LEAST_FACTOR = 1e-6;

struct curve curve_make(struct arena *arena, const struct window *windows, size_t count) {
    if (count == 0) {
        return (struct curve){.count = 0};
    }
    int64_t *times = ARENA_ARRAY(arena, int64_t, 2 * count + 1);
    int64_t points = 1;
    for (size_t w = 0; w < count; w++) {
        points = times_insert(times, points, windows[w].from);
        points = times_insert(times, points, windows[w].until);
    }
    double *rates = ARENA_ARRAY(arena, double, (size_t)points);
    for (int64_t i = 0; i < points; i++) {
        double factor = 1;
        for (size_t w = 0; w < count; w++) {
            double own = windows[w].from <= times[i] && times[i] < windows[w].until ? windows[w].factor : 1;
            factor = fmax(factor, LEAST_FACTOR) * own;
        }
        rates[i] = factor > LEAST_FACTOR ? 1 / factor : 1 / LEAST_FACTOR;
    }
    return (struct curve){points, times, rates};
}

double curve_rate(const struct curve *curve, int64_t time, int64_t *ret_until) {
    *ret_until = NEVER;
    if (curve == NULL) {
        return 1;
    }
    int64_t low = 0, high = curve->count;
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (curve->times[middle] <= time) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *ret_until = high < curve->count ? curve->times[high] : NEVER;
    return curve->rates[low];
}

int64_t time_needed(double remaining, double rate) {
    if (remaining <= 0) {
        return 0;
    }
    double needed = rate > 0 ? remaining / rate : (double)INFINITY;
    return needed < 0x1p62 ? (int64_t)llround(needed) : NEVER;
}

int64_t curve_end(const struct curve *a, const struct curve *b, int64_t start, int64_t work) {
    if ((a == NULL && b == NULL) || work <= 0) {
        return time_add(start, work);
    }
    double remaining = (double)work;
    for (int64_t time = start;;) {
        int64_t until_a, until_b;
        double rate_a = curve_rate(a, time, &until_a), rate_b = curve_rate(b, time, &until_b);
        double rate = rate_a < rate_b ? rate_a : rate_b;
        int64_t until = until_a < until_b ? until_a : until_b;
        int64_t end = time_add(time, time_needed(remaining, rate));
        if (end <= until) {
            return end;
        }
        remaining -= rate * (double)(until - time);
        time = until;
    }
}
