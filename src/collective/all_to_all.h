/* All-to-all. S is the send buffer of one rank with its own block; g members in each of N domains, n = g N. */
#ifndef PARPLAN_COLLECTIVE_ALL_TO_ALL_H
#define PARPLAN_COLLECTIVE_ALL_TO_ALL_H

#include "collective/collective.h"

/* Crossbar: latency + (n-1)/n S/rate; one peer after another: (n-1) latency + the same. */
double exchange_seconds(int64_t size, double bytes, double rate, double latency);
double pairwise_seconds(int64_t size, double bytes, double rate, double latency);
/* A link of `link` bytes/s for every pair: S/(n link). */
double exchange_mesh_seconds(int64_t size, double bytes, double link);
/* Direct, every rank on its own NIC: max((g-1)/n S/inner_rate, (N-1)/N S/nic_rate). */
double exchange_rails_seconds(int64_t inner, int64_t outer, double bytes, double inner_rate, double nic_rate);
/* Two levels: inside to the member on the peer's rail, then along the rail: the sum of (g-1)/g S/inner_rate and
 * (N-1)/N S/nic_rate. */
double exchange_levels_seconds(int64_t inner, int64_t outer, double bytes, double inner_rate, double nic_rate);

/* One level of a tapered tree: blocks of `members` ranks, `taper` = host bandwidth below a block over its uplinks. */
struct taper {
    int64_t members;
    double taper;
};
/* max over levels of taper (n-members)/n S/rate, at least (n-1)/n S/rate. */
double exchange_tapered_seconds(int64_t size, double bytes, double rate, const struct taper *levels, int64_t count);

extern const struct algorithm pairwise_algorithm;
extern const struct algorithm two_level_algorithm;

#endif
