/* Recursive halving and doubling.
 *
 *   halving   distance n/2, n/4, ..., 1: swap the half of what is left that belongs to the partner's side, reduce
 *   doubling  distance 1, 2, ..., n/2: swap all that one has
 *
 *   reduce-scatter  log2 n a + (n-1)/n S/B        all-gather the same        all-reduce both
 *
 * Thakur, Rabenseifner, Gropp (2005). Ranks beyond the largest power of two give their buffer to rank - surplus before
 * and get the result after. */
#include "collective/halving_doubling.h"

#include "collective/rate.h"

double halving_doubling_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency) {
    int64_t rounds = log2_floor(size);
    int64_t power = INT64_C(1) << rounds;
    double passes = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    double seconds = passes * ((double)rounds * latency + (double)(power - 1) / (double)power * bytes / rate);
    return power == size ? seconds : seconds + 2 * (latency + bytes / rate);
}

double recursive_doubling_seconds(int64_t size, double bytes, double rate, double latency) {
    int64_t rounds = log2_floor(size);
    return (double)(INT64_C(1) << rounds == size ? rounds : rounds + 2) * (latency + bytes / rate);
}

static bool is_power(int64_t size) {
    return size > 0 && (size & (size - 1)) == 0;
}

/* Every step needs full bisection at its distance: a switch. */
static bool supports(const struct span *span, enum collective kind) {
    return span->kind == SCALEUP_SWITCH && (kind == COLLECTIVE_ALL_REDUCE || is_power(span->size));
}

/* Across domains the long steps run over the member's own NIC, so that is the rate of all. */
static double member_rate(const struct span *span) {
    return span->outer > 1 && (span->inner <= 1 || span->outer_rate < span->inner_rate) ? span->outer_rate
                                                                                        : span->inner_rate;
}

static double seconds(const struct span *span, enum collective kind, double bytes) {
    double wire = halving_doubling_seconds(kind, span->size, bytes, member_rate(span), 0);
    double latency = halving_doubling_seconds(kind, span->size, 0, 1, rate_hop(span));
    return latency + pipeline_seconds(wire, rate_hop(span));
}

/* Fold: the ranks from `power` on send all to, or get all from, rank - power. */
static void visit_fold(const struct visitor *visitor, int64_t step, int64_t size, double bytes, bool in) {
    int64_t power = INT64_C(1) << log2_floor(size);
    for (int64_t rank = power; rank < size; rank++) {
        transfer_visit(visitor, step, in ? rank : rank - power, in ? rank - power : rank, bytes);
    }
}

static void visit_swap(const struct visitor *visitor, int64_t step, int64_t size, int64_t distance, double bytes) {
    for (int64_t rank = 0; rank < size; rank++) {
        transfer_visit(visitor, step, rank, rank ^ distance, bytes);
    }
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    int64_t rounds = log2_floor(span->size);
    int64_t power = INT64_C(1) << rounds;
    bool folded = power != span->size;
    int64_t step = 0;
    if (folded) {
        visit_fold(visitor, step++, span->size, bytes, true);
    }
    for (int64_t round = rounds - 1; round >= 0 && kind != COLLECTIVE_ALL_GATHER; round--) {
        int64_t distance = INT64_C(1) << round;
        visit_swap(visitor, step++, power, distance, bytes * (double)distance / (double)power);
    }
    for (int64_t round = 0; round < rounds && kind != COLLECTIVE_REDUCE_SCATTER; round++) {
        int64_t distance = INT64_C(1) << round;
        visit_swap(visitor, step++, power, distance, bytes * (double)distance / (double)power);
    }
    if (folded) {
        visit_fold(visitor, step++, span->size, bytes, false);
    }
    return step;
}

static double doubling_seconds(const struct span *span, enum collective kind, double bytes) {
    (void)kind;
    return recursive_doubling_seconds(span->size, bytes, member_rate(span), rate_hop(span));
}

static int64_t doubling_steps(const struct span *span, enum collective kind, double bytes,
                              const struct visitor *visitor) {
    (void)kind;
    int64_t rounds = log2_floor(span->size);
    int64_t power = INT64_C(1) << rounds;
    bool folded = power != span->size;
    int64_t step = 0;
    if (folded) {
        visit_fold(visitor, step++, span->size, bytes, true);
    }
    for (int64_t round = 0; round < rounds; round++) {
        visit_swap(visitor, step++, power, INT64_C(1) << round, bytes);
    }
    if (folded) {
        visit_fold(visitor, step++, span->size, bytes, false);
    }
    return step;
}

const struct algorithm halving_doubling_algorithm = {
    .name = "halving_doubling",
    .doc = "recursive halving and doubling (Rabenseifner): 2 log2 n latencies, 2(n-1)/n S/B",
    .libraries = LIBRARIES_HCCL,
    .kinds = KINDS_RING,
    .supports = supports,
    .seconds = seconds,
    .steps = steps,
};

const struct algorithm recursive_doubling_algorithm = {
    .name = "recursive_doubling",
    .doc = "the whole buffer at every step: log2 n (latency + S/B), for small buffers",
    .libraries = LIBRARIES_ANY,
    .kinds = KINDS_ALL_REDUCE,
    .supports = supports,
    .seconds = doubling_seconds,
    .steps = doubling_steps,
};
