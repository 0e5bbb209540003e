/* RCCL's tuner (ROCm/rccl at 2.21.5: src/graph/tuning.cc, tuning model 5, which src/graph/rome_models.cc gives to
 * boards of 8 fully connected MI300X; src/graph/topo.h for the links):
 *
 *   latency    base + hops inside * hop + hops between nodes * hop; base 12, 12, 17 us (LL, LL128, Simple)
 *   bandwidth  channels * rate * ratio; ratio 1 to two nodes; beyond, tree 0.06 and 0.59 (LL, Simple), ring 0.08 and 1
 *
 * LL128 exists on gfx90a only; a Simple tree is not taken inside a node. */
#include "collective/rccl.h"

#include "collective/rate.h"

/* Nominal 50, 50 and 64 GB/s. */
static const double link_rates[] = {[RCCL_VEGA] = 24e9, [RCCL_MI200] = 36e9, [RCCL_MI300] = 48e9};

static const double base_latency[NCCL_PROTOCOLS] = {12, 12, 17};
static const double inside[2][NCCL_PROTOCOLS] = {[NCCL_TREE] = {0.9, 0, 2.3}, [NCCL_RING] = {0.8, 0, 2.1}};
static const double between[2][NCCL_PROTOCOLS] = {[NCCL_TREE] = {10.5, 0, 25}, [NCCL_RING] = {9.5, 0, 320}};
static const double ratio[2][NCCL_PROTOCOLS] = {[NCCL_TREE] = {0.06, 0, 0.59}, [NCCL_RING] = {0.08, 0, 1.0}};

double rccl_link_rate(enum rccl_generation generation) {
    return link_rates[generation];
}

static bool offered(enum collective kind, enum nccl_algorithm algorithm, enum nccl_protocol protocol, int64_t nodes) {
    if (protocol == NCCL_LL128) {
        return false;
    }
    if (algorithm == NCCL_TREE) {
        return kind == COLLECTIVE_ALL_REDUCE && !(nodes == 1 && protocol == NCCL_SIMPLE);
    }
    return algorithm == NCCL_RING &&
           (kind == COLLECTIVE_ALL_REDUCE || kind == COLLECTIVE_ALL_GATHER || kind == COLLECTIVE_REDUCE_SCATTER);
}

struct nccl_law rccl_law(enum collective kind, enum nccl_algorithm algorithm, enum nccl_protocol protocol,
                         int64_t ranks, int64_t nodes, double channels, double rate) {
    struct nccl_law law = {0, 0};
    if (ranks <= 1 || !offered(kind, algorithm, protocol, nodes)) {
        return law;
    }
    double hop = inside[algorithm][protocol];
    double net = between[algorithm][protocol];
    double bus = channels * rate * (nodes > 2 ? ratio[algorithm][protocol] : 1);
    if (algorithm == NCCL_TREE) {
        double local = (double)ranks / (double)nodes;
        law.latency = base_latency[protocol] + 2 * ((local - 1) * hop + (double)log2_floor(nodes) * net);
        law.bandwidth = bus / 2;
    } else {
        double steps = (double)ring_pass_steps(kind, ranks);
        double crossing = (double)ring_pass_steps(kind, nodes);
        law.latency = base_latency[protocol] + (steps - crossing) * hop + crossing * net;
        law.bandwidth = bus * (double)ranks / steps;
    }
    law.latency *= 1e-6;
    return law;
}
