/* What DualPipe and DualPipeV share (DeepSeek-V3 report, arXiv 2412.19437; deepseek-ai/DualPipe): micro-batches of two
 * phases meet on every rank and run as overlapped pairs. Ranks are counted by depth: 0 is where micro-batches enter,
 * half - 1 where both phases are neighbours. */
#ifndef PARPLAN_SCHEDULE_DUAL_H
#define PARPLAN_SCHEDULE_DUAL_H

#include "schedule/order.h"

/* Makespan of `passes` forwards and as many backwards on each rank of equal times:
 *
 *   (passes - 3 - k) tFB + 3T + k (3tF + tB + tW) + k max(0, tB - tW + c) + max(0, k (tB - tF + turns c) - tF) + hops c
 *
 * with k = half - 1. `hops` are met on the way in any case; `turns` is 2 where a V doubles a rank's messages. */
double dual_makespan(double passes, double k, double hops, double turns, const struct pass_times *times);

/* A rank and the ranks around it. */
struct dual_spot {
    double depth, half, micro_batches;            /* micro-batches of each phase */
    const struct pass_times *own, *outer, *inner; /* the others: sums over the ranks of less and of more depth */
    double entry_weight, innermost_weight;        /* weight gradient at depth 0 and half - 1 */
};

/* The critical path that stays with the rank, without latency: exact for equal ranks. */
double dual_path(const struct dual_spot *spot);

/* What latency adds for unequal ranks: the `hops` of equal ones as far as the surplus of the heaviest rank does not
 * hide them, and never less than `least` hops. Half the surplus hides, a value fitted to executed orders. */
double dual_latency(double hops, double least, const struct pipeline_load *load);

/* The row of a rank. Phase 0 is the one whose micro-batches reach the rank first. */
struct dual_row {
    int64_t depth, half, micro_batches; /* micro-batches of each phase */
    int32_t stage[2], way[2];           /* of each phase */
};

void dual_generate(const struct dual_row *row, struct pass_list *list);

#endif
