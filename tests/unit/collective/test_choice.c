/* The price of a collective on a span: hand-worked values, what is chosen where, the small and the large limit. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "../../property/collective_spans.h"

Test(choice, names) {
    size_t count = 0;
    for (; algorithms[count] != NULL; count++) {
        cr_expect(algorithm_find(algorithms[count]->name) == algorithms[count], "%s", algorithms[count]->name);
        cr_expect(algorithms[count]->doc != NULL && algorithms[count]->doc[0] != '\0');
    }
    cr_expect(count == 19, "%zu algorithms", count);
    cr_expect(algorithm_find("nothing") == NULL);
    for (enum collective kind = 0; kind < COLLECTIVE_KINDS; kind++) {
        cr_expect(collective_names[kind] != NULL);
    }
    cr_expect(collective_names[COLLECTIVE_KINDS] == NULL);
}

/* base + steps hop + wire + 2 sqrt(2.5 hop wire); on NVLink wire = steps S/(n rate) (1 + 0.4/steps)/(1 + 0.4/14) */
Test(choice, ring_by_hand) {
    struct span span = span_make(SCALEUP_SWITCH, 4, 1, LIBRARY_NCCL);
    span.multicast = false;
    double wire = 6 * 1e8 / (4 * 382e9) * (6.4 / 6) / (14.4 / 14);
    double want = 4e-6 + 6 * 0.85e-6 + wire + 2 * sqrt(2.5 * 0.85e-6 * wire);
    double got = collective_seconds(&span, COLLECTIVE_ALL_REDUCE, 1e8, NULL);
    cr_expect(fabs(got - want) < 1e-12 * want, "NVLink: %.9g, want %.9g", got, want);
    span = span_make(SCALEUP_SWITCH, 1, 16, LIBRARY_NCCL);
    wire = 15 * 1e9 / (16 * 48.5e9);
    want = 4e-6 + 15 * 5e-6 + wire + 2 * sqrt(2.5 * 5e-6 * wire);
    got = collective_seconds(&span, COLLECTIVE_REDUCE_SCATTER, 1e9, NULL);
    cr_expect(fabs(got - want) < 1e-12 * want, "one NIC each: %.9g, want %.9g", got, want);
    span = span_make(SCALEUP_SWITCH, 8, 4, LIBRARY_NCCL);
    wire = 31 * 1e9 / (32 * 382e9); /* 8 NICs carry 388 GB/s, NVLink 382; rings beyond 14 steps gain nothing */
    want = 4e-6 + 28 * 0.85e-6 + 3 * 5e-6 + wire + 2 * sqrt(2.5 * 5e-6 * wire);
    got = collective_seconds(&span, COLLECTIVE_ALL_GATHER, 1e9, NULL);
    cr_expect(fabs(got - want) < 1e-12 * want, "eight rails: %.9g, want %.9g", got, want);
}

Test(choice, send_by_hand) {
    struct span span = span_make(SCALEUP_SWITCH, 2, 1, LIBRARY_NCCL);
    double got = collective_seconds(&span, COLLECTIVE_SEND, 382e6, NULL);
    cr_expect(fabs(got - (4e-6 + 3 * 0.85e-6 + 1e-3)) < 1e-12, "NVLink: %.9g", got);
    span = span_make(SCALEUP_SWITCH, 1, 2, LIBRARY_NCCL);
    got = collective_seconds(&span, COLLECTIVE_SEND, 48.5e6, NULL);
    cr_expect(fabs(got - (4e-6 + 3 * 5e-6 + 1e-3)) < 1e-12, "NIC: %.9g", got);
    span = span_make(SCALEUP_MESH, 2, 1, LIBRARY_NCCL);
    got = collective_seconds(&span, COLLECTIVE_SEND, 382e6 / 7, NULL);
    cr_expect(fabs(got - (4e-6 + 3 * 0.85e-6 + 1e-3)) < 1e-12, "one xGMI link: %.9g", got);
}

Test(choice, who_wins) {
    const struct {
        const char *name;
        int64_t inner, outer;
        enum scaleup_kind scaleup;
        int library;
        enum collective kind;
        double bytes;
    } rows[] = {
        {"ring", 8, 1, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_REDUCE, 1e5},
        {"in_switch", 8, 1, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_REDUCE, 1e9},
        {"ring", 2, 1, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_REDUCE, 1e9},
        {"ring", 8, 1, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_GATHER, 1e7},
        {"ring", 8, 1, SCALEUP_MESH, LIBRARY_RCCL, COLLECTIVE_ALL_REDUCE, 1e9},
        {"direct", 8, 1, SCALEUP_MESH, LIBRARY_HCCL, COLLECTIVE_ALL_REDUCE, 1e9},
        {"double_tree", 8, 16, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_REDUCE, 1e4},
        {"nvls_tree", 8, 2, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_REDUCE, 1e9},
        {"ring", 8, 4, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_REDUCE, 64e9},
        {"double_tree", 1, 64, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_REDUCE, 1e6},
        {"ring", 1, 64, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_REDUCE_SCATTER, 1e6},
        {"halving_doubling", 8, 16, SCALEUP_SWITCH, LIBRARY_HCCL, COLLECTIVE_ALL_GATHER, 1e6},
        {"hierarchical", 8, 16, SCALEUP_MESH, LIBRARY_HCCL, COLLECTIVE_ALL_GATHER, 1e6},
        {"torus", 16, 1, SCALEUP_TORUS, LIBRARY_XLA, COLLECTIVE_ALL_REDUCE, 1e9},
        {"pairwise", 8, 1, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_TO_ALL, 1e8},
        {"two_level", 8, 16, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_TO_ALL, 1e5},
        {"pairwise", 8, 16, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_ALL_TO_ALL, 1e9},
        {"chain", 8, 4, SCALEUP_SWITCH, LIBRARY_NCCL, COLLECTIVE_BROADCAST, 1e9},
        {"send", 2, 1, SCALEUP_SWITCH, LIBRARY_XLA, COLLECTIVE_SEND, 1e6},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = span_make(rows[i].scaleup, rows[i].inner, rows[i].outer, rows[i].library);
        const struct algorithm *choice = NULL;
        collective_seconds(&span, rows[i].kind, rows[i].bytes, &choice);
        cr_expect(choice != NULL && strcmp(choice->name, rows[i].name) == 0, "row %zu, %s %lldx%lld %g B: %s, want %s",
                  i, collective_names[rows[i].kind], (long long)rows[i].outer, (long long)rows[i].inner, rows[i].bytes,
                  choice == NULL ? "none" : choice->name, rows[i].name);
    }
}

/* Large buffers reach the rates of the span: bus bandwidth over the rate, at 1 TB. */
Test(choice, large_limit) {
    const struct {
        const char *name;
        int64_t inner, outer;
        enum collective kind;
        double rate; /* bytes/s of bus bandwidth */
    } rows[] = {
        {"NVLS n=8", 8, 1, COLLECTIVE_ALL_REDUCE, 315e9 * 14 / 9},
        {"ring n=8", 8, 1, COLLECTIVE_REDUCE_SCATTER, 382e9},
        {"one NIC each", 1, 64, COLLECTIVE_ALL_GATHER, 48.5e9},
        {"own NIC all-to-all", 8, 8, COLLECTIVE_ALL_TO_ALL, 48.5e9 * 0.94 * 63 / 56},
        {"NVLink all-to-all", 8, 1, COLLECTIVE_ALL_TO_ALL, 382e9 * 0.94},
        {"broadcast on 8 rails", 8, 2, COLLECTIVE_BROADCAST, 382e9},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = span_make(SCALEUP_SWITCH, rows[i].inner, rows[i].outer, LIBRARY_NCCL);
        double bus =
            1e12 * collective_bus_factor(rows[i].kind, span.size) / collective_seconds(&span, rows[i].kind, 1e12, NULL);
        cr_expect(fabs(bus / rows[i].rate - 1) < 0.005, "%s: %.4g, want %.4g", rows[i].name, bus, rows[i].rate);
    }
}

Test(choice, bound_by_hand) {
    struct span node = span_make(SCALEUP_SWITCH, 8, 1, LIBRARY_NCCL);
    struct span rails = span_make(SCALEUP_SWITCH, 8, 4, LIBRARY_NCCL);
    struct span mesh = span_make(SCALEUP_MESH, 8, 1, LIBRARY_RCCL);
    const struct {
        const char *name;
        double got, want;
    } rows[] = {
        {"multicast all-reduce", collective_bound(&node, COLLECTIVE_ALL_REDUCE, 450e6), 1e-3},
        {"mesh all-reduce", collective_bound(&mesh, COLLECTIVE_ALL_REDUCE, 450e6), 1.75e-3},
        {"all-gather", collective_bound(&node, COLLECTIVE_ALL_GATHER, 450e6), 0.875e-3},
        {"8 NICs of 4 nodes", collective_bound(&rails, COLLECTIVE_ALL_REDUCE, 388e6), 1.5e-3},
        {"all-to-all, 4 nodes", collective_bound(&rails, COLLECTIVE_ALL_TO_ALL, 48.5e6), 0.75e-3},
        {"small", collective_bound(&rails, COLLECTIVE_ALL_REDUCE, 8), 5e-6},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect(fabs(rows[i].got - rows[i].want) < 1e-9 * rows[i].want, "%s: %g, want %g", rows[i].name, rows[i].got,
                  rows[i].want);
    }
}

/* A group over nodes without a network has no price, not the price zero. */
Test(choice, no_way) {
    struct span span = span_make(SCALEUP_SWITCH, 4, 2, LIBRARY_NCCL);
    span.outer_rate = span.outer_exchange = 0;
    for (enum collective kind = 0; kind < COLLECTIVE_KINDS; kind++) {
        const struct algorithm *choice = algorithms[0];
        double seconds = collective_seconds(&span, kind, 1e6, &choice);
        cr_expect(isinf(seconds) && choice == NULL, "%s: %g s", collective_names[kind], seconds);
    }
}
