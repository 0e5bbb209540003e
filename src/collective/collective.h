/* Collectives: one file a family of algorithms, with its steps and its closed form; the table of all; the choice among
 * them.
 *
 *   algorithms[]        name │ libraries that have it │ supports(span) │ seconds = closed form │ steps: who sends what
 *   collective_seconds  base latency of a call + the least seconds among the algorithms offered
 *
 * Size convention (nccl-tests, doc/PERFORMANCE.md): S is the full logical buffer: all-reduce the buffer on each rank,
 * reduce-scatter the input on each rank, all-gather the output on each rank, all-to-all the send buffer of one rank
 * with its own block. */
#ifndef PARPLAN_COLLECTIVE_COLLECTIVE_H
#define PARPLAN_COLLECTIVE_COLLECTIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "topology/route.h"

enum collective {
    COLLECTIVE_ALL_REDUCE,
    COLLECTIVE_ALL_GATHER,
    COLLECTIVE_REDUCE_SCATTER,
    COLLECTIVE_ALL_TO_ALL,
    COLLECTIVE_BROADCAST,
    COLLECTIVE_REDUCE,
    COLLECTIVE_SEND,
    COLLECTIVE_KINDS
};
extern const char *const collective_names[]; /* NULL-terminated */

/* One message. Members of the group count from 0, domain by domain; TRANSFER_SWITCH is the switch that reduces and
 * multicasts. All messages of a step may run at once; a step needs what the steps before it delivered. */
enum { TRANSFER_SWITCH = -1 };
struct transfer {
    int64_t step, from, to;
    double bytes;
};
struct visitor {
    void (*visit)(void *context, const struct transfer *transfer);
    void *context;
};

/* An algorithm of the table. */
struct algorithm {
    const char *name, *doc;
    /* Who has it, bits 1 << enum library_kind; for what, bits 1 << enum collective. */
    unsigned libraries, kinds;
    /* Whether hardware and group admit it; NULL: always. */
    bool (*supports)(const struct span *span, enum collective kind);
    /* The closed form, without the base latency of a call; size > 1 and bytes > 0. */
    double (*seconds)(const struct span *span, enum collective kind, double bytes);
    /* Visits every message in order of steps and returns the number of steps. The root, where there is one, is 0. */
    int64_t (*steps)(const struct span *span, enum collective kind, double bytes, const struct visitor *visitor);
};
extern const struct algorithm *const algorithms[]; /* NULL-terminated */
const struct algorithm *algorithm_find(const char *name);
/* Whether the span's library has the algorithm for this kind and the span admits it. */
bool algorithm_offers(const struct algorithm *algorithm, const struct span *span, enum collective kind);

/* Seconds of the best algorithm offered; zero for one member or no bytes, infinite where there is no way (a rate of
 * zero). Grows with bytes. `ret_choice` may be NULL. */
double collective_seconds(const struct span *span, enum collective kind, double bytes,
                          const struct algorithm **ret_choice);
/* No algorithm is faster: max over the latency of one step, the ports of the members and the ways out of a domain. */
double collective_bound(const struct span *span, enum collective kind, double bytes);
/* Bus bandwidth factor k: busbw = k * S / t (nccl-tests, doc/PERFORMANCE.md). */
double collective_bus_factor(enum collective kind, int64_t size);

#endif
