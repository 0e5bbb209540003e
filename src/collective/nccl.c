/* NCCL's analytic model (NVIDIA/nccl, src/graph/tuning.cc, read at v2.27.7 and v2.30.7).
 *
 *   time = latency + bytes / bandwidth                           for every (collective, algorithm, protocol)
 *   bandwidth = channels * rate of a channel, cut by what the protocol and the GPU reach, turned from bus to algorithm
 *   latency = base + hops inside * hop + hops between nodes * hop
 *
 * Numbers below are NCCL's constants in its units, microseconds and GB/s. */
#include "collective/nccl.h"

#include <math.h>

#include "collective/rate.h"

enum { RULE_B = 22803, CORRECTIONS = 23 };

enum nccl_hop { HOP_NVLINK, HOP_PCI, HOP_NET, HOPS };

const char *const nccl_algorithm_names[] = {"tree", "ring", "collnet_direct", "collnet_chain", "nvls", "nvls_tree",
                                            "pat",  0};
const char *const nccl_protocol_names[] = {"ll", "ll128", "simple", 0};

static const double base_latency[NCCL_ALGORITHMS][NCCL_PROTOCOLS] = {
    [NCCL_TREE] = {6.8, 14.0, 8.4},
    [NCCL_RING] = {6.6, 14.0, 8.4},
    [NCCL_PAT] = {8.0, 8.0, 8.0},
};

static const double hop_latency[HOPS][NCCL_ALGORITHMS][NCCL_PROTOCOLS] = {
    [HOP_NVLINK] = {[NCCL_TREE] = {0.6, 1.25, 4.0},
                    [NCCL_RING] = {0.6, 1.9, 3.4},
                    [NCCL_COLLNET_DIRECT] = {0, 0, 3.7},
                    [NCCL_COLLNET_CHAIN] = {0, 0, 2.8},
                    [NCCL_NVLS] = {0, 0, 25},
                    [NCCL_NVLS_TREE] = {0, 0, 25},
                    [NCCL_PAT] = {0, 0, 4}},
    [HOP_PCI] = {[NCCL_TREE] = {1.0, 1.9, 4.0},
                 [NCCL_RING] = {1.0, 2.5, 5.7},
                 [NCCL_COLLNET_DIRECT] = {0, 0, 3.7},
                 [NCCL_COLLNET_CHAIN] = {0, 0, 2.8},
                 [NCCL_PAT] = {0, 0, 4}},
    [HOP_NET] = {[NCCL_TREE] = {5.0, 8.5, 14},
                 [NCCL_RING] = {2.7, 4.0, 14},
                 [NCCL_COLLNET_DIRECT] = {0, 0, 31},
                 [NCCL_COLLNET_CHAIN] = {0, 0, 30},
                 [NCCL_NVLS] = {0, 0, 18},
                 [NCCL_NVLS_TREE] = {0, 0, 20.9},
                 [NCCL_PAT] = {0, 0, 14}},
};

/* Caps by generation and scale (1, 2, more nodes): LL of the whole communicator, the others of one channel. */
static const double ll_cap[NCCL_GENERATIONS][3] = {{39, 39, 20.4}, {87.7, 22.5, 19}, {141, 45, 35}, {282, 90, 70}};
static const double ring_ll128_cap[NCCL_GENERATIONS] = {20, 20, 36.7, 40};
static const double tree_ll128_cap[NCCL_GENERATIONS][3] = {
    {20, 20, 20}, {20, 20, 20}, {36.7, 36.7, 29}, {55.6, 31.67, 20}};
static const double tree_simple_cap[NCCL_GENERATIONS][3] = {
    {26.5, 18.5, 10}, {24, 23.6, 17.8}, {38.7, 41.4, 36}, {70, 42.8, 24}};
static const double nvls_tree_cap[NCCL_GENERATIONS][3] = {
    {26.5, 18.5, 10}, {24, 23.6, 17.8}, {0, 57.7, 45.5}, {0, 96, 80}};
static const double nvls_efficiency[NCCL_GENERATIONS] = {0, 0, 0.85, 0.74};

/* Trees at 64 B, 128 B, ... 256 MiB. */
static const double tree_correction[NCCL_PROTOCOLS][CORRECTIONS + 1] = {
    {1, 1, 1, 1, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1, 1, 1, 1, 1},
    {1, 1, 1, 1, 1, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1, 1, 1},
    {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5, .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9, .9}};

static int scale_of(const struct nccl_group *group) {
    return group->nodes <= 1 ? 0 : group->nodes == 2 ? 1 : 2;
}

static double local_ranks(const struct nccl_group *group) {
    return (double)group->ranks / (double)group->nodes;
}

static bool halves(enum collective kind) {
    return kind == COLLECTIVE_ALL_GATHER || kind == COLLECTIVE_REDUCE_SCATTER;
}

static double steps_of(enum collective kind, int64_t count) {
    if (kind == COLLECTIVE_ALL_REDUCE) {
        return 2 * (double)(count - 1);
    }
    return halves(kind) ? (double)(count - 1) : (double)count;
}

/* Ring and tree: bus bandwidth in GB/s. */
static double ring_bus(const struct nccl_group *group, enum nccl_protocol protocol, double bus) {
    double channels = (double)group->graphs[NCCL_RING].channels;
    if (protocol == NCCL_LL) {
        bool amd = group->host == NCCL_HOST_AMD || group->host == NCCL_HOST_MIXED;
        int row = group->nodes == 1 ? (int)group->generation : amd ? NCCL_AMPERE : NCCL_VOLTA;
        return fmin(ll_cap[row][scale_of(group)], bus / 2);
    }
    return protocol == NCCL_LL128 ? fmin(0.92 * bus, channels * ring_ll128_cap[group->generation]) : bus;
}

static double tree_bus(const struct nccl_group *group, enum nccl_protocol protocol, double bus) {
    double channels = (double)group->graphs[NCCL_TREE].channels;
    int scale = scale_of(group);
    bus = fmin(0.92 * bus, channels * tree_simple_cap[group->generation][scale]);
    if (protocol == NCCL_LL) {
        bool amd = group->host == NCCL_HOST_AMD || group->host == NCCL_HOST_MIXED;
        int row = group->nodes == 1 ? (int)group->generation : amd ? NCCL_AMPERE : NCCL_VOLTA;
        bus = fmin(bus / 3.8, ll_cap[row][scale]);
    } else if (protocol == NCCL_LL128) {
        double payload = group->nodes == 1 ? 7.0 / 9 : 120.0 / 128;
        bus = fmin(bus * payload, channels * tree_ll128_cap[group->generation][scale]);
    }
    return group->plain_tree ? 0.85 * bus : bus;
}

/* NVLS and NVLS tree, GB/s of one channel. */
static double multicast_rate_a(const struct nccl_group *group, enum collective kind, bool tree, double intra,
                               double inter) {
    double g = local_ranks(group);
    if (tree) {
        return fmin(intra, group->nodes <= 2 ? inter : inter / 2);
    }
    return kind == COLLECTIVE_ALL_REDUCE ? fmin(intra, inter) : fmin(intra * (g - 1) / g, 0.9 * inter);
}

static double multicast_rate_b(const struct nccl_group *group, enum collective kind, bool tree, double intra,
                               double inter) {
    double channels = (double)group->graphs[tree ? NCCL_NVLS_TREE : NCCL_NVLS].channels;
    double g = local_ranks(group);
    intra *= nvls_efficiency[group->generation] * (channels - 1) / channels;
    intra *= kind == COLLECTIVE_ALL_REDUCE ? 2 : (g - 1) / g;
    double rate = fmin(intra, tree && group->nodes <= 2 ? 2 * inter : inter);
    return tree ? fmin(rate, nvls_tree_cap[group->generation][scale_of(group)]) : rate;
}

/* Algorithm bandwidth, GB/s; the rates of the graph come in GB/s. */
static double bandwidth_of(const struct nccl_group *group, enum collective kind, enum nccl_algorithm algorithm,
                           enum nccl_protocol protocol) {
    const struct nccl_graph *graph = &group->graphs[algorithm];
    double intra = graph->intra / 1e9;
    double inter = graph->inter / 1e9;
    double channels = (double)graph->channels;
    double n = (double)group->ranks;
    double steps = steps_of(kind, group->ranks);
    bool collnet = algorithm == NCCL_COLLNET_DIRECT || algorithm == NCCL_COLLNET_CHAIN;
    double bus = channels * (group->nodes <= 2 || collnet ? intra : inter);
    bool rule_b = group->version >= RULE_B;
    double g = local_ranks(group);
    switch (algorithm) {
    case NCCL_RING:
        return ring_bus(group, protocol, bus) * n / steps;
    case NCCL_TREE:
        return tree_bus(group, protocol, bus) / 2;
    case NCCL_NVLS:
    case NCCL_NVLS_TREE: {
        bool tree = algorithm == NCCL_NVLS_TREE;
        double rate = rule_b ? multicast_rate_b(group, kind, tree, intra, inter)
                             : multicast_rate_a(group, kind, tree, intra, inter);
        return channels * rate * (rule_b ? n / steps : 5.0 / 6);
    }
    case NCCL_COLLNET_DIRECT:
        if (halves(kind)) {
            return g * fmin(intra, 0.9 * inter);
        }
        return bus / ((g / channels + 1) / 2) * (group->generation >= NCCL_HOPPER ? 0.85 : 1) / 2;
    case NCCL_PAT:
        return 0.75 * bus;
    case NCCL_COLLNET_CHAIN:
    case NCCL_ALGORITHMS:
        break;
    }
    return bus / 2;
}

/* Microseconds of ring broadcast and reduction: one hop if all channels visit the ranks alike, else a hop a rank. */
static double chain_latency(const struct nccl_group *group, enum nccl_protocol protocol, enum nccl_hop inside) {
    enum nccl_hop hop = group->nodes == 1 ? inside : HOP_NET;
    if (group->same_channels) {
        return hop_latency[hop][NCCL_RING][protocol];
    }
    enum nccl_algorithm row = protocol == NCCL_SIMPLE ? NCCL_TREE : NCCL_RING;
    return (double)group->ranks * hop_latency[hop][row][protocol];
}

static double ring_latency(const struct nccl_group *group, enum collective kind, enum nccl_protocol protocol,
                           double intra, double inter) {
    double post = 0; /* of a network send, which hides the hop inside */
    if (group->nodes > 1) {
        post = (group->host == NCCL_HOST_AMD ? 2 : 1) * (protocol == NCCL_SIMPLE ? 3 : 1);
    }
    double between = group->nodes > 1 ? steps_of(kind, group->nodes) : 0;
    return (steps_of(kind, group->ranks) - between) * fmax(intra, post) + between * inter;
}

static double latency_of(const struct nccl_group *group, enum collective kind, enum nccl_algorithm algorithm,
                         enum nccl_protocol protocol) {
    enum nccl_hop inside = group->pci ? HOP_PCI : HOP_NVLINK;
    double g = local_ranks(group);
    double levels = (double)log2_floor(group->nodes);
    double base = base_latency[algorithm][protocol];
    double intra = hop_latency[inside][algorithm][protocol];
    double added = group->graphs[algorithm].latency_inter * 1e6 * (protocol == NCCL_SIMPLE ? 2 : 1);
    double inter = hop_latency[HOP_NET][group->ranks == group->nodes ? NCCL_TREE : algorithm][protocol] + added;
    switch (algorithm) {
    case NCCL_RING:
        if (kind == COLLECTIVE_BROADCAST || kind == COLLECTIVE_REDUCE) {
            return base + chain_latency(group, protocol, inside);
        }
        return base + ring_latency(group, kind, protocol, intra, inter);
    case NCCL_TREE:
        return base + 2 * ((g - 1) * intra + levels * inter);
    case NCCL_NVLS:
        return intra + (group->nodes > 1 ? inter : 0);
    case NCCL_NVLS_TREE:
        return intra + 2 * levels * (group->version >= RULE_B ? inter : 14 + added);
    case NCCL_COLLNET_DIRECT:
        return 2 * (fmin(1, g - 1) * intra + 0.4 * (g - 1)) + inter;
    case NCCL_COLLNET_CHAIN:
        return 2 * (g - 1) * intra + inter;
    case NCCL_PAT:
        return base + levels * inter / 3.5 + 2.8 * (double)group->ranks;
    case NCCL_ALGORITHMS:
        break;
    }
    return base;
}

/* Reductions in fp8 keep away from rings beyond 8 ranks. */
static bool has_ring(const struct nccl_group *group, enum collective kind) {
    bool moves = kind == COLLECTIVE_ALL_GATHER || kind == COLLECTIVE_BROADCAST;
    bool reduces = kind == COLLECTIVE_ALL_REDUCE || kind == COLLECTIVE_REDUCE_SCATTER || kind == COLLECTIVE_REDUCE;
    return moves || (reduces && !(group->float8 && group->ranks > 8));
}

static bool has_algorithm(const struct nccl_group *group, enum collective kind, enum nccl_algorithm algorithm) {
    bool several = group->nodes > 1;
    bool all = kind == COLLECTIVE_ALL_REDUCE;
    bool parts = all || halves(kind);
    bool heads = group->graphs[algorithm].channels >= 2;
    switch (algorithm) {
    case NCCL_RING:
        return has_ring(group, kind);
    case NCCL_TREE:
        return all;
    case NCCL_NVLS:
        return parts && heads && (!several || group->collnet);
    case NCCL_NVLS_TREE:
        return all && several && heads;
    case NCCL_COLLNET_DIRECT:
        return parts && several && group->collnet && group->nvswitch;
    case NCCL_COLLNET_CHAIN:
        return all && several && group->collnet;
    case NCCL_PAT:
        return halves(kind) && several && group->ranks == group->nodes;
    case NCCL_ALGORITHMS:
        break;
    }
    return false;
}

static bool has_protocol(const struct nccl_group *group, enum nccl_algorithm algorithm, enum nccl_protocol protocol) {
    if (algorithm != NCCL_RING && algorithm != NCCL_TREE) {
        return protocol == NCCL_SIMPLE;
    }
    return protocol != NCCL_LL128 || group->ll128;
}

struct nccl_law nccl_law(const struct nccl_group *group, enum collective kind, enum nccl_algorithm algorithm,
                         enum nccl_protocol protocol) {
    struct nccl_law law = {0, 0};
    if (group->ranks > 1 && group->graphs[algorithm].channels > 0 && has_algorithm(group, kind, algorithm) &&
        has_protocol(group, algorithm, protocol)) {
        law.latency = latency_of(group, kind, algorithm, protocol) * 1e-6;
        law.bandwidth = bandwidth_of(group, kind, algorithm, protocol) * 1e9;
    }
    return law;
}

double nccl_seconds(const struct nccl_group *group, enum collective kind, enum nccl_algorithm algorithm,
                    enum nccl_protocol protocol, double bytes) {
    struct nccl_law law = nccl_law(group, kind, algorithm, protocol);
    if (!(law.bandwidth > 0)) {
        return HUGE_VAL;
    }
    bool x86 = group->host != NCCL_HOST_OTHER;
    bool corrected =
        algorithm == NCCL_TREE || (algorithm == NCCL_NVLS_TREE && x86 && group->generation == NCCL_BLACKWELL);
    int64_t size = log2_floor((int64_t)(bytes / 64));
    if (corrected && size < CORRECTIONS) {
        law.bandwidth *= tree_correction[protocol][size];
    }
    double channels = (double)group->graphs[algorithm].channels;
    if (algorithm == NCCL_RING && protocol == NCCL_SIMPLE && kind == COLLECTIVE_ALL_REDUCE && group->nodes > 1 &&
        bytes / (channels * (double)group->ranks) >= 64) {
        law.latency *= group->generation < NCCL_AMPERE ? 1.9 : 1.4;
    }
    return law.latency + bytes / law.bandwidth;
}

struct nccl_choice nccl_choose(const struct nccl_group *group, enum collective kind, double bytes) {
    struct nccl_choice choice = {NCCL_RING, NCCL_SIMPLE, HUGE_VAL};
    for (enum nccl_algorithm algorithm = 0; algorithm < NCCL_ALGORITHMS; algorithm++) {
        for (enum nccl_protocol protocol = 0; protocol < NCCL_PROTOCOLS; protocol++) {
            double seconds = nccl_seconds(group, kind, algorithm, protocol, bytes);
            if (seconds < choice.seconds) {
                choice = (struct nccl_choice){algorithm, protocol, seconds};
            }
        }
    }
    return choice;
}
