/* Rates of one group of a cluster, the parts that route.c puts together. */
#ifndef PARPLAN_TOPOLOGY_REACH_H
#define PARPLAN_TOPOLOGY_REACH_H

#include "topology/route.h"

/* The members of a group: {i*stride + j*far_stride}. */
struct members {
    int64_t stride, size, far_stride, far_size;
};

/* Members and blocks of the group that touches most blocks of `block` ranks (route_lie over both strides). */
struct lie members_lie(const struct group_place *place, const struct members *members, int64_t block);

/* Limits `span` by the links between groups of the cluster that groups of ranks straddle. */
void reach_across(const struct topology *topology, const struct members *members, struct span *span);

/* The link document between two groups of the cluster, NULL where the fabric joins them. */
const struct group_link *reach_link(const struct topology *topology, size_t a, size_t b);

/* Fills the inner_ rates and pair_rate of `span`, whose size, inner and kind are set. */
void reach_inner(const struct group_place *place, const struct members *members, struct span *span);

/* Bytes/s a device exchanges with others of its node through PCIe, when all of them do and `below` members of its
 * group lie below its upstream port; `rate` is what the port reaches. */
double reach_pcie(const struct node_type *node, double rate, int64_t members, int64_t below);

/* Bytes/s a device sends to other nodes when `senders` devices of its node send at the same time. */
double reach_node(const struct node_type *node, int64_t senders);

/* Bytes/s over PCIe between a device and others of its node that its scale-up domain does not join. */
double reach_host(const struct node_type *node, int64_t members, int64_t below);

#endif
