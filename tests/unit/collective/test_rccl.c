/* RCCL's model of MI300X nodes, by hand from its constants. */
#include <criterion/criterion.h>
#include <math.h>

#include "collective/rccl.h"

Test(rccl, laws) {
    const struct {
        const char *name;
        enum collective kind;
        enum nccl_algorithm algorithm;
        enum nccl_protocol protocol;
        int64_t ranks, nodes;
        double microseconds, rate; /* with 7 channels of 48 GB/s */
    } rows[] = {
        {"ring LL", COLLECTIVE_ALL_REDUCE, NCCL_RING, NCCL_LL, 8, 1, 12 + 14 * 0.8, 192},
        {"ring Simple", COLLECTIVE_ALL_REDUCE, NCCL_RING, NCCL_SIMPLE, 8, 1, 17 + 14 * 2.1, 192},
        {"gather Simple", COLLECTIVE_ALL_GATHER, NCCL_RING, NCCL_SIMPLE, 8, 1, 17 + 7 * 2.1, 384},
        {"tree LL", COLLECTIVE_ALL_REDUCE, NCCL_TREE, NCCL_LL, 8, 1, 12 + 14 * 0.9, 168},
        {"tree Simple in a node", COLLECTIVE_ALL_REDUCE, NCCL_TREE, NCCL_SIMPLE, 8, 1, 0, 0},
        {"ring LL128", COLLECTIVE_ALL_REDUCE, NCCL_RING, NCCL_LL128, 8, 1, 0, 0},
        {"tree gather", COLLECTIVE_ALL_GATHER, NCCL_TREE, NCCL_LL, 16, 2, 0, 0},
        {"ring, two nodes", COLLECTIVE_ALL_REDUCE, NCCL_RING, NCCL_SIMPLE, 16, 2, 17 + 28 * 2.1 + 2 * 320,
         336 * 16 / 30.0},
        {"tree, four nodes", COLLECTIVE_ALL_REDUCE, NCCL_TREE, NCCL_SIMPLE, 32, 4, 17 + 2 * (7 * 2.3 + 2 * 25),
         336 * 0.59 / 2},
        {"ring LL, four nodes", COLLECTIVE_ALL_REDUCE, NCCL_RING, NCCL_LL, 32, 4, 12 + 56 * 0.8 + 6 * 9.5,
         336 * 0.08 * 32 / 62},
        {"one rank", COLLECTIVE_ALL_REDUCE, NCCL_RING, NCCL_LL, 1, 1, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct nccl_law law = rccl_law(rows[i].kind, rows[i].algorithm, rows[i].protocol, rows[i].ranks, rows[i].nodes,
                                       7, rccl_link_rate(RCCL_MI300));
        cr_expect(fabs(law.latency * 1e6 - rows[i].microseconds) < 1e-9, "%s: %g us, want %g", rows[i].name,
                  law.latency * 1e6, rows[i].microseconds);
        cr_expect(fabs(law.bandwidth / 1e9 - rows[i].rate) < 1e-9, "%s: %g GB/s, want %g", rows[i].name,
                  law.bandwidth / 1e9, rows[i].rate);
    }
    cr_expect(rccl_link_rate(RCCL_VEGA) == 24e9 && rccl_link_rate(RCCL_MI200) == 36e9);
}
