/* A topology as text. One box a group of nodes, devices on their scale-up fabric, then the switch tiers:
 *
 *   8 nodes hgx-h100
 *   ┌──────────────────────────┐
 *   │ ┌───┐ ┌───┐       ┌───┐  │
 *   │ │ 0 │ │ 1 │   …   │ 7 │  │
 *   │ └─┬─┘ └─┬─┘       └─┬─┘  │
 *   │ ══╧═════╧═══════════╧══  │
 *   └───┬─────┬───────────┬────┘
 *   ════╧═════╧═══════════╧═════ leaf
 */
#include "topology/draw.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"
#include "topology/canvas.h"
#include "topology/route.h"
#include "topology/topology.h"

static const char *rate(const struct canvas *canvas, double value) {
    return units_human(canvas->out->arena, value, UNIT_BYTES_RATE, 3);
}

static const char *seconds(const struct canvas *canvas, double value) {
    return value > 0 ? units_human(canvas->out->arena, value, UNIT_SECONDS, 3) : "0 us";
}

static const char *bytes(const struct canvas *canvas, double value) {
    return units_human(canvas->out->arena, value, UNIT_BYTES, 3);
}

/* Adapters are sold by bits. */
static const char *bit_rate(const struct canvas *canvas, double value) {
    char number[32];
    text_shortest(value * 8 / 1e9, number);
    return arena_format(canvas->out->arena, "%s Gbit/s", number);
}

static const char *number(const struct canvas *canvas, double value) {
    char digits[32];
    text_shortest(value, digits);
    return arena_text(canvas->out->arena, digits);
}

static const char *plural(int64_t count) {
    return count == 1 ? "" : "s";
}

static void draw_device(struct canvas *canvas, const struct device *device) {
    static const enum dtype shown[] = {DTYPE_BF16, DTYPE_FP16, DTYPE_FP8};
    const struct peak *peak = &device->peak;
    double peaks[] = {peak->bf16, peak->bf16 > 0 ? 0 : peak->fp16, peak->fp8};
    struct text text;
    text_init(&text, canvas->out->arena);
    text_add_format(&text, "%s: %s (%s usable) at %s", device->name, bytes(canvas, device->memory),
                    bytes(canvas, device_usable_memory(device)), rate(canvas, device->hbm_bandwidth));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (peaks[i] > 0) {
            text_add_format(&text, ", %s %s", dtype_names[shown[i]],
                            units_human(canvas->out->arena, peaks[i], UNIT_FLOP_RATE, 3));
        }
    }
    canvas_line(canvas, text.data);
}

/* The names of scale-up kinds in a sentence. */
static const char *scaleup_title(const struct group_place *place, const struct canvas *canvas) {
    const struct scaleup *scaleup = &place->node->scaleup;
    const char *times = canvas->ascii ? "x" : "\303\227";
    switch ((enum scaleup_kind)scaleup->kind) {
    case SCALEUP_SWITCH:
        return scaleup->multicast ? "switch with multicast" : "switch";
    case SCALEUP_MESH:
        return "full mesh";
    case SCALEUP_CUBE_MESH:
        return "hybrid cube mesh";
    case SCALEUP_TORUS:
        break;
    case SCALEUP_PCIE:
        return scaleup->peer_to_peer ? "PCIe" : "PCIe, staged in host memory";
    case SCALEUP_PAIRS:
        return "bridges between pairs";
    }
    struct text text;
    text_init(&text, canvas->out->arena);
    text_add(&text, "torus ");
    for (int i = 0; i < TORUS_AXES && (i < 3 || place->dims[i] > 1); i++) {
        text_add_format(&text, "%s%lld", i > 0 ? times : "", (long long)place->dims[i]);
    }
    return text.data;
}

static void draw_scaleup(struct canvas *canvas, const struct topology *topology, const struct group_place *place) {
    const struct scaleup *scaleup = &place->node->scaleup;
    int64_t count = place->node->count;
    struct topology alone = *topology; /* this group by itself: how its own domains behave */
    struct group group = {.name = "", .node = "", .count = place->devices / count, .derate = 1, .place = *place};
    group.place.first = 0;
    group.place.cluster = place->devices;
    alone.groups = (struct list){&group, 1};
    struct span span = route_span(&alone, 1, place->domain);
    struct text text;
    text_init(&text, canvas->out->arena);
    text_add_format(&text, "scale-up: %s, %s a device", scaleup_title(place, canvas), rate(canvas, scaleup->bandwidth));
    if (place->domain > 1) {
        text_add_format(&text, " (rings reach %s", rate(canvas, span.inner_rate));
        if (span.pair_rate < span.inner_rate) {
            text_add_format(&text, ", a pair %s", rate(canvas, span.pair_rate));
        }
        text_add(&text, ")");
    }
    text_add_format(&text, ", %s a hop", seconds(canvas, scaleup->latency));
    canvas_line(canvas, text.data);
    if (place->domain > count) {
        canvas_line(canvas, arena_format(canvas->out->arena, "scale-up domains: %lld of %lld devices (%lld nodes)",
                                         (long long)(place->devices / place->domain), (long long)place->domain,
                                         (long long)(place->domain / count)));
    } else if (place->domain < count) {
        canvas_line(canvas, arena_format(canvas->out->arena, "scale-up domains: %lld a node, of %lld devices",
                                         (long long)(count / place->domain), (long long)place->domain));
    }
}

static void draw_host(struct canvas *canvas, const struct host *host) {
    struct text text;
    text_init(&text, canvas->out->arena);
    text_add_format(&text, "host: %lld socket%s", (long long)host->sockets, plural(host->sockets));
    if (host->memory > 0) {
        text_add_format(&text, ", %s", bytes(canvas, host->memory));
    }
    if (host->bandwidth > 0) {
        text_add_format(&text, " at %s", rate(canvas, host->bandwidth));
    }
    if (host->pcie_bandwidth > 0) {
        text_add_format(&text, ", PCIe %s a device", rate(canvas, host->pcie_bandwidth));
        if (host->pcie_shared_by > 1) {
            text_add_format(&text, " (port shared by %lld)", (long long)host->pcie_shared_by);
        }
    }
    canvas_line(canvas, text.data);
}

static void draw_nics(struct canvas *canvas, const struct node_type *node) {
    const struct nics *nics = &node->nics;
    if (nics->count == 0) {
        canvas_line(canvas, "network: none");
        return;
    }
    double share = (double)nics->count * nics->rate * nics->efficiency / (double)node->count;
    canvas_line(canvas,
                arena_format(canvas->out->arena, "network: %lld %s %s of %s%s, %s a device, %s", (long long)nics->count,
                             nics->transport, nics->count == 1 ? "port" : "ports", bit_rate(canvas, nics->rate),
                             nics->rdma ? "" : " without RDMA", rate(canvas, share), seconds(canvas, nics->latency)));
}

static void draw_group(struct canvas *canvas, const struct topology *topology, const struct group *group) {
    const struct node_type *node = group->place.node;
    struct text title;
    text_init(&title, canvas->out->arena);
    text_add_format(&title, "%s: %lld node%s %s, %lld device%s a node", group->name, (long long)group->count,
                    plural(group->count), node->name, (long long)node->count, plural(node->count));
    if (group->derate < 1 || group->derate > 1) {
        text_add_format(&title, ", computing at %s of its rate", number(canvas, group->derate));
    }
    canvas_line(canvas, title.data);
    canvas_open(canvas, 0);
    draw_device(canvas, group->place.device);
    canvas_cells(canvas, node->count, group->place.domain < node->count ? group->place.domain : 0);
    draw_scaleup(canvas, topology, &group->place);
    draw_host(canvas, &node->host);
    draw_nics(canvas, node);
    canvas_close(canvas, node->nics.count);
}

static void draw_tier(struct canvas *canvas, const struct tier *tier, const struct group *group, double taper) {
    const struct nics *nics = &group->place.node->nics;
    struct text text;
    text_init(&text, canvas->out->arena);
    text_add_format(&text, "%s: ", tier->name);
    if (tier->nodes == 0) {
        text_add(&text, "all nodes");
    } else {
        double up = (double)tier->nodes * (double)nics->count * nics->rate / taper;
        text_add_format(&text, "blocks of %lld nodes, %s up each", (long long)tier->nodes, rate(canvas, up));
        if (taper > 1 || taper < 1) {
            text_add_format(&text, " (%s:1)", number(canvas, taper));
        }
    }
    if (tier->latency > 0) {
        text_add_format(&text, ", +%s", seconds(canvas, tier->latency));
    }
    canvas_line(canvas, text.data);
}

static void draw_fabric(struct canvas *canvas, const struct topology *topology) {
    static const char *const titles[] = {"rail-optimised", "fat tree", "dragonfly", "flat", "torus"};
    const struct tier *tier = topology->fabric.tiers.items;
    const struct group *group = topology->groups.items;
    double taper = 1;
    if (topology_node_count(topology) == 1 || group[0].place.node->nics.count == 0) {
        return;
    }
    canvas_bar(canvas, group[topology->groups.count - 1].place.node->nics.count);
    if (topology->fabric.tiers.count == 0) {
        canvas_line(canvas, arena_format(canvas->out->arena, "fabric (%s): one switch level, no taper",
                                         titles[topology->fabric.kind]));
        return;
    }
    canvas_line(canvas, arena_format(canvas->out->arena, "fabric: %s", titles[topology->fabric.kind]));
    for (size_t i = 0; i < topology->fabric.tiers.count; i++) {
        taper *= tier[i].oversubscription;
        draw_tier(canvas, &tier[i], group, taper);
    }
}

static void draw_links(struct canvas *canvas, const struct topology *topology) {
    const struct group_link *link = topology->links.items;
    for (size_t i = 0; i < topology->links.count; i++) {
        canvas_line(canvas, arena_format(canvas->out->arena, "link %s - %s: %s, +%s", link[i].from, link[i].to,
                                         rate(canvas, link[i].bandwidth), seconds(canvas, link[i].latency)));
    }
}

void draw_topology(const struct topology *topology, int width, bool ascii, struct text *out) {
    const struct group *group = topology->groups.items;
    int64_t devices = topology_devices(topology), nodes = topology_node_count(topology);
    struct canvas canvas;
    canvas_init(&canvas, out, width, ascii);
    canvas_line(&canvas, arena_format(out->arena, "%s: %lld device%s in %lld node%s", topology->name,
                                      (long long)devices, plural(devices), (long long)nodes, plural(nodes)));
    if (topology->source != NULL) {
        canvas_line(&canvas, topology->source);
    }
    canvas_line(&canvas, "");
    for (size_t i = 0; i < topology->groups.count; i++) {
        if (i > 0) {
            canvas_line(&canvas, "");
        }
        draw_group(&canvas, topology, &group[i]);
    }
    draw_fabric(&canvas, topology);
    draw_links(&canvas, topology);
}
