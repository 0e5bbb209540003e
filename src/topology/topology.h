/* A cluster: devices, nodes, scale-up domains, NICs and the fabric between them.
 *
 *   device ×count ─ scale-up (NVLink switch, mesh, torus, PCIe) ─ node ─ NICs ─ leaf ─ spine ...
 *
 * Groups of like nodes make the cluster; ranks are numbered group by group, node by node, device by device. */
#ifndef PARPLAN_TOPOLOGY_TOPOLOGY_H
#define PARPLAN_TOPOLOGY_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/field.h"
#include "topology/device.h"
#include "topology/software.h"

struct node; /* yaml/document.h */
enum scaleup_kind {
    SCALEUP_SWITCH,    /* crossbar: NVSwitch, UB */
    SCALEUP_MESH,      /* every pair has its own link: MI300X, Ascend 910B */
    SCALEUP_CUBE_MESH, /* DGX-1 */
    SCALEUP_TORUS,     /* TPU */
    SCALEUP_PCIE,      /* through host bridges, P2P or staged in host memory */
    SCALEUP_PAIRS      /* NVLink bridges between pairs only, PCIe beyond */
};

struct scaleup {
    int kind;              /* enum scaleup_kind */
    double bandwidth;      /* bytes/s per device and direction, all its links together, nominal */
    double efficiency;     /* achieved by a large ring collective over nominal */
    bool peer_to_peer;     /* devices reach each other's memory; false: staged in host memory (PCIe without P2P) */
    double latency;        /* seconds, one hop device to device */
    int64_t domain;        /* devices in one scale-up domain; 0 = the node's; may span nodes (NVL72) */
    bool multicast;        /* in-switch reduction and multicast (NVLS) */
    double multicast_efficiency; /* NVLS all-reduce over the port's (n+1)/n law */
    struct list dims;      /* int64_t: torus extents */
    const char *source;
};

struct nics {
    int64_t count;         /* per node */
    double rate;           /* bytes/s each, per direction, nominal */
    double efficiency;     /* goodput of large messages over nominal */
    double latency;        /* seconds, device to device through one switch */
    bool rdma;             /* device memory direct; false: staged through the host */
    const char *transport, *source; /* transport: ib | roce | ethernet | efa | slingshot | dcn */
};

struct host {
    double memory, bandwidth; /* bytes; bytes/s of all memory channels together */
    double pcie_bandwidth;    /* bytes/s of large copies between one device and the host, per direction */
    double staging;           /* bytes/s that all devices together move through host memory; 0 = bandwidth / 4 */
    int64_t pcie_shared_by;   /* devices below one upstream port */
    int64_t sockets;
    const char *source;
};

struct node_type {
    const char *name, *device; /* device: name in devices */
    int64_t count;             /* devices per node */
    struct scaleup scaleup;
    struct nics nics;
    struct host host;
};

/* Switch levels above the NIC, from the leaf up. Traffic between nodes crosses the leaf; traffic between two blocks of
 * a tier leaves by its uplinks and crosses the tier above too. */
struct tier {
    const char *name;
    int64_t nodes;           /* nodes below one switch block of this tier; 0 = all */
    double latency;          /* seconds added by crossing it */
    double oversubscription; /* bandwidth below over bandwidth up, of this tier alone; 1 = full */
};

struct fabric { int kind; struct list tiers; const char *source; }; /* kind: enum fabric_kind; tiers: struct tier */
enum fabric_kind { FABRIC_RAIL, FABRIC_FAT_TREE, FABRIC_DRAGONFLY, FABRIC_FLAT, FABRIC_TORUS };

enum { TOPOLOGY_DEVICES = 10000000, TORUS_AXES = 4 }; /* more are refused */
/* Where a group lies and what it is made of; set by topology_complete, not part of the document. */
struct group_place {
    const struct node_type *node;
    const struct device *device;
    int64_t first, devices, cluster; /* first rank, ranks; ranks of the whole cluster */
    int64_t domain;                  /* devices of one scale-up domain as this group fills them */
    int64_t dims[TORUS_AXES];        /* torus: extents, fastest first, their product is `domain`; 1 beyond */
};

struct group { const char *name, *node; int64_t count; double derate; struct group_place place; };
/* Between two groups: bytes/s of all nodes together, per direction; seconds added. */
struct group_link { const char *from, *to, *source; double bandwidth, latency; };

struct topology {
    const char *name, *source;
    struct list devices;  /* struct device */
    struct list nodes;    /* struct node_type */
    struct list groups;   /* struct group */
    struct fabric fabric;
    struct list links;    /* struct group_link */
    struct library library;
    struct runtime runtime;
    struct reliability reliability;
};

extern const struct field topology_fields[];
extern const char *const scaleup_names[], *const fabric_names[]; /* by their enums; NULL-terminated */

enum status topology_load(struct arena *arena, struct node *root, struct topology *ret_topology, struct diag *diag)
    MUST_CHECK;
/* Checks every rule and fills derived defaults and group_place; `root` gives places, may be NULL. To be called again
 * after any change of devices, nodes or groups. */
enum status topology_complete(struct arena *arena, struct topology *topology, const struct node *root,
                              struct diag *diag) MUST_CHECK;

/* Scales to `nodes` or `devices` (0 = as it is) by the last group's count (a single node shrinks to fewer devices);
 * refuses counts that do not fill whole nodes. */
enum status topology_scale(struct arena *arena, struct topology *topology, int64_t nodes, int64_t devices,
                           struct diag *diag) MUST_CHECK;
int64_t topology_devices(const struct topology *topology);
int64_t topology_node_count(const struct topology *topology);
/* What a group consists of; group 0 is what a uniform cluster consists of. */
const struct node_type *topology_node(const struct topology *topology, int64_t group);
const struct device *topology_device(const struct topology *topology, int64_t group);
/* The group whose device is slowest by `dtype`, derates included: what a synchronous step waits for. */
int64_t topology_slowest(const struct topology *topology, enum dtype dtype);
bool topology_is_uniform(const struct topology *topology); /* one kind of node and device, no derates */

#endif
