#include "cli/whatif.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "topology/topology.h"

#define TENTH_MORE 1.1

static void each_device(struct topology *topology, void (*change)(struct device *device)) {
    struct device *devices = topology->devices.items;
    for (size_t i = 0; i < topology->devices.count; i++) {
        change(&devices[i]);
    }
}

static void each_node(struct topology *topology, void (*change)(struct node_type *node)) {
    struct node_type *nodes = topology->nodes.items;
    for (size_t i = 0; i < topology->nodes.count; i++) {
        change(&nodes[i]);
    }
}

static void more_memory_rate(struct device *device) {
    device->hbm_bandwidth *= TENTH_MORE;
}
static void apply_memory_rate(struct topology *topology) {
    each_device(topology, more_memory_rate);
}

static void more_compute(struct device *device) {
    double *const peaks[] = {&device->peak.fp32, &device->peak.tf32, &device->peak.bf16,
                             &device->peak.fp16, &device->peak.fp8,  &device->peak.fp4};
    for (size_t i = 0; i < sizeof peaks / sizeof *peaks; i++) {
        *peaks[i] *= TENTH_MORE;
    }
}
static void apply_compute(struct topology *topology) {
    each_device(topology, more_compute);
}

static void faster_nics(struct node_type *node) {
    node->nics.rate *= 2;
}
static void apply_nics(struct topology *topology) {
    each_node(topology, faster_nics);
}

static void faster_scaleup(struct node_type *node) {
    node->scaleup.bandwidth *= 2;
}
static void apply_scaleup(struct topology *topology) {
    each_node(topology, faster_scaleup);
}

static void faster_launch(struct device *device) {
    device->kernels.launch /= 2;
    device->kernels.host_launch /= 2;
}
static void apply_launch(struct topology *topology) {
    each_device(topology, faster_launch);
}

static void shorter_wires(struct node_type *node) {
    node->scaleup.latency /= 2;
    node->nics.latency /= 2;
}
static void apply_latency(struct topology *topology) {
    struct tier *tiers = topology->fabric.tiers.items;
    each_node(topology, shorter_wires);
    for (size_t i = 0; i < topology->fabric.tiers.count; i++) {
        tiers[i].latency /= 2;
    }
    topology->library.base_latency /= 2;
}

static void apply_slack(struct topology *topology) {
    topology->runtime.slack = 0;
}

static void apply_jitter(struct topology *topology) {
    topology->runtime.jitter = 0;
}

static void apply_overlap(struct topology *topology) {
    topology->runtime.overlap_slowdown = 0;
}

static void apply_host(struct topology *topology) {
    topology->runtime.micro_batch_overhead = topology->runtime.step_overhead = 0;
}

const struct whatif whatifs[] = {
    {"compute", "compute rate +10%", apply_compute, "the devices' compute rate", TENTH_MORE},
    {"hbm_bandwidth", "memory bandwidth +10%", apply_memory_rate, "the devices' memory bandwidth",
     TENTH_MORE},
    {"nic_rate", "NIC rate x2", apply_nics, "the network between nodes", 2},
    {"scaleup_bandwidth", "scale-up bandwidth x2", apply_scaleup, "the links between devices of a node", 2},
    {"latency", "latency of links and collectives halved", apply_latency, "latency", 2},
    {"launch", "kernel launches halved", apply_launch, "kernel launches", 2},
    {"slack", "no slack around kernels", apply_slack, "slack around kernels: clocks, cold caches, gaps", 0},
    {"overlap_slowdown", "communication does not slow what it runs beside", apply_overlap,
     "contention between computation and communication", 0},
    {"jitter", "no synchronisation jitter", apply_jitter, "waiting of many nodes for the slowest", 0},
    {"host", "no host work around micro-batches and steps", apply_host, "the host", 0},
    {.key = NULL},
};

static struct list own(struct arena *arena, const struct list *list, size_t size) {
    char *items = arena_alloc(arena, list->count ? list->count : 1, size);
    if (list->count) {
        memcpy(items, list->items, list->count * size);
    }
    return (struct list){items, list->count};
}

/* The step on a machine of its own. */
static enum status ask(struct context *context, const struct simulating *simulating,
                       const struct simulate_options *options, const struct whatif *what, double *ret_seconds) {
    struct topology topology = *simulating->planning.topology;
    topology.devices = own(context->arena, &topology.devices, sizeof(struct device));
    topology.nodes = own(context->arena, &topology.nodes, sizeof(struct node_type));
    topology.groups = own(context->arena, &topology.groups, sizeof(struct group));
    topology.fabric.tiers = own(context->arena, &topology.fabric.tiers, sizeof(struct tier));
    what->apply(&topology);
    TRY(topology_complete(context->arena, &topology, NULL, context->diag));
    struct cost_context cost =
        cost_context_make(simulating->planning.model, &topology, simulating->planning.job);
    struct simulate_options brief = *options;
    brief.brief = true;
    brief.seeds = 1;
    struct simulation *simulation = ARENA_NEW(context->arena, struct simulation);
    TRY(simulate(context->arena, &cost, simulating->plan, &brief, simulation, context->diag));
    *ret_seconds = simulation->step_time;
    return OK;
}

enum status whatif_ask(struct context *context, const struct simulating *simulating,
                       const struct simulate_options *options, double step_time,
                       struct whatif_answer ret[WHATIFS_MOST], size_t *ret_count) {
    size_t count = 0;
    for (const struct whatif *what = whatifs; what->key; what++) {
        struct arena_place begin = arena_mark(context->arena);
        struct whatif_answer answer = {.what = what};
        TRY(ask(context, simulating, options, what, &answer.step_time));
        arena_rewind(context->arena, begin);
        answer.saved = 1 - answer.step_time / step_time;
        size_t at = count++;
        for (; at > 0 && ret[at - 1].saved < answer.saved; at--) {
            ret[at] = ret[at - 1];
        }
        ret[at] = answer;
    }
    *ret_count = count;
    return OK;
}

const char *whatif_binding(const struct whatif_answer *answers, size_t count) {
    const char *resource = NULL;
    double most = 0.001;
    for (size_t i = 0; i < count; i++) {
        double factor = answers[i].what->factor;
        double gain = factor > 1 ? answers[i].saved / log(factor) : 0;
        if (gain > most) {
            most = gain;
            resource = answers[i].what->resource;
        }
    }
    return resource;
}
