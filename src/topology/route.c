/* Spans: a group laid on domains, nodes, switch tiers and groups of the cluster, and the slowest of what it meets. */
#include "topology/route.h"

#include "topology/reach.h"

static int64_t common_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* The lie of the group that begins `offset` ranks after a block's beginning. */
static struct lie lie_at(int64_t offset, int64_t stride, int64_t size, int64_t block) {
    int64_t touched = (offset + (size - 1) * stride) / block + 1;
    int64_t leading = smaller(size, (block - offset + stride - 1) / stride);
    if (touched == 1) {
        return (struct lie){size, 1};
    }
    if (touched == 2) {
        return (struct lie){leading > size - leading ? leading : size - leading, 2};
    }
    return (struct lie){smaller(size, (block + stride - 1) / stride), touched};
}

/* The usual case: groups and blocks fill each other exactly. */
static bool lie_even(const struct group_place *place, int64_t stride, int64_t size, int64_t block, struct lie *ret) {
    int64_t length = stride * size;
    if (place->first != 0 || block % stride != 0 || (block % length != 0 && length % block != 0)) {
        return false;
    }
    *ret = block % length == 0 ? (struct lie){size, 1} : (struct lie){block / stride, length / block};
    return true;
}

struct lie route_lie(const struct group_place *place, int64_t stride, int64_t size, int64_t block) {
    if (size <= 1 || block <= 1 || stride >= block) {
        return size <= 1 ? (struct lie){1, 1} : (struct lie){1, size};
    }
    struct lie even;
    if (lie_even(place, stride, size, block, &even)) {
        return even;
    }
    int64_t length = stride * size;
    /* Offsets of the beginnings repeat after block / gcd; of the groups that share a beginning (o = 0 .. stride-1) the
     * last one reaches furthest. */
    int64_t number = place->first / length;
    int64_t last = smaller((place->first + place->devices - 1) / length, place->cluster / length - 1);
    last = smaller(last > number ? last : number, number + block / common_divisor(length, block));
    struct lie worst = {size, 1};
    for (int64_t b = number; b <= last; b++) {
        int64_t offset = (b * length - place->first) % block;
        offset = smaller((offset < 0 ? offset + block : offset) + stride - 1, block - 1);
        struct lie lie = lie_at(offset, stride, size, block);
        if (lie.outer > worst.outer || (lie.outer == worst.outer && lie.inner < worst.inner)) {
            worst = lie;
        }
    }
    return worst;
}

struct lie members_lie(const struct group_place *place, const struct members *members, int64_t block) {
    struct lie near = route_lie(place, members->stride, members->size, block);
    if (members->far_size <= 1) {
        return near;
    }
    struct lie far = route_lie(place, members->far_stride, members->far_size, block);
    return (struct lie){near.inner * far.inner, near.outer * far.outer};
}

/* Rates out of the node: adapters shared by all devices, then the taper of every tier whose blocks the group leaves. */
static void reach_fabric(const struct topology *topology, const struct group_place *place,
                         const struct members *members, struct span *span) {
    const struct tier *tier = topology->fabric.tiers.items;
    int64_t total = span->inner * span->outer;
    double share = reach_node(place->node, place->node->count), taper = 1, ring = 1;
    double leaving = (double)(total - span->inner), load = leaving;
    span->outer_latency = place->node->nics.latency;
    for (size_t i = 0; i < topology->fabric.tiers.count; i++) {
        span->outer_latency += tier[i].latency;
        struct lie lie = {total, 1};
        if (tier[i].nodes > 0) {
            lie = members_lie(place, members, tier[i].nodes * place->node->count);
        }
        if (lie.outer == 1) {
            break;
        }
        taper *= tier[i].oversubscription;
        double domains = (double)lie.inner / (double)span->inner;
        double rings = (domains > 1 ? domains : 1) / taper;
        ring = rings < ring ? rings : ring;
        double crossing = taper * (double)(total - lie.inner);
        load = crossing > load ? crossing : load;
    }
    span->outer_rate = share * ring;
    span->outer_exchange = load > 0 ? share * leaving / load : share;
}

/* Domains that are parts of one node: PCIe between them. A hop through PCIe and host bridges takes 1.7 times one over
 * NVLink (NCCL 2.30, src/graph/tuning.cc: 5.7 and 3.4 us a step in the Simple protocol). */
static void reach_beside(const struct group_place *place, const struct members *members, struct span *span) {
    struct lie ports = members_lie(place, members, place->node->host.pcie_shared_by);
    int64_t below = ports.outer == 1 ? span->size : 1; /* every device below a port sends through it */
    span->outer_rate = span->outer_exchange = reach_host(place->node, span->size, below);
    span->outer_latency = 1.7 * place->node->scaleup.latency;
}

static struct span span_in(const struct topology *topology, const struct group_place *place,
                           const struct members *members) {
    const struct node_type *node = place->node;
    struct lie lie = members_lie(place, members, place->domain);
    struct span span = {
        .size = members->size * members->far_size,
        .inner = lie.inner,
        .outer = lie.outer,
        .kind = (enum scaleup_kind)node->scaleup.kind,
        .multicast = node->scaleup.multicast,
        .domain = place->domain,
        .base_latency = topology->library.base_latency,
        .library = topology->library.kind,
        .all_to_all_efficiency = topology->library.all_to_all_efficiency,
    };
    reach_inner(place, members, &span);
    if (place->domain < node->count && members_lie(place, members, node->count).outer == 1) {
        reach_beside(place, members, &span);
        return span;
    }
    reach_fabric(topology, place, members, &span);
    if (place->domain < node->count) {
        struct span beside = span;
        reach_beside(place, members, &beside);
        span.outer_rate = beside.outer_rate < span.outer_rate ? beside.outer_rate : span.outer_rate;
        span.outer_exchange = beside.outer_rate < span.outer_exchange ? beside.outer_rate : span.outer_exchange;
    }
    return span;
}

static double less(double a, double b) {
    return a < b ? a : b;
}

static double more(double a, double b) {
    return a > b ? a : b;
}

/* The worst of two spans, member by member. */
static struct span worse_span(struct span a, const struct span *b) {
    a.kind = b->inner_rate < a.inner_rate ? b->kind : a.kind;
    a.multicast = a.multicast && b->multicast;
    a.inner = smaller(a.inner, b->inner);
    a.outer = a.outer > b->outer ? a.outer : b->outer;
    a.domain = smaller(a.domain, b->domain);
    a.inner_port = less(a.inner_port, b->inner_port);
    a.inner_rate = less(a.inner_rate, b->inner_rate);
    a.inner_exchange = less(a.inner_exchange, b->inner_exchange);
    a.pair_rate = less(a.pair_rate, b->pair_rate);
    a.multicast_rate = less(a.multicast_rate, b->multicast_rate);
    a.inner_latency = more(a.inner_latency, b->inner_latency);
    a.inner_steps = a.inner_steps > b->inner_steps ? a.inner_steps : b->inner_steps;
    a.outer_rate = less(a.outer_rate, b->outer_rate);
    a.outer_exchange = less(a.outer_exchange, b->outer_exchange);
    a.outer_latency = more(a.outer_latency, b->outer_latency);
    return a;
}

struct span route_span_product(const struct topology *topology, int64_t stride, int64_t size, int64_t far_stride,
                               int64_t far_size) {
    const struct group *group = topology->groups.items;
    struct members members = {stride, size, far_stride, far_size};
    struct span span = span_in(topology, &group[0].place, &members);
    for (size_t i = 1; i < topology->groups.count; i++) {
        struct span other = span_in(topology, &group[i].place, &members);
        span = worse_span(span, &other);
    }
    if (topology->groups.count > 1) {
        reach_across(topology, &members, &span);
    }
    return span;
}

struct span route_span(const struct topology *topology, int64_t stride, int64_t size) {
    return route_span_product(topology, stride, size, stride * size, 1);
}
