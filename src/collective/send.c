/* Send and receive: Hockney's law, T = a + S/B (Hockney, "The communication challenge for MPP", Parallel Computing 20,
 * 1994). No ramp: measured NVLink sends keep to a straight line (nccl-tests sendrecv on H100, apex_plus and vidur
 * tables).
 */
#include "collective/send.h"

#include <math.h>

#include "collective/rate.h"

double send_seconds(double bytes, double rate, double latency) {
    return latency + bytes / rate;
}

double send_stored_seconds(double bytes, double rate, double latency, int64_t hops) {
    return (double)hops * (latency + bytes / rate);
}

static double seconds(const struct span *span, enum collective kind, double bytes) {
    (void)kind;
    double pair = span->pair_rate > 0 ? fmin(span->pair_rate, span->inner_rate) : span->inner_rate;
    return send_seconds(bytes, span->outer > 1 ? span->outer_rate : pair, HANDSHAKE * rate_hop(span));
}

static int64_t steps(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor) {
    (void)span;
    (void)kind;
    transfer_visit(visitor, 0, 0, 1, bytes);
    return 1;
}

const struct algorithm send_algorithm = {
    .name = "send",
    .doc = "one message: latency + S/B",
    .libraries = LIBRARIES_ALL,
    .kinds = KINDS_SEND,
    .seconds = seconds,
    .steps = steps,
};
