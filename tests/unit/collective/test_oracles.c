/* Closed forms against numbers worked out by hand: one row a case, seconds or bytes/s, relative tolerance 1e-9 unless
 * the row has its own. */
#include <criterion/criterion.h>
#include <math.h>

#include "collective/all_to_all.h"
#include "collective/bruck.h"
#include "collective/chain.h"
#include "collective/direct.h"
#include "collective/halving_doubling.h"
#include "collective/hierarchical.h"
#include "collective/in_switch.h"
#include "collective/ring.h"
#include "collective/send.h"
#include "collective/star.h"
#include "collective/torus.h"
#include "collective/tree.h"

static const enum collective AR = COLLECTIVE_ALL_REDUCE, AG = COLLECTIVE_ALL_GATHER, RS = COLLECTIVE_REDUCE_SCATTER,
                             A2A = COLLECTIVE_ALL_TO_ALL;

struct row {
    const char *name;
    double got, want, tolerance;
};

static void check(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double tolerance = rows[i].tolerance > 0 ? rows[i].tolerance : 1e-9;
        cr_expect(fabs(rows[i].got - rows[i].want) <= tolerance * fabs(rows[i].want), "%s: got %.12g, want %.12g",
                  rows[i].name, rows[i].got, rows[i].want);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

Test(oracles, send) {
    struct row rows[] = {
        {"one link", send_seconds(1e9, 50e9, 5e-6), 20.005e-3, 0},
        {"three hops, cut through", send_seconds(1e9, 50e9, 3e-6), 20.003e-3, 0},
        {"three hops, store and forward", send_stored_seconds(1e9, 50e9, 1e-6, 3), 60.003e-3, 0},
    };
    CHECK(rows);
}

Test(oracles, ring) {
    struct row rows[] = {
        {"all-reduce n=8", ring_seconds(AR, 8, 1e9, 50e9, 5e-6), 35.07e-3, 0},
        {"reduce-scatter n=8", ring_seconds(RS, 8, 1e9, 50e9, 5e-6), 17.535e-3, 0},
        {"all-gather n=8", ring_seconds(AG, 8, 1e9, 50e9, 5e-6), 17.535e-3, 0},
        {"all-reduce n=16", ring_seconds(AR, 16, 64e6, 25e9, 3e-6), 4.89e-3, 0},
        {"n=16, one link at half rate", ring_seconds(AR, 16, 64e6, 12.5e9, 3e-6), 9.69e-3, 0},
        {"two rings on the same links", ring_seconds(AR, 8, 1e9, 25e9, 0), 70e-3, 0},
        {"bidirectional n=8", bidirectional_ring_seconds(AR, 8, 1e9, 50e9, 0), 17.5e-3, 0},
        {"int8 10e9 over 14 sites at 1 Gbit/s", ring_seconds(AR, 14, 10e9, 125e6, 0), 148.571428571, 1e-8},
        {"star's rival n=8", ring_seconds(AR, 8, 1e6, 25e6, 1e-3), 84e-3, 0},
        {"bus bandwidth 8 H200", 512 * 1048576 / 2040.3e-6 * collective_bus_factor(AR, 8), 460.5e9, 2e-4},
        {"its algorithm bandwidth", 512 * 1048576 / 2040.3e-6, 263.1e9, 2e-4},
    };
    CHECK(rows);
}

Test(oracles, logarithmic) {
    struct row rows[] = {
        {"halving and doubling n=8", halving_doubling_seconds(AR, 8, 1e9, 50e9, 5e-6), 35.03e-3, 0},
        {"reduce-scatter n=8", halving_doubling_seconds(RS, 8, 1e9, 50e9, 5e-6), 17.515e-3, 0},
        {"n=6 folds 2 ranks", halving_doubling_seconds(AR, 6, 1e9, 50e9, 5e-6), 30.02e-3 + 40.01e-3, 0},
        {"recursive doubling n=8", recursive_doubling_seconds(8, 1e6, 50e9, 5e-6), 75e-6, 0},
        {"recursive doubling n=5", recursive_doubling_seconds(5, 1e6, 50e9, 5e-6), 100e-6, 0},
        {"bruck all-gather n=8", bruck_seconds(AG, 8, 1e9, 50e9, 5e-6), 17.515e-3, 0},
        {"bruck all-gather n=5", bruck_seconds(AG, 5, 1e9, 50e9, 5e-6), 16.015e-3, 0},
        {"bruck all-to-all n=8", bruck_seconds(A2A, 8, 1e9, 50e9, 5e-6), 3 * 5e-6 + 3 * 10e-3, 0},
        {"bruck all-to-all n=3", bruck_seconds(A2A, 3, 3e9, 50e9, 0), 40e-3, 0},
        {"binomial n=8", binomial_seconds(8, 1e9, 50e9, 5e-6), 60.015e-3, 0},
        {"binomial n=5", binomial_seconds(5, 1e9, 50e9, 5e-6), 60.015e-3, 0},
        {"double tree n=8", double_tree_seconds(8, 1e9, 50e9, 5e-6, 1e5), 6 * (5e-6 + 2e-6) + 40e-3, 0},
        {"double tree n=2", double_tree_seconds(2, 1e9, 50e9, 5e-6, 0), 10e-6 + 20e-3, 0},
        {"double tree n=3", double_tree_seconds(3, 1e9, 50e9, 0, 0), 30e-3, 0},
    };
    CHECK(rows);
}

Test(oracles, chain) {
    struct row rows[] = {
        {"n=4, 8 chunks", chain_seconds(4, 8, 1e9, 50e9, 5e-6), 25.05e-3, 0},
        {"n=8, best chunks", chain_chunks(8, 1e9, 50e9, 5e-6), 154.919333848, 1e-8},
        {"n=8, best", chain_best_seconds(8, 1e9, 50e9, 5e-6), 21.5792e-3, 1e-6},
        {"best equals the sum at the best chunks", chain_best_seconds(8, 1e9, 50e9, 5e-6),
         chain_seconds(8, chain_chunks(8, 1e9, 50e9, 5e-6), 1e9, 50e9, 5e-6), 0},
        {"small: one chunk", chain_best_seconds(8, 1e3, 50e9, 5e-6), 7 * (5e-6 + 20e-9), 0},
        {"n=2", chain_best_seconds(2, 1e9, 50e9, 5e-6), 20.005e-3, 0},
        {"scatter and all-gather n=8", scatter_gather_seconds(8, 1e9, 50e9, 5e-6), 10 * 5e-6 + 35e-3, 0},
    };
    CHECK(rows);
}

Test(oracles, in_switch) {
    struct row rows[] = {
        {"NVLS n=2", multicast_seconds(AR, 2, 1e9, 450e9, 0), 10e-3 / 3, 0},
        {"NVLS n=4", multicast_seconds(AR, 4, 1e9, 450e9, 0), 25e-3 / 9, 0},
        {"NVLS n=8", multicast_seconds(AR, 8, 1e9, 450e9, 0), 2.5e-3, 0},
        {"over the ring n=8", ring_seconds(AR, 8, 1e9, 450e9, 0) / multicast_seconds(AR, 8, 1e9, 450e9, 0), 14.0 / 9,
         0},
        {"NVLS all-gather n=8", multicast_seconds(AG, 8, 1e9, 450e9, 1e-6), 2e-6 + 0.875e9 / 450e9, 0},
        {"SHARP", aggregation_seconds(1e9, 50e9, 2, 0), 20e-3, 0},
        {"SHARP latency", aggregation_seconds(0, 50e9, 2, 1e-6), 4e-6, 0},
        {"ring, many ranks", ring_seconds(AR, INT64_C(1) << 40, 1e9, 50e9, 0), 40e-3, 0},
    };
    CHECK(rows);
}

Test(oracles, hierarchical) {
    struct levels four = hierarchical_levels(AR, 4, 4, 1e9, 450e9, 50e9);
    struct levels sixteen = hierarchical_levels(AR, 8, 16, 1e9, 450e9, 50e9);
    struct row rows[] = {
        {"g=4 N=4", four.inside + four.between, 10.8333333333e-3, 1e-9},
        {"g=8 N=16 in sequence", sixteen.inside + sixteen.between, 8.57638888889e-3, 1e-9},
        {"g=8 N=16 pipelined", fmax(sixteen.inside, sixteen.between), 4.6875e-3, 0},
        {"g=8 N=16 flat ring on 8 rails", rails_seconds(AR, 128, 1e9, 450e9, 50e9, 8), 4.9609375e-3, 0},
        {"rails above the NVLink rate", rails_seconds(AR, 128, 1e9, 300e9, 50e9, 8), 2 * 127.0 / 128 / 300, 0},
    };
    CHECK(rows);
}

Test(oracles, all_to_all) {
    struct taper one[] = {{4, 1}};
    struct taper two[] = {{4, 2}};
    struct taper four[] = {{4, 4}};
    struct row rows[] = {
        {"crossbar n=8", exchange_seconds(8, 1e9, 50e9, 5e-6), 17.505e-3, 0},
        {"pairwise n=8", pairwise_seconds(8, 1e9, 50e9, 5e-6), 17.535e-3, 0},
        {"g=4 N=4, own NIC", exchange_rails_seconds(4, 4, 1e9, 450e9, 50e9), 15e-3, 0},
        {"g=4 N=4, NVLink bound", exchange_rails_seconds(4, 4, 1e9, 5e9, 50e9), 3.0 / 16 / 5, 0},
        {"g=4 N=4, two levels", exchange_levels_seconds(4, 4, 1e9, 450e9, 50e9), 15e-3 + 0.75 / 450, 0},
        {"n=16, taper 1", exchange_tapered_seconds(16, 1.6e9, 50e9, one, 1), 30e-3, 0},
        {"n=16, taper 2", exchange_tapered_seconds(16, 1.6e9, 50e9, two, 1), 48e-3, 0},
        {"n=16, taper 4", exchange_tapered_seconds(16, 1.6e9, 50e9, four, 1), 96e-3, 0},
        {"mesh n=8", exchange_mesh_seconds(8, 1e9, 48e9), 1e9 / (8 * 48e9), 0},
    };
    CHECK(rows);
}

Test(oracles, torus) {
    int64_t extents[] = {8, 6, 5, 4, 4, 4, 3, 3};
    int64_t endless = INT64_C(1) << 40;
    double array = 2 * 1024 * 4096;
    struct row rows[] = {
        {"all-to-all ring 8", torus_exchange_seconds(&extents[0], 1, 1, 1), 1.0, 0},
        {"all-to-all ring 6", torus_exchange_seconds(&extents[1], 1, 1, 1), 0.75, 0},
        {"all-to-all ring 5", torus_exchange_seconds(&extents[2], 1, 1, 1), 0.6, 0},
        {"all-to-all 4x4", torus_exchange_seconds(&extents[3], 2, 1, 1), 0.5, 0},
        {"all-to-all 4x4x4", torus_exchange_seconds(&extents[3], 3, 1, 1), 0.5, 0},
        {"all-to-all 3x3", torus_exchange_seconds(&extents[6], 2, 1, 1), 1.0 / 3, 0},
        {"TPU v4p: gather a quarter over one axis", axis_gather_seconds(endless, array / 4, 45e9, 0), 23.3e-6, 2e-3},
        {"TPU v4p: gather over two axes", axis_gather_seconds(endless, array / 2, 45e9, 0), 46.6e-6, 2e-3},
        {"TPU v4p: all-reduce over one axis", bidirectional_ring_seconds(AR, endless, array, 45e9, 0), 186.4e-6, 2e-3},
        {"hops bound small gathers", axis_gather_seconds(16, 1, 45e9, 1e-6), 8e-6, 0},
        {"a line takes twice the ring", line_gather_seconds(4, 1e9, 45e9) / axis_gather_seconds(4, 1e9, 45e9, 0), 2, 0},
        {"4x4, all links", torus_reduce_seconds(16, 2, 1e9, 45e9), 2 * 15.0 / 16 / 180, 0},
        {"4x4, axes in sequence", torus_sequence_seconds(&extents[3], 2, 1e9, 45e9), 1.5 * 1.25 / 90, 0},
    };
    CHECK(rows);
}

Test(oracles, mesh) {
    double mesh = mesh_seconds(AR, 8, 1e9, 48e9, 0);
    struct row rows[] = {
        {"8 MI300X, 48 GB/s a link", mesh, 5.20833333333e-3, 1e-9},
        {"its bus bandwidth", 1e9 / mesh * collective_bus_factor(AR, 8), 336e9, 0},
        {"pass latencies", mesh_seconds(AR, 8, 0, 48e9, 1e-6), 2e-6, 0},
        {"crossbar reduce-scatter", crossbar_seconds(RS, 8, 1e9, 50e9, 1e-6), 1e-6 + 17.5e-3, 0},
    };
    CHECK(rows);
}

Test(oracles, star) {
    double crossover = star_crossover(8, 25e6, 1e-3);
    struct row rows[] = {
        {"all-reduce n=8", star_seconds(AR, 8, 1e6, 25e6, 1e-3), 562e-3, 0},
        {"crossover with the ring", crossover, 24489.7959184, 1e-9},
        {"both there", star_seconds(AR, 8, crossover, 25e6, 1e-3), 15.7142857143e-3, 1e-9},
        {"the ring there", ring_seconds(AR, 8, crossover, 25e6, 1e-3), 15.7142857143e-3, 1e-9},
    };
    CHECK(rows);
}

Test(oracles, bus_factor) {
    struct row rows[] = {
        {"all-reduce", collective_bus_factor(AR, 4), 1.5, 0},
        {"all-gather", collective_bus_factor(AG, 4), 0.75, 0},
        {"reduce-scatter", collective_bus_factor(RS, 4), 0.75, 0},
        {"all-to-all", collective_bus_factor(A2A, 4), 0.75, 0},
        {"broadcast", collective_bus_factor(COLLECTIVE_BROADCAST, 4), 1, 0},
        {"send", collective_bus_factor(COLLECTIVE_SEND, 4), 1, 0},
    };
    CHECK(rows);
}
