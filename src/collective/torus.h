/* Bidirectional rings, lines and tori. `link` is bytes/s of one link in one direction, `hop` seconds a hop. */
#ifndef PARPLAN_COLLECTIVE_TORUS_H
#define PARPLAN_COLLECTIVE_TORUS_H

#include "collective/collective.h"

/* Two counter-rotating rings with half the buffer each. */
double bidirectional_ring_seconds(enum collective kind, int64_t size, double bytes, double link, double latency);
/* All-gather of V bytes along one axis of k: max(floor(k/2) hop, (k-1)/k V/(2 link)). */
double axis_gather_seconds(int64_t extent, double bytes, double link, double hop);
/* The same on a line without the link that closes the ring: its end links carry (k-1)/k V. */
double line_gather_seconds(int64_t extent, double bytes, double link);
/* d-dimensional torus of n, all 2d links busy by d rotated schedules on S/d each. */
double torus_reduce_seconds(int64_t size, int64_t dims, double bytes, double link);
/* The dimensions in sequence: reduce-scatter x, y, ..., all-gather ..., y, x. */
double torus_sequence_seconds(const int64_t *extents, int64_t dims, double bytes, double link);
/* All-to-all in dimension order; S the send buffer of one rank. */
double torus_exchange_seconds(const int64_t *extents, int64_t dims, double bytes, double link);

extern const struct algorithm bidirectional_ring_algorithm;
extern const struct algorithm torus_algorithm;

#endif
