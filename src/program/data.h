/* Data parallelism while a program is lowered: who shares parameters, and what of a role is on its way. */
#ifndef PARPLAN_PROGRAM_DATA_H
#define PARPLAN_PROGRAM_DATA_H

#include "plan/job.h"
#include "program/lower_parts.h"

/* Ranks that hold the same parameters. `part` of them hold one copy under ZeRO-3: all, or those of one node. */
struct sharers {
    enum axis axis;
    int64_t size, part;
};

/* What ZeRO-3 has gathered of a block for a pass under way. */
struct gathered {
    int32_t gather, tensor; /* NOTHING: no such */
};
enum { WAYS = 2 }; /* a forward and a backward may be under way together */

/* Gradients of a unit that are to be reduced behind the next gather, which is needed sooner. */
struct due {
    struct parameters elements;
    struct pass_site site;
    int32_t layer, behind; /* behind: the end of its backward; NOTHING: nothing is due */
};

struct chunk_data {
    double dense, expert;  /* gradients complete, but not enough for a bucket */
    struct gathered outer; /* what stands outside the layers, gathered from its forward to its backward */
    int64_t outer_users;
    bool gathered, reduced; /* for its first forward; behind its last backward */
};

struct data {
    struct sharers dense, expert;
    struct state_bytes bytes;       /* of a parameter */
    bool hybrid;
    bool shared;                    /* anybody shares anything */
    bool gathers_each, reduces_each; /* with every pass: ZeRO-3; ZeRO-2 and 3 */
    bool gathers_first, gathers_last; /* updated parameters: beside the first forward; behind the optimizer */
    bool gathers_beside, reduces_beside;
    double dense_bucket, expert_bucket;
    struct parameters held;         /* of the role */
    struct chunk_data *chunks;      /* of the role */
    int32_t *first;                 /* of (chunk, block): the gather that the first forward waits for */
    struct gathered *gathered;      /* of (way, block) */
    struct due due;
    int32_t wait;                   /* what the next block waits for besides: nothing runs beside it; NOTHING */
    int32_t last;                   /* last collective of the role; NOTHING */
    int32_t table, norm;            /* meetings of first and last rank, and of all; NOTHING: not yet */
    int32_t *mirrors;               /* meetings of ranks r and p - 1 - r, by the lower */
};

/* One collective on the data stream behind `wait`. */
struct share {
    enum work_kind kind;
    enum collective collective;
    enum axis axis;
    int64_t size, step;
    double bytes;
    int32_t meeting; /* NOTHING: of this role alone */
    int32_t stage, layer;
};
int32_t share_add(struct lowering *l, const struct share *share, enum stream stream, int32_t wait);

/* Gradients of so many elements summed; parameters of so many gathered. Return the last instruction, NOTHING if nobody
 * shares them. */
int32_t data_reduce(struct lowering *l, const struct parameters *elements, int32_t stage, int32_t layer, int32_t wait);
int32_t data_gather(struct lowering *l, const struct parameters *elements, int32_t stage, int32_t layer, int32_t wait);

/* Adds a block's complete gradients to the chunk's buckets and reduces those that are full; all at the last block. */
void data_fill(struct lowering *l, int32_t stage, int64_t block, int32_t wait);

/* Elements whose optimizer state the rank keeps. */
double data_owned(const struct lowering *l);

#endif
