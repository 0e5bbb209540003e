/* All-to-all.
 *
 *   pairwise    every block straight to its owner; what stays in the domain and what leaves it run side by side
 *   two_level   inside the domain to the member that sits on the owner's rail, then along the rail: n/g times fewer and
 *               larger messages (NCCL calls it PXN, src/graph/paths.cc)
 *
 * Lower bound and attained on a crossbar: the busiest port, (n-1)/n S/B (Birkhoff's decomposition). Thakur,
 * Rabenseifner, Gropp (2005), section 4.4 for pairwise exchange. */
#include "collective/all_to_all.h"

#include <math.h>

#include "collective/rate.h"

/* NCCL serves so many peers of other nodes at a time (src/include/device.h, NCCL_MAX_DEV_WORK_P2P_PER_BATCH). */
static const double BATCH = 8;
/* The own block is copied beside the sends at the cost of COPY blocks; the rates are those of 8 GPUs (see rate.c). */
static const double COPY = 0.2;
static const double REFERENCE = 7;

double exchange_seconds(int64_t size, double bytes, double rate, double latency) {
    return latency + (double)(size - 1) / (double)size * bytes / rate;
}

double pairwise_seconds(int64_t size, double bytes, double rate, double latency) {
    return exchange_seconds(size, bytes, rate, (double)(size - 1) * latency);
}

double exchange_mesh_seconds(int64_t size, double bytes, double link) {
    return bytes / ((double)size * link);
}

double exchange_rails_seconds(int64_t inner, int64_t outer, double bytes, double inner_rate, double nic_rate) {
    double inside = (double)(inner - 1) / (double)(inner * outer) * bytes / inner_rate;
    double between = (double)(outer - 1) / (double)outer * bytes / nic_rate;
    return fmax(inside, between);
}

double exchange_levels_seconds(int64_t inner, int64_t outer, double bytes, double inner_rate, double nic_rate) {
    double inside = (double)(inner - 1) / (double)inner * bytes / inner_rate;
    double between = (double)(outer - 1) / (double)outer * bytes / nic_rate;
    return inside + between;
}

double exchange_tapered_seconds(int64_t size, double bytes, double rate, const struct taper *levels, int64_t count) {
    double seconds = exchange_seconds(size, bytes, rate, 0);
    for (int64_t i = 0; i < count; i++) {
        double leaving = (double)(size - levels[i].members) / (double)size;
        seconds = fmax(seconds, levels[i].taper * leaving * bytes / rate);
    }
    return seconds;
}

static double efficiency(const struct span *span) {
    return span->all_to_all_efficiency > 0 ? span->all_to_all_efficiency : 1;
}

/* Seconds on the wire inside: what one member sends to the other members of its domain, in parts of `part` bytes. */
static double wire_inside(const struct span *span, double part) {
    double peers = (double)(span->inner - 1);
    bool copies = span->library == LIBRARY_NCCL && span->kind == SCALEUP_SWITCH;
    double loss = copies ? fmax(1, (1 + COPY / peers) / (1 + COPY / REFERENCE)) : 1;
    return loss * peers * part / (span->inner_exchange * efficiency(span));
}

static double seconds(const struct span *span, enum collective kind, double bytes) {
    (void)kind;
    double wire = 0;
    double latency = HANDSHAKE * span->inner_latency;
    if (span->inner > 1) {
        wire = wire_inside(span, bytes / (double)span->size);
    }
    if (span->outer > 1) {
        double leaving = (double)(span->outer - 1) / (double)span->outer * bytes;
        wire = fmax(wire, leaving / (span->outer_exchange * efficiency(span)));
        latency += ceil((double)(span->size - span->inner) / BATCH) * span->outer_latency;
    }
    return latency + pipeline_seconds(wire, rate_hop(span));
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    (void)kind;
    int64_t n = span->size;
    for (int64_t step = 0; step < n - 1; step++) {
        for (int64_t rank = 0; rank < n; rank++) {
            transfer_visit(visitor, step, rank, (rank + step + 1) % n, bytes / (double)n);
        }
    }
    return n - 1;
}

static bool two_level_supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->outer > 1 && span->inner > 1 && span->inner * span->outer == span->size;
}

static double two_level_seconds(const struct span *span, enum collective kind, double bytes) {
    (void)kind;
    double inside = wire_inside(span, bytes / (double)span->inner);
    double between =
        (double)(span->outer - 1) / (double)span->outer * bytes / (span->outer_exchange * efficiency(span));
    double latency = HANDSHAKE * span->inner_latency + ceil((double)(span->outer - 1) / BATCH) * span->outer_latency;
    return latency + pipeline_seconds(inside, span->inner_latency) + pipeline_seconds(between, span->outer_latency);
}

static int64_t two_level_steps(const struct span *span, enum collective kind, double bytes,
                               const struct visitor *visitor) {
    (void)kind;
    int64_t g = span->inner;
    int64_t step = 0;
    for (int64_t shift = 1; shift < g; shift++, step++) {
        for (int64_t rank = 0; rank < span->size; rank++) {
            transfer_visit(visitor, step, rank, rank - rank % g + (rank + shift) % g, bytes / (double)g);
        }
    }
    for (int64_t shift = 1; shift < span->outer; shift++, step++) {
        for (int64_t rank = 0; rank < span->size; rank++) {
            transfer_visit(visitor, step, rank, (rank + shift * g) % span->size, bytes / (double)span->outer);
        }
    }
    return step;
}

const struct algorithm pairwise_algorithm = {
    .name = "pairwise",
    .doc = "every block straight to its owner, each rank on its own NIC",
    .libraries = LIBRARIES_ALL,
    .kinds = KINDS_ALL_TO_ALL,
    .seconds = seconds,
    .steps = steps,
};

const struct algorithm two_level_algorithm = {
    .name = "two_level",
    .doc = "inside to the owner's rail, then along the rail (PXN): fewer, larger messages",
    .libraries = LIBRARIES_NCCL | LIBRARIES_HCCL,
    .kinds = KINDS_ALL_TO_ALL,
    .supports = two_level_supports,
    .seconds = two_level_seconds,
    .steps = two_level_steps,
};
