/* Schedules made of one building block, repeated (Qi et al., NeurIPS 2024, arXiv 2405.15362): two chunks a rank in V
 * placement; the passes of a micro-batch have fixed slots of one pass each, those of the next come six slots later, so
 * that no two ever meet and the number of activations alive never grows: it is the life of a micro-batch over the
 * period, summed over the chunks. Weight gradients take the slots that are left (p = 4, V-Half; f, b first chunk, F, B
 * second, numbers are micro-batches):
 *
 *   slot     0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 ...
 *   rank 0  f0 .. .. .. .. .. f1 .. .. .. F0 .. f2 .. B0 W0 F1 .. f3 .. B1 W1 F2 .. f4 b0 ...
 *   rank 1  .. .. f0 .. .. .. .. .. f1 F0 .. .. .. .. f2 F1 B0 W0 .. .. f3 F2 B1 W1 b0 w0 ...
 *
 * Passes at both ends of the run, where slots stay empty, then move forward into them as far as that does not need
 * more memory, and weight gradients are put where the rank would idle (fill.h). Orders do not depend on times. */
#ifndef PARPLAN_SCHEDULE_BUILDING_BLOCK_H
#define PARPLAN_SCHEDULE_BUILDING_BLOCK_H

#include "schedule/order.h"

/* Slots of micro-batch 0 on one rank. */
struct block_row {
    int64_t forward[2], backward[2]; /* of the first and the second chunk */
};

struct building_block {
    /* Fills the rows of all ranks. */
    void (*place)(int64_t ranks, struct block_row *rows);
    /* Most chunk activations that a rank may hold in a long run. */
    int64_t (*cap)(int64_t ranks);
    bool fused; /* full backwards, two slots long, in place of input and weight gradients */
};

extern const struct building_block block_v_half, block_v_min, block_1f1b_v;

/* The block repeated, nothing moved; the order's counts are set. */
void block_repeat(struct arena *arena, const struct building_block *block, struct order *order);
/* The schedule. */
void block_arrange(struct arena *arena, const struct building_block *block, const struct schedule_shape *shape,
                   struct order *order);
/* Most chunk activations of `rank` in a run of m micro-batches: at most what the block has, and no more than have come
 * before the first can leave. */
int64_t block_in_flight(const struct building_block *block, const struct schedule_shape *shape, int64_t rank);

/* Passes and hops of a critical path beyond the 2m of each that a rank runs. */
struct excess {
    double forward, backward, weight, hop;
};
/* The longest of the paths, and no less than the bound of all schedules. */
double block_makespan(const struct schedule_shape *shape, const struct pass_times *times, const struct excess *paths,
                      size_t count);

#endif
