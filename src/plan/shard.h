/* How one micro-batch's work on a layer is cut and executed under a plan's degrees and the job's software. */
#ifndef PARPLAN_PLAN_SHARD_H
#define PARPLAN_PLAN_SHARD_H

#include "model/operation.h"
#include "plan/plan.h"

/* Of micro-batches of `micro_batch` sequences. */
struct shard plan_shard(const struct model *model, const struct job *job, const struct parallel *parallel,
                        int64_t micro_batch);
/* Tokens of a sequence: as the job says, of an image its patches. Bytes of an activation: 4 or 2. */
int64_t plan_tokens(const struct model *model, const struct job *job);
double plan_element(const struct job *job);
/* Tokens of a micro-batch that a rank hands from stage to stage: its own, and the encoder's output that the decoder's
 * stages pass on. Bytes of the message: tensor-parallel ranks hold the same activations, or with sequence parallelism
 * each its part; each sends one part (Narayanan et al. 2021, arXiv:2104.04473, section 4.1). */
double plan_stage_tokens(const struct model *model, const struct shard *shard);
double plan_message_bytes(const struct model *model, const struct shard *shard);

#endif
