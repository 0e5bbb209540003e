/* The nodes of a search: every legal shape with every legal micro-batch, with bounds below all its configurations,
 * taken best bound first. What no rule allows, and what by its bound does not fit, is counted and left out at once. */
#ifndef PARPLAN_SEARCH_FRONTIER_H
#define PARPLAN_SEARCH_FRONTIER_H

#include "search/floor.h"

struct arena;

/* What became of configurations. */
struct tally {
    int64_t evaluated, pruned_memory, pruned_bound, pruned_rule;
    int64_t refused[RULES_MAX]; /* by place in rules[] */
    int64_t forbidden;          /* by the job */
};
void tally_add(struct tally *sum, const struct tally *part);

struct shape {
    struct parallel parallel;
    int64_t first_node;
    int32_t legal_count[2]; /* cuts without and with sequence parallelism */
};

struct search_node {
    double bound; /* of the first objective; infinite: nothing to explore */
    struct measure floor;
    int32_t shape;
    int32_t micro_batch; /* place in axes->micro_batch */
};

struct frontier {
    const struct search_space *space;
    struct shape *shapes;
    int64_t shape_count;
    struct search_node *nodes; /* a heap */
    int64_t count;
};

/* Lists shapes and nodes; the nodes have no bounds yet. Counts what rules about shapes refuse. */
void frontier_list(struct arena *arena, const struct search_space *space, struct frontier *ret, struct tally *tally);

/* Bounds the nodes of one shape and counts what its cuts and micro-batches refuse. For different shapes at once, each
 * worker with its own floors and tally. `objective` orders the nodes; without floors all bounds are 0. */
void frontier_bound(struct frontier *frontier, int64_t shape, enum objective objective, struct floors *floors,
                    struct shape_cuts *cuts, struct tally *tally);

/* Puts the bounded nodes in order. */
void frontier_order(struct frontier *frontier);

/* The node with the lowest bound; NULL when none is left. `frontier_take` removes it. */
const struct search_node *frontier_next(const struct frontier *frontier);
struct search_node frontier_take(struct frontier *frontier);

/* Configurations of a node that are legal and not forbidden. */
int64_t frontier_size(const struct frontier *frontier, const struct search_node *node);

/* Legal pairs of variant and ZeRO stage that the job does not forbid with this decision's shape, sp and micro-batch. */
int64_t search_pairs(const struct search_space *space, const struct decision *decision, const struct legality *legal);

#endif
