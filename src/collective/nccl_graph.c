/* What NCCL's graph search finds on one node, and the constants it counts links and buffers with.
 *
 * Rings: the search tries speeds from the top of a list until the rings fit the NVLink ports, then doubles the channels
 * at half the speed. On 8 GPUs it ends with 12 x 20 (A100), 12 x 30 (H100) and 16 x 45 GB/s (B200). NVLS: one head a
 * rank; a head takes 2 units of its own port and 1 of the others', so (n+1) heads' speeds must fit a port. From 2.28.3
 * on the NVLS law has a term for the network which is there on one node too: a second pass of the search raises it to
 * twice the head's speed or to the top of the list.
 *
 * NVIDIA/nccl: src/graph/search.cc (speed arrays, ncclTopoCompute), src/graph/topo.h (link rates), src/graph/topo.cc
 * (PCIe and NIC rates), src/graph/connect.cc, src/transport/nvls.cc, src/include/device.h (protocols, buffers),
 * src/enqueue.cc (channels and threads). */
#include "collective/nccl.h"

#include <math.h>
#include <stddef.h>

/* GB/s; ends with 0. */
static const double hopper_speeds[] = {60, 50, 40, 30, 24, 20, 15, 12, 11, 6, 3, 0};
static const double blackwell_speeds[] = {90, 80, 70, 60, 50, 45, 40, 30, 24, 20, 19, 18, 0};
static const double hopper_port = 18 * 20.6;
static const double blackwell_port = 18 * 40.1;
static const double nvls_efficiency[] = {0, 0, 0.85, 0.74};

static const double *speeds_of(enum nccl_generation generation) {
    return generation == NCCL_BLACKWELL ? blackwell_speeds : hopper_speeds;
}

double nccl_head_rate(enum nccl_generation generation, int64_t ranks) {
    if (generation < NCCL_HOPPER) {
        return 0;
    }
    double port = generation == NCCL_BLACKWELL ? blackwell_port : hopper_port;
    const double *speed = speeds_of(generation);
    while (*speed > 0 && (double)(ranks + 1) * *speed > port) {
        speed++;
    }
    return *speed * 1e9;
}

double nccl_multicast_bus(enum nccl_generation generation, int64_t ranks) {
    return 2 * nccl_head_rate(generation, ranks) * nvls_efficiency[generation] * (double)(ranks - 1);
}

struct nccl_group nccl_node(enum nccl_generation generation, int64_t ranks, int version) {
    static const struct nccl_graph rings[] = {
        {6, 20e9, 20e9, 0}, /* DGX-2: 6 links of 20 GB/s */
        {12, 20e9, 20e9, 0},
        {12, 30e9, 30e9, 0},
        {16, 45e9, 45e9, 0},
    };
    struct nccl_group group = {
        .version = version,
        .ranks = ranks,
        .nodes = 1,
        .generation = generation,
        .ll128 = true,
        .nvswitch = true,
        .same_channels = true,
    };
    group.graphs[NCCL_RING] = group.graphs[NCCL_TREE] = rings[generation];
    if (generation >= NCCL_HOPPER) {
        double head = nccl_head_rate(generation, ranks);
        const double *speed = speeds_of(generation);
        double inter = speed[0] * 1e9;
        for (size_t i = 0; speed[i] > 0 && speed[i] * 1e9 >= 2 * head; i++) {
            inter = speed[i] * 1e9;
        }
        group.graphs[NCCL_NVLS] = (struct nccl_graph){ranks, head, inter, 0};
    }
    return group;
}

double nccl_pcie_rate(int generation, int64_t lanes) {
    double lane = 0.75e9; /* generation 3: 60 units of 100 Mbit/s over 80 */
    for (int i = 3; i < generation; i++) {
        lane *= 2;
    }
    return lane * (double)lanes;
}

double nccl_nic_rate(double megabits) {
    return (megabits > 0 ? megabits : 10000) * 1e6 / 8;
}

/* LL: 4 bytes of data and 4 of flag; LL128: 120 and 8. */
double nccl_wire_bytes(enum nccl_protocol protocol, double bytes) {
    return protocol == NCCL_LL ? 2 * bytes : protocol == NCCL_LL128 ? bytes * 128 / 120 : bytes;
}

double nccl_buffer_bytes(enum nccl_protocol protocol) {
    return protocol == NCCL_LL ? 8 * 512 * 8 * 16 : protocol == NCCL_LL128 ? 120 * 640 * 8 * 8 : 4 * 1048576;
}

int64_t nccl_waves(int64_t tiles, int64_t sms, int64_t taken) {
    return taken < sms ? (tiles + sms - taken - 1) / (sms - taken) : INT64_MAX;
}

/* Thread blocks of NVLS kernels, by generation and nodes. */
static int64_t multicast_blocks(const struct nccl_group *group) {
    return group->generation < NCCL_BLACKWELL ? 16 : group->nodes > 1 ? 32 : 24;
}

/* Bytes that make one more thread worth starting. */
static double thread_bytes(const struct nccl_group *group, const struct nccl_choice *choice) {
    if (choice->algorithm == NCCL_COLLNET_DIRECT || choice->algorithm == NCCL_COLLNET_CHAIN) {
        return 512;
    }
    if (choice->protocol == NCCL_SIMPLE) {
        return 64;
    }
    return choice->protocol == NCCL_LL && choice->algorithm == NCCL_RING ? 8 * (double)group->ranks : 8;
}

static int64_t most_threads(const struct nccl_group *group, const struct nccl_choice *choice) {
    const struct nccl_graph *ring = &group->graphs[NCCL_RING];
    bool narrow = (double)ring->channels * ring->intra <= 12e9;
    if (choice->protocol == NCCL_SIMPLE && choice->algorithm == NCCL_RING && narrow) {
        return 256;
    }
    return choice->protocol == NCCL_LL128 ? 640 : 512;
}

struct nccl_launch nccl_launch(const struct nccl_group *group, const struct nccl_choice *choice, double bytes) {
    struct nccl_launch launch = {group->graphs[choice->algorithm].channels, most_threads(group, choice)};
    if (choice->algorithm == NCCL_NVLS || choice->algorithm == NCCL_NVLS_TREE) {
        launch.channels = multicast_blocks(group);
        return launch;
    }
    double worth = thread_bytes(group, choice);
    while (launch.channels > 1 && bytes < (double)(launch.channels * launch.threads) * worth) {
        launch.channels--;
    }
    while (launch.threads % 128 == 0 && bytes < (double)(launch.channels * launch.threads) * worth) {
        launch.threads /= 2;
    }
    return launch;
}
