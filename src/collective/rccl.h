/* RCCL: the facts of its tuner that differ from NCCL's. */
#ifndef PARPLAN_COLLECTIVE_RCCL_H
#define PARPLAN_COLLECTIVE_RCCL_H

#include "collective/nccl.h"

enum rccl_generation { RCCL_VEGA, RCCL_MI200, RCCL_MI300 };

/* Bytes/s RCCL counts for one xGMI link. */
double rccl_link_rate(enum rccl_generation generation);

/* Ring and tree of a group on MI300X boards (8 fully connected GPUs a node): latency and algorithm bandwidth for graphs
 * of `channels` at `rate` bytes/s, without RCCL's corrections by size. Bandwidth 0: not available. */
struct nccl_law rccl_law(enum collective kind, enum nccl_algorithm algorithm, enum nccl_protocol protocol,
                         int64_t ranks, int64_t nodes, double channels, double rate);

#endif
