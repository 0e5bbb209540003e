/* Hierarchical collectives over N domains of g members:
 *
 *   all-reduce       reduce-scatter inside (S), all-reduce of S/g between the members of a rail, all-gather inside
 *                    2(g-1)/g S/B_in + 2(N-1)/N (S/g)/B_nic
 *   reduce-scatter   inside (S), then between (S/g)
 *   all-gather       the same backwards
 *
 * in sequence the sum of the two levels; cut into CHUNKS chunks that run through both at once, the slower level and one
 * chunk of the other. (BlueConnect: Cho et al., MLSys 2019; Jia et al., arXiv:1807.11205; Sanders and Traeff 2002.) */
#include "collective/hierarchical.h"

#include <math.h>

#include "collective/rate.h"
#include "collective/ring.h"

static const double CHUNKS = 16;

struct levels hierarchical_levels(enum collective kind, int64_t inner, int64_t outer, double bytes, double inner_rate,
                                  double nic_rate) {
    return (struct levels){
        .inside = ring_seconds(kind, inner, bytes, inner_rate, 0),
        .between = ring_seconds(kind, outer, bytes / (double)inner, nic_rate, 0),
    };
}

static bool supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->outer > 1 && span->inner > 1 && span->inner * span->outer == span->size;
}

/* Latency of the ring phases. */
static double latency_of(const struct span *span, enum collective kind) {
    double passes = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    return passes * ((double)span->inner_steps * span->inner_latency + (double)(span->outer - 1) * span->outer_latency);
}

static double seconds(const struct span *span, enum collective kind, double bytes) {
    struct levels levels =
        hierarchical_levels(kind, span->inner, span->outer, bytes, span->inner_rate, span->outer_rate);
    return latency_of(span, kind) + pipeline_seconds(levels.inside, span->inner_latency) +
           pipeline_seconds(levels.between, span->outer_latency);
}

static double pipelined_seconds(const struct span *span, enum collective kind, double bytes) {
    struct levels levels =
        hierarchical_levels(kind, span->inner, span->outer, bytes, span->inner_rate, span->outer_rate);
    double wire = fmax(levels.inside, levels.between) + fmin(levels.inside, levels.between) / CHUNKS;
    return latency_of(span, kind) + pipeline_seconds(wire, rate_hop(span));
}

/* One ring pass inside every domain (along = 1, count g) or on every rail (along = g, count N). */
static int64_t visit_pass(const struct span *span, const struct visitor *visitor, int64_t step, bool inside,
                          double part) {
    int64_t count = inside ? span->inner : span->outer;
    for (int64_t pass = 0; pass < count - 1; pass++, step++) {
        for (int64_t rank = 0; rank < span->size; rank++) {
            int64_t member = rank % span->inner;
            int64_t to = inside ? rank - member + (member + 1) % span->inner : (rank + span->inner) % span->size;
            transfer_visit(visitor, step, rank, to, part);
        }
    }
    return step;
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    double inside = bytes / (double)span->inner;
    double between = bytes / (double)span->size;
    int64_t step = 0;
    if (kind != COLLECTIVE_ALL_GATHER) {
        step = visit_pass(span, visitor, step, true, inside);
        step = visit_pass(span, visitor, step, false, between);
    }
    if (kind != COLLECTIVE_REDUCE_SCATTER) {
        step = visit_pass(span, visitor, step, false, between);
        step = visit_pass(span, visitor, step, true, inside);
    }
    return step;
}

const struct algorithm hierarchical_algorithm = {
    .name = "hierarchical",
    .doc = "inside the domain, between domains on the own rail, inside again, one after another",
    .libraries = LIBRARIES_HCCL | 1 << LIBRARY_XLA,
    .kinds = KINDS_RING,
    .supports = supports,
    .seconds = seconds,
    .steps = steps,
};

const struct algorithm hierarchical_pipelined_algorithm = {
    .name = "hierarchical_pipelined",
    .doc = "the same in chunks: the slower level and one chunk of the other",
    .libraries = LIBRARIES_ANY,
    .kinds = KINDS_RING,
    .supports = supports,
    .seconds = pipelined_seconds,
    .steps = steps,
};
