/* Binomial tree; NCCL's double binary tree. */
#ifndef PARPLAN_COLLECTIVE_TREE_H
#define PARPLAN_COLLECTIVE_TREE_H

#include "collective/collective.h"

/* Broadcast or reduction, not pipelined: ceil(log2 n) (latency + S/rate). */
double binomial_seconds(int64_t size, double bytes, double rate, double latency);

/* Place of a rank in one of the two trees; -1 = none. */
struct tree_place {
    int64_t parent, child[2], depth;
};
/* `tree` 0: the binary tree of the powers of two, rooted at 0. 1: its mirror image for even n, shifted for odd. */
struct tree_place tree_place(int tree, int64_t size, int64_t rank);
/* Greatest egress of a rank over the two trees, in buffers: 1, 1.5, 2 for n = 2, 3, >= 4. */
double double_tree_factor(int64_t size);
/* Pipelined all-reduce: 2 ceil(log2 n) (latency + chunk/rate) + f(n) S/rate. */
double double_tree_seconds(int64_t size, double bytes, double rate, double latency, double chunk);

extern const struct algorithm binomial_algorithm;
extern const struct algorithm double_tree_algorithm;
extern const struct algorithm nvls_tree_algorithm;

#endif
