/* Ring all-reduce, all-gather and reduce-scatter. */
#ifndef PARPLAN_COLLECTIVE_RING_H
#define PARPLAN_COLLECTIVE_RING_H

#include "collective/collective.h"

/* steps * (latency + S / (n rate)), steps = 2(n-1) all-reduce, n-1 the others. `rate` is the slowest hop's. */
double ring_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency);
/* The same with `rails` parallel rings, one a device of a domain, each on its own NIC: the rings together reach
 * min(inner_rate, rails * nic_rate). */
double rails_seconds(enum collective kind, int64_t size, double bytes, double inner_rate, double nic_rate,
                     int64_t rails);

extern const struct algorithm ring_algorithm;

#endif
