/* Links between two ranks: pipeline neighbours, which all send at the same time.
 *
 * Of the devices of a node (or below a switch block) min(stride, block) send across its boundary, the others to
 * neighbours inside it; so a stage narrower than a node has more of the adapters to itself. */
#include "topology/reach.h"

/* What separates two ranks. */
struct gap {
    bool port, domain, node; /* upstream PCIe port, scale-up domain */
    size_t tiers;            /* tiers whose blocks differ, from the leaf up */
};

static double less(double a, double b) {
    return a < b ? a : b;
}

/* Through PCIe at `rate`: of the devices below an upstream port min(stride, shared) send through it. */
static double hop_pcie(const struct node_type *node, double rate, int64_t stride, bool port) {
    int64_t shared = node->host.pcie_shared_by, senders = stride < shared ? stride : shared;
    if (!port) {
        return rate;
    }
    return node->scaleup.peer_to_peer ? rate / (double)senders : reach_pcie(node, rate, 2, 1);
}

static struct link hop_inside(const struct group_place *place, int64_t stride, bool port) {
    struct members members = {stride, 2, 2 * stride, 1};
    const struct scaleup *scaleup = &place->node->scaleup;
    struct span span = {.size = 2, .inner = 2, .outer = 1, .kind = (enum scaleup_kind)scaleup->kind};
    span.domain = place->domain;
    if (scaleup->kind == SCALEUP_PCIE) {
        double rate = hop_pcie(place->node, scaleup->bandwidth * scaleup->efficiency, stride, port);
        return (struct link){rate, scaleup->latency};
    }
    reach_inner(place, &members, &span);
    return (struct link){less(span.pair_rate, span.inner_rate), span.inner_latency};
}

static struct link hop_beside(const struct group_place *place, int64_t stride, bool port) {
    double rate = hop_pcie(place->node, reach_host(place->node, 1, 1), stride, port);
    return (struct link){rate, 1.7 * place->node->scaleup.latency};
}

static struct link hop_outside(const struct topology *topology, const struct group_place *place, int64_t stride,
                               const struct gap *gap) {
    const struct tier *tier = topology->fabric.tiers.items;
    int64_t count = place->node->count;
    double share = reach_node(place->node, count), taper = 1;
    struct link link = {reach_node(place->node, stride < count ? stride : count), place->node->nics.latency};
    for (size_t i = 0; i < topology->fabric.tiers.count && i <= gap->tiers; i++) {
        link.latency += tier[i].latency;
        if (i < gap->tiers) {
            int64_t block = tier[i].nodes * count, senders = stride < block ? stride : block;
            taper *= tier[i].oversubscription;
            link.rate = less(link.rate, share * (double)block / (double)senders / taper);
        }
    }
    return link;
}

static struct link hop_over(const struct topology *topology, const struct group_place *place, int64_t stride,
                            const struct gap *gap) {
    if (!gap->domain) {
        return hop_inside(place, stride, gap->port);
    }
    if (!gap->node) {
        return hop_beside(place, stride, gap->port);
    }
    return hop_outside(topology, place, stride, gap);
}

static size_t group_of(const struct topology *topology, int64_t rank) {
    const struct group *group = topology->groups.items;
    size_t index = 0;
    while (index + 1 < topology->groups.count && rank >= group[index + 1].place.first) {
        index++;
    }
    return index;
}

/* Two ranks of different groups of the cluster: the slower of both ways out, and the link's share. */
static struct link hop_across(const struct topology *topology, size_t a, size_t b, int64_t stride) {
    const struct group *group = topology->groups.items;
    struct gap gap = {true, true, true, 0};
    struct link from = hop_outside(topology, &group[a].place, stride, &gap);
    struct link to = hop_outside(topology, &group[b].place, stride, &gap);
    struct link link = {less(from.rate, to.rate), from.latency > to.latency ? from.latency : to.latency};
    const struct group_link *between = reach_link(topology, a, b);
    if (between != NULL) {
        int64_t fewer =
            group[a].place.devices < group[b].place.devices ? group[a].place.devices : group[b].place.devices;
        link.rate = less(link.rate, between->bandwidth / (double)(stride < fewer ? stride : fewer));
        link.latency += between->latency;
    }
    return link;
}

struct link route_link(const struct topology *topology, int64_t from, int64_t to) {
    const struct tier *tier = topology->fabric.tiers.items;
    const struct group *group = topology->groups.items;
    size_t a = group_of(topology, from), b = group_of(topology, to);
    int64_t stride = from < to ? to - from : from - to;
    if (a != b) {
        return hop_across(topology, a, b, stride);
    }
    const struct group_place *place = &group[a].place;
    from -= place->first;
    to -= place->first;
    int64_t count = place->node->count, shared = place->node->host.pcie_shared_by;
    struct gap gap = {from / shared != to / shared, from / place->domain != to / place->domain,
                      from / count != to / count, 0};
    while (gap.tiers < topology->fabric.tiers.count && tier[gap.tiers].nodes > 0 &&
           from / (tier[gap.tiers].nodes * count) != to / (tier[gap.tiers].nodes * count)) {
        gap.tiers++;
    }
    return hop_over(topology, place, stride, &gap);
}

struct link route_hop(const struct topology *topology, int64_t stride, int64_t size) {
    const struct tier *tier = topology->fabric.tiers.items;
    const struct group *group = topology->groups.items;
    struct members members = {stride, size, stride * size, 1};
    struct link slowest = {0, 0};
    for (size_t i = 0; i < topology->groups.count; i++) {
        const struct group_place *place = &group[i].place;
        int64_t count = place->node->count;
        struct gap gap = {members_lie(place, &members, place->node->host.pcie_shared_by).outer > 1,
                          members_lie(place, &members, place->domain).outer > 1,
                          members_lie(place, &members, count).outer > 1, 0};
        while (gap.tiers < topology->fabric.tiers.count && tier[gap.tiers].nodes > 0 &&
               members_lie(place, &members, tier[gap.tiers].nodes * count).outer > 1) {
            gap.tiers++;
        }
        struct link link = hop_over(topology, place, stride, &gap);
        slowest.rate = i == 0 || link.rate < slowest.rate ? link.rate : slowest.rate;
        slowest.latency = link.latency > slowest.latency ? link.latency : slowest.latency;
    }
    for (size_t i = 1; i < topology->groups.count; i++) {
        int64_t boundary = group[i].place.first;
        if (size > 1 && boundary % (stride * size) != 0) {
            struct link link = hop_across(topology, i - 1, i, stride);
            slowest.rate = less(slowest.rate, link.rate);
            slowest.latency = link.latency > slowest.latency ? link.latency : slowest.latency;
        }
    }
    return slowest;
}
