/* Star, or parameter server: all send to one, which sends to all. */
#ifndef PARPLAN_COLLECTIVE_STAR_H
#define PARPLAN_COLLECTIVE_STAR_H

#include "collective/collective.h"

/* All-reduce through a centre with a port of `rate`: 2 latency + 2(n-1) S/rate; reduce or broadcast half of it. */
double star_seconds(enum collective kind, int64_t size, double bytes, double rate, double latency);
/* The buffer at which star and ring all-reduce take equal time: latency rate n (n-2)/(n-1)^2; the star wins below. */
double star_crossover(int64_t size, double rate, double latency);

extern const struct algorithm star_algorithm;

#endif
