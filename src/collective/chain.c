/* Chain: rank 0 -> 1 -> ... -> n-1 in k chunks; chunk c crosses link i in step c + i. What NCCL calls ring broadcast
 * and reduce (src/device/broadcast.h). The best k: Sanders, Speck, Traeff (2009), section 2.
 *
 * Scatter and all-gather: Barnett, Shuler, van de Geijn, Gupta, Payne, Watts, "Interprocessor collective communication
 * library" (1994); Thakur, Rabenseifner, Gropp (2005), section 4.3. */
#include "collective/chain.h"

#include <math.h>

#include "collective/rate.h"

enum { CHUNKS = 8 }; /* of the visited steps, where only the bytes matter */

double chain_seconds(int64_t size, double chunks, double bytes, double rate, double latency) {
    return ((double)(size - 2) + chunks) * (latency + bytes / (chunks * rate));
}

double chain_chunks(int64_t size, double bytes, double rate, double latency) {
    double rest = (double)(size - 2) * bytes / rate;
    return rest > latency ? sqrt(rest / latency) : 1;
}

double chain_best_seconds(int64_t size, double bytes, double rate, double latency) {
    double rest = (double)(size - 2) * bytes / rate;
    if (rest <= latency) {
        return chain_seconds(size, 1, bytes, rate, latency);
    }
    double root = sqrt((double)(size - 2) * latency) + sqrt(bytes / rate);
    return root * root;
}

double scatter_gather_seconds(int64_t size, double bytes, double rate, double latency) {
    double n = (double)size;
    return ((double)log2_ceil(size) + n - 1) * latency + 2 * (n - 1) / n * bytes / rate;
}

static double seconds(const struct span *span, enum collective kind, double bytes) {
    (void)kind;
    double hop = fmax(rate_trip(span) / (double)(span->size - 1), rate_hop(span) / (double)(span->size - 1));
    return chain_best_seconds(span->size, bytes, rate_flat(span), hop);
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    int64_t links = span->size - 1;
    int64_t count = links + CHUNKS - 1;
    for (int64_t step = 0; step < count; step++) {
        for (int64_t link = 0; link < links; link++) {
            if (step < link || step - link >= CHUNKS) {
                continue;
            }
            bool down = kind == COLLECTIVE_BROADCAST;
            int64_t from = down ? link : links - link;
            transfer_visit(visitor, step, from, down ? from + 1 : from - 1, bytes / CHUNKS);
        }
    }
    return count;
}

static double scatter_gather_span_seconds(const struct span *span, enum collective kind, double bytes) {
    (void)kind;
    double rate = span->outer > 1 ? span->outer_rate : span->inner_rate;
    return scatter_gather_seconds(span->size, bytes, span->inner > 1 ? fmin(rate, span->inner_rate) : rate,
                                  rate_hop(span));
}

/* Rank r, a multiple of 2 d, gives the blocks [r + d, r + 2 d) to rank r + d; d halves. */
static int64_t scatter_gather_steps(const struct span *span, enum collective kind, double bytes,
                                    const struct visitor *visitor) {
    (void)kind;
    int64_t n = span->size;
    int64_t rounds = log2_ceil(n);
    double block = bytes / (double)n;
    for (int64_t round = 0; round < rounds; round++) {
        int64_t distance = INT64_C(1) << (rounds - 1 - round);
        for (int64_t rank = 0; rank + distance < n; rank += 2 * distance) {
            int64_t blocks = n - rank - distance < distance ? n - rank - distance : distance;
            transfer_visit(visitor, round, rank, rank + distance, (double)blocks * block);
        }
    }
    for (int64_t step = 0; step < n - 1; step++) {
        for (int64_t rank = 0; rank < n; rank++) {
            transfer_visit(visitor, rounds + step, rank, (rank + 1) % n, block);
        }
    }
    return rounds + n - 1;
}

const struct algorithm chain_algorithm = {
    .name = "chain",
    .doc = "broadcast or reduction along a chain in the best number of chunks",
    .libraries = LIBRARIES_ALL,
    .kinds = KINDS_ROOTED,
    .seconds = seconds,
    .steps = steps,
};

const struct algorithm scatter_gather_algorithm = {
    .name = "scatter_gather",
    .doc = "broadcast as binomial scatter and ring all-gather (van de Geijn)",
    .libraries = LIBRARIES_ANY,
    .kinds = KINDS_BROADCAST,
    .seconds = scatter_gather_span_seconds,
    .steps = scatter_gather_steps,
};
