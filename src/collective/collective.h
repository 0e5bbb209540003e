/* Collectives: one file an algorithm, with its steps and its closed form; the table of all; the choice among them.
 *
 * Size convention (network.md 1.1): S is the full logical buffer: all-reduce the buffer on each rank, reduce-scatter the
 * input on each rank, all-gather the output on each rank, all-to-all the send buffer of one rank with its own block. */
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
extern const char *const collective_names[];

/* An algorithm of the table. */
struct algorithm {
    const char *name, *doc;
    bool (*supports)(const struct span *span, enum collective kind);
    double (*seconds)(const struct span *span, enum collective kind, double bytes); /* closed form, without base latency */
};
extern const struct algorithm *const algorithms[]; /* NULL-terminated */
const struct algorithm *algorithm_find(const char *name);

/* Seconds of the best supported algorithm; zero for one member or no bytes. Monotone in bytes. `ret_choice` may be NULL. */
double collective_seconds(const struct span *span, enum collective kind, double bytes,
                          const struct algorithm **ret_choice);
/* No algorithm is faster (network.md 1.2, lower bounds). */
double collective_bound(const struct span *span, enum collective kind, double bytes);
/* Bus bandwidth factor k: busbw = k * S / t (nccl-tests PERFORMANCE.md). */
double collective_bus_factor(enum collective kind, int64_t size);

#endif
