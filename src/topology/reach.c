/* What one device can send: inside its scale-up domain by the shape of that domain, through PCIe, and out of its node.
 *
 *   switch      bandwidth to any peer
 *   mesh        bandwidth / (domain - 1) to each peer, so a group of n uses n - 1 of the links
 *   cube mesh   as many link-disjoint rings as the group closes
 *   torus       2 of the links for each axis the group runs along; half of that on an axis it does not close
 *   pcie        one port per device, upstream ports shared, or a common pool in host memory
 */
#include "topology/reach.h"

/* Hybrid cube mesh of eight devices with six links each (NVIDIA DGX-1 with Tesla V100 System Architecture, WP-08437):
 * one-directional rings that a group of n consecutive devices closes. nccl-tests on it reads 22.6, 45.1, 85.5, 37.2,
 * 45.7, 87 and 134.5 GB/s for 2..8 devices and links of 25 GB/s (vTrain's measured tables, MICRO 2024). */
static double cube_rings(int64_t inner) {
    static const double rings[] = {6, 6, 1, 2, 4, 2, 2, 4, 6};
    return rings[inner < 0 ? 0 : inner > 8 ? 8 : inner];
}

static double least(double a, double b) {
    return a < b ? a : b;
}

static void inner_switch(const struct scaleup *scaleup, struct span *span) {
    span->inner_port = scaleup->bandwidth;
    span->inner_rate = span->inner_exchange = span->pair_rate = scaleup->bandwidth * scaleup->efficiency;
}

static void inner_mesh(const struct scaleup *scaleup, struct span *span) {
    double link = scaleup->bandwidth / (double)(span->domain > 1 ? span->domain - 1 : 1);
    span->inner_port = link * (double)(span->inner > 1 ? span->inner - 1 : 1);
    span->inner_rate = span->inner_exchange = span->inner_port * scaleup->efficiency;
    span->pair_rate = link * scaleup->efficiency;
}

static void inner_cube(const struct scaleup *scaleup, struct span *span) {
    double link = scaleup->bandwidth / 6;
    span->inner_port = link * cube_rings(span->inner);
    span->inner_rate = span->inner_port * scaleup->efficiency;
    /* Pairs without a link of their own are relayed by a device between them, which halves what all can exchange. */
    span->inner_exchange = span->inner_rate / (span->inner > 4 ? 2 : 1);
    span->pair_rate = link * scaleup->efficiency;
}

/* One axis of a torus as a group uses it: its members lie `apart` devices from each other, `extent` of them. */
struct axis_use {
    int64_t extent, apart;
    bool closed; /* with the wrap-around link */
};

static struct axis_use use_axis(int64_t low, int64_t length, int64_t stride, int64_t size) {
    int64_t high = low * length, end = stride * size;
    int64_t from = stride > low ? stride : low, to = end < high ? end : high;
    if (size < 2 || to <= from) {
        return (struct axis_use){1, 1, false};
    }
    return (struct axis_use){(to + from - 1) / from, from / low, to == high && length > 2};
}

static void inner_torus(const struct group_place *place, const struct members *members, struct span *span) {
    const struct scaleup *scaleup = &place->node->scaleup;
    int64_t axes = scaleup->dims.count > 0 ? (int64_t)scaleup->dims.count : 3;
    double link = scaleup->bandwidth / (double)(2 * axes), port = 0, exchange = 0;
    int64_t low = 1, steps = 0;
    for (int64_t i = 0; i < axes; i++) {
        struct axis_use use[] = {use_axis(low, place->dims[i], members->stride, members->size),
                                 use_axis(low, place->dims[i], members->far_stride, members->far_size)};
        for (int j = 0; j < 2; j++) {
            if (use[j].extent < 2) {
                continue;
            }
            double rings = use[j].closed ? 2 : 1;
            port += link * rings / (double)use[j].apart;
            steps += use[j].closed ? use[j].extent / 2 : use[j].extent - 1;
            /* All-to-all on a ring of k: S * k / (8 b) each way closed, twice that open (bisection). */
            double seconds = (double)(use[j].extent * use[j].apart) / (link * 4 * rings);
            exchange = seconds > exchange ? seconds : exchange;
        }
        low *= place->dims[i];
    }
    span->inner_port = port > 0 ? port : scaleup->bandwidth;
    span->inner_rate = span->inner_port * scaleup->efficiency;
    span->pair_rate = least(link * scaleup->efficiency, span->inner_rate);
    span->inner_exchange = span->inner_rate;
    if (exchange > 0) {
        span->inner_exchange = (double)(span->inner - 1) / (double)span->inner / exchange * scaleup->efficiency;
        span->inner_steps = steps;
    }
}

static double staging(const struct node_type *node) {
    return node->host.staging > 0 ? node->host.staging : node->host.bandwidth / 4;
}

double reach_pcie(const struct node_type *node, double rate, int64_t members, int64_t below) {
    int64_t shared = node->host.pcie_shared_by;
    if (members <= below || members < 2) {
        return rate;
    }
    if (!node->scaleup.peer_to_peer && staging(node) > 0) {
        return least(rate, staging(node) / (double)node->count);
    }
    return shared > below ? rate * (double)below / (double)shared : rate;
}

static void inner_pcie(const struct group_place *place, const struct members *members, struct span *span) {
    const struct node_type *node = place->node;
    double rate = node->scaleup.bandwidth * node->scaleup.efficiency;
    int64_t shared = node->host.pcie_shared_by;
    int64_t below = members_lie(place, members, shared).inner;
    span->inner_port = node->scaleup.bandwidth;
    span->inner_rate = span->pair_rate = reach_pcie(node, rate, span->inner, below);
    span->inner_exchange = span->inner_rate;
    if (node->scaleup.peer_to_peer && span->inner > below) {
        /* Of (inner-1) parts, inner-below leave by the upstream port that `shared` devices share. */
        double ratio = (double)(span->inner - 1) / ((double)(span->inner - below) * (double)shared);
        span->inner_exchange = rate * least(1, ratio);
    }
}

void reach_inner(const struct group_place *place, const struct members *members, struct span *span) {
    const struct scaleup *scaleup = &place->node->scaleup;
    span->inner_latency = scaleup->latency;
    span->inner_steps = span->inner - 1;
    switch ((enum scaleup_kind)scaleup->kind) {
    case SCALEUP_SWITCH:
    case SCALEUP_PAIRS:
        inner_switch(scaleup, span);
        break;
    case SCALEUP_MESH:
        inner_mesh(scaleup, span);
        break;
    case SCALEUP_CUBE_MESH:
        inner_cube(scaleup, span);
        break;
    case SCALEUP_TORUS:
        inner_torus(place, members, span);
        break;
    case SCALEUP_PCIE:
        inner_pcie(place, members, span);
        break;
    }
    span->multicast_rate = scaleup->multicast ? scaleup->bandwidth * scaleup->multicast_efficiency : 0;
}

/* Without a rate for PCIe the port of a PCIe domain stands in; 0 = no limit known. */
static double host_port(const struct node_type *node) {
    if (node->host.pcie_bandwidth > 0) {
        return node->host.pcie_bandwidth;
    }
    return node->scaleup.kind == SCALEUP_PCIE ? node->scaleup.bandwidth * node->scaleup.efficiency : 0;
}

double reach_host(const struct node_type *node, int64_t members, int64_t below) {
    double port = host_port(node);
    return port > 0 ? reach_pcie(node, port, members, below) : node->scaleup.bandwidth * node->scaleup.efficiency;
}

double reach_node(const struct node_type *node, int64_t senders) {
    const struct nics *nics = &node->nics;
    double all = (double)nics->count * nics->rate * nics->efficiency, share = all / (double)node->count;
    if (senders < node->count) {
        /* A device alone drives the adapter beside it, or its share of several. */
        double own = nics->rate * nics->efficiency, fair = all / (double)(senders > 0 ? senders : 1);
        share = least(fair, own > share ? own : share);
    }
    if (!nics->rdma) { /* out and in, each written to the host and read from it */
        share = staging(node) > 0 ? least(share, staging(node) / (double)(2 * node->count)) : share;
        share = host_port(node) > 0 ? least(share, host_port(node)) : share;
    }
    return share;
}
