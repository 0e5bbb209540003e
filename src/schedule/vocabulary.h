/* Vocabulary Parallelism (Yeung et al., arXiv 2411.05288) on top of 1F1B: the embedding and the head are cut by
 * vocabulary over all p ranks, so that no rank has more of them than another. For every micro-batch each rank computes
 * its part of the logits (S) from the last stage's output and, when all have met, the rest (T: the gradients of its
 * part). With two barriers ("vocab-1") the last stage's backward waits for all T, with one ("vocab-2") only for all S.
 *
 * Every rank runs the same cycle of F, S, T and D, once a period P = tF + tD + tS + tT, rank i shifted by i (tF + c);
 * of the six cycles the one that ends first is taken, of equals the one that holds less. With x before or behind what
 * it waits for by whole periods, start(x, i, j) = i (tF + c) + position(x) + (k + j) P with the least k that all of x's
 * needs allow: F on F(i - 1), S on F(p - 1), T on the all-reduce behind S, D(p - 1) on that or the one behind T, D on
 * D(i + 1). The lists are these starts, sorted. */
#ifndef PARPLAN_SCHEDULE_VOCABULARY_H
#define PARPLAN_SCHEDULE_VOCABULARY_H

#include "schedule/order.h"

void vocabulary_arrange(struct arena *arena, const struct schedule_shape *shape, int64_t barriers,
                        struct order *order);
/* Of an order made for these times (shape->times; without them tF = tB = tW = 1, tS = tT = 1/4). */
double vocabulary_makespan(const struct schedule_shape *shape, const struct pass_times *times, int64_t barriers);
/* Exact where neither messages nor all-reduces take time, else no less than what any of the cycles holds. */
double vocabulary_in_flight(const struct schedule_shape *shape, int64_t barriers, int64_t rank);

#endif
