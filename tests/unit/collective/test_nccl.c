/* NCCL's model: laws, choices and graph facts as NCCL computes them (v2.27.7 rule A, v2.30.7 rule B). */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "collective/nccl.h"

enum { RULE_A = 22707, RULE_B = 23007 };
static const enum collective AR = COLLECTIVE_ALL_REDUCE, AG = COLLECTIVE_ALL_GATHER;

struct law_row {
    enum nccl_algorithm algorithm;
    enum nccl_protocol protocol;
    double microseconds, rate; /* GB/s */
};

static void check_laws(const char *name, const struct nccl_group *group, const struct law_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct nccl_law law = nccl_law(group, AR, rows[i].algorithm, rows[i].protocol);
        cr_expect(fabs(law.latency * 1e6 - rows[i].microseconds) < 1e-6, "%s %s %s: %.4f us, want %.4f", name,
                  nccl_algorithm_names[rows[i].algorithm], nccl_protocol_names[rows[i].protocol], law.latency * 1e6,
                  rows[i].microseconds);
        cr_expect(fabs(law.bandwidth / 1e9 - rows[i].rate) < 6e-4, "%s %s %s: %.4f GB/s, want %.4f", name,
                  nccl_algorithm_names[rows[i].algorithm], nccl_protocol_names[rows[i].protocol], law.bandwidth / 1e9,
                  rows[i].rate);
    }
}

Test(nccl, laws_on_one_node) {
    const struct law_row common[] = {
        {NCCL_RING, NCCL_LL, 15.0, 80.5714},      {NCCL_RING, NCCL_LL128, 40.6, 189.2571},
        {NCCL_RING, NCCL_SIMPLE, 56.0, 205.7143}, {NCCL_TREE, NCCL_LL, 15.2, 43.5789},
        {NCCL_TREE, NCCL_LL128, 31.5, 128.8},     {NCCL_TREE, NCCL_SIMPLE, 64.4, 165.6},
    };
    const struct law_row nvls_a[] = {{NCCL_NVLS, NCCL_SIMPLE, 25, 266.6667}};
    const struct law_row nvls_b[] = {{NCCL_NVLS, NCCL_SIMPLE, 25, 272.0}};
    const struct law_row blackwell[] = {{NCCL_RING, NCCL_LL, 15.0, 161.1429},
                                        {NCCL_RING, NCCL_LL128, 40.6, 365.7143},
                                        {NCCL_RING, NCCL_SIMPLE, 56.0, 411.4286},
                                        {NCCL_NVLS, NCCL_SIMPLE, 25, 411.4286}};
    struct nccl_group a = nccl_node(NCCL_HOPPER, 8, RULE_A);
    struct nccl_group b = nccl_node(NCCL_HOPPER, 8, RULE_B);
    struct nccl_group b200 = nccl_node(NCCL_BLACKWELL, 8, RULE_B);
    check_laws("8 H100, rule A", &a, common, 6);
    check_laws("8 H100, rule B", &b, common, 6);
    check_laws("8 H100, rule A", &a, nvls_a, 1);
    check_laws("8 H100, rule B", &b, nvls_b, 1);
    check_laws("8 B200, rule B", &b200, blackwell, 4);
    cr_expect(a.graphs[NCCL_NVLS].inter == 60e9 && a.graphs[NCCL_NVLS].intra == 40e9);
}

static struct nccl_group cluster(int64_t nodes) {
    struct nccl_group group = nccl_node(NCCL_HOPPER, 8, RULE_B);
    group.ranks = 8 * nodes;
    group.nodes = nodes;
    group.host = NCCL_HOST_INTEL;
    group.graphs[NCCL_RING] = group.graphs[NCCL_TREE] = (struct nccl_graph){8, 48e9, 48e9, 0};
    group.graphs[NCCL_NVLS] = group.graphs[NCCL_NVLS_TREE] = (struct nccl_graph){8, 40e9, 48e9, 0};
    return group;
}

Test(nccl, laws_on_four_nodes) {
    const struct law_row rows[] = {
        {NCCL_RING, NCCL_LL, 78.8, 10.5290},
        {NCCL_RING, NCCL_LL128, 144.4, 151.5355},
        {NCCL_RING, NCCL_SIMPLE, 282.8, 198.1935},
        {NCCL_TREE, NCCL_LL, 35.2, 10.2},
        {NCCL_TREE, NCCL_LL128, 65.5, 116.0},
        {NCCL_TREE, NCCL_SIMPLE, 120.4, 144.0},
        {NCCL_NVLS_TREE, NCCL_SIMPLE, 108.6, 187.8710},
    };
    struct nccl_group group = cluster(4);
    check_laws("4x8 H100", &group, rows, 7);
    cr_expect(nccl_law(&group, AR, NCCL_NVLS, NCCL_SIMPLE).bandwidth == 0, "NVLS across nodes needs CollNet");
    cr_expect(nccl_law(&group, AR, NCCL_PAT, NCCL_SIMPLE).bandwidth == 0);
    group.version = RULE_A;
    struct nccl_law a = nccl_law(&group, AR, NCCL_NVLS_TREE, NCCL_SIMPLE);
    cr_expect(fabs(a.bandwidth - 8 * 24e9 * 5 / 6) < 1 && fabs(a.latency - 81e-6) < 1e-12, "rule A: %g s, %g B/s",
              a.latency, a.bandwidth);
}

/* Choice at a power of two; `from` is the least size at which it holds. */
struct switch_row {
    double from;
    enum nccl_algorithm algorithm;
    enum nccl_protocol protocol;
};

static void check_switches(const char *name, const struct nccl_group *group, enum collective kind, double last,
                           const struct switch_row *rows, size_t count) {
    size_t row = 0;
    for (double bytes = rows[0].from; bytes <= last; bytes *= 2) {
        while (row + 1 < count && bytes >= rows[row + 1].from) {
            row++;
        }
        struct nccl_choice choice = nccl_choose(group, kind, bytes);
        cr_expect(choice.algorithm == rows[row].algorithm && choice.protocol == rows[row].protocol,
                  "%s at %.0f KiB: %s/%s, want %s/%s", name, bytes / 1024, nccl_algorithm_names[choice.algorithm],
                  nccl_protocol_names[choice.protocol], nccl_algorithm_names[rows[row].algorithm],
                  nccl_protocol_names[rows[row].protocol]);
    }
}

static const double KiB = 1024, MiB = 1024 * 1024, GiB = 1024.0 * 1024 * 1024;

Test(nccl, switches_on_one_node) {
    struct switch_row h100[] = {{512, NCCL_RING, NCCL_LL}, {2 * MiB, NCCL_NVLS, NCCL_SIMPLE}};
    struct switch_row a100[] = {
        {512, NCCL_RING, NCCL_LL}, {4 * MiB, NCCL_RING, NCCL_LL128}, {32 * MiB, NCCL_RING, NCCL_SIMPLE}};
    struct nccl_group a = nccl_node(NCCL_HOPPER, 8, RULE_A);
    struct nccl_group b = nccl_node(NCCL_HOPPER, 8, RULE_B);
    struct nccl_group ampere = nccl_node(NCCL_AMPERE, 8, RULE_A);
    check_switches("8 H100, rule A", &a, AR, 8 * GiB, h100, 2);
    check_switches("8 H100, rule B", &b, AR, 8 * GiB, h100, 2);
    check_switches("8 A100", &ampere, AR, 8 * GiB, a100, 3);
    /* 15 us + S/80.571 GB/s = 25 us + S/266.667 GB/s (rule A) or 272 (rule B) */
    for (int rule = 0; rule < 2; rule++) {
        double cross = rule == 0 ? 1.15455e6 : 1.14478e6;
        enum nccl_algorithm before = nccl_choose(rule == 0 ? &a : &b, AR, cross * 0.9999).algorithm;
        enum nccl_algorithm after = nccl_choose(rule == 0 ? &a : &b, AR, cross * 1.0001).algorithm;
        cr_expect(before == NCCL_RING && after == NCCL_NVLS, "rule %c: %s, %s", "AB"[rule],
                  nccl_algorithm_names[before], nccl_algorithm_names[after]);
    }
}

Test(nccl, switches_on_clusters) {
    const struct {
        int64_t nodes;
        double ll128, tree, ring; /* sizes from which LL128, NVLS tree and ring/Simple are chosen */
        double first, bus;        /* microseconds at 512 B, GB/s at 1 GiB */
    } rows[] = {
        {2, 256 * KiB, 4 * MiB, 0, 25.2, 454.6},         {4, 256 * KiB, 16 * MiB, 1 * GiB, 35.3, 357.8},
        {16, 256 * KiB, 32 * MiB, 8 * GiB, 55.3, 352.4}, {64, 256 * KiB, 64 * MiB, 0, 75.3, 347.7},
        {256, 512 * KiB, 64 * MiB, 0, 95.3, 343.1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct nccl_group group = cluster(rows[i].nodes);
        struct switch_row want[] = {{512, NCCL_TREE, NCCL_LL},
                                    {rows[i].ll128, NCCL_TREE, NCCL_LL128},
                                    {rows[i].tree, NCCL_NVLS_TREE, NCCL_SIMPLE},
                                    {rows[i].ring, NCCL_RING, NCCL_SIMPLE}};
        char name[32];
        snprintf(name, sizeof(name), "%lldx8 H100", (long long)rows[i].nodes);
        check_switches(name, &group, AR, 8 * GiB, want, rows[i].ring > 0 ? 4 : 3);
        double first = nccl_choose(&group, AR, 512).seconds * 1e6;
        cr_expect(fabs(first - rows[i].first) < 0.06, "%s: 512 B in %.2f us", name, first);
        double bus = GiB / nccl_choose(&group, AR, GiB).seconds * collective_bus_factor(AR, group.ranks) / 1e9;
        cr_expect(fabs(bus - rows[i].bus) < 0.06, "%s: 1 GiB at %.2f GB/s", name, bus);
    }
    struct nccl_group group = cluster(4);
    struct switch_row gather[] = {
        {512, NCCL_RING, NCCL_LL}, {1 * MiB, NCCL_RING, NCCL_LL128}, {128 * MiB, NCCL_RING, NCCL_SIMPLE}};
    check_switches("all-gather 4x8", &group, AG, 8 * GiB, gather, 3);
    double first = nccl_choose(&group, AG, 512).seconds * 1e6;
    double bus = GiB / nccl_choose(&group, AG, GiB).seconds * collective_bus_factor(AG, 32) / 1e9;
    cr_expect(fabs(first - 42.7) < 0.2 && fabs(bus - 364) < 0.5, "all-gather 4x8: %.1f us, %.1f GB/s", first, bus);
}

Test(nccl, multicast_by_ranks) {
    /* n = 2 ... 8; GB/s */
    const struct {
        enum nccl_generation generation;
        double ring[7], rule_a[7], bus_b[7], free[7];
        int64_t first_a, first_b; /* the least n at which NVLS is chosen for large sizes */
    } rows[] = {
        {NCCL_HOPPER,
         {360, 270, 240, 225, 216, 210, 205.714},
         {100, 150, 200, 250, 250, 233.333, 266.667},
         {102, 180, 240, 300, 360, 408, 476},
         {102, 204, 306, 408, 425, 408, 476},
         5,
         6},
        {NCCL_BLACKWELL,
         {720, 540, 480, 450, 432, 420, 411.429},
         {150, 225, 300, 375, 450, 525, 533.333},
         {133.2, 266.4, 360, 450, 540, 630, 720},
         {133.2, 266.4, 399.6, 532.8, 666, 799.2, 828.8},
         6,
         8},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int64_t n = 2; n <= 8; n++) {
            struct nccl_group a = nccl_node(rows[i].generation, n, RULE_A);
            struct nccl_group b = nccl_node(rows[i].generation, n, RULE_B);
            double factor = collective_bus_factor(AR, n);
            const double got[] = {
                nccl_law(&a, AR, NCCL_RING, NCCL_SIMPLE).bandwidth, nccl_law(&a, AR, NCCL_NVLS, NCCL_SIMPLE).bandwidth,
                nccl_law(&b, AR, NCCL_NVLS, NCCL_SIMPLE).bandwidth * factor, nccl_multicast_bus(rows[i].generation, n)};
            const double want[] = {rows[i].ring[n - 2], rows[i].rule_a[n - 2], rows[i].bus_b[n - 2],
                                   rows[i].free[n - 2]};
            for (size_t k = 0; k < 4; k++) {
                cr_expect(fabs(got[k] / 1e9 - want[k]) < 6e-4, "%s n=%lld column %zu: %.4f, want %.4f",
                          i == 0 ? "Hopper" : "Blackwell", (long long)n, k, got[k] / 1e9, want[k]);
            }
            bool nvls_a = nccl_choose(&a, AR, 16 * GiB).algorithm == NCCL_NVLS;
            bool nvls_b = nccl_choose(&b, AR, 16 * GiB).algorithm == NCCL_NVLS;
            cr_expect(nvls_a == (n >= rows[i].first_a), "%zu: rule A at n=%lld", i, (long long)n);
            cr_expect(nvls_b == (n >= rows[i].first_b), "%zu: rule B at n=%lld", i, (long long)n);
        }
    }
}

Test(nccl, links_and_protocols) {
    const struct {
        const char *name;
        double got, want;
    } rows[] = {
        {"PCIe 3 x16", nccl_pcie_rate(3, 16), 12e9},
        {"PCIe 4 x16", nccl_pcie_rate(4, 16), 24e9},
        {"PCIe 5 x16", nccl_pcie_rate(5, 16), 48e9},
        {"PCIe 6 x16", nccl_pcie_rate(6, 16), 96e9},
        {"PCIe 4 x8", nccl_pcie_rate(4, 8), 12e9},
        {"400 Gbit/s", nccl_nic_rate(400000), 50e9},
        {"unknown NIC", nccl_nic_rate(0), 1.25e9},
        {"unknown NIC, -1", nccl_nic_rate(-1), 1.25e9},
        {"LL128 wire", nccl_wire_bytes(NCCL_LL128, 120e6), 128e6},
        {"LL wire", nccl_wire_bytes(NCCL_LL, 1e6), 2e6},
        {"Simple wire", nccl_wire_bytes(NCCL_SIMPLE, 1e6), 1e6},
        {"LL128 128 MiB", floor(nccl_wire_bytes(NCCL_LL128, 128 * MiB) / 1e4), 14316},
        {"LL buffer", nccl_buffer_bytes(NCCL_LL), 512 * KiB},
        {"LL128 buffer", nccl_buffer_bytes(NCCL_LL128), 4915200},
        {"Simple buffer", nccl_buffer_bytes(NCCL_SIMPLE), 4 * MiB},
        {"132 tiles, 0 SMs", (double)nccl_waves(132, 132, 0), 1},
        {"132 tiles, 4 SMs", (double)nccl_waves(132, 132, 4), 2},
        {"132 tiles, 16 SMs", (double)nccl_waves(132, 132, 16), 2},
        {"132 tiles, 24 SMs", (double)nccl_waves(132, 132, 24), 2},
        {"1320 tiles, 0 SMs", (double)nccl_waves(1320, 132, 0), 10},
        {"1320 tiles, 4 SMs", (double)nccl_waves(1320, 132, 4), 11},
        {"1320 tiles, 16 SMs", (double)nccl_waves(1320, 132, 16), 12},
        {"1320 tiles, 24 SMs", (double)nccl_waves(1320, 132, 24), 13},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect(fabs(rows[i].got - rows[i].want) <= 1e-12 * rows[i].want, "%s: %g, want %g", rows[i].name,
                  rows[i].got, rows[i].want);
    }
}

Test(nccl, launch) {
    struct nccl_group group = nccl_node(NCCL_HOPPER, 8, RULE_B);
    const struct {
        enum nccl_algorithm algorithm;
        enum nccl_protocol protocol;
        double bytes;
        int64_t channels, threads;
    } rows[] = {
        {NCCL_RING, NCCL_SIMPLE, GiB, 12, 512},         {NCCL_RING, NCCL_SIMPLE, 4 * 512 * 64, 4, 512},
        {NCCL_RING, NCCL_LL, 512 * 8 * 8, 1, 512},      {NCCL_RING, NCCL_LL, 128 * 8 * 8, 1, 128},
        {NCCL_RING, NCCL_LL128, 12 * 640 * 8, 12, 640}, {NCCL_RING, NCCL_LL, 0, 1, 64},
        {NCCL_NVLS, NCCL_SIMPLE, GiB, 16, 512},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct nccl_choice choice = {rows[i].algorithm, rows[i].protocol, 0};
        struct nccl_launch launch = nccl_launch(&group, &choice, rows[i].bytes);
        cr_expect(launch.channels == rows[i].channels && launch.threads == rows[i].threads,
                  "row %zu: %lld channels, %lld threads", i, (long long)launch.channels, (long long)launch.threads);
    }
    struct nccl_group b200 = nccl_node(NCCL_BLACKWELL, 8, RULE_B);
    struct nccl_choice nvls = {NCCL_NVLS, NCCL_SIMPLE, 0};
    cr_expect(nccl_launch(&b200, &nvls, GiB).channels == 24);
}

/* Availability: what NCCL does not offer has no bandwidth. */
Test(nccl, availability) {
    struct nccl_group node = nccl_node(NCCL_HOPPER, 8, RULE_B);
    node.ll128 = false;
    cr_expect(nccl_law(&node, AR, NCCL_RING, NCCL_LL128).bandwidth == 0, "LL128 without its paths");
    cr_expect(nccl_law(&node, AR, NCCL_NVLS, NCCL_LL).bandwidth == 0, "NVLS with LL");
    cr_expect(nccl_law(&node, AG, NCCL_TREE, NCCL_SIMPLE).bandwidth == 0, "tree all-gather");
    cr_expect(nccl_law(&node, COLLECTIVE_ALL_TO_ALL, NCCL_RING, NCCL_SIMPLE).bandwidth == 0, "ring all-to-all");
    cr_expect(nccl_choose(&node, COLLECTIVE_BROADCAST, 1e6).algorithm == NCCL_RING);
    struct nccl_group group = cluster(4);
    group.collnet = true;
    cr_expect(nccl_law(&group, AR, NCCL_COLLNET_DIRECT, NCCL_SIMPLE).bandwidth == 0, "no CollNet graph");
    group.graphs[NCCL_COLLNET_DIRECT] = group.graphs[NCCL_COLLNET_CHAIN] = (struct nccl_graph){8, 40e9, 48e9, 0};
    struct nccl_law direct = nccl_law(&group, AR, NCCL_COLLNET_DIRECT, NCCL_SIMPLE);
    /* 320 GB/s over f = (8/8 + 1)/2 = 1, 0.85 on Hopper, bus to algorithm 1/2; 2 (3.7 + 0.4 7) + 31 us */
    cr_expect(fabs(direct.bandwidth - 136e9) < 1 && fabs(direct.latency - 44e-6) < 1e-12, "CollNet direct: %g %g",
              direct.latency, direct.bandwidth);
    struct nccl_law chain = nccl_law(&group, AR, NCCL_COLLNET_CHAIN, NCCL_SIMPLE);
    cr_expect(fabs(chain.latency - (2 * 7 * 2.8 + 30) * 1e-6) < 1e-12 && fabs(chain.bandwidth - 160e9) < 1);
    struct nccl_law nvls = nccl_law(&group, AR, NCCL_NVLS, NCCL_SIMPLE);
    cr_expect(fabs(nvls.latency - 43e-6) < 1e-12 && nvls.bandwidth > 0, "NVLS with CollNet: %g", nvls.latency);
    struct nccl_law halves = nccl_law(&group, AG, NCCL_COLLNET_DIRECT, NCCL_SIMPLE);
    cr_expect(fabs(halves.bandwidth - 8 * 40e9) < 1, "CollNet direct all-gather: %g", halves.bandwidth);
    group.graphs[NCCL_COLLNET_DIRECT].inter = 20e9;
    halves = nccl_law(&group, AG, NCCL_COLLNET_DIRECT, NCCL_SIMPLE);
    cr_expect(fabs(halves.bandwidth - 8 * 18e9) < 1, "the same, bound by 0.9 of the NICs: %g", halves.bandwidth);
    group.version = RULE_A;
    group.graphs[NCCL_NVLS].inter = 20e9;
    struct nccl_law gather = nccl_law(&group, AG, NCCL_NVLS, NCCL_SIMPLE);
    cr_expect(fabs(gather.bandwidth - 8 * 18e9 * 5 / 6) < 1, "NVLS all-gather, rule A: %g", gather.bandwidth);
    group.float8 = true;
    cr_expect(nccl_law(&group, AR, NCCL_RING, NCCL_SIMPLE).bandwidth == 0, "fp8 all-reduce by ring over 32 ranks");
    cr_expect(nccl_law(&group, AG, NCCL_RING, NCCL_SIMPLE).bandwidth > 0, "fp8 all-gather by ring");
    struct nccl_group thin = cluster(16); /* one GPU a node */
    thin.ranks = 16;
    thin.graphs[NCCL_PAT] = (struct nccl_graph){2, 24e9, 24e9, 0};
    struct nccl_law pat = nccl_law(&thin, AG, NCCL_PAT, NCCL_SIMPLE);
    cr_expect(fabs(pat.latency - (8 + 4 * 14 / 3.5 + 2.8 * 16) * 1e-6) < 1e-12 && fabs(pat.bandwidth - 36e9) < 1,
              "PAT: %g %g", pat.latency, pat.bandwidth);
}
