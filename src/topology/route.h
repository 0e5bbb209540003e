/* Where a group of ranks lies on the machine, and what its members can send there.
 *
 * Ranks are numbered device by device, so a group {first + i*stride, i < size} has `inner` members in each scale-up
 * domain it touches and `outer` such domains. Groups of one axis run at the same time on all ranks: NICs and uplinks
 * are shared fairly among them, which `outer_rate` already contains. */
#ifndef PARPLAN_TOPOLOGY_ROUTE_H
#define PARPLAN_TOPOLOGY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "topology/topology.h"

struct span {
    int64_t size;         /* members */
    int64_t inner;        /* members in one scale-up domain (of the fullest) */
    int64_t outer;        /* domains touched; size == inner * outer for uniform layouts, else rounded up */
    enum scaleup_kind kind;
    bool multicast;
    int64_t domain;       /* devices in the whole scale-up domain, >= inner */
    double inner_port;    /* bytes/s one member can send inside the domain, nominal */
    double inner_rate;    /* the same as large collectives achieve it */
    double pair_rate;     /* bytes/s between one pair inside the domain (mesh: one link) */
    double multicast_rate; /* bytes/s of a port under NVLS, achieved */
    double inner_latency; /* seconds a step */
    double outer_rate;    /* bytes/s one member can send out of its domain, achieved, shared and tapered */
    double outer_latency; /* seconds a step */
    double base_latency;  /* seconds a collective call */
    double all_to_all_efficiency;
};

/* The span of the groups of `size` ranks at `stride`. Uniform along the cluster: the worst such group. */
struct span route_span(const struct topology *topology, int64_t stride, int64_t size);

/* Bytes/s and latency between ranks `from` and `to`, one pair alone per device (pipeline neighbours). */
struct link { double rate, latency; };
struct link route_link(const struct topology *topology, int64_t from, int64_t to);
/* The slowest link between rank r and r + stride over all r below `ranks` in steps that a mesh of `size` such hops takes:
 * what pipeline neighbours see. */
struct link route_hop(const struct topology *topology, int64_t stride, int64_t size);

#endif
