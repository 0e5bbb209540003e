/* Direct: part r of every rank goes straight to rank r (reduce-scatter), part r of rank r to all (all-gather).
 *
 *   crossbar    a + (n-1)/n S/B      full mesh of links b    a + S/(n b)      all-reduce: both halves, 2 a and twice S
 *
 * The mesh reaches the rate of its n-1 links together, as n-1 link-disjoint rings do. (AMD Instinct MI300X: 7 xGMI
 * links; Ascend 910B: HCCL, mesh algorithm.) */
#include "collective/direct.h"

#include "collective/rate.h"

double crossbar_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency) {
    double n = (double)size;
    double passes = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    return passes * (latency + (n - 1) / n * bytes / rate);
}

double mesh_seconds(enum collective kind, int64_t size, double bytes, double link, double latency) {
    double passes = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    return passes * (latency + bytes / ((double)size * link));
}

static bool supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->outer <= 1 && (span->kind == SCALEUP_SWITCH || span->kind == SCALEUP_MESH);
}

static double seconds(const struct span *span, enum collective kind, double bytes) {
    double passes = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    double wire = crossbar_seconds(kind, span->size, bytes, span->inner_rate, 0);
    return passes * span->inner_latency + pipeline_seconds(wire, span->inner_latency);
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    int64_t count = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    for (int64_t step = 0; step < count; step++) {
        for (int64_t from = 0; from < span->size; from++) {
            for (int64_t to = 0; to < span->size; to++) {
                if (from != to) {
                    transfer_visit(visitor, step, from, to, bytes / (double)span->size);
                }
            }
        }
    }
    return count;
}

const struct algorithm direct_algorithm = {
    .name = "direct",
    .doc = "to all peers at once: one latency a pass",
    .libraries = LIBRARIES_HCCL,
    .kinds = KINDS_RING,
    .supports = supports,
    .seconds = seconds,
    .steps = steps,
};
