/* Recursive halving and doubling (Rabenseifner). */
#ifndef PARPLAN_COLLECTIVE_HALVING_DOUBLING_H
#define PARPLAN_COLLECTIVE_HALVING_DOUBLING_H

#include "collective/collective.h"

/* All-reduce 2 log2 n latency + 2(n-1)/n S/rate; reduce-scatter or all-gather one half of it. An n that is no power of
 * two folds its surplus ranks into others first and unfolds them last: two rounds of S more. */
double halving_doubling_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency);
/* All-reduce of the whole buffer at every step: log2 n (latency + S/rate). */
double recursive_doubling_seconds(int64_t size, double bytes, double rate, double latency);

extern const struct algorithm halving_doubling_algorithm;
extern const struct algorithm recursive_doubling_algorithm;

#endif
