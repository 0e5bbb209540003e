/* Bruck: in step k every rank sends to rank - 2^k (all-gather) what it has, at most what is still missing; all-to-all:
 * to rank + 2^k the blocks whose distance has bit k set. Reduce-scatter is the all-gather backwards (NCCL calls the
 * pair PAT, src/device/all_gather.h, and offers it for one GPU a node).
 *
 * Bruck, Ho, Kipnis, Upfal, Weathersby, "Efficient algorithms for all-to-all communications in multiport
 * message-passing systems" (1997). */
#include "collective/bruck.h"

#include <math.h>

#include "collective/rate.h"

/* Blocks that travel in step k. */
static int64_t blocks_of(enum collective kind, int64_t size, int64_t step) {
    int64_t distance = INT64_C(1) << step;
    if (kind != COLLECTIVE_ALL_TO_ALL) {
        return distance < size - distance ? distance : size - distance;
    }
    int64_t rest = size % (2 * distance) - distance;
    return size / (2 * distance) * distance + (rest > 0 ? rest : 0);
}

double bruck_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency) {
    double seconds = 0;
    for (int64_t step = 0; step < log2_ceil(size); step++) {
        seconds += latency + (double)blocks_of(kind, size, step) / (double)size * bytes / rate;
    }
    return seconds;
}

static bool supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->kind == SCALEUP_SWITCH;
}

static double seconds(const struct span *span, enum collective kind, double bytes) {
    bool exchange = kind == COLLECTIVE_ALL_TO_ALL;
    double inside = (exchange ? span->inner_exchange : span->inner_rate);
    double outside = exchange ? span->outer_exchange : span->outer_rate;
    double rate = span->outer <= 1 ? inside : span->inner <= 1 ? outside : fmin(inside, outside);
    return bruck_seconds(kind, span->size, bytes, rate, rate_hop(span));
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    int64_t n = span->size;
    int64_t count = log2_ceil(n);
    for (int64_t step = 0; step < count; step++) {
        int64_t round = kind == COLLECTIVE_REDUCE_SCATTER ? count - 1 - step : step;
        int64_t distance = INT64_C(1) << round;
        double part = (double)blocks_of(kind, n, round) / (double)n * bytes;
        for (int64_t rank = 0; rank < n; rank++) {
            int64_t peer = kind == COLLECTIVE_ALL_GATHER ? (rank + n - distance) % n : (rank + distance) % n;
            transfer_visit(visitor, step, rank, peer, part);
        }
    }
    return count;
}

const struct algorithm bruck_algorithm = {
    .name = "bruck",
    .doc = "ceil(log2 n) steps for any n; all-to-all sends ceil(log2 n)/2 times the bytes",
    .libraries = LIBRARIES_ANY,
    .kinds = KINDS_HALVES | KINDS_ALL_TO_ALL,
    .supports = supports,
    .seconds = seconds,
    .steps = steps,
};
