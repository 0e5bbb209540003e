/* Blocks as operations: what the files of operation detail share.
 *
 *   sort       one kind of block: its lists, the order of its kernels, the tensors between its passes   (.._sort.c)
 *   template   one pass of a sort: steps with what each waits for, made once                            (.._template.c)
 *   stamp      a template becomes instructions of one layer and micro-batch
 * (operations.c) */
#ifndef PARPLAN_PROGRAM_OPERATIONS_H
#define PARPLAN_PROGRAM_OPERATIONS_H

#include "program/block_work.h"
#include "program/lowering.h"

/* When a tensor of a block lives. Forward allocates what is kept; backward what recomputation makes again and the
 * gradients that stay for weight gradients. */
enum held_kind {
    HELD_KEPT,
    HELD_INPUT,   /* of a layer that is recomputed in full: until its first kernel has run again */
    HELD_AGAIN,   /* made again by recomputation */
    HELD_GRADIENT /* made in backward */
};
struct held {
    enum held_kind kind;
    enum tensor_class class;
    double bytes;
    int made;   /* with this operation's kernel it begins */
    int used;   /* operation whose backward is the last to need it; NOTHING */
    int weight; /* operation whose weight gradient needs it; NOTHING. The later of the two frees it */
};
enum { HELD_MAX = SAVED_MAX + 2 * OPERATIONS_MAX + 4, SOURCES_MAX = 3 };

struct sort {
    struct block_work lists;
    int order[OPERATIONS_MAX];     /* of kernels in forward; backward is its reverse */
    bool beside[OPERATIONS_MAX];   /* runs while the experts' exchanges are under way */
    bool again[OPERATIONS_MAX];    /* recomputed */
    bool all_again;
    unsigned recomputed;           /* parts that run again */
    int sources[OPERATIONS_MAX][SOURCES_MAX]; /* whose outputs an operation reads; NOTHING */
    struct held held[HELD_MAX];
    int held_count;
};

/* `recomputed`: parts that are run again. Pure. */
void sort_make(const struct model *model, const struct job *job, const struct shard *shard, int cp_kind,
               unsigned recomputed, enum block block, int layer_kind, struct sort *ret);
/* Fills held: operations_held.c. */
void sort_hold(const struct job *job, const struct shard *shard, unsigned recomputed, enum block block,
               struct sort *sort);

/* One instruction of a template. Waits name steps before it; ENTRY: what came before the block. */
enum { ENTRY = -1, STEP_WAITS = 8 };
struct step {
    int32_t work;
    int32_t waits[STEP_WAITS];
    uint8_t wait_count, action, stream;
    bool meets; /* a collective of groups of `size` along `axis` */
    enum axis axis;
    int64_t size;
};

/* A tensor from the begin of one step to the end of another; `end` NOTHING: a later pass frees it. */
struct life {
    double bytes;
    enum tensor_class class;
    int32_t begin, end;
};
enum keep { KEEP_FORWARD, KEEP_BACKWARD, KEEP_COUNT }; /* lowering's `kept` and `kept_for_weight` */
struct release {
    enum keep keep;
    int32_t index, step;
};

struct template {
    struct step *steps;
    int32_t count;
    int32_t output, last; /* steps: whose end makes the block's output whole; the last kernel. NOTHING: empty */
    struct life *lives;   /* those that a later pass frees come first */
    int32_t life_count, kept_count;
    enum keep keep;       /* where those are remembered */
    struct release *releases;
    int32_t release_count;
};

/* A pass of the sort; full: input and weight gradients of each operation in turn. Works go into the builder. */
struct template *template_make(struct arena *arena, struct builder *builder, const struct sort *sort,
                               enum block block, int layer_kind, enum action action);

#endif
