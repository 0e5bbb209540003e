/* The topology document: its field tables, its loading, and plain questions about it. The rules are in complete.c, the
 * routes in route.c. */
#include "topology/topology.h"

#include "base/text.h"
#include "topology/plausible.h"
#include "topology/row.h"
#include "yaml/bind.h"

const char *const scaleup_names[] = {"switch", "mesh", "cube_mesh", "torus", "pcie", "pairs", NULL};
const char *const fabric_names[] = {"rail", "fat_tree", "dragonfly", "flat", "torus", NULL};

static const struct field scaleup_fields[] = {
    ROW(scaleup, kind, CHOICE, .choices = scaleup_names, .fallback = "switch",
        .doc = "How the devices of a domain are joined"),
    RATE_ROW(scaleup, bandwidth, .flags = FIELD_REQUIRED | FIELD_POSITIVE,
             .doc = "Nominal bandwidth of a device and direction, all its links together"),
    SHARE_ROW(scaleup, efficiency, .fallback = "0.8", .flags = FIELD_POSITIVE,
              .doc = "What a large ring collective reaches of it"),
    ROW(scaleup, peer_to_peer, BOOL, .fallback = "true",
        .doc = "Whether devices reach each other's memory; false = staged in host memory"),
    SECONDS_ROW(scaleup, latency, .fallback = "1us", .doc = "One hop from device to device"),
    ROW(scaleup, domain, COUNT, .max = TOPOLOGY_DEVICES,
        .doc = "Devices in one scale-up domain, which may be less or more than a node; 0 = the node's"),
    ROW(scaleup, multicast, BOOL, .fallback = "false", .doc = "Whether switches reduce and multicast (NVLS)"),
    SHARE_ROW(scaleup, multicast_efficiency, .fallback = "0.68",
              .doc = "What an in-switch all-reduce reaches of bandwidth * n / (n + 1)"),
    ROW(scaleup, dims, COUNTS, .min = 1, .max = TOPOLOGY_DEVICES, .doc = "Extents of a torus, fastest first"),
    ROW(scaleup, source, TEXT, SOURCE_DOC),
    FIELD_END,
};

static const struct field nics_fields[] = {
    ROW(nics, count, COUNT, .fallback = "0", .max = 1024, .doc = "Network adapters of a node"),
    RATE_ROW(nics, rate, .doc = "Nominal rate of one adapter and direction"),
    SHARE_ROW(nics, efficiency, .fallback = "0.95", .flags = FIELD_POSITIVE,
              .doc = "Goodput of large messages over it"),
    SECONDS_ROW(nics, latency, .fallback = "4us", .doc = "Device to device in two nodes, without the tiers' latency"),
    ROW(nics, rdma, BOOL, .fallback = "true",
        .doc = "Whether adapters reach device memory; false = staged in the host"),
    ROW(nics, transport, TEXT, .fallback = "ib", .doc = "ib, roce, ethernet, efa, slingshot or dcn"),
    ROW(nics, source, TEXT, SOURCE_DOC),
    FIELD_END,
};

static const struct field host_fields[] = {
    BYTES_ROW(host, memory, .doc = "Memory of the host"),
    RATE_ROW(host, bandwidth, .doc = "Bandwidth of the host's memory, all channels together"),
    RATE_ROW(host, pcie_bandwidth, .doc = "Large copies between one device and the host, per direction"),
    RATE_ROW(host, staging, .doc = "Moved through host memory by all devices together; 0 = bandwidth / 4"),
    ROW(host, pcie_shared_by, COUNT, .fallback = "1", .min = 1, .max = 1024, .doc = "Devices below one upstream port"),
    ROW(host, sockets, COUNT, .fallback = "2", .min = 1, .max = 1024, .doc = "Processor sockets"),
    ROW(host, source, TEXT, SOURCE_DOC),
    FIELD_END,
};

static const struct field node_type_fields[] = {
    ROW(node_type, name, TEXT, .flags = FIELD_REQUIRED | FIELD_KEY, .doc = "Name that groups refer to"),
    ROW(node_type, device, TEXT, .flags = FIELD_REQUIRED, .doc = "Name of its device"),
    ROW(node_type, count, COUNT, .min = 1, .max = 65536, .flags = FIELD_REQUIRED, .doc = "Devices of a node"),
    STRUCT_ROW(node_type, scaleup, scaleup, .flags = FIELD_REQUIRED, .doc = "Links between devices"),
    STRUCT_ROW(node_type, nics, nics, .doc = "Network adapters"),
    STRUCT_ROW(node_type, host, host, .doc = "Processors, memory and PCIe"),
    FIELD_END,
};

static const struct field tier_fields[] = {
    ROW(tier, name, TEXT, .flags = FIELD_REQUIRED | FIELD_KEY, .doc = "Name of this level of switches"),
    ROW(tier, nodes, COUNT, .max = TOPOLOGY_DEVICES, .doc = "Nodes below one block of it; 0 = all"),
    SECONDS_ROW(tier, latency, .doc = "Added by crossing it"),
    ROW(tier, oversubscription, NUMBER, .fallback = "1", .min = 0.01, .max = 1000,
        .doc = "Bandwidth below over bandwidth up, of this level alone"),
    FIELD_END,
};

static const struct field fabric_fields[] = {
    ROW(fabric, kind, CHOICE, .choices = fabric_names, .fallback = "flat", .doc = "Shape of the network"),
    STRUCTS_ROW(fabric, tiers, tier, .doc = "Levels of switches, the leaf first"),
    ROW(fabric, source, TEXT, SOURCE_DOC),
    FIELD_END,
};

static const struct field group_fields[] = {
    ROW(group, name, TEXT, .flags = FIELD_REQUIRED | FIELD_KEY, .doc = "Name"),
    ROW(group, node, TEXT, .flags = FIELD_REQUIRED, .doc = "Name of its kind of node"),
    ROW(group, count, COUNT, .fallback = "1", .min = 1, .max = TOPOLOGY_DEVICES, .doc = "Nodes"),
    ROW(group, derate, NUMBER, .fallback = "1", .max = 2, .flags = FIELD_POSITIVE,
        .doc = "Compute rate of this group over its devices' nominal one"),
    FIELD_END,
};

static const struct field group_link_fields[] = {
    ROW(group_link, from, TEXT, .flags = FIELD_REQUIRED, .doc = "Name of a group"),
    ROW(group_link, to, TEXT, .flags = FIELD_REQUIRED, .doc = "Name of another"),
    RATE_ROW(group_link, bandwidth, .flags = FIELD_REQUIRED | FIELD_POSITIVE,
             .doc = "Between the two, all nodes together, per direction"),
    SECONDS_ROW(group_link, latency, .doc = "Added between the two"),
    ROW(group_link, source, TEXT, SOURCE_DOC),
    FIELD_END,
};

static const char *const library_names[] = {"nccl", "rccl", "hccl", "xla", NULL};

static const struct field library_fields[] = {
    {.key = "name", .kind = FIELD_CHOICE, .offset = offsetof(struct library, kind), .fallback = "nccl",
     .choices = library_names, .doc = "Whose algorithms run"},
    ROW(library, version, TEXT, .doc = "Version"),
    ROW(library, source, TEXT, .fallback = "NCCL's defaults (NCCL user guide, src/graph/tuning.cc)", SOURCE_DOC),
    ROW(library, channels, COUNT, .fallback = "16", .min = 1, .max = 256, .doc = "Channels of a communicator"),
    BYTES_ROW(library, buffer, .fallback = "4MiB", .doc = "Buffer per channel, peer and protocol"),
    BYTES_ROW(library, communicator, .fallback = "32MiB",
              .doc = "Device memory of a communicator beyond channel buffers"),
    SECONDS_ROW(library, base_latency, .fallback = "8us", .doc = "Of a collective call"),
    SHARE_ROW(library, all_to_all_efficiency, .fallback = "0.87",
              .doc = "What a large all-to-all reaches of the rates that rings reach"),
    FIELD_END,
};

static const struct field runtime_fields[] = {
    ROW(runtime, source, TEXT, .fallback = "typical of PyTorch and Megatron-LM, not fitted", SOURCE_DOC),
    SECONDS_ROW(runtime, step_overhead, .fallback = "50ms",
                .doc = "Of a step: logging, scheduler, hand-over of data, synchronisation for the gradient norm"),
    SECONDS_ROW(runtime, micro_batch_overhead, .fallback = "250us", .doc = "Host work per micro-batch and chunk"),
    ROW(runtime, memory_rate, RATIO, .fallback = "0.85", .min = 0.01, .max = 1,
        .doc = "Rate of norms, activations, softmax and casts over that of a plain copy"),
    ROW(runtime, slack, RATIO, .fallback = "0", .max = 1,
        .doc = "Time by which kernels take longer in a training step than alone: clocks, cold caches, gaps"),
    ROW(runtime, jitter, RATIO, .fallback = "0.006", .max = 1, .doc = "Slow-down of a step per doubling of the nodes"),
    ROW(runtime, allocator_overhead, RATIO, .fallback = "0.06", .max = 1,
        .doc = "Memory reserved by the allocator over memory in use, minus one"),
    ROW(runtime, error, RATIO, .fallback = "0.12", .max = 1,
        .doc = "Relative error of predicted step times, as validation measured it"),
    ROW(runtime, overlap_slowdown, RATIO, .fallback = "0.05", .max = 1,
        .doc = "Slow-down of compute while a collective runs beside it"),
    FIELD_END,
};

static const struct field reliability_fields[] = {
    ROW(reliability, source, TEXT, SOURCE_DOC),
    SECONDS_ROW(reliability, mtbf, .doc = "Mean time between failures of one device; 0 = unknown"),
    SECONDS_ROW(reliability, restart, .doc = "From a failure to the next step"),
    RATE_ROW(reliability, checkpoint_bandwidth, .doc = "Of the storage that checkpoints go to, all nodes together"),
    FIELD_END,
};

const struct field topology_fields[] = {
    ROW(topology, name, TEXT, .flags = FIELD_REQUIRED, .doc = "Name"),
    ROW(topology, source, TEXT, SOURCE_DOC),
    STRUCTS_ROW(topology, devices, device, .flags = FIELD_REQUIRED, .doc = "Kinds of device"),
    STRUCTS_ROW(topology, nodes, node_type, .flags = FIELD_REQUIRED, .doc = "Kinds of node"),
    STRUCTS_ROW(topology, groups, group, .doc = "Groups of like nodes; absent = one node of every kind"),
    STRUCT_ROW(topology, fabric, fabric, .doc = "Network between the nodes"),
    STRUCTS_ROW(topology, links, group_link, .doc = "Links between groups that the fabric does not join"),
    STRUCT_ROW(topology, library, library, .doc = "Collective library"),
    STRUCT_ROW(topology, runtime, runtime, .doc = "What the training software adds around kernels"),
    STRUCT_ROW(topology, reliability, reliability, .doc = "Failures and restarts"),
    FIELD_END,
};

enum status topology_load(struct arena *arena, struct node *root, struct topology *ret_topology, struct diag *diag) {
    TRY(bind_schema(root, "topology", diag));
    TRY(bind_fields(arena, root, "topology", topology_fields, ret_topology, diag));
    TRY(topology_plausible(arena, ret_topology, root, diag));
    return topology_complete(arena, ret_topology, root, diag);
}

static const struct group *group_at(const struct topology *topology, int64_t index) {
    const struct group *groups = topology->groups.items;
    return &groups[index];
}

int64_t topology_devices(const struct topology *topology) {
    if (topology->groups.count == 0) {
        return 0;
    }
    const struct group_place *last = &group_at(topology, (int64_t)topology->groups.count - 1)->place;
    return last->first + last->devices;
}

int64_t topology_node_count(const struct topology *topology) {
    int64_t nodes = 0;
    for (size_t i = 0; i < topology->groups.count; i++) {
        nodes += group_at(topology, (int64_t)i)->count;
    }
    return nodes;
}

const struct node_type *topology_node(const struct topology *topology, int64_t group) {
    return group_at(topology, group)->place.node;
}

const struct device *topology_device(const struct topology *topology, int64_t group) {
    return group_at(topology, group)->place.device;
}

int64_t topology_slowest(const struct topology *topology, enum dtype dtype) {
    int64_t slowest = 0;
    double least = 0;
    for (size_t i = 0; i < topology->groups.count; i++) {
        const struct group *group = group_at(topology, (int64_t)i);
        double rate = device_peak(group->place.device, dtype) * group->place.device->derate * group->derate;
        if (i == 0 || rate < least) {
            least = rate;
            slowest = (int64_t)i;
        }
    }
    return slowest;
}

bool topology_is_uniform(const struct topology *topology) {
    const struct group *first = group_at(topology, 0);
    for (size_t i = 1; i < topology->groups.count; i++) {
        const struct group *group = group_at(topology, (int64_t)i);
        if (group->place.node != first->place.node || group->derate < first->derate || group->derate > first->derate) {
            return false;
        }
    }
    return true;
}
