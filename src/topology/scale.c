/* Scaling a topology: more or fewer nodes of its last group, or fewer devices of its only node. */
#include "base/arena.h"
#include "topology/place.h"
#include "topology/resize.h"

/* The groups are copied before they are changed: other copies of the topology share them. */
static struct group *own_groups(struct arena *arena, struct topology *topology) {
    struct group *groups = ARENA_ARRAY(arena, struct group, topology->groups.count);
    const struct group *old = topology->groups.items;
    for (size_t i = 0; i < topology->groups.count; i++) {
        groups[i] = old[i];
    }
    topology->groups.items = groups;
    return groups;
}

enum status resize_node(struct arena *arena, struct topology *topology, const char *name, int64_t count,
                        struct diag *diag) {
    struct node_type *nodes = ARENA_ARRAY(arena, struct node_type, topology->nodes.count);
    const struct node_type *old = topology->nodes.items;
    for (size_t i = 0; i < topology->nodes.count; i++) {
        nodes[i] = old[i];
        struct scaleup *scaleup = &nodes[i].scaleup;
        if (nodes[i].name != name || count == old[i].count) {
            continue;
        }
        nodes[i].count = count;
        if (scaleup->kind == SCALEUP_MESH && count > 1 && count < old[i].count) {
            scaleup->bandwidth *= (double)(count - 1) / (double)(old[i].count - 1); /* links that lead nowhere */
        }
        if (scaleup->domain == old[i].count || (scaleup->domain < old[i].count && scaleup->domain >= count)) {
            scaleup->domain = count;
        } else if (scaleup->domain != 0 && scaleup->domain % count != 0 && count % scaleup->domain != 0) {
            return diag_error(diag, NO_MARK, "%lld devices a node do not fit the scale-up domain of %lld devices",
                              (long long)count, (long long)scaleup->domain);
        }
    }
    topology->nodes.items = nodes;
    return OK;
}

static enum status refuse_devices(const struct topology *topology, int64_t devices, int64_t before, struct diag *diag) {
    const struct group *group = topology->groups.items;
    const struct group *last = &group[topology->groups.count - 1];
    int64_t count = last->place.node->count;
    int64_t below = devices - before >= count ? (devices - before) / count * count + before : 0;
    int64_t above = devices > before ? ((devices - before) / count + 1) * count + before : before + count;
    enum status status = diag_error(diag, NO_MARK, "%lld devices do not fill nodes of %lld (%s)", (long long)devices,
                                    (long long)count, last->node);
    if (below > before) {
        diag_help(diag, "the nearest counts are %lld and %lld", (long long)below, (long long)above);
    } else {
        diag_help(diag, "the least is %lld", (long long)above);
    }
    return status;
}

static enum status scale_nodes(struct group *last, int64_t nodes, int64_t before, struct diag *diag) {
    if (nodes <= before) {
        return diag_error(diag, NO_MARK, "%lld nodes: the groups before %s have %lld already", (long long)nodes,
                          last->name, (long long)before);
    }
    last->count = nodes - before;
    return OK;
}

enum status topology_scale(struct arena *arena, struct topology *topology, int64_t nodes, int64_t devices,
                           struct diag *diag) {
    if (nodes < 0 || devices < 0 || nodes > TOPOLOGY_DEVICES || devices > TOPOLOGY_DEVICES) {
        return diag_error(diag, NO_MARK, "a cluster has 1 to %d devices", TOPOLOGY_DEVICES);
    }
    if (nodes == 0 && devices == 0) {
        return OK;
    }
    struct group *group = own_groups(arena, topology);
    struct group *last = &group[topology->groups.count - 1];
    int64_t count = last->place.node->count, before = last->place.first;
    int64_t nodes_before = topology_node_count(topology) - last->count;
    if (nodes > 0) {
        TRY(scale_nodes(last, nodes, nodes_before, diag));
    } else if (devices > before && (devices - before) % count == 0) {
        last->count = (devices - before) / count;
    } else if (topology->groups.count == 1 && devices < count) {
        last->count = 1;
        TRY(resize_node(arena, topology, last->place.node->name, devices, diag));
        count = devices;
    } else {
        return refuse_devices(topology, devices, before, diag);
    }
    TRY(topology_place(topology, NULL, diag));
    if (devices > 0 && topology_devices(topology) != devices) {
        return diag_error(diag, NO_MARK, "%lld nodes have %lld devices, not %lld", (long long)nodes,
                          (long long)topology_devices(topology), (long long)devices);
    }
    return OK;
}
