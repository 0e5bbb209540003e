/* One message from one rank to another. */
#ifndef PARPLAN_COLLECTIVE_SEND_H
#define PARPLAN_COLLECTIVE_SEND_H

#include "collective/collective.h"

/* Over a path of `hops` links of `rate`: latency of the path + S/rate if switches cut through, hops (latency + S/rate)
 * if they store and forward (`latency` then of one hop). */
double send_seconds(double bytes, double rate, double latency);
double send_stored_seconds(double bytes, double rate, double latency, int64_t hops);

extern const struct algorithm send_algorithm;

#endif
