/* Pipeline schedules: one file each with the diagram, the rule and the closed form; the table of all.
 *
 * p ranks, m micro-batches, v chunks per rank; per chunk and micro-batch tF forward, tB input gradient, tW weight
 * gradient, c one-way latency between ranks (parallelism.md 1.0). */
#ifndef PARPLAN_SCHEDULE_SCHEDULE_H
#define PARPLAN_SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule_shape { int64_t ranks, micro_batches, chunks; };

/* Times in seconds (any one unit) of one chunk and micro-batch; tFB an overlapped forward-backward pair (DualPipe). */
struct pass_times { double forward, backward, weight, pair, hop; };

struct schedule {
    const char *name, *doc;
    const char *(*refuse)(const struct schedule_shape *shape); /* NULL = legal, else the rule that is broken */
    /* Makespan from a cold start; exact where the file says so, never below the true one's lower bound. */
    double (*makespan)(const struct schedule_shape *shape, const struct pass_times *times);
    /* Most chunk activations held at once by `rank`, freed at the end of the (input gradient's) backward. */
    double (*in_flight)(const struct schedule_shape *shape, int64_t rank);
    bool splits_backward;   /* weight gradients are passes of their own */
    bool chunked;           /* more than one chunk a rank is possible */
    int64_t fixed_chunks;   /* chunks a rank must have; 0 = any */
    double weight_copies;   /* parameters held per rank over one copy (DualPipe 2) */
    bool both_ends;         /* rank 0 holds embedding and head (V placement) */
};

extern const struct schedule *const schedules[]; /* NULL-terminated, in the order of their enum */
enum schedule_name {
    SCHEDULE_NONE, SCHEDULE_GPIPE, SCHEDULE_1F1B, SCHEDULE_INTERLEAVED, SCHEDULE_ZB_H1, SCHEDULE_ZB_H2, SCHEDULE_ZB_V,
    SCHEDULE_DUALPIPE, SCHEDULE_DUALPIPEV, SCHEDULE_COUNT
};
extern const char *const schedule_names[]; /* NULL-terminated, indexed by enum schedule_name */
const struct schedule *schedule_find(const char *name);

/* No order of passes is faster: every rank works all its passes, the first and last micro-batch cross all stages. */
double schedule_bound(const struct schedule_shape *shape, const struct pass_times *times);

#endif
