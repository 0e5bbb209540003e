/* Parameters that a rank holds of each block of the model, before data parallelism shards them. */
#ifndef PARPLAN_PLAN_PARAMETERS_H
#define PARPLAN_PLAN_PARAMETERS_H

#include <stdbool.h>

#include "model/count.h"
#include "plan/plan.h"

struct parameters {
    double dense, expert; /* reduced over dp x cp; over edp */
    double replicated;    /* of the dense ones: whole on every tensor-parallel rank */
};

struct parameters parameters_layer(const struct layer_params *layer, const struct parallel *parallel);
/* The embedding alone. */
struct parameters parameters_embedding(const struct model *model, const struct outer_params *outer,
                                       const struct parallel *parallel);
/* Head and final norm. `has_table`: the rank holds the embedding too, which may be the same table. */
struct parameters parameters_head(const struct model *model, const struct outer_params *outer,
                                  const struct parallel *parallel, bool has_table);
/* One MTP block: the projection of both inputs and `layer`, its layer. The embedding that all of them share counts for
 * itself where the rank does not hold it anyway. */
struct parameters parameters_mtp(const struct model *model, const struct outer_params *outer,
                                 const struct layer_params *layer, const struct parallel *parallel);
/* Of the extra blocks that stand with the embedding (place 0) or the head (1); whole on every rank. */
double parameters_extra(const struct model *model, int place);

/* Elements of a gradient bucket over a group of `ranks`: as the job says, or max(40e6, 1e6 ranks) (Megatron-Core,
 * DistributedDataParallelConfig). */
double parameters_bucket(const struct job *job, double ranks);

#endif
