/* Bidirectional rings and tori.
 *
 *   ring of k, both directions   all-reduce 2(k-1)/k S/(2b)       each link b carries half of the buffer each way
 *   torus k1 x ... x kd          all-reduce 2(n-1)/n S/(2d b)     d schedules, rotated by one axis, keep 2d links busy
 *   all-to-all, ring of k        S k/(8b), k even; S (k^2-1)/(8 k b), k odd: mean distance times bytes over two links
 *   all-to-all, torus            the slowest axis of the line above
 *
 * Jain and Sabharwal, "Optimal bucket algorithms for large MPI collectives on torus interconnects" (ICS 2010); Chan,
 * Heimlich, Purkayastha, van de Geijn, "Collective communication: theory, practice, and experience" (2007); the JAX
 * scaling book, chapter "Sharded matrices", drops the factor (k-1)/k. */
#include "collective/torus.h"

#include <math.h>

#include "collective/rate.h"
#include "collective/ring.h"

double bidirectional_ring_seconds(enum collective kind, int64_t size, double bytes, double link, double latency) {
    return ring_seconds(kind, size, bytes / 2, link, latency);
}

double axis_gather_seconds(int64_t extent, double bytes, double link, double hop) {
    double k = (double)extent;
    return fmax((double)(extent / 2) * hop, (k - 1) / k * bytes / (2 * link));
}

double line_gather_seconds(int64_t extent, double bytes, double link) {
    double k = (double)extent;
    return (k - 1) / k * bytes / link;
}

double torus_reduce_seconds(int64_t size, int64_t dims, double bytes, double link) {
    return ring_seconds(COLLECTIVE_ALL_REDUCE, size, bytes, 2 * (double)dims * link, 0);
}

double torus_sequence_seconds(const int64_t *extents, int64_t dims, double bytes, double link) {
    double seconds = 0;
    for (int64_t i = 0; i < dims; i++) {
        seconds += bidirectional_ring_seconds(COLLECTIVE_ALL_REDUCE, extents[i], bytes, link, 0);
        bytes /= (double)extents[i];
    }
    return seconds;
}

double torus_exchange_seconds(const int64_t *extents, int64_t dims, double bytes, double link) {
    double seconds = 0;
    for (int64_t i = 0; i < dims; i++) {
        double k = (double)extents[i];
        double load = extents[i] % 2 == 0 ? k / 8 : (k * k - 1) / (8 * k);
        seconds = fmax(seconds, load * bytes / link);
    }
    return seconds;
}

static bool torus_supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->kind == SCALEUP_TORUS && span->outer <= 1;
}

/* inner_rate is that of all links of the axes the group has, both ways, so the closed form is the ring's; the latency
 * is that of the axes one after another. */
static double torus_seconds(const struct span *span, enum collective kind, double bytes) {
    double passes = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    double wire = passes * (double)(span->size - 1) * bytes / ((double)span->size * span->inner_rate);
    return passes * (double)span->inner_steps * span->inner_latency + pipeline_seconds(wire, span->inner_latency);
}

/* The two directions of a ring over all members; axes add nothing to what one port sends. */
static int64_t bidirectional_steps(const struct span *span, enum collective kind, double bytes,
                                   const struct visitor *visitor) {
    int64_t n = span->size;
    double part = bytes / (2 * (double)n);
    int64_t count = ring_pass_steps(kind, n);
    for (int64_t step = 0; step < count; step++) {
        for (int64_t at = 0; at < n; at++) {
            transfer_visit(visitor, step, at, (at + 1) % n, part);
            transfer_visit(visitor, step, at, (at + n - 1) % n, part);
        }
    }
    return count;
}

static bool bidirectional_supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->kind == SCALEUP_TORUS;
}

/* One ring over all members takes two links a member. */
static double bidirectional_seconds(const struct span *span, enum collective kind, double bytes) {
    double passes = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    struct span ring = *span;
    ring.inner_rate = fmin(span->inner_rate, 2 * span->pair_rate);
    double wire = rate_ring_wire(&ring, passes * (double)(span->size - 1), bytes / (double)span->size);
    return passes * (double)(span->size - 1) * rate_hop(span) + pipeline_seconds(wire, rate_hop(span));
}

const struct algorithm bidirectional_ring_algorithm = {
    .name = "bidirectional_ring",
    .doc = "two counter-rotating rings with half the buffer each",
    .libraries = LIBRARIES_XLA,
    .kinds = KINDS_RING,
    .supports = bidirectional_supports,
    .seconds = bidirectional_seconds,
    .steps = bidirectional_steps,
};

const struct algorithm torus_algorithm = {
    .name = "torus",
    .doc = "one schedule an axis, rotated, so that all links are busy: 2(n-1)/n S/(2d b)",
    .libraries = LIBRARIES_ALL,
    .kinds = KINDS_RING,
    .supports = torus_supports,
    .seconds = torus_seconds,
    .steps = bidirectional_steps,
};
