/* What the parts of lowering share: one role at a time, pass after pass of its order. */
#ifndef PARPLAN_PROGRAM_LOWERING_H
#define PARPLAN_PROGRAM_LOWERING_H

#include "plan/exchange.h"
#include "plan/holding.h"
#include "plan/parameters.h"
#include "program/build.h"
#include "program/lower.h"

/* A block of a stage, in the order of forward: embedding, layers, MTP blocks, head. */
struct block_site {
    enum block block;
    int32_t layer; /* of the model; NOTHING */
    uint8_t layer_kind;
};

/* What a block takes on a rank: bytes of one micro-batch, parameters. */
struct block_load {
    struct holding holding;
    struct parameters parameters;
};

/* What a pass of a block keeps for the passes behind it: the role's tensors first .. first + count - 1. */
struct kept {
    int32_t first, count;
};

struct lowering {
    struct arena *arena;
    const struct model *model;
    const struct topology *topology;
    const struct plan *plan;
    struct mesh mesh;
    struct shard shard;           /* of a layer (plan/shard.h) */
    struct stages stages;
    struct order order;
    enum detail detail;
    struct builder *builder;
    unsigned recomputed;          /* recompute parts of the plan's mode (job_recompute_parts) */
    bool host;                    /* passes take time on the host (WORK_HOST) */
    int64_t micro_batches;        /* of all ways */
    int64_t role;                 /* now being laid out */
    int32_t last;                 /* its last instruction on the compute stream; NOTHING */
    int64_t blocks_most;          /* blocks of the largest stage */
    const struct block_site *const *blocks; /* of each stage of `stages`, in order of forward */
    const struct block_load *const *loads;  /* the same */
    const int32_t *block_counts;
    struct kept *kept;            /* of (stage of the role, micro-batch, block): forward's for backward */
    struct kept *kept_for_weight; /* the same: backward's for a weight gradient of its own */
    int32_t *works;               /* of (stage, action): a whole pass; of (action, block, kind of layer): a block */
    struct pipe *pipe;            /* program/pipeline.c: messages */
    struct data *data;            /* program/data.c: gradients and parameters */
    struct round *round;          /* program/round.c: stages go round the ranks; NULL: they do not */
    struct vocabulary *vocabulary; /* program/vocabulary.c: spread over the stages; NULL: it is not */
    void *operations;             /* program/operations.c's templates of blocks, made once */
};

static inline struct kept *lowering_kept(const struct lowering *l, struct kept *kept, int64_t chunk,
                                         int64_t micro_batch, int64_t block, int64_t micro_batches) {
    return &kept[(chunk * micro_batches + micro_batch) * l->blocks_most + block];
}

/* One pass to be written: forward, backward, weight or full (backward and weight of each block in turn). */
struct pass_site {
    enum action action;
    int32_t stage;           /* of l->stages, which is program->stages too */
    int32_t micro_batch;
    int32_t after;           /* what its first instruction waits for besides: a receive; NOTHING */
    bool opens;              /* forward: the chunk's first of the step */
    bool closes;             /* weight, full: the chunk's last of the step: its gradients are complete */
};

/* Parameters and gradients beside a pass that is written block by block (program/data.c). Writers call both for every
 * block, in the order in which they write them: the first before any instruction of the block (it may add gathers, and
 * returns what the block's first instruction waits for, or NOTHING); the second behind its last one (it may add
 * reductions of the block's gradients). A pair calls them with the site that the block belongs to. */
int32_t block_begins(struct lowering *l, const struct pass_site *site, int64_t block);
void block_ends(struct lowering *l, const struct pass_site *site, int64_t block, int32_t last);

/* The pass's first instruction, and the one whose end makes its output whole (what a send waits for). */
struct pass_ends {
    int32_t first, output;
};

/* The three ways to write a pass. Blocks: program/blocks.c; operations: program/operations.c. All allocate what the
 * pass keeps and free what it was the last to need. */
void pass_whole(struct lowering *l, const struct pass_site *site, struct pass_ends *ret);
void pass_by_blocks(struct lowering *l, const struct pass_site *site, struct pass_ends *ret);
void pass_by_operations(struct lowering *l, const struct pass_site *site, struct pass_ends *ret);
/* Allocates by `instruction` what the forward of the pass's blocks would keep for it. */
void operations_keep(struct lowering *l, const struct pass_site *site, int32_t instruction);

/* A forward and a full backward of two micro-batches, overlapped: whole: one instruction, at layer detail too; by
 * blocks, where parameters or gradients travel beside them: forward and backward blocks in turn; by operations: the
 * expert collectives of one run beside the compute of the other (DeepSeek-V3, arXiv:2412.19437, section 3.2.1). */
void pair_whole(struct lowering *l, const struct pass_site *forward, const struct pass_site *backward,
                struct pass_ends ret[2]);
void pair_by_blocks(struct lowering *l, const struct pass_site *forward, const struct pass_site *backward,
                    struct pass_ends ret[2]);
void pair_by_operations(struct lowering *l, const struct pass_site *forward, const struct pass_site *backward,
                        struct pass_ends ret[2]);

#endif
