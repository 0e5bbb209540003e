/* Every rank sends to all peers at once: on a crossbar or where every pair has its own link. */
#ifndef PARPLAN_COLLECTIVE_DIRECT_H
#define PARPLAN_COLLECTIVE_DIRECT_H

#include "collective/collective.h"

/* One port of `rate` a rank: latency + (n-1)/n S/rate; all-reduce is two of them. */
double crossbar_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency);
/* A link of `link` bytes/s for every pair: latency + S/(n link); all-reduce is two of them. */
double mesh_seconds(enum collective kind, int64_t size, double bytes, double link, double latency);

extern const struct algorithm direct_algorithm;

#endif
