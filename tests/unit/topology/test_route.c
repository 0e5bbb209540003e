/* Spans and hops computed by hand. */
#include "load.h"
#include "topology/route.h"

/* An expected span in GB/s; negative: not looked at. */
struct span_row {
    const char *what, *name;
    int64_t devices, stride, size, inner, outer;
    double port, rate, exchange, pair, outer_rate, outer_exchange;
};

static bool agree(double expected, double got) {
    return expected < 0 || near_to(expected * 1e9, got);
}

static const struct span_row span_rows[] = {
    {"tp 8 in an H100 node", "h100-sxm", 64, 1, 8, 8, 1, 450, 373.5, 373.5, 373.5, -1, -1},
    {"dp 8 over H100 nodes: an adapter each", "h100-sxm", 64, 8, 8, 1, 8, 450, 373.5, 373.5, 373.5, 48.5, 48.5},
    {"16 over two H100 nodes", "h100-sxm", 64, 1, 16, 8, 2, 450, 373.5, 373.5, 373.5, 48.5, 48.5},
    {"tp 3 straddles nodes", "h100-sxm", 24, 1, 3, 2, 2, 450, 373.5, 373.5, 373.5, 48.5, 48.5},
    {"DGX-1: 4 adapters for 8 devices", "v100-dgx1", 32, 8, 4, 1, 4, 150, 135, 135, 22.5, 6, 6},
    {"DGX-1: 8 devices close six rings of 25", "v100-dgx1", 8, 1, 8, 8, 1, 150, 135, 67.5, 22.5, -1, -1},
    {"DGX-1: 4 devices close four", "v100-dgx1", 8, 1, 4, 4, 1, 100, 90, 90, 22.5, -1, -1},
    {"DGX-1: 2 devices have one link", "v100-dgx1", 8, 1, 2, 2, 1, 25, 22.5, 22.5, 22.5, -1, -1},
    {"MI300X: 8 use all seven links", "mi300x", 8, 1, 8, 8, 1, 448, 313.6, 313.6, 44.8, -1, -1},
    {"MI300X: 2 use one link", "mi300x", 8, 1, 2, 2, 1, 64, 44.8, 44.8, 44.8, -1, -1},
    {"A100 PCIe: the bridge in a pair", "a100-pcie-80g", 32, 1, 2, 2, 1, 300, 207, 207, 207, -1, -1},
    {"A100 PCIe: 4 pairs share their ports", "a100-pcie-80g", 32, 1, 8, 2, 4, 300, 207, 207, 207, 10, 10},
    {"A100 PCIe: 2 adapters for 8 devices", "a100-pcie-80g", 32, 8, 4, 1, 4, 300, 207, 207, 207, 6, 6},
    {"L40S: a pair below one port", "l40s", 8, 1, 2, 2, 1, 31.5, 20.16, 20.16, 20.16, -1, -1},
    {"L40S: 8 through host memory", "l40s", 8, 1, 8, 8, 1, 31.5, 2, 2, 2, -1, -1},
    {"4090: no RDMA, staged out and in", "rtx-4090", 16, 8, 2, 1, 2, 31.5, -1, -1, -1, 1, 1},
    {"NVL72: 64 over 16 nodes in one rack", "gb200-nvl72", 72, 1, 72, 72, 1, 900, 720, 720, 720, -1, -1},
    {"NVL72: 128 are two blocks of 64", "gb200-nvl72", 128, 1, 128, 64, 2, 900, 720, 720, 720, 47, 47},
    {"NVL72: 144 are two racks", "gb200-nvl72", 144, 1, 144, 72, 2, 900, 720, 720, 720, 47, 47},
    {"NVL72: stride 4 inside a block", "gb200-nvl72", 128, 4, 16, 16, 1, 900, 720, 720, 720, -1, -1},
    {"TPU: one closed axis of 8, two links", "tpu-v5p", 512, 1, 8, 8, 1, 180, 162, 70.875, 81, -1, -1},
    {"TPU: the second axis", "tpu-v5p", 512, 8, 8, 8, 1, 180, 162, 70.875, 81, -1, -1},
    {"TPU: two axes", "tpu-v5p", 512, 1, 64, 64, 1, 360, 324, 79.734375, 81, -1, -1},
    {"TPU: all three", "tpu-v5p", 512, 1, 512, 512, 1, 540, 486, 80.841796875, 81, -1, -1},
    {"TPU: half an axis is open", "tpu-v5p", 512, 1, 4, 4, 1, 90, 81, 60.75, 81, -1, -1},
    {"TPU: every second device of an axis", "tpu-v5p", 512, 2, 4, 4, 1, 90, 81, 60.75, 81, -1, -1},
    {"Frontier: inside one group", "mi250x", 2048, 8, 128, 1, 128, 200, 150, 150, 150, 11.25, 11.25},
};

Test(route, spans_by_hand) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(span_rows); i++) {
        const struct span_row *row = &span_rows[i];
        struct topology topology = load_shipped(arena, row->name, row->devices);
        struct span span = route_span(&topology, row->stride, row->size);
        cr_expect(span.inner == row->inner && span.outer == row->outer, "%s: %lld x %lld", row->what,
                  (long long)span.inner, (long long)span.outer);
        cr_expect(agree(row->port, span.inner_port) && agree(row->rate, span.inner_rate) &&
                      agree(row->exchange, span.inner_exchange) && agree(row->pair, span.pair_rate),
                  "%s: inside %g %g %g %g", row->what, span.inner_port, span.inner_rate, span.inner_exchange,
                  span.pair_rate);
        cr_expect(agree(row->outer_rate, span.outer_rate) && agree(row->outer_exchange, span.outer_exchange),
                  "%s: outside %g %g", row->what, span.outer_rate, span.outer_exchange);
    }
    arena_close(arena);
}

Test(route, span_carries_the_rest) {
    struct arena *arena = support_arena();
    struct topology topology = load_shipped(arena, "h100-sxm", 512);
    struct span span = route_span(&topology, 8, 64);
    cr_expect(span.multicast && span.kind == SCALEUP_SWITCH && span.domain == 8);
    cr_expect(near_to(span.multicast_rate, 450e9 * 0.7));
    cr_expect(near_to(span.inner_latency, topology_node(&topology, 0)->scaleup.latency));
    cr_expect(near_to(span.outer_latency, 4.6e-6), "leaf and spine: %g", span.outer_latency);
    cr_expect(near_to(route_span(&topology, 8, 32).outer_latency, 4e-6), "leaf only");
    cr_expect(near_to(span.base_latency, topology.library.base_latency));
    cr_expect(near_to(span.all_to_all_efficiency, topology.library.all_to_all_efficiency));
    topology = load_shipped(arena, "tpu-v5p", 512);
    cr_expect(route_span(&topology, 1, 512).inner_steps == 12, "three closed axes of 8");
    cr_expect(route_span(&topology, 1, 4).inner_steps == 3, "an open line of 4");
    topology = load_shipped(arena, "a100-sxm-80g", 64);
    cr_expect(!route_span(&topology, 1, 8).multicast);
    cr_expect(route_span(&topology, 1, 8).inner_steps == 7);
    arena_close(arena);
}

/* A fabric of one-device nodes with an adapter of 50 GB/s each; `tiers` as YAML. */
static struct topology load_fabric(struct arena *arena, int64_t nodes, const char *tiers) {
    return load_clean(arena, arena_format(arena,
                                          HEAD "nodes:\n  - name: n\n    device: d\n    count: 1\n"
                                               "    scaleup: {bandwidth: 450GB/s}\n"
                                               "    nics: {count: 1, rate: 400Gbit/s, efficiency: 1, latency: 1us}\n"
                                               "groups:\n  - {name: g, node: n, count: %lld}\nfabric:\n  tiers: %s\n",
                                          (long long)nodes, tiers));
}

/* Seconds of an all-to-all of `bytes` a rank as the outer rates have it. */
static double exchange_seconds(const struct topology *topology, int64_t size, double bytes) {
    struct span span = route_span(topology, 1, size);
    return (double)(span.outer - 1) / (double)span.outer * bytes / span.outer_exchange;
}

Test(route, oversubscription) {
    struct arena *arena = support_arena();
    static const struct {
        double taper, milliseconds, ring; /* a2a of 1.6e9 B over 16, leaves of 4; rings cross once for 4 members */
    } rows[] = {{1, 30, 50}, {2, 48, 50}, {4, 96, 50}, {8, 192, 25}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct topology topology = load_fabric(
            arena, 16,
            arena_format(arena, "[{name: leaf, nodes: 4, oversubscription: %g}, {name: spine}]", rows[i].taper));
        double got = exchange_seconds(&topology, 16, 1.6e9) * 1e3;
        cr_expect(near_to(got, rows[i].milliseconds), "taper %g: %g ms", rows[i].taper, got);
        cr_expect(near_to(route_span(&topology, 1, 16).outer_rate, rows[i].ring * 1e9), "ring at taper %g",
                  rows[i].taper);
        cr_expect(near_to(route_span(&topology, 4, 4).outer_rate, 50e9 / rows[i].taper),
                  "one member a leaf at taper %g", rows[i].taper);
        cr_expect(near_to(route_span(&topology, 1, 4).outer_rate, 50e9), "below one leaf at taper %g", rows[i].taper);
    }
    /* 64 hosts in 4 pods of 4 leaves of 4; leaf 1:1, pod 1:7: a flow between pods gets 50 / 7 / 48. */
    struct topology pods =
        load_fabric(arena, 64, "[{name: leaf, nodes: 4}, {name: pod, nodes: 16, oversubscription: 7}, {name: core}]");
    double flow = 1e9 / 64 / exchange_seconds(&pods, 64, 1e9) / 1e9;
    cr_expect(near_to(flow, 50.0 / 7 / 48), "flow between pods %g", flow);
    /* Slingshot: 74 groups of 128 nodes; uniform traffic is slowed by 73/74 * 1.7534. */
    struct topology dragonfly =
        load_fabric(arena, 9472, "[{name: group, nodes: 128, oversubscription: 1.7534246575342465}, {name: global}]");
    double slowdown = exchange_seconds(&dragonfly, 9472, 1e9) / (1e9 / 50e9);
    cr_expect(near_to(slowdown, 73.0 / 74 * 512 / 292), "dragonfly %g", slowdown);
    arena_close(arena);
}

Test(route, tapers_multiply) {
    struct arena *arena = support_arena();
    struct topology topology = load_fabric(arena, 64,
                                           "[{name: a, nodes: 4, latency: 1us, oversubscription: 2}, {name: b, nodes: "
                                           "16, latency: 2us, oversubscription: 3}, {name: c, latency: 4us}]");
    cr_expect(near_to(route_span(&topology, 16, 4).outer_rate, 50e9 / 6));
    cr_expect(near_to(route_span(&topology, 4, 4).outer_rate, 50e9 / 2));
    cr_expect(near_to(route_span(&topology, 16, 4).outer_latency, 8e-6));
    cr_expect(near_to(route_span(&topology, 4, 4).outer_latency, 4e-6));
    cr_expect(near_to(route_span(&topology, 1, 4).outer_latency, 2e-6));
    arena_close(arena);
}

Test(route, rings_cross_once_a_block_of_domains) {
    struct arena *arena = support_arena();
    struct topology topology =
        load_clean(arena, HEAD
                   "nodes:\n  - {name: n, device: d, count: 2, scaleup: {bandwidth: 450GB/s},\n"
                   "     nics: {count: 2, rate: 400Gbit/s, efficiency: 1}}\ngroups:\n  - {name: g, node: n, count: 4}\n"
                   "fabric:\n  tiers: [{name: leaf, nodes: 2, oversubscription: 4}, {name: spine}]\n");
    /* Two domains below each leaf: of 4 adapters' worth of injection 1 gets out, for 2 rails of the ring. */
    struct span span = route_span(&topology, 1, 8);
    cr_expect(span.inner == 2 && span.outer == 4 && near_to(span.outer_rate, 25e9), "%g", span.outer_rate);
    /* All-to-all: 4 of 8 parts leave a leaf at a quarter, 6 of 8 leave the domain. */
    cr_expect(near_to(span.outer_exchange, 50e9 * 6 / (4 * 4)), "%g", span.outer_exchange);
    arena_close(arena);
}

Test(route, products_of_axes) {
    struct arena *arena = support_arena();
    struct topology topology = load_shipped(arena, "h100-sxm", 512);
    /* tp 4 inside, cp 2 beside it, pp 8 over nodes, dp 8 outermost: dp * cp groups have 2 in a node, 8 nodes. */
    struct span span = route_span_product(&topology, 4, 2, 64, 8);
    cr_expect(span.size == 16 && span.inner == 2 && span.outer == 8);
    span = route_span_product(&topology, 1, 16, 64, 8);
    cr_expect(span.size == 128 && span.inner == 8 && span.outer == 16, "two nodes, eight times");
    /* An adjacent product is one axis. */
    struct span apart = route_span_product(&topology, 4, 2, 8, 8), whole = route_span(&topology, 4, 16);
    cr_expect(apart.inner == whole.inner && apart.outer == whole.outer && apart.size == whole.size);
    arena_close(arena);
}

Test(route, hops_by_hand) {
    static const struct {
        const char *what, *name;
        int64_t devices, stride, size;
        double rate, microseconds;
    } rows[] = {
        {"stages of whole H100 nodes", "h100-sxm", 64, 8, 8, 48.5, 4},
        {"four stages in a node", "h100-sxm", 8, 2, 4, 373.5, -1},
        {"stages of 2: 2 of 8 devices leave, an adapter each", "h100-sxm", 64, 2, 8, 48.5, 4},
        {"DGX-1, stages of a node: half an adapter each", "v100-dgx1", 32, 8, 4, 6, 5},
        {"DGX-1, stages of 2: an adapter each", "v100-dgx1", 32, 2, 8, 12, 5},
        {"MI300X neighbours: one link", "mi300x", 8, 1, 8, 44.8, -1},
        {"TPU neighbours: one link", "tpu-v5p", 512, 64, 8, 81, -1},
        {"L40S across ports: host memory", "l40s", 8, 1, 8, 2, -1},
        {"A100 PCIe across pairs: one of two devices uses the port", "a100-pcie-80g", 8, 1, 8, 20, -1},
        {"A100 PCIe, pairs as stages: both use it", "a100-pcie-80g", 8, 2, 4, 10, -1},
        {"NVL72, stages of 8 inside a rack", "gb200-nvl72", 64, 8, 8, 720, -1},
        {"NVL72, stages of a rack", "gb200-nvl72", 128, 64, 2, 47, 4},
        {"Frontier, stages of a group", "mi250x", 2048, 1024, 2, 11.25 / 1.7534, 5.7},
        {"Frontier, stages of a node: 1 of 128 crosses groups", "mi250x", 2048, 8, 256, 11.25, 5.7},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct topology topology = load_shipped(arena, rows[i].name, rows[i].devices);
        struct link hop = route_hop(&topology, rows[i].stride, rows[i].size);
        cr_expect(near_to(hop.rate, rows[i].rate * 1e9), "%s: %g", rows[i].what, hop.rate);
        cr_expect(rows[i].microseconds < 0 || near_to(hop.latency, rows[i].microseconds * 1e-6), "%s: %g s",
                  rows[i].what, hop.latency);
    }
    arena_close(arena);
}

Test(route, links_between_two_ranks) {
    static const struct {
        const char *what, *name;
        int64_t devices, from, to;
        double rate;
    } rows[] = {
        {"in a node", "h100-sxm", 64, 0, 7, 373.5},
        {"over nodes", "h100-sxm", 64, 7, 15, 48.5},
        {"backwards", "h100-sxm", 64, 15, 7, 48.5},
        {"neighbours over a node's end", "h100-sxm", 64, 7, 8, 48.5},
        {"in a pair", "a100-pcie-80g", 32, 2, 3, 207},
        {"beside a pair", "a100-pcie-80g", 32, 1, 2, 20},
        {"between groups of a dragonfly", "mi250x", 2048, 0, 1024, 11.25 / 1.7534},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct topology topology = load_shipped(arena, rows[i].name, rows[i].devices);
        struct link link = route_link(&topology, rows[i].from, rows[i].to);
        cr_expect(near_to(link.rate, rows[i].rate * 1e9), "%s: %g", rows[i].what, link.rate);
    }
    arena_close(arena);
}
