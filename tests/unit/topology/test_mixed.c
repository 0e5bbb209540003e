/* Mixed clusters: the slowest group counts, and links between groups bound what crosses them. */
#include "load.h"
#include "topology/route.h"

/* Two groups of 4 nodes: fast (8 devices, 400 GB/s, 8 x 50 GB/s) and slow (8, 200 GB/s, 8 x 25 GB/s). */
#define TWO                                                                                                            \
    HEAD "nodes:\n"                                                                                                    \
         "  - {name: fast, device: d, count: 8, scaleup: {bandwidth: 400GB/s, efficiency: 1, latency: 1us},\n"         \
         "     nics: {count: 8, rate: 400Gbit/s, efficiency: 1, latency: 2us}}\n"                                      \
         "  - {name: slow, device: d, count: 8, scaleup: {bandwidth: 200GB/s, efficiency: 1, latency: 3us},\n"         \
         "     nics: {count: 8, rate: 200Gbit/s, efficiency: 1, latency: 5us}}\n"                                      \
         "groups:\n  - {name: a, node: fast, count: 4}\n  - {name: b, node: slow, count: 4}\n"
#define LINKED TWO "links:\n  - {from: b, to: a, bandwidth: 40GB/s, latency: 10us}\n"

Test(mixed, the_slowest_group_counts) {
    struct arena *arena = support_arena();
    struct topology topology = load_clean(arena, TWO);
    struct span span = route_span(&topology, 1, 8);
    cr_expect(near_to(span.inner_rate, 200e9) && near_to(span.inner_latency, 3e-6));
    span = route_span(&topology, 8, 8);
    cr_expect(span.inner == 1 && span.outer == 8 && near_to(span.outer_rate, 25e9) &&
              near_to(span.outer_latency, 5e-6));
    cr_expect(near_to(route_hop(&topology, 8, 8).rate, 25e9));
    cr_expect(topology_devices(&topology) == 64 && topology_node_count(&topology) == 8);
    cr_expect_not(topology_is_uniform(&topology));
    arena_close(arena);
}

Test(mixed, links_bound_what_crosses) {
    static const struct {
        const char *what;
        int64_t stride, size;
        double rate, exchange;
    } rows[] = {
        {"8 rings of 8 share 40 GB/s", 8, 8, 5, 40.0 * 7 / 8 * 8 / (8 * 4 * 4)},
        {"groups inside a or b do not cross", 8, 4, 25, 25},
        {"one flat group of all: 8 shards share it", 1, 64, 5, 40.0 * 56 / (32.0 * 32)},
        {"32 pairs share it", 32, 2, 1.25, 1.25},
    };
    struct arena *arena = support_arena();
    struct topology topology = load_clean(arena, LINKED);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct span span = route_span(&topology, rows[i].stride, rows[i].size);
        cr_expect(near_to(span.outer_rate, rows[i].rate * 1e9), "%s: %g", rows[i].what, span.outer_rate);
        cr_expect(near_to(span.outer_exchange, rows[i].exchange * 1e9), "%s: all-to-all %g", rows[i].what,
                  span.outer_exchange);
    }
    cr_expect(near_to(route_span(&topology, 8, 8).outer_latency, 15e-6));
    cr_expect(near_to(route_span(&topology, 8, 4).outer_latency, 5e-6));
    arena_close(arena);
}

Test(mixed, hops_over_a_link) {
    struct arena *arena = support_arena();
    struct topology topology = load_clean(arena, LINKED);
    cr_expect(near_to(route_hop(&topology, 32, 2).rate, 40e9 / 32), "pipeline of two halves");
    cr_expect(near_to(route_hop(&topology, 8, 8).rate, 40e9 / 8), "8 stages, 8 devices cross");
    cr_expect(near_to(route_hop(&topology, 8, 4).rate, 25e9), "nothing crosses");
    cr_expect(near_to(route_link(&topology, 31, 32).rate, 25e9), "one pair");
    cr_expect(near_to(route_link(&topology, 31, 32).latency, 15e-6));
    cr_expect(near_to(route_link(&topology, 0, 8).rate, 50e9), "inside a");
    cr_expect(near_to(route_link(&topology, 32, 40).rate, 25e9), "inside b");
    arena_close(arena);
}

Test(mixed, straddling_groups_have_two_domains) {
    struct arena *arena = support_arena();
    /* 3 + 3 nodes of one device would straddle: here 12 devices in groups of 8 lie on 8 | 4. */
    struct topology topology = load_clean(
        arena, HEAD "nodes:\n  - {name: n, device: d, count: 4, scaleup: {bandwidth: 100GB/s, efficiency: 1},\n"
                    "     nics: {count: 4, rate: 100Gbit/s, efficiency: 1}}\n"
                    "groups:\n  - {name: a, node: n, count: 1}\n  - {name: b, node: n, count: 1}\n"
                    "links:\n  - {from: a, to: b, bandwidth: 8GB/s}\n");
    struct span span = route_span(&topology, 1, 8);
    cr_expect(span.inner == 4 && span.outer == 2, "%lld x %lld", (long long)span.inner, (long long)span.outer);
    cr_expect(near_to(span.outer_rate, 2e9), "four shards on 8 GB/s: %g", span.outer_rate);
    arena_close(arena);
}

Test(mixed, multicast_only_where_all_have_it) {
    struct arena *arena = support_arena();
    for (int first = 0; first < 2; first++) {
        struct topology topology = load_clean(
            arena, arena_format(
                       arena,
                       HEAD "nodes:\n  - {name: m, device: d, count: 8, scaleup: {bandwidth: 450GB/s, multicast: %s}}\n"
                            "  - {name: n, device: d, count: 8, scaleup: {bandwidth: 450GB/s, multicast: %s},\n"
                            "     nics: {count: 1, rate: 1GB/s}}\ngroups:\n  - {name: g, node: n}\n",
                       first == 0 ? "true" : "false", first == 0 ? "false" : "true"));
        cr_expect(route_span(&topology, 1, 8).multicast == (first == 1), "one group, %d", first);
    }
    struct topology topology = load_clean(arena, TWO);
    struct node_type *nodes = topology.nodes.items;
    for (int which = 0; which < 4; which++) {
        nodes[0].scaleup.multicast = which % 2 == 1;
        nodes[1].scaleup.multicast = which / 2 == 1;
        cr_expect(route_span(&topology, 1, 8).multicast == (which == 3), "%d", which);
    }
    arena_close(arena);
}

Test(mixed, three_uneven_groups) {
    struct arena *arena = support_arena();
    struct topology topology =
        load_clean(arena, TWO "  - {name: c, node: slow, count: 8}\nlinks:\n  - {from: a, to: c, bandwidth: 40GB/s}\n"
                              "  - {from: b, to: a, bandwidth: 60GB/s}\n");
    const struct group *group = topology.groups.items;
    cr_expect(group[1].place.first == 32 && group[2].place.first == 64 && group[2].place.cluster == 128);
    cr_expect(topology_devices(&topology) == 128 && topology_node_count(&topology) == 16);
    /* One flat group of 128: between a (32) and c (64) 32 * 64 / 128 parts cross, 120 / 128 leave a domain. */
    struct span span = route_span(&topology, 1, 128);
    cr_expect(near_to(span.outer_rate, 40e9 / 8) && near_to(span.outer_exchange, 40e9 * 120 / (32 * 64)), "%g %g",
              span.outer_rate, span.outer_exchange);
    arena_close(arena);
}

Test(mixed, shipped_cluster) {
    struct arena *arena = support_arena();
    struct topology topology = load_shipped(arena, "mixed-a100-v100", 0);
    cr_expect(topology_devices(&topology) == 64 && topology_node_count(&topology) == 6);
    cr_expect_str_eq(topology_device(&topology, 0)->name, "a100-sxm");
    cr_expect_str_eq(topology_device(&topology, 1)->name, "v100-sxm");
    cr_expect_str_eq(topology_node(&topology, 0)->nics.transport, "ib");
    cr_expect_str_eq(topology_node(&topology, 1)->nics.transport, "roce");
    cr_expect(topology_slowest(&topology, DTYPE_BF16) == 1);
    cr_expect(near_to(route_hop(&topology, 32, 2).rate, 25e9 / 32));
    arena_close(arena);
}
