/* Where groups lie.
 *
 * A scale-up domain larger than a node (72 devices of an NVL72 rack, a TPU pod) is an upper bound: a cluster that does
 * not fill its last domain is spread evenly over the domains it needs, as schedulers with topology blocks do: 128
 * devices on racks of 72 are two blocks of 64, not 72 and 56. */
#include "topology/place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "yaml/bind.h"
#include "yaml/document.h"

struct mark topology_mark(const struct node *root, const char *format, ...) {
    char path[256];
    if (root == NULL) {
        return NO_MARK;
    }
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    if (size < 0 || size >= (int)sizeof path) {
        return root->mark;
    }
    struct mark mark = bind_mark(root, path);
    for (char *dot = strrchr(path, '.'); dot != NULL; dot = strrchr(path, '.')) {
        if (mark.line != root->mark.line || mark.column != root->mark.column) {
            break;
        }
        *dot = '\0'; /* the key is not there: what it would stand in */
        mark = bind_mark(root, path);
    }
    return mark;
}

/* Devices of each domain when `nodes` nodes of `count` devices share domains of at most `domain`. */
static int64_t fill_domain(int64_t domain, int64_t count, int64_t nodes) {
    if (domain == 0) {
        return count;
    }
    if (domain <= count || (nodes * count) % domain == 0) {
        return domain;
    }
    int64_t room = domain / count; /* nodes of a full domain */
    int64_t least = (nodes + room - 1) / room;
    for (int64_t blocks = least; blocks < 2 * least && blocks <= nodes; blocks++) {
        if (nodes % blocks == 0) {
            return nodes / blocks * count;
        }
    }
    return domain;
}

/* The largest divisor of `value` whose `power`-th power does not exceed it. */
static int64_t root_divisor(int64_t value, int64_t power) {
    int64_t best = power == 1 ? value : 1;
    for (int64_t divisor = 1; power > 1 && divisor <= value; divisor++) {
        int64_t product = 1;
        for (int64_t i = 0; i < power; i++) {
            product *= divisor;
        }
        if (product > value) {
            break;
        }
        best = value % divisor == 0 ? divisor : best;
    }
    return best;
}

/* Extents of a torus of `domain` devices: the document's when they make it up, else as even as its divisors allow. */
static void place_torus(const struct scaleup *scaleup, struct group_place *place) {
    const int64_t *dims = scaleup->dims.items;
    int64_t axes = scaleup->dims.count > 0 ? (int64_t)scaleup->dims.count : 3;
    int64_t product = 1;
    for (int64_t i = 0; i < axes && scaleup->dims.count > 0; i++) {
        product *= dims[i];
    }
    bool given = scaleup->dims.count > 0 && product == place->domain;
    int64_t left = place->domain;
    for (int64_t i = 0; i < TORUS_AXES; i++) {
        place->dims[i] = i >= axes ? 1 : given ? dims[i] : root_divisor(left, axes - i);
        left /= place->dims[i];
    }
}

static const void *named(const struct list *list, size_t size, size_t offset, const char *name) {
    for (size_t i = 0; i < list->count; i++) {
        const char *item = (const char *)list->items + i * size;
        const char *const *item_name = (const void *)(item + offset);
        if (text_equal(*item_name, name)) {
            return item;
        }
    }
    return NULL;
}

static enum status place_group(struct topology *topology, size_t index, int64_t first, const struct node *root,
                               struct diag *diag) {
    struct group *group = (struct group *)topology->groups.items + index;
    struct group_place *place = &group->place;
    *place = (struct group_place){.first = first};
    place->node = named(&topology->nodes, sizeof(struct node_type), offsetof(struct node_type, name), group->node);
    if (place->node == NULL) {
        return diag_error(diag, topology_mark(root, "groups.%zu.node", index), "no node is named %s", group->node);
    }
    place->device =
        named(&topology->devices, sizeof(struct device), offsetof(struct device, name), place->node->device);
    if (place->device == NULL) {
        return diag_error(diag, topology_mark(root, "nodes"), "no device is named %s", place->node->device);
    }
    int64_t count = place->node->count;
    if (group->count < 1 || count < 1 || group->count > (TOPOLOGY_DEVICES - first) / count) {
        return diag_error(diag, topology_mark(root, "groups.%zu.count", index),
                          "group %s: %lld nodes of %lld devices; a cluster has 1 to %d devices", group->name,
                          (long long)group->count, (long long)count, TOPOLOGY_DEVICES);
    }
    place->devices = group->count * count;
    place->domain = fill_domain(place->node->scaleup.domain, count, group->count);
    if (place->domain > place->devices) {
        place->domain = place->devices;
    }
    for (int i = 0; i < TORUS_AXES; i++) {
        place->dims[i] = 1;
    }
    if (place->node->scaleup.kind == SCALEUP_TORUS) {
        place_torus(&place->node->scaleup, place);
    }
    return OK;
}

/* More than one node needs adapters, unless one scale-up domain holds everything. */
static enum status check_reach(const struct topology *topology, size_t index, const struct node *root,
                               struct diag *diag) {
    const struct group *group = (const struct group *)topology->groups.items + index;
    bool alone = topology->groups.count == 1 && (group->count == 1 || group->place.domain == group->place.devices);
    if (alone || group->place.node->nics.count > 0) {
        return OK;
    }
    enum status status =
        diag_error(diag, topology_mark(root, "groups.%zu.count", index),
                   "group %s: nodes of %s have no network adapters (nics), so only one node can be used", group->name,
                   group->node);
    diag_help(diag, "add `nics: {count: 1, rate: 100Gbit/s}` to the node, or @1x100G to the short form");
    return status;
}

enum status topology_place(struct topology *topology, const struct node *root, struct diag *diag) {
    int64_t first = 0;
    for (size_t i = 0; i < topology->groups.count; i++) {
        TRY(place_group(topology, i, first, root, diag));
        first += ((const struct group *)topology->groups.items)[i].place.devices;
    }
    for (size_t i = 0; i < topology->groups.count; i++) {
        ((struct group *)topology->groups.items)[i].place.cluster = first;
        TRY(check_reach(topology, i, root, diag));
    }
    return OK;
}
