/* What instructions take: works, described without seconds. Many instructions share one. */
#ifndef PARPLAN_PROGRAM_WORK_H
#define PARPLAN_PROGRAM_WORK_H

#include <stdint.h>

#include "collective/collective.h"
#include "plan/mesh.h"

enum work_kind {
    WORK_PASS,     /* of a stage (or two: a pair) as a whole, the host's time and full recomputation included */
    WORK_BLOCK,    /* of one layer, of the embedding, of the head, of an MTP block; full recomputation of a layer or an
                      MTP block is a work of its own (ACTION_RECOMPUTE), selective recomputation lies in backward */
    WORK_KERNEL,   /* one operation of a block, or a part of it */
    WORK_EXCHANGE, /* one collective of a block, or a part of it */
    WORK_MESSAGE,  /* activations or their gradients to a neighbouring stage */
    WORK_REDUCE,   /* gradients over the ranks that hold the same parameters */
    WORK_GATHER,   /* parameters from the ranks that hold shards of them */
    WORK_UPDATE,   /* clipping and optimizer */
    WORK_COPY,     /* between device and host */
    WORK_BARRIER,  /* statistics of a spread vocabulary */
    WORK_HOST,     /* of a pass that is not written as a whole: runtime.micro_batch_overhead */
    WORK_KINDS
};
enum block { BLOCK_LAYER, BLOCK_EMBEDDING, BLOCK_HEAD, BLOCK_MTP, BLOCK_COUNT };

struct work {
    uint8_t kind;              /* enum work_kind */
    uint8_t action;            /* of pass, block, kernel, exchange: which pass; a full backward is BACKWARD and WEIGHT
                                  in one */
    uint8_t block;             /* enum block */
    uint8_t layer_kind;        /* of BLOCK_LAYER: model->kinds; of BLOCK_MTP the layer within */
    int32_t stage, other;      /* of a pass; other: whose backward a pair runs; NOTHING */
    int32_t item;              /* kernel: of the block's operations; exchange: of its exchanges */
    int32_t pieces;            /* this is one of so many equal pieces; 1 */
    enum collective collective; /* of everything that communicates */
    enum axis axis;
    int64_t size, step;        /* the part of the axis: `size` members, every `step`-th */
    double bytes;              /* collective: full logical buffer; message, copy: bytes moved */
    double parameters;         /* update: of which the rank updates */
};

#endif
