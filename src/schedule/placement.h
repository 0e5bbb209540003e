/* Which stages of the model each pipeline rank holds. Stages are counted over the whole model, 0 .. stages-1.
 *
 *   linear   rank r has stages r, r + p, r + 2p ...                  (1F1B; interleaved with several)
 *   wave     back and forth: r, 2p - 1 - r, 2p + r, 4p - 1 - r ...   (ZB-V and DualPipeV with two, Hanayo with more)
 *   two-way  rank r has stages r and p - 1 - r of p stages           (DualPipe, Chimera: every stage twice)
 *   round    none: weights live in host memory; forward of stage s on rank s mod p, backward, S stages in all, on
 *            rank (2S - 2 - s) mod p                                 (RoundPipe) */
#ifndef PARPLAN_SCHEDULE_PLACEMENT_H
#define PARPLAN_SCHEDULE_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

enum placement { PLACEMENT_LINEAR, PLACEMENT_WAVE, PLACEMENT_TWO_WAY, PLACEMENT_ROUND };

/* Stages of the whole model, and how many of them a rank holds, for `chunks` chunks of parameters a rank. */
int64_t placement_stages(enum placement placement, int64_t ranks, int64_t chunks);
int64_t placement_held(enum placement placement, int64_t chunks);

/* The i-th stage of `rank`, 0 <= i < held. */
int64_t placement_stage(enum placement placement, int64_t ranks, int64_t rank, int64_t i);
/* The rank that holds `stage` for micro-batches of `way` (two-way: way 1 enters at the last rank; else 0). */
int64_t placement_rank(enum placement placement, int64_t ranks, int64_t stage, int64_t way);
/* The rank that runs its backward, of `stages` in all: the same but where weights go round. */
int64_t placement_backward_rank(enum placement placement, int64_t ranks, int64_t stages, int64_t stage, int64_t way);
/* Which of its stages that is to the rank: the i of placement_stage. */
int64_t placement_chunk(enum placement placement, int64_t ranks, int64_t stage, int64_t way);

#endif
