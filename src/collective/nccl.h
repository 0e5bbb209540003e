/* NCCL's own analytic model: what its tuner believes a collective takes, and so which algorithm and protocol it picks.
 *
 * A prediction of NCCL's choice, not of the time: for times see collective_seconds. Versions are NCCL's codes: 22703 is
 * 2.27.3, 23007 is 2.30.7. Reductions over NVLink SHARP follow rule A up to 2.27 and rule B from 2.28.3 on. */
#ifndef PARPLAN_COLLECTIVE_NCCL_H
#define PARPLAN_COLLECTIVE_NCCL_H

#include <stdbool.h>
#include <stdint.h>

#include "collective/collective.h"

enum nccl_algorithm {
    NCCL_TREE,
    NCCL_RING,
    NCCL_COLLNET_DIRECT,
    NCCL_COLLNET_CHAIN,
    NCCL_NVLS,
    NCCL_NVLS_TREE,
    NCCL_PAT,
    NCCL_ALGORITHMS
};
enum nccl_protocol { NCCL_LL, NCCL_LL128, NCCL_SIMPLE, NCCL_PROTOCOLS };
enum nccl_generation { NCCL_VOLTA, NCCL_AMPERE, NCCL_HOPPER, NCCL_BLACKWELL, NCCL_GENERATIONS };
enum nccl_host { NCCL_HOST_INTEL, NCCL_HOST_AMD, NCCL_HOST_MIXED, NCCL_HOST_OTHER };
extern const char *const nccl_algorithm_names[], *const nccl_protocol_names[];

/* What the graph search found for an algorithm; rates of one channel in bytes/s. No channels: not available. */
struct nccl_graph {
    int64_t channels;
    double intra, inter;
    double latency_inter; /* seconds that the path to the NIC adds */
};

struct nccl_group {
    int version;
    int64_t ranks, nodes;
    enum nccl_generation generation; /* of the oldest GPU */
    enum nccl_host host;
    bool pci;   /* no NVLink inside the node */
    bool ll128; /* paths allow it: intra at most NVLink bridges, inter at most a PCIe switch (Hopper: PXN) */
    bool nvswitch;
    bool collnet;       /* a plugin offers in-network reduction */
    bool same_channels; /* all rings visit the ranks alike */
    bool plain_tree;    /* the tree graph fell back to the plain pattern */
    bool float8;        /* the reduction is in fp8 */
    struct nccl_graph graphs[NCCL_ALGORITHMS];
};

/* seconds = latency + bytes / bandwidth, bytes/s of algorithm bandwidth; bandwidth 0: not available. */
struct nccl_law {
    double latency, bandwidth;
};
struct nccl_law nccl_law(const struct nccl_group *group, enum collective kind, enum nccl_algorithm algorithm,
                         enum nccl_protocol protocol);

/* With the corrections by size that the query adds; HUGE_VAL where not available. */
double nccl_seconds(const struct nccl_group *group, enum collective kind, enum nccl_algorithm algorithm,
                    enum nccl_protocol protocol, double bytes);

struct nccl_choice {
    enum nccl_algorithm algorithm;
    enum nccl_protocol protocol;
    double seconds;
};
struct nccl_choice nccl_choose(const struct nccl_group *group, enum collective kind, double bytes);

/* Channels (thread blocks, one SM each) and threads of the kernel. */
struct nccl_launch {
    int64_t channels, threads;
};
struct nccl_launch nccl_launch(const struct nccl_group *group, const struct nccl_choice *choice, double bytes);

/* The graphs of one node of `ranks` GPUs behind NVSwitches; ranks 2 ... 8. */
struct nccl_group nccl_node(enum nccl_generation generation, int64_t ranks, int version);
/* The rate of one NVLS head: the largest of the search's speeds with (ranks+1) speed <= port. */
double nccl_head_rate(enum nccl_generation generation, int64_t ranks);
/* All-reduce bus bandwidth of NVLS that nothing but the heads limits: what nodes achieve, within 17 %. */
double nccl_multicast_bus(enum nccl_generation generation, int64_t ranks);

/* Bytes/s NCCL counts for a PCIe link (generation 3 ... 6) and for a NIC of so many Mbit/s (<= 0: unknown). */
double nccl_pcie_rate(int generation, int64_t lanes);
double nccl_nic_rate(double megabits);
/* Bytes on the wire for so many bytes of data; bytes of one channel's buffer. */
double nccl_wire_bytes(enum nccl_protocol protocol, double bytes);
double nccl_buffer_bytes(enum nccl_protocol protocol);
/* Waves of `tiles` thread blocks on `sms` SMs of which `taken` run a collective. */
int64_t nccl_waves(int64_t tiles, int64_t sms, int64_t taken);

#endif
