/* Broadcast and reduction along a chain, pipelined in chunks; scatter and all-gather. */
#ifndef PARPLAN_COLLECTIVE_CHAIN_H
#define PARPLAN_COLLECTIVE_CHAIN_H

#include "collective/collective.h"

/* (n-2+k) (latency + S/(k rate)) with k chunks over n-1 links. */
double chain_seconds(int64_t size, double chunks, double bytes, double rate, double latency);
/* The best k, not rounded and at least 1: sqrt((n-2) S/(latency rate)). */
double chain_chunks(int64_t size, double bytes, double rate, double latency);
/* With the best k: (sqrt((n-2) latency) + sqrt(S/rate))^2. */
double chain_best_seconds(int64_t size, double bytes, double rate, double latency);
/* Binomial scatter, then ring all-gather (van de Geijn): (ceil(log2 n) + n-1) latency + 2(n-1)/n S/rate. */
double scatter_gather_seconds(int64_t size, double bytes, double rate, double latency);

extern const struct algorithm chain_algorithm;
extern const struct algorithm scatter_gather_algorithm;

#endif
