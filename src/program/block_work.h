/* What a block of a stage executes and communicates: the lists that its kernels and exchanges are items of. */
#ifndef PARPLAN_PROGRAM_BLOCK_WORK_H
#define PARPLAN_PROGRAM_BLOCK_WORK_H

#include "plan/exchange.h"
#include "program/program.h"

struct block_work {
    struct layer_work work;
    struct exchange_list exchanges;
};

/* `layer_kind`: of BLOCK_LAYER and BLOCK_MTP. Nothing outside layers has parts that recomputation runs again. An MTP
 * block is a projection, a layer and the head (DeepSeek-V3, arXiv:2412.19437, section 2.2). Pure. */
void block_work(const struct model *model, const struct job *job, const struct shard *shard, int cp_kind,
                enum block block, int layer_kind, struct block_work *ret);

#endif
