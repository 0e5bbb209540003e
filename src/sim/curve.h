/* A rate over time, and the time that work takes at it. */
#ifndef PARPLAN_SIM_CURVE_H
#define PARPLAN_SIM_CURVE_H

#include <stddef.h>
#include <stdint.h>

struct arena;

/* A moment that does not come. */
#define NEVER INT64_MAX

static inline int64_t time_add(int64_t time, int64_t duration) {
    return duration >= NEVER - time ? NEVER : time + duration;
}

/* rates[i] from times[i] on; times[0] is 0. */
struct curve {
    int64_t count;
    const int64_t *times;
    const double *rates;
};

/* The rate at a moment, and the moment it changes next (NEVER). NULL is the curve that is 1 throughout. */
double curve_rate(const struct curve *curve, int64_t time, int64_t *ret_until);
/* When work that begins at `start` ends at the lower of two rates. */
int64_t curve_end(const struct curve *a, const struct curve *b, int64_t start, int64_t work);

/* Picoseconds of a remainder at a rate, rounded once; NEVER at rate 0. */
int64_t time_needed(double remaining, double rate);

/* A factor on durations, from .. until; infinite: nothing moves. */
struct window { int64_t from, until; double factor; };
/* The curve of windows that all apply; without any its count is 0. */
struct curve curve_make(struct arena *arena, const struct window *windows, size_t count);

/* Inserts a time into ascending ones, unless it is there or NEVER; returns their number. There must be room. */
int64_t times_insert(int64_t *times, int64_t count, int64_t time);

#endif
