/* The rules of a topology document: names that refer to something, numbers that can be true, and hints where a unit
 * looks like a slip (400GB/s for a 400Gbit/s adapter). */
#include <stdio.h>

#include "base/arena.h"
#include "base/text.h"
#include "topology/place.h"
#include "topology/topology.h"

/* Beyond these a number is more likely a slip of the unit than a machine: the fastest adapter in 2025 carries
 * 800Gbit/s = 100GB/s, the slowest switched scale-up link (V100) 150GB/s, the largest device memory 288GB. */
#define NIC_FAST 200e9
#define NIC_SLOW 10e6
#define SWITCH_SLOW 60e9
#define MEMORY_SMALL 1e9
#define MEMORY_LARGE 4e12
#define PEAK_LARGE 1e17
#define HBM_SLOW 10e9
#define HBM_FAST 100e12

enum { LINKS_MOST = 4096 }; /* between groups */

struct check {
    struct arena *arena;
    struct topology *topology;
    const struct node *root;
    struct diag *diag;
};

static const char *rate_text(const struct check *check, double rate) {
    return units_human(check->arena, rate, UNIT_BYTES_RATE, 3);
}

/* Of a list of structs whose first member is the name. */
static const char *name_at(const struct list *list, size_t index, size_t size) {
    const char *const *name = (const void *)((const char *)list->items + index * size);
    return *name != NULL ? *name : "";
}

/* Empty names; that all differ was checked with the keys. */
static void check_names(const struct check *check, const char *key, const struct list *list, size_t size) {
    for (size_t i = 0; i < list->count; i++) {
        if (*name_at(list, i, size) == '\0') {
            diag_error(check->diag, topology_mark(check->root, "%s.%zu.name", key, i), "%s: an empty name", key);
        }
    }
}

/* Whether `name` is among the names of `list`; an error with the nearest of them otherwise. */
static bool check_reference(const struct check *check, struct mark mark, const char *key, const char *name,
                            const struct list *list, size_t size) {
    for (size_t i = 0; i < list->count; i++) {
        if (text_equal(name, name_at(list, i, size))) {
            return true;
        }
    }
    diag_error(check->diag, mark, "%s: nothing in this document is named %s", key, name);
    if (check->diag->last == NULL) {
        return false; /* past the limit: nobody will read the help */
    }
    const char **names = ARENA_ARRAY(check->arena, const char *, list->count);
    for (size_t i = 0; i < list->count; i++) {
        names[i] = name_at(list, i, size);
    }
    const char *nearest = text_nearest(name, names, list->count);
    if (nearest != NULL) {
        diag_help(check->diag, "did you mean %s?", nearest);
    }
    return false;
}

static void check_device(const struct check *check, const struct device *device, size_t index) {
    const struct peak *peak = &device->peak;
    struct mark mark = topology_mark(check->root, "devices.%zu.peak", index);
    double best = device_peak(device, DTYPE_FP32);
    if (!(best > 0)) {
        diag_error(check->diag, mark, "peak: device %s computes in no type", device->name);
        diag_help(check->diag, "give at least one of fp32, tf32, bf16, fp16, fp8, fp4");
    }
    if (peak->fp32 > PEAK_LARGE || peak->bf16 > PEAK_LARGE || peak->fp16 > PEAK_LARGE) {
        diag_warning(check->diag, mark, "peak: over 100PFLOP/s for one device of %s; TFLOP/s?", device->name);
    }
    mark = topology_mark(check->root, "devices.%zu.memory", index);
    if (device->memory < MEMORY_SMALL || device->memory > MEMORY_LARGE) {
        diag_warning(check->diag, mark, "memory: %s for one device of %s; GiB?",
                     units_human(check->arena, device->memory, UNIT_BYTES, 3), device->name);
    }
    mark = topology_mark(check->root, "devices.%zu.memory_usable", index);
    if (device->memory_usable > device->memory) {
        diag_error(check->diag, mark, "memory_usable: more than the memory of device %s", device->name);
    }
    if (device->context + device->workspace >= device_usable_memory(device)) {
        diag_error(check->diag, mark, "context and workspace: nothing is left of the memory of device %s",
                   device->name);
    }
    mark = topology_mark(check->root, "devices.%zu.hbm_bandwidth", index);
    if (device->hbm_bandwidth < HBM_SLOW || device->hbm_bandwidth > HBM_FAST) {
        diag_warning(check->diag, mark, "hbm_bandwidth: %s for device %s; GB/s or TB/s?",
                     rate_text(check, device->hbm_bandwidth), device->name);
    }
}

static void check_domain(const struct check *check, struct node_type *node, size_t index) {
    struct scaleup *scaleup = &node->scaleup;
    struct mark mark = topology_mark(check->root, "nodes.%zu.scaleup.domain", index);
    if (scaleup->domain == 0 && scaleup->kind == SCALEUP_PAIRS) {
        scaleup->domain = 2;
    }
    int64_t domain = scaleup->domain != 0 ? scaleup->domain : node->count;
    int64_t large = domain > node->count ? domain : node->count, small = domain > node->count ? node->count : domain;
    if (large % small != 0) {
        diag_error(check->diag, mark, "domain: %lld devices are neither a part nor a multiple of node %s's %lld",
                   (long long)domain, node->name, (long long)node->count);
    }
    if (scaleup->kind == SCALEUP_CUBE_MESH && domain > 8) {
        diag_error(check->diag, mark, "domain: a cube mesh joins at most 8 devices, not %lld", (long long)domain);
    }
    if (scaleup->kind == SCALEUP_MESH && domain == 1) {
        diag_error(check->diag, mark, "domain: a mesh joins at least 2 devices");
    }
}

static void check_torus(const struct check *check, struct node_type *node, size_t index) {
    struct scaleup *scaleup = &node->scaleup;
    const int64_t *dims = scaleup->dims.items;
    struct mark mark = topology_mark(check->root, "nodes.%zu.scaleup.dims", index);
    int64_t product = 1;
    if (scaleup->dims.count > TORUS_AXES) {
        diag_error(check->diag, mark, "dims: a torus of %zu axes; at most %d", scaleup->dims.count, TORUS_AXES);
        return;
    }
    for (size_t i = 0; i < scaleup->dims.count; i++) {
        if (dims[i] < 1 || dims[i] > TOPOLOGY_DEVICES / product) {
            diag_error(check->diag, mark, "dims: axis %zu has %lld devices", i, (long long)dims[i]);
            return;
        }
        product *= dims[i];
    }
    if (scaleup->kind != SCALEUP_TORUS && scaleup->dims.count > 0) {
        diag_error(check->diag, mark, "dims: only a torus has extents, this is a %s", scaleup_names[scaleup->kind]);
    } else if (scaleup->dims.count > 0 && scaleup->domain == 0) {
        scaleup->domain = product;
    } else if (scaleup->dims.count > 0 && scaleup->domain != product) {
        diag_error(check->diag, mark, "dims: they make %lld devices, the domain has %lld", (long long)product,
                   (long long)scaleup->domain);
    }
}

static void check_nics(const struct check *check, const struct node_type *node, size_t index) {
    static const char *const known[] = {"ib", "roce", "ethernet", "efa", "slingshot", "dcn"};
    const struct nics *nics = &node->nics;
    struct mark mark = topology_mark(check->root, "nodes.%zu.nics.rate", index);
    if (nics->count > 0 && !(nics->rate > 0)) {
        diag_error(check->diag, mark, "nics: node %s has %lld adapters without a rate", node->name,
                   (long long)nics->count);
        diag_help(check->diag, "add rate: 400Gbit/s");
    } else if (nics->rate > NIC_FAST) {
        diag_warning(check->diag, mark, "rate: %s for one adapter of node %s", rate_text(check, nics->rate),
                     node->name);
        diag_help(check->diag, "did you mean %.6gGbit/s?", nics->rate / 1e9);
    } else if (nics->count > 0 && nics->rate < NIC_SLOW) {
        diag_warning(check->diag, mark, "rate: only %s for one adapter of node %s; Gbit/s?",
                     rate_text(check, nics->rate), node->name);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (text_equal(known[i], nics->transport)) {
            return;
        }
    }
    const char *nearest = text_nearest(nics->transport, known, sizeof known / sizeof *known);
    diag_error(check->diag, topology_mark(check->root, "nodes.%zu.nics.transport", index),
               "transport: %s is none of ib, roce, ethernet, efa, slingshot, dcn", nics->transport);
    if (nearest != NULL) {
        diag_help(check->diag, "did you mean %s?", nearest);
    }
}

static void check_node(const struct check *check, struct node_type *node, size_t index) {
    const struct topology *topology = check->topology;
    check_reference(check, topology_mark(check->root, "nodes.%zu.device", index), "device", node->device,
                    &topology->devices, sizeof(struct device));
    check_torus(check, node, index);
    check_domain(check, node, index);
    check_nics(check, node, index);
    double bandwidth = node->scaleup.bandwidth;
    if (node->scaleup.kind == SCALEUP_SWITCH && bandwidth < SWITCH_SLOW) {
        diag_warning(check->diag, topology_mark(check->root, "nodes.%zu.scaleup.bandwidth", index),
                     "bandwidth: %s for the scale-up switch of node %s", rate_text(check, bandwidth), node->name);
        diag_help(check->diag, "did you mean %.4gGB/s?", bandwidth * 8 / 1e9);
    }
}

static void check_fabric(const struct check *check) {
    const struct list *tiers = &check->topology->fabric.tiers;
    const struct tier *tier = tiers->items;
    for (size_t i = 0; i + 1 < tiers->count; i++) {
        struct mark mark = topology_mark(check->root, "fabric.tiers.%zu.nodes", i);
        if (tier[i].nodes == 0) {
            diag_error(check->diag, mark, "tier %s: it holds all nodes, so no tier can lie above it", tier[i].name);
        } else if (tier[i + 1].nodes != 0 && tier[i + 1].nodes < tier[i].nodes) {
            diag_error(check->diag, mark, "tier %s: a block of %lld nodes does not fit in one of %lld of tier %s",
                       tier[i].name, (long long)tier[i].nodes, (long long)tier[i + 1].nodes, tier[i + 1].name);
        }
    }
}

static bool linked(const struct list *links, const char *a, const char *b) {
    const struct group_link *link = links->items;
    for (size_t i = 0; i < links->count; i++) {
        if ((text_equal(link[i].from, a) && text_equal(link[i].to, b)) ||
            (text_equal(link[i].from, b) && text_equal(link[i].to, a))) {
            return true;
        }
    }
    return false;
}

static void check_links(const struct check *check) {
    const struct list *links = &check->topology->links, *groups = &check->topology->groups;
    const struct group_link *link = links->items;
    if (links->count > LINKS_MOST) {
        diag_error(check->diag, topology_mark(check->root, "links"), "links: %zu of them; at most %d are read",
                   links->count, LINKS_MOST);
        return;
    }
    for (size_t i = 0; i < links->count; i++) {
        struct mark mark = topology_mark(check->root, "links.%zu.from", i);
        struct mark other = topology_mark(check->root, "links.%zu.to", i);
        bool from = check_reference(check, mark, "from", link[i].from, groups, sizeof(struct group));
        bool to = check_reference(check, other, "to", link[i].to, groups, sizeof(struct group));
        struct list before = {links->items, i};
        if (from && to && text_equal(link[i].from, link[i].to)) {
            diag_error(check->diag, other, "to: a link of group %s to itself", link[i].to);
        } else if (linked(&before, link[i].from, link[i].to)) {
            diag_error(check->diag, mark, "links: %s and %s are linked twice", link[i].from, link[i].to);
        }
    }
}

/* Adapters of different kinds cannot talk to each other directly (Holmes, arXiv:2312.03549, section 3). */
static void check_transports(const struct check *check) {
    const struct list *groups = &check->topology->groups;
    const struct group *group = groups->items;
    for (size_t i = 1; i < groups->count; i++) {
        const struct node_type *node = group[i].place.node, *first = group[0].place.node;
        if (!text_equal(node->nics.transport, first->nics.transport) &&
            !linked(&check->topology->links, group[0].name, group[i].name)) {
            size_t index = (size_t)(node - (const struct node_type *)check->topology->nodes.items);
            diag_warning(check->diag, topology_mark(check->root, "nodes.%zu.nics.transport", index),
                         "groups %s and %s have different networks (%s, %s) and no link is given between them",
                         group[0].name, group[i].name, first->nics.transport, node->nics.transport);
            diag_help(check->diag, "add links: [{from: %s, to: %s, bandwidth: 100Gbit/s}]", group[0].name,
                      group[i].name);
        }
    }
}

/* Without groups the cluster is one node of every kind. */
static void default_groups(struct arena *arena, struct topology *topology) {
    const struct node_type *node = topology->nodes.items;
    if (topology->groups.count > 0) {
        return;
    }
    struct group *groups = ARENA_ARRAY(arena, struct group, topology->nodes.count);
    for (size_t i = 0; i < topology->nodes.count; i++) {
        groups[i] = (struct group){.name = node[i].name, .node = node[i].name, .count = 1, .derate = 1};
    }
    topology->groups = (struct list){groups, topology->nodes.count};
}

enum status topology_complete(struct arena *arena, struct topology *topology, const struct node *root,
                              struct diag *diag) {
    struct check check = {arena, topology, root, diag};
    size_t errors = diag->errors;
    struct device *device = topology->devices.items;
    struct node_type *node = topology->nodes.items;
    const struct group *group = topology->groups.items;
    if (topology->devices.count == 0 || topology->nodes.count == 0) {
        return diag_error(diag, topology_mark(root, "nodes"), "a topology has at least one device and one node");
    }
    check_names(&check, "devices", &topology->devices, sizeof(struct device));
    check_names(&check, "nodes", &topology->nodes, sizeof(struct node_type));
    check_names(&check, "groups", &topology->groups, sizeof(struct group));
    check_names(&check, "fabric.tiers", &topology->fabric.tiers, sizeof(struct tier));
    for (size_t i = 0; i < topology->devices.count; i++) {
        check_device(&check, &device[i], i);
    }
    for (size_t i = 0; i < topology->nodes.count; i++) {
        check_node(&check, &node[i], i);
    }
    for (size_t i = 0; i < topology->groups.count; i++) {
        check_reference(&check, topology_mark(root, "groups.%zu.node", i), "node", group[i].node, &topology->nodes,
                        sizeof(struct node_type));
    }
    check_fabric(&check);
    default_groups(arena, topology);
    check_links(&check);
    if (diag->errors > errors) {
        return STATUS_INVALID;
    }
    TRY(topology_place(topology, root, diag));
    check_transports(&check);
    return OK;
}
