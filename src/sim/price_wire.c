/* What communicates: seconds by the collectives' closed forms, and what it holds of ports, multiprocessors and memory
 * while it runs. */
#include <math.h>

#include "collective/collective.h"
#include "sim/price_internal.h"

/* A ring's reduction reads the local buffer, adds it to what arrives and writes the sum: three times the bytes on the
 * wire pass through memory; what only moves is read on one side and written on the other. */
static double memory_trips(enum collective kind) {
    bool reduces =
        kind == COLLECTIVE_ALL_REDUCE || kind == COLLECTIVE_REDUCE_SCATTER || kind == COLLECTIVE_REDUCE;
    return reduces ? 3 : kind == COLLECTIVE_SEND ? 1 : 2;
}

/* Channels that NCCL gives to a send to one peer (p2pnChannelsPerPeer, src/graph/paths.cc). */
static const double SEND_CHANNELS = 2;

static double multiprocessors(const struct cost_context *c, enum collective kind) {
    double channels = (double)c->topology->library.channels;
    double sms = fmax(1, (double)c->device->sms);
    return fmin(1, (kind == COLLECTIVE_SEND ? fmin(SEND_CHANNELS, channels) : channels) / sms);
}

/* Seconds that the bytes alone take at the port that is slowest. */
static double port_seconds(const struct span *span, enum collective kind, double bytes) {
    bool exchanges = kind == COLLECTIVE_ALL_TO_ALL, one = kind == COLLECTIVE_SEND;
    if (span->outer > 1) {
        double members = exchanges || one ? 1 : (double)span->inner;
        double rate = exchanges ? span->outer_exchange : span->outer_rate;
        return collective_bus_factor(kind, one ? 1 : span->outer) * bytes / (members * rate);
    }
    if (kind == COLLECTIVE_ALL_REDUCE && span->multicast && span->multicast_rate > 0) {
        return (1 + 1 / (double)span->size) * bytes / span->multicast_rate;
    }
    double rate = exchanges ? span->inner_exchange : one && span->pair_rate > 0 ? span->pair_rate : span->inner_rate;
    return collective_bus_factor(kind, span->size) * bytes / rate;
}

static double share(double part, double whole) {
    return part > 0 && whole > 0 ? fmin(1, part / whole) : 0;
}

static void set_uses(const struct cost_context *c, const struct span *span, enum collective kind, double bytes,
                     double seconds, struct work_price *ret) {
    ret->port = span->outer > 1 ? PORT_NETWORK : PORT_DOMAIN;
    ret->use = share(port_seconds(span, kind, bytes), seconds);
    ret->sms = multiprocessors(c, kind);
    double through = memory_trips(kind) * collective_bus_factor(kind, span->size) * bytes;
    ret->memory = share(through / c->device->hbm_bandwidth, seconds);
}

/* One of a collective's pieces takes its share of the time: its ring has as many steps as it has pieces. */
void price_exchange(const struct pricing *p, const struct block_price *block, const struct work *work,
                    struct work_price *ret) {
    struct exchange exchange = {.axis = work->axis, .size = work->size, .step = work->step,
                                .kind = work->collective, .bytes = work->bytes};
    double seconds = cost_exchange_seconds(&p->cut, &exchange);
    double stretch = work->action == ACTION_FORWARD ? block->stretch.forward : block->stretch.backward;
    set_uses(p->context, cost_exchange_span(&p->cut, &exchange), work->collective, work->bytes, seconds, ret);
    ret->picoseconds = price_picoseconds(stretch * seconds / (double)work->pieces);
}

void price_collective(const struct pricing *p, const struct work *work, struct work_price *ret) {
    struct span span = mesh_span(p->context->topology, &p->cut.mesh, work->axis, work->size, work->step);
    double seconds = collective_seconds(&span, work->collective, work->bytes, NULL);
    if (seconds > 0) {
        set_uses(p->context, &span, work->collective, work->bytes, seconds, ret);
    }
    ret->picoseconds = price_picoseconds(seconds);
}

/* Sender and receiver hold the wire as long as the bytes flow, then until what is whole on every tensor-parallel rank
 * is gathered (cost/load.c). */
void price_message(const struct pricing *p, const struct work *work, struct work_price *ret) {
    const struct cost_context *c = p->context;
    int64_t stride = p->cut.mesh.axes[AXIS_PP].stride, ranks = p->cut.parallel.pp;
    struct link hop = route_hop(c->topology, stride, ranks);
    struct span stages = mesh_span(c->topology, &p->cut.mesh, AXIS_PP, ranks, 1);
    double wire = work->bytes / hop.rate, gather = 0;
    if (!p->shard.sequence_parallel) {
        gather = collective_seconds(&p->cut.tp, COLLECTIVE_ALL_GATHER, work->bytes * (double)p->shard.tp, NULL);
    }
    ret->picoseconds = price_picoseconds(wire + gather);
    ret->latency = price_picoseconds(hop.latency);
    ret->port = stages.outer > 1 ? PORT_NETWORK : PORT_DOMAIN;
    ret->use = share(wire, wire + gather);
    ret->sms = multiprocessors(c, COLLECTIVE_SEND);
    ret->memory = share(work->bytes / c->device->hbm_bandwidth, wire + gather);
}

/* Devices below one upstream port all copy at the same time, and share what the host's memory gives. Where no rate of
 * PCIe is known the port to other devices stands in. */
static double copy_rate(const struct node_type *node) {
    const struct host *host = &node->host;
    double port = host->pcie_bandwidth > 0 ? host->pcie_bandwidth / fmax(1, (double)host->pcie_shared_by)
                                           : node->scaleup.bandwidth * node->scaleup.efficiency;
    return host->bandwidth > 0 ? fmin(port, host->bandwidth / (double)node->count) : port;
}

void price_copy(const struct pricing *p, const struct work *work, struct work_price *ret) {
    const struct topology *topology = p->context->topology;
    double slowest = HUGE_VAL;
    for (size_t i = 0; i < topology->groups.count; i++) {
        slowest = fmin(slowest, copy_rate(topology_node(topology, (int64_t)i)));
    }
    double seconds = work->bytes / slowest;
    ret->picoseconds = price_picoseconds(seconds);
    ret->port = PORT_HOST;
    ret->use = 1;
    ret->memory = share(work->bytes / p->context->device->hbm_bandwidth, seconds);
}
