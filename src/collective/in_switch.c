/* Reduction and multicast in the switch.
 *
 *   all-reduce, rank r owns share r of n:   ld_reduce   every port sends S (its addends of all shares), r receives S/n
 *                                           st_multicast  r sends S/n, every port receives S
 *                                           T = 2 l + (n+1)/n S/B
 *   reduce-scatter, all-gather              one half of it; (n-1)/n S, the own share does not travel
 *
 * The law (n+1)/n is what NCCL's search reserves (src/graph/search.cc: a head takes 2 units of its port, the others 1)
 * and what H200 and B200 nodes measure at n = 5 ... 8 (stas00/ml-engineering, network). SHARP in the network: Graham et
 * al., "Scalable hierarchical aggregation protocol (SHArP)" (COMHPC 2016). */
#include "collective/in_switch.h"

#include "collective/rate.h"

double multicast_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency) {
    double n = (double)size;
    double factor = 1;
    if (kind == COLLECTIVE_ALL_REDUCE) {
        factor = (n + 1) / n;
    } else if (kind == COLLECTIVE_ALL_GATHER || kind == COLLECTIVE_REDUCE_SCATTER) {
        factor = (n - 1) / n;
    }
    return 2 * latency + factor * bytes / rate;
}

double aggregation_seconds(double bytes, double rate, int64_t depth, double latency) {
    return 2 * (double)depth * latency + bytes / rate;
}

static bool supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->multicast && span->outer <= 1;
}

/* Without all-reduce's doubling the ring's rate is as good, so the ring's achieved rate bounds the port. */
static double seconds(const struct span *span, enum collective kind, double bytes) {
    double rate = kind == COLLECTIVE_ALL_REDUCE ? span->multicast_rate : span->inner_rate;
    double wire = multicast_seconds(kind, span->size, bytes, rate, 0);
    return MULTICAST_SETUP + 2 * span->inner_latency + pipeline_seconds(wire, 2 * span->inner_latency);
}

int64_t visit_switch_reduce(const struct visitor *visitor, int64_t step, int64_t size, int64_t inner, double bytes) {
    for (int64_t rank = 0; rank < size; rank++) {
        transfer_visit(visitor, step, rank, TRANSFER_SWITCH, bytes);
    }
    for (int64_t rank = 0; rank < size; rank++) {
        transfer_visit(visitor, step + 1, TRANSFER_SWITCH, rank, bytes / (double)inner);
    }
    return step + 2;
}

int64_t visit_switch_multicast(const struct visitor *visitor, int64_t step, int64_t size, int64_t inner, double bytes) {
    for (int64_t rank = 0; rank < size; rank++) {
        transfer_visit(visitor, step, rank, TRANSFER_SWITCH, bytes / (double)inner);
    }
    for (int64_t rank = 0; rank < size; rank++) {
        transfer_visit(visitor, step + 1, TRANSFER_SWITCH, rank, bytes);
    }
    return step + 2;
}

/* A reduction has all but its root send and the root receive, a broadcast the other way round. */
static bool takes_part(enum collective kind, int64_t rank, bool sending) {
    if (kind == COLLECTIVE_REDUCE) {
        return (rank > 0) == sending;
    }
    return kind != COLLECTIVE_BROADCAST || (rank == 0) == sending;
}

/* One of the two halves of an all-reduce; what a rank keeps for itself does not travel where that is known. */
static void visit_half(const struct visitor *visitor, enum collective kind, int64_t size, double bytes) {
    double share = bytes / (double)size;
    double sent = kind == COLLECTIVE_ALL_GATHER ? share : kind == COLLECTIVE_REDUCE_SCATTER ? bytes - share : bytes;
    double received = kind == COLLECTIVE_REDUCE_SCATTER ? share : kind == COLLECTIVE_ALL_GATHER ? bytes - share : bytes;
    for (int64_t rank = 0; rank < size; rank++) {
        if (takes_part(kind, rank, true)) {
            transfer_visit(visitor, 0, rank, TRANSFER_SWITCH, sent);
        }
    }
    for (int64_t rank = 0; rank < size; rank++) {
        if (takes_part(kind, rank, false)) {
            transfer_visit(visitor, 1, TRANSFER_SWITCH, rank, received);
        }
    }
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    if (kind != COLLECTIVE_ALL_REDUCE) {
        visit_half(visitor, kind, span->size, bytes);
        return 2;
    }
    return visit_switch_multicast(visitor, visit_switch_reduce(visitor, 0, span->size, span->size, bytes), span->size,
                                  span->size, bytes);
}

const struct algorithm in_switch_algorithm = {
    .name = "in_switch",
    .doc = "reduction and multicast in the scale-up switch (NVLS): (n+1)/n S/B all-reduce",
    .libraries = LIBRARIES_NCCL,
    .kinds = KINDS_RING | KINDS_ROOTED,
    .supports = supports,
    .seconds = seconds,
    .steps = steps,
};
