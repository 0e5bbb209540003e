/* Star: the buffer of every rank goes to the centre, the sum comes back; the centre's port carries (n-1) S each way.
 * Two latencies only, which wins for small buffers on slow links (Li et al., "TPI-LLM: serving 70B-scale LLMs
 * efficiently on low-resource edge devices", arXiv:2410.00531; Li et al., parameter server, OSDI 2014). */
#include "collective/star.h"

#include "collective/rate.h"

double star_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency) {
    double passes = kind == COLLECTIVE_ALL_REDUCE ? 2 : 1;
    return passes * (latency + (double)(size - 1) * bytes / rate);
}

double star_crossover(int64_t size, double rate, double latency) {
    double n = (double)size;
    return latency * rate * n * (n - 2) / ((n - 1) * (n - 1));
}

static double seconds(const struct span *span, enum collective kind, double bytes) {
    double rate = span->outer > 1 ? span->outer_rate : span->inner_rate;
    if (span->outer > 1 && span->inner > 1 && span->inner_rate < rate) {
        rate = span->inner_rate;
    }
    return star_seconds(kind, span->size, bytes, rate, rate_hop(span));
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    int64_t step = 0;
    if (kind != COLLECTIVE_BROADCAST) {
        for (int64_t rank = 1; rank < span->size; rank++) {
            transfer_visit(visitor, step, rank, 0, bytes);
        }
        step++;
    }
    if (kind != COLLECTIVE_REDUCE) {
        for (int64_t rank = 1; rank < span->size; rank++) {
            transfer_visit(visitor, step, 0, rank, bytes);
        }
        step++;
    }
    return step;
}

const struct algorithm star_algorithm = {
    .name = "star",
    .doc = "all to one and back: two latencies, 2(n-1) S through the centre's port",
    .libraries = LIBRARIES_ANY,
    .kinds = KINDS_ALL_REDUCE | KINDS_ROOTED,
    .seconds = seconds,
    .steps = steps,
};
