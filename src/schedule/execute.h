/* Runs an order of passes in time, each rank strictly in its order:
 *
 *   start(i) = max(end(previous on the rank), max over dependencies (end + hop if on another rank))
 *
 * Dependencies: F(s, j) on F(s-1, j); B(s, j) on F(s, j) and B(s+1, j); W(s, j) on B(s, j). A full backward and an
 * overlapped pair hand on their results at their end. Ranks and stages may be unequal. Micro-batches that skip stages
 * follow their own path (order->before).
 *
 * With the vocabulary spread over all ranks (arXiv:2411.05288, section 5) the last stage's forward goes to every rank:
 * S(r, j) on F(last, j); C1(j) = latest end of S(r, j) + all-reduce; T(r, j) on C1(j); the last stage's B(j) on C1(j)
 * with one barrier, on C2(j) = latest end of T(r, j) + all-reduce with two. */
#ifndef PARPLAN_SCHEDULE_EXECUTE_H
#define PARPLAN_SCHEDULE_EXECUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "schedule/order.h"

struct stage_costs {
    const double *forward, *backward, *weight; /* of each stage of the whole model */
    const double *pair;                        /* of each rank; NULL: an overlapped pair takes what its parts take */
    double hop;
    double shard, shard_end, barrier;          /* S and T of a rank, and an all-reduce; 0 without spread vocabulary */
};

struct rank_run {
    double start, end, busy;  /* first start, last end, time in passes */
    int64_t held_to_backward; /* most chunk activations alive at once, freed at the end of B or BW */
    int64_t held_to_weight;   /* the same, freed at the end of W or BW */
};

struct execution {
    double makespan; /* latest end, from time 0 */
    double span;     /* longest (end - start) of a rank */
    const struct rank_run *ranks;
    const double *starts, *ends; /* of each pass, as order->passes */
    const int64_t *reached;      /* of each rank: the pass it could not run, or the end of its list */
};

/* False: no rank can go on (deadlock); `reached` tells at which passes, the rest is filled as far as it went. */
bool order_execute(struct arena *arena, const struct order *order, const struct stage_costs *costs,
                   struct execution *ret_execution);

/* Idle time over all ranks as a part of ranks x makespan; the largest idle part of any rank's own span. */
double execution_bubble(const struct execution *execution, int64_t ranks);
double execution_span_bubble(const struct execution *execution, int64_t ranks);

#endif
