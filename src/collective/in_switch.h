/* Reduction and multicast in the switch: NVLS in the scale-up domain, SHARP in the network. */
#ifndef PARPLAN_COLLECTIVE_IN_SWITCH_H
#define PARPLAN_COLLECTIVE_IN_SWITCH_H

#include "collective/collective.h"

/* NVLS one-shot: 2 latency + (n+1)/n S/rate all-reduce, (n-1)/n S/rate all-gather and reduce-scatter, S/rate broadcast
 * and reduce. `rate` is that of one port. */
double multicast_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency);
/* An aggregation tree of `depth` switch levels that reduces and multicasts: 2 depth latency + S/rate. */
double aggregation_seconds(double bytes, double rate, int64_t depth, double latency);

/* Seconds before NVLS moves data: NCCL's tuner has 25 us for it (src/graph/tuning.cc, hwLatencies), and nccl-tests on
 * H100 and B200 nodes agree. */
#define MULTICAST_SETUP 25e-6

/* Steps in every domain of `inner` members: each pulls its reduced share; stores its share to all. Return the step
 * after. */
int64_t visit_switch_reduce(const struct visitor *visitor, int64_t step, int64_t size, int64_t inner, double bytes);
int64_t visit_switch_multicast(const struct visitor *visitor, int64_t step, int64_t size, int64_t inner, double bytes);

extern const struct algorithm in_switch_algorithm;

#endif
