/* What runs on a cluster besides the model: the collective library, the training software's overheads, and how often
 * things break. */
#ifndef PARPLAN_TOPOLOGY_SOFTWARE_H
#define PARPLAN_TOPOLOGY_SOFTWARE_H

#include <stdint.h>

/* The collective library: what its algorithms reach here beyond the wire. */
enum library_kind { LIBRARY_NCCL, LIBRARY_RCCL, LIBRARY_HCCL, LIBRARY_XLA, LIBRARY_ANY };
struct library {
    int kind; /* enum library_kind; `name` in documents */
    const char *version, *source;
    int64_t channels;
    double buffer;          /* bytes per channel, peer and protocol */
    double communicator;    /* device bytes per communicator beyond channel buffers */
    double base_latency;    /* seconds per collective call */
    double all_to_all_efficiency; /* of scale-up and NIC rate, large messages */
};

/* What the training software adds around kernels. */
struct runtime {
    const char *source;
    double step_overhead;      /* seconds a step: logging, scheduler, data hand-over, gradient-norm synchronisation */
    double micro_batch_overhead; /* seconds of host work per micro-batch and chunk */
    double memory_rate;        /* of memory-bound kernels of training software over a plain copy */
    double slack;              /* kernels in training over alone, minus one: clocks, cold caches, gaps */
    double jitter;             /* relative slow-down of synchronised steps per doubling of nodes */
    double allocator_overhead; /* reserved over allocated bytes, minus one */
    double overlap_slowdown;   /* compute slow-down while a collective runs beside it */
    double error;              /* relative error of predicted step times, as validation measured it */
};

struct reliability { const char *source; double mtbf, restart, checkpoint_bandwidth; };

#endif
