/* RoundPipe's slots (github.com/ITcarrot/RoundPipe): weights live in host memory, devices take turns. A step is a
 * chain of slots; slot k goes to device k mod N, which holds its weights only meanwhile:
 *
 *   slot       0 .. S-2          S-1                  S .. 2S-2
 *              F of stage k      F and BW of S-1      BW of stage 2S-2-k, with its forward run again
 *
 * The backward's stages need not be the forward's: any cut of the layers will do, best one of equal slots. */
#ifndef PARPLAN_SCHEDULE_ROUNDPIPE_H
#define PARPLAN_SCHEDULE_ROUNDPIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "schedule/load.h"

struct arena;

enum { ROUNDPIPE_RANKS = 1024 };

/* Makespan of a chain of `count` slots, `seconds[k % period]` a micro-batch in slot k, on `ranks` devices: slot k takes
 * micro-batch j when its device is free and slot k - 1 has passed it on, `hop` later. Exact: what leaves a slot is a
 * convex function of j, so its first and last micro-batch decide. Equal slots of time t, M >= N, N | Q:
 * (Q/N) M t + (N - 1) t. Steps that are chained (asynchronous optimizer) are one longer chain. */
double roundpipe_makespan(int64_t ranks, int64_t micro_batches, const double *seconds, int64_t period, int64_t count,
                          double hop);

/* A cut of `layers` layers into slots. */
struct roundpipe_cut {
    int64_t forward, slots;         /* slots of forward alone; all slots: forward, the fused one, backward */
    const int64_t *forward_layers;  /* of each forward slot */
    const int64_t *backward_layers; /* of the fused slot first, then in the order of backward */
    double slot;                    /* the longest slot, a micro-batch */
};

/* Times of each layer: forward, and backward with its forward run again; `bytes` of its weights, at most `room` in a
 * slot. Tries every sum of neighbouring layers as the length of a slot, packs greedily from the end (the fused slot
 * first) and keeps the least max(slots, ranks) x length (as ITcarrot/RoundPipe's scheduler.py, which tries no sum above
 * 1.1 times the longest layer). False if a layer alone does not fit. */
bool roundpipe_cut_layers(struct arena *arena, int64_t layers, const double *forward, const double *backward,
                          const double *bytes, double room, int64_t ranks, struct roundpipe_cut *ret);

#endif
