/* Pipeline schedules: one file each with the diagram, the rule, the closed form and where it is exact; their table.
 *
 * p ranks, m micro-batches, v chunks per rank; per chunk and micro-batch tF forward, tB input gradient, tW weight
 * gradient, T = tF + tB + tW, tD = tB + tW a full backward, c one-way latency between ranks. A message travels beside
 * computation (asynchronous send and receive) and delays only the pass that waits for it. */
#ifndef PARPLAN_SCHEDULE_SCHEDULE_H
#define PARPLAN_SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "schedule/load.h"
#include "schedule/placement.h"

struct arena;
struct order;
struct pass_list;
struct staleness;

struct schedule {
    const char *name, *doc;
    const char *(*refuse)(const struct schedule_shape *shape); /* NULL = legal, else the rule that is broken */
    /* Makespan of equal ranks from a cold start; exact where the file says so. Shapes must be legal, here and below. */
    double (*makespan)(const struct schedule_shape *shape, const struct pass_times *times);
    /* The same for unequal ranks, estimated; equals makespan where they are equal. Called by schedule_price. NULL:
     * makespan of the heaviest rank everywhere, corrected by what the others' passes differ in (spot.h). */
    double (*step)(const struct schedule_shape *shape, const struct pipeline_load *load);
    /* Most chunk activations held at once by `rank`, freed at the end of the (input gradient's) backward. */
    double (*in_flight)(const struct schedule_shape *shape, int64_t rank);
    /* The same, freed at the end of the weight gradient: what split backward keeps for it. Equal where not split. */
    double (*in_flight_to_weight)(const struct schedule_shape *shape, int64_t rank);
    /* Appends the passes of `rank` in the order it runs them; NULL: `arrange` makes all ranks' at once, into an order
     * whose counts are set. */
    void (*generate)(const struct schedule_shape *shape, int64_t rank, struct pass_list *list);
    void (*arrange)(struct arena *arena, const struct schedule_shape *shape, struct order *order);
    enum placement placement;
    int64_t ways;         /* ends at which micro-batches enter: 2 = both, half of them each */
    bool splits_backward; /* weight gradients are passes of their own */
    bool pairs;           /* forwards and backwards overlap in pairs */
    bool skips;           /* micro-batches leave out stages: bounds below do not hold */
    bool tapers;          /* no rank holds more chunk activations than the ranks before it */
    bool chunked;         /* more than one chunk a rank is possible */
    int64_t fixed_chunks; /* chunks a rank must have; 0 = any */
    bool searched;        /* part of `auto`; others are tried where they are named */
    const struct staleness *stale; /* weights are updated without waiting for all: async.h; NULL = synchronous */
};

extern const struct schedule *const schedules[]; /* NULL-terminated, in the order of their enum */
enum schedule_name {
    SCHEDULE_NONE,
    SCHEDULE_GPIPE,
    SCHEDULE_1F1B,
    SCHEDULE_INTERLEAVED,
    SCHEDULE_ZB_H1,
    SCHEDULE_ZB_H2,
    SCHEDULE_ZB_V,
    SCHEDULE_DUALPIPE,
    SCHEDULE_DUALPIPEV,
    SCHEDULE_GPIPE_FIFO,
    SCHEDULE_EAGER_1F1B,
    SCHEDULE_INTERLEAVED_ZB,
    SCHEDULE_CHIMERA,
    SCHEDULE_WAVE,
    SCHEDULE_PIPEDREAM,
    SCHEDULE_PIPEDREAM_2BW,
    SCHEDULE_PACI,
    SCHEDULE_ROUNDPIPE,
    SCHEDULE_SKIPPIPE,
    SCHEDULE_V_HALF,
    SCHEDULE_V_MIN,
    SCHEDULE_1F1B_V,
    SCHEDULE_ZB_AUTO,
    SCHEDULE_ZB_V_AUTO,
    SCHEDULE_VOCAB_1,
    SCHEDULE_VOCAB_2,
    SCHEDULE_COUNT
};
extern const char *const schedule_names[]; /* NULL-terminated, indexed by enum schedule_name */
const struct schedule *schedule_find(const char *name);

/* Makespan estimate for unequal ranks in O(1), never below schedule_bound_unequal. Exact for equal ranks wherever
 * `makespan` is. */
double schedule_price(const struct schedule *schedule, const struct schedule_shape *shape,
                      const struct pipeline_load *load);

/* The same from `ranks` times (each the mean over the chunks of a rank; their `hop` is not read), in O(p). */
double schedule_step(const struct schedule *schedule, const struct schedule_shape *shape,
                     const struct pass_times *per_rank, double hop);

/* No order of passes is faster: every rank works all its passes, the first and last micro-batch cross all stages.
 * `pairs`: forwards and backwards may overlap. */
double schedule_bound(const struct schedule_shape *shape, const struct pass_times *times, bool pairs);
double schedule_bound_unequal(const struct schedule_shape *shape, const struct pipeline_load *load, bool pairs);

#endif
