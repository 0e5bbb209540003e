/* What an algorithm gets out of a span.
 *
 * Pipelines. A message cut into k chunks crosses h hops of latency a and rate B in (h-1+k)(a + S/(kB)); the best k
 * gives T = (h-1) a + S/B + 2 sqrt((h-1) a S/B) (Sanders, Speck, Traeff 2009, section 2). The first term is the latency
 * of the trip; the last one is what cutting into chunks costs. Large collectives of NCCL follow the same law with FILL
 * hops of the latency that small messages show: one curve covers 1 MiB to 16 GiB on A100, H100, H200 and B200 nodes and
 * on EFA between nodes (fitted on nccl-tests logs of NVIDIA AIConfigurator; AWS and stas00/ml-engineering agree).
 *
 * The local copy. A ring kernel's first step writes the local output beside the peer's buffer, which costs COPY of a
 * step: bus bandwidth goes as k/(k + COPY) over k steps, 0.83, 0.91, 0.94, ... 0.97 for all-reduce on 2, 3, 4, ... 8
 * GPUs (fitted on vTrain's A100 and AIConfigurator's A100, H100 and B200 tables; slower links, such as those of the
 * DGX-1 and of MI300X, hide it). inner_rate is what an all-reduce on 8 GPUs, REFERENCE steps, reaches, so shorter rings
 * are slower by the difference; longer ones gain nothing. */
#include "collective/rate.h"

#include <math.h>

static const double FILL = 2.5;
static const double COPY = 0.4;
static const double REFERENCE = 14;

int64_t log2_ceil(int64_t value) {
    int64_t power = 0;
    while (power < 62 && (INT64_C(1) << power) < value) {
        power++;
    }
    return power;
}

int64_t log2_floor(int64_t value) {
    int64_t power = 0;
    while (power < 62 && value >> (power + 1) > 0) {
        power++;
    }
    return power;
}

int64_t ring_pass_steps(enum collective kind, int64_t size) {
    return kind == COLLECTIVE_ALL_REDUCE ? 2 * (size - 1) : size - 1;
}

static double way_out(const struct span *span) {
    return (double)span->inner * span->outer_rate;
}

double rate_flat(const struct span *span) {
    if (span->outer <= 1) {
        return span->inner_rate;
    }
    return span->inner <= 1 ? span->outer_rate : fmin(span->inner_rate, way_out(span));
}

double rate_hop(const struct span *span) {
    return span->outer > 1 ? fmax(span->outer_latency, span->inner > 1 ? span->inner_latency : 0) : span->inner_latency;
}

double rate_trip(const struct span *span) {
    double inside = span->inner > 1 ? (double)(span->outer * span->inner_steps) * span->inner_latency : 0;
    return inside + (double)(span->outer - 1) * span->outer_latency;
}

double rate_ring_wire(const struct span *span, double steps, double part) {
    bool copies = span->library == LIBRARY_NCCL && span->kind == SCALEUP_SWITCH;
    double loss = copies ? fmax(1, (1 + COPY / steps) / (1 + COPY / REFERENCE)) : 1;
    double inside = span->inner > 1 ? loss * steps * part / span->inner_rate : 0;
    double outside = span->outer > 1 ? steps * part / way_out(span) : 0;
    return fmax(inside, outside);
}

double pipeline_seconds(double wire, double hop) {
    return wire + 2 * sqrt(FILL * hop * wire);
}

void transfer_visit(const struct visitor *visitor, int64_t step, int64_t from, int64_t to, double bytes) {
    struct transfer transfer = {.step = step, .from = from, .to = to, .bytes = bytes};
    visitor->visit(visitor->context, &transfer);
}
