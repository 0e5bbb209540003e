/* Where a group of ranks lies on the machine, and what its members can send there.
 *
 * Ranks are numbered device by device, so a group {first + i*stride, i < size} has `inner` members in each scale-up
 * domain it touches and `outer` such domains. Groups of one axis run at the same time on all ranks: NICs, upstream
 * ports and uplinks are shared fairly among them, which the rates below already contain. All rates but inner_port are
 * achieved (nominal times the measured efficiency of the topology document).
 *
 * How to use the outer rates. A node has R = nics.count * nics.rate * nics.efficiency and c devices that all send at
 * once, so each has R/c:
 *
 *   - per member (own rail; hierarchical phases, one member a domain)    outer_rate
 *   - one flat ring of the whole group, entering and leaving a domain    inner * outer_rate, at most inner_rate
 *   - all-to-all: bytes that leave the domain, per member                (outer-1)/outer * S / outer_exchange
 *
 * Taper: a switch tier whose blocks hold m members of the group passes 1/r of what its devices could inject (r = the
 * cumulative oversubscription up to it). A ring or tree crosses each block boundary once for all m members, so it
 * slows down only by max(1, r/m) (m counted in domains); all-to-all traffic slows down by r on the share that leaves
 * the block, (n-m)/n. */
#ifndef PARPLAN_TOPOLOGY_ROUTE_H
#define PARPLAN_TOPOLOGY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "topology/topology.h"

/* Whose algorithms there are to choose from. NCCL is the value of a span that says nothing; ANY has them all. */
struct span {
    int64_t size;  /* members */
    int64_t inner; /* members in one scale-up domain (of the fullest) */
    int64_t outer; /* domains touched; size == inner * outer for uniform layouts, else rounded up */
    enum scaleup_kind kind;
    bool multicast;
    int64_t domain;        /* devices in the whole scale-up domain, >= inner */
    double inner_port;     /* bytes/s one member can send to the other members in its domain, nominal */
    double inner_rate;     /* the same as large ring collectives achieve it */
    double inner_exchange; /* the same under all-to-all traffic: (inner-1)/inner * S / inner_exchange seconds */
    double pair_rate;      /* bytes/s between one pair inside the domain (mesh: one link) */
    double multicast_rate; /* bytes/s of a port under NVLS, achieved: all-reduce takes (n+1)/n * S / multicast_rate */
    double inner_latency;  /* seconds a step */
    int64_t inner_steps;   /* latency steps of one ring phase inside: inner - 1; torus: sum over its axes */
    double outer_rate;     /* bytes/s one member can send out of its domain, achieved, shared and tapered */
    double outer_exchange; /* the same under all-to-all traffic */
    double outer_latency;  /* seconds a step */
    double base_latency;   /* seconds a collective call */
    double all_to_all_efficiency; /* over inner_exchange and outer_exchange, large messages */
    int library;                  /* enum library_kind */
};

/* The span of the groups of `size` ranks at `stride`. Over the whole cluster: the worst such group. */
struct span route_span(const struct topology *topology, int64_t stride, int64_t size);
/* The same of groups that are products {first + i*stride + j*far_stride, i < size, j < far_size}, such as data times
 * context parallelism; far_stride >= stride * size. */
struct span route_span_product(const struct topology *topology, int64_t stride, int64_t size, int64_t far_stride,
                               int64_t far_size);

/* Bytes/s and latency between ranks `from` and `to`, one pair alone per device (pipeline neighbours). */
struct link {
    double rate, latency;
};
struct link route_link(const struct topology *topology, int64_t from, int64_t to);
/* The slowest link between neighbours r and r + stride of the groups of `size` ranks at `stride`: what a pipeline sees
 * when all its ranks send at the same time. */
struct link route_hop(const struct topology *topology, int64_t stride, int64_t size);

/* How the groups {b*stride*size + o + i*stride} lie on blocks of `block` ranks that begin at the place's first rank:
 * the group that touches most blocks of those that meet the place. */
struct lie {
    int64_t inner, outer;
};
struct lie route_lie(const struct group_place *place, int64_t stride, int64_t size, int64_t block);

#endif
