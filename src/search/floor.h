/* What a shape costs at least with a micro-batch size: the bounds of cost/bound.h, put together from parts that many
 * shapes share.
 *
 *   (tp, cp)                     rest of the layers, embedding, head      each sequence choice and micro-batch
 *   (tp, cp, ep, etp)            experts                                  sp and micro-batch
 *   shape (with pp, dp)          exchanges, model states                  best of its mesh orders
 *   node: shape and micro-batch  seconds and bytes of each sequence choice and recomputation, and the best of them
 */
#ifndef PARPLAN_SEARCH_FLOOR_H
#define PARPLAN_SEARCH_FLOOR_H

#include "search/cuts.h"
#include "search/objective.h"
#include "search/pipeline.h"
#include "search/space.h"

struct arena;
struct constraint;

/* What a search over many shapes shares, read-only. */
struct search_space {
    const struct cost_context *context;
    const struct space_axes *axes;
    const struct pipelines *pipelines;
    const struct constraint *constraint; /* NULL = none */
    double memory_limit;                 /* bytes a rank may fill */
    double longest;                      /* seconds a step may take */
    bool wants_bytes, wants_compute;     /* objectives ask for more than seconds */
};

/* Bounds of one sequence choice and recomputation. */
struct floor {
    double plain, overlapped; /* seconds of a step whose schedule does not, does overlap passes */
    double bytes, compute;
};

struct floors;
struct floors *floors_open(struct arena *arena, const struct search_space *space);

/* Turns to a shape; `cuts` must stay. */
void floors_shape(struct floors *floors, const struct parallel *shape, const struct shape_cuts *cuts);

/* Of the shape with the micro-batch: the least of every measure over what fits. False when nothing fits. */
bool floors_node(struct floors *floors, int64_t micro_batch, struct measure *ret);

/* Of one choice of the shape, by places of its sequence choice, order and recomputation: the seconds; what no order
 * changes. */
void floors_choice(struct floors *floors, int64_t micro_batch, int64_t sequence, int64_t order, int64_t recompute,
                   struct floor *ret);
void floors_bytes(struct floors *floors, int64_t micro_batch, int64_t sequence, int64_t recompute, struct floor *ret);

#endif
