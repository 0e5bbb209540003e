/* Bruck's all-gather, reduce-scatter and all-to-all: ceil(log2 n) steps for every n. */
#ifndef PARPLAN_COLLECTIVE_BRUCK_H
#define PARPLAN_COLLECTIVE_BRUCK_H

#include "collective/collective.h"

/* ceil(log2 n) latency + (n-1)/n S/rate; all-to-all: every block travels one step per bit set in its distance, which is
 * ceil(log2 n) S/2 for powers of two. */
double bruck_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency);

extern const struct algorithm bruck_algorithm;

#endif
