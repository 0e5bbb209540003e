/* Ring: every rank sends to its right neighbour at every step, the buffer in n parts.
 *
 *   reduce-scatter  step s: rank r sends part r-s, reduced so far        T = (n-1)(a + S/(nB))
 *   all-gather      step s: rank r sends part r-s+1, complete            T = (n-1)(a + S/(nB))
 *   all-reduce      both, one after the other                            T = 2(n-1)(a + S/(nB))
 *
 * Bandwidth-optimal; Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations",
 * J. Parallel Distrib. Comput. 69 (2009). Thakur, Rabenseifner, Gropp, "Optimization of collective communication
 * operations in MPICH" (2005) for the all-gather.
 *
 * Over several domains there is one ring a device of the domain (a rail), each with its share of the buffer; ring c
 * visits the members of every domain in the order c, c+1, ..., c-1, so that each NIC carries one ring
 * (NCCL, src/graph/search.cc and src/graph/rings.cc). */
#include "collective/ring.h"

#include <math.h>

#include "collective/rate.h"

double ring_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency) {
    return (double)ring_pass_steps(kind, size) * (latency + bytes / ((double)size * rate));
}

double rails_seconds(enum collective kind, int64_t size, double bytes, double inner_rate, double nic_rate,
                     int64_t rails) {
    return ring_seconds(kind, size, bytes, fmin(inner_rate, (double)rails * nic_rate), 0);
}

/* On a torus of its own the group takes all links at once (torus.c). */
static bool supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->kind != SCALEUP_TORUS || span->outer > 1;
}

static double seconds(const struct span *span, enum collective kind, double bytes) {
    double passes = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    double wire = rate_ring_wire(span, passes * (double)(span->size - 1), bytes / (double)span->size);
    return passes * rate_trip(span) + pipeline_seconds(wire, rate_hop(span));
}

/* The member at position `at` of ring `rail`. */
static int64_t ring_member(int64_t rails, int64_t rail, int64_t at) {
    return rails == 1 ? at : at / rails * rails + (rail + at % rails) % rails;
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    int64_t n = span->size;
    int64_t rails = span->outer > 1 && span->inner * span->outer == n ? span->inner : 1;
    double part = bytes / (double)(n * rails);
    int64_t count = ring_pass_steps(kind, n);
    for (int64_t step = 0; step < count; step++) {
        for (int64_t rail = 0; rail < rails; rail++) {
            for (int64_t at = 0; at < n; at++) {
                transfer_visit(visitor, step, ring_member(rails, rail, at), ring_member(rails, rail, (at + 1) % n),
                               part);
            }
        }
    }
    return count;
}

const struct algorithm ring_algorithm = {
    .name = "ring",
    .doc = "2(n-1)/n S/B all-reduce, (n-1)/n S/B all-gather and reduce-scatter; one ring a rail over several domains",
    .libraries = LIBRARIES_ALL,
    .kinds = KINDS_RING,
    .supports = supports,
    .seconds = seconds,
    .steps = steps,
};
