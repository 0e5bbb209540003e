/* What an algorithm gets out of a span: the rate of a flat ring, the latency of its hops, the ramp of a pipeline. */
#ifndef PARPLAN_COLLECTIVE_RATE_H
#define PARPLAN_COLLECTIVE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "collective/collective.h"

enum {
    LIBRARIES_ALL = ~0U >> 1,
    LIBRARIES_NCCL = 1 << LIBRARY_NCCL | 1 << LIBRARY_ANY,
    LIBRARIES_GPU = LIBRARIES_NCCL | 1 << LIBRARY_RCCL,
    LIBRARIES_HCCL = 1 << LIBRARY_HCCL | 1 << LIBRARY_ANY,
    LIBRARIES_XLA = 1 << LIBRARY_XLA | 1 << LIBRARY_ANY,
    LIBRARIES_ANY = 1 << LIBRARY_ANY
};

enum {
    KINDS_ALL_REDUCE = 1 << COLLECTIVE_ALL_REDUCE,
    KINDS_HALVES = 1 << COLLECTIVE_ALL_GATHER | 1 << COLLECTIVE_REDUCE_SCATTER,
    KINDS_RING = KINDS_ALL_REDUCE | KINDS_HALVES,
    KINDS_ALL_TO_ALL = 1 << COLLECTIVE_ALL_TO_ALL,
    KINDS_BROADCAST = 1 << COLLECTIVE_BROADCAST,
    KINDS_ROOTED = 1 << COLLECTIVE_BROADCAST | 1 << COLLECTIVE_REDUCE,
    KINDS_SEND = 1 << COLLECTIVE_SEND
};

int64_t log2_ceil(int64_t value);  /* least k with 2^k >= value; 0 for value <= 1 */
int64_t log2_floor(int64_t value); /* greatest k with 2^k <= value; 0 for value <= 1 */

/* Steps of a ring pass over n ranks: 2(n-1) all-reduce, n-1 reduce-scatter and all-gather. */
int64_t ring_pass_steps(enum collective kind, int64_t size);

/* Bytes/s at which one flat ring of the whole group runs: min(inner_rate, inner * outer_rate). */
double rate_flat(const struct span *span);
/* Seconds of the slowest hop. */
double rate_hop(const struct span *span);
/* Latency of one trip along a flat ring: (outer-1) hops between domains, the others inside. */
double rate_trip(const struct span *span);

/* Seconds on the wire of a flat ring that makes `steps` steps of `part` bytes each, with the local copy the kernels of
 * GPU libraries make before the first step. */
double rate_ring_wire(const struct span *span, double steps, double part);

/* Seconds of a pipelined transfer whose bytes alone take `wire` seconds, with hops of `hop` seconds, beyond the latency
 * of its trip. */
double pipeline_seconds(double wire, double hop);

/* Hops a send waits before it moves data: sends and receives are matched by a handshake, so that small sends and
 * all-to-alls of nccl-tests take some 3 hops of a ring, whatever n is inside a node. */
#define HANDSHAKE 3.0

/* Tells the visitor of one message. */
void transfer_visit(const struct visitor *visitor, int64_t step, int64_t from, int64_t to, double bytes);

#endif
