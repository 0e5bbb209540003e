/* Scaling by nodes and devices, what is refused, and how domains and tori follow. */
#include "load.h"

Test(scale, counts) {
    static const struct {
        const char *name;
        int64_t nodes, devices, expect_nodes, expect_devices; /* 0 nodes expected: refused */
        const char *help;
    } rows[] = {
        {"h100-sxm", 0, 0, 8, 64, NULL},
        {"h100-sxm", 64, 0, 64, 512, NULL},
        {"h100-sxm", 0, 512, 64, 512, NULL},
        {"h100-sxm", 64, 512, 64, 512, NULL},
        {"h100-sxm", 64, 500, 0, 0, NULL},
        {"h100-sxm", 0, 8, 1, 8, NULL},
        {"h100-sxm", 0, 3, 1, 3, NULL},
        {"h100-sxm", 0, 1, 1, 1, NULL},
        {"h100-sxm", 0, 100, 0, 0, "the nearest counts are 96 and 104"},
        {"h100-sxm", 0, 9, 0, 0, "the nearest counts are 8 and 16"},
        {"h100-sxm", 0, -8, 0, 0, NULL},
        {"h100-sxm", 0, INT64_MAX, 0, 0, NULL},
        {"h100-sxm", 2000000, 0, 0, 0, NULL},
        {"mixed-a100-v100", 0, 96, 8, 96, NULL},
        {"mixed-a100-v100", 5, 0, 5, 48, NULL},
        {"mixed-a100-v100", 4, 0, 0, 0, NULL},
        {"mixed-a100-v100", 0, 100, 0, 0, "the nearest counts are 96 and 112"},
        {"mixed-a100-v100", 0, 32, 0, 0, "the least is 48"},
        {"mixed-a100-v100", 0, 8, 0, 0, "the least is 48"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct topology topology = load_shipped(arena, rows[i].name, 0), copy = topology;
        int64_t before = topology_devices(&topology);
        diag_init(&diag, arena);
        enum status status = topology_scale(arena, &topology, rows[i].nodes, rows[i].devices, &diag);
        cr_expect(topology_devices(&copy) == before, "row %zu changes copies", i);
        if (rows[i].expect_nodes == 0) {
            cr_expect(status == STATUS_INVALID && diag.errors == 1, "row %zu is not refused", i);
            cr_expect(rows[i].help == NULL ||
                          (diag.entries[0].help != NULL && strcmp(diag.entries[0].help, rows[i].help) == 0),
                      "row %zu: %s", i, diag.entries[0].help);
            continue;
        }
        cr_expect(status == OK && topology_node_count(&topology) == rows[i].expect_nodes &&
                      topology_devices(&topology) == rows[i].expect_devices,
                  "row %zu: %lld devices", i, (long long)topology_devices(&topology));
    }
    arena_close(arena);
}

Test(scale, part_of_a_node) {
    struct arena *arena = support_arena();
    struct topology topology = load_shipped(arena, "h100-sxm", 4);
    const struct group *group = topology.groups.items;
    cr_expect(group->place.node->count == 4 && group->place.node->nics.count == 8 && group->place.domain == 4);
    topology = load_shipped(arena, "gb200-nvl72", 3);
    group = topology.groups.items;
    cr_expect(group->place.node->count == 3 && group->place.domain == 3 && topology_devices(&topology) == 3);
    topology = load_shipped(arena, "mi300x", 4);
    cr_expect(near_to(topology_node(&topology, 0)->scaleup.bandwidth, 3 * 64e9), "links to absent peers are unused");
    topology = load_shipped(arena, "a100-pcie-80g", 1);
    cr_expect(((const struct group *)topology.groups.items)->place.domain == 1);
    arena_close(arena);
}

Test(scale, domains_and_tori_follow) {
    static const struct {
        const char *name;
        int64_t devices, domain, dims[3];
    } rows[] = {
        {"gb200-nvl72", 4, 4, {1, 1, 1}},      {"gb200-nvl72", 64, 64, {1, 1, 1}},
        {"gb200-nvl72", 72, 72, {1, 1, 1}},    {"gb200-nvl72", 128, 64, {1, 1, 1}},
        {"gb200-nvl72", 144, 72, {1, 1, 1}},   {"gb200-nvl72", 256, 64, {1, 1, 1}},
        {"gb200-nvl72", 1024, 64, {1, 1, 1}},  {"gb200-nvl72", 76, 72, {1, 1, 1}},
        {"gb200-nvl72", 96, 48, {1, 1, 1}},    {"a100-pcie-80g", 32, 2, {1, 1, 1}},
        {"h100-sxm", 512, 8, {1, 1, 1}},       {"tpu-v5p", 8, 8, {2, 2, 2}},
        {"tpu-v5p", 128, 128, {4, 4, 8}},      {"tpu-v5p", 512, 512, {8, 8, 8}},
        {"tpu-v5p", 8960, 8960, {16, 20, 28}}, {"tpu-v5p", 17920, 8960, {16, 20, 28}},
        {"tpu-v4", 4096, 4096, {16, 16, 16}},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct topology topology = load_shipped(arena, rows[i].name, rows[i].devices);
        const struct group_place *place = &((const struct group *)topology.groups.items)->place;
        cr_expect(place->domain == rows[i].domain, "%s of %lld: domain %lld", rows[i].name, (long long)rows[i].devices,
                  (long long)place->domain);
        for (int j = 0; j < 3; j++) {
            cr_expect(place->dims[j] == rows[i].dims[j], "%s of %lld: axis %d has %lld", rows[i].name,
                      (long long)rows[i].devices, j, (long long)place->dims[j]);
        }
    }
    arena_close(arena);
}
