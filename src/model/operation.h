/* What one rank executes for one layer and one micro-batch: kernels with their shapes, and the bytes each keeps for the
 * backward pass. The cost model times this list, the memory model sums it, a simulator plays it.
 *
 *   norm ─ QKV ─ core attention ─ out ─(+)─ norm ─ FC1 ─ activation ─ FC2 ─(+)
 *                                                   └ router ─ dispatch ─ experts ─ combine ┘
 *
 * Activation bytes follow Korthikanti et al. 2022 (arXiv:2205.05198, section 4) for the GPT block, and the same
 * accounting of what each backward kernel reads for gated, MLA, MoE and linear-attention blocks. */
#ifndef PARPLAN_MODEL_OPERATION_H
#define PARPLAN_MODEL_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum operation_kind {
    OPERATION_GEMM,      /* m x k times k x n, `batch` times; two more of the same work in backward */
    OPERATION_GROUPED,   /* GEMMs of `batch` experts sharing m rows in total */
    OPERATION_ATTENTION, /* fused attention */
    OPERATION_SCORES,    /* batched GEMM without weights (unfused attention, linear attention) */
    OPERATION_MEMORY     /* bound by the bytes it moves */
};

/* Parts of a layer that selective recomputation may run again in backward instead of keeping their results. */
enum recompute_part {
    PART_CORE = 1,    /* core attention: scores, softmax, dropout */
    PART_NORM = 2,
    PART_ACTIVATION = 4,
    PART_MLA_UP = 8,  /* MLA's up-projections of Q, K and V */
    PART_MLP = 16,    /* the whole dense feed-forward */
    PART_MOE = 32,    /* the whole MoE feed-forward with its all-to-alls */
    PART_ALL = 64     /* every operation of the layer: full recomputation */
};

struct operation {
    const char *name;
    enum operation_kind kind;
    unsigned parts;          /* recompute parts that run it again */
    double m, n, k, batch;
    double heads, kv_heads, query, keys, key_dim, value_dim, pairs; /* attention; pairs = score pairs per head */
    double forward_bytes, backward_bytes;                           /* memory-bound traffic */
    double launches; /* kernels it takes in forward: 1, more where software is in many small pieces */
};

/* Bytes kept from forward to backward. */
struct saved {
    const char *name;
    unsigned parts; /* recompute parts that make keeping it unnecessary */
    double bytes;
};

/* How the layer is cut, and how it is executed. */
struct shard {
    int64_t tp, cp, ep, etp;
    bool sequence_parallel;
    bool ulysses_only;  /* context parallelism by heads alone */
    int64_t ulysses;    /* heads are cut further by this; 1 = ring or all-gather only */
    int64_t micro_batch, seq_len;
    double element;     /* bytes of an activation */
    bool fp8;           /* linear layers' inputs are kept as one byte */
    bool flash, fused_norm, fused_activation;
    bool gathers_keys;  /* all-gather context parallelism: whole K and V are kept */
    int64_t ep_domains; /* scale-up domains that an expert-parallel group touches */
    double expert_load; /* tokens of the busiest expert-parallel rank over the mean */
};

enum { OPERATIONS_MAX = 40, SAVED_MAX = 40 };

struct layer_work {
    struct operation operations[OPERATIONS_MAX];
    struct saved saved[SAVED_MAX];
    int saved_with[SAVED_MAX]; /* the operation that makes or reads it, or the last of those listed before it */
    int operation_count, saved_count;
    double input_bytes;      /* of the layer's input as kept by full recomputation */
    double expert_rows;      /* tokens times experts that this rank's experts see */
    double tokens;           /* of this rank: micro_batch * seq_len / cp */
};

/* Lists the work of a layer of `kind` on one rank. Pure. */
void operation_layer(const struct model *model, const struct layer_kind *kind, const struct shard *shard,
                     struct layer_work *ret);

/* The token embedding (of the first stage), and final norm, LM head and loss (of the last). */
void operation_embedding(const struct model *model, const struct shard *shard, struct layer_work *ret);
void operation_head(const struct model *model, const struct shard *shard, bool fused_loss, struct layer_work *ret);

/* Bytes kept when the parts of the set `recomputed` are run again (PART_ALL: only the layer's input). */
double operation_saved_bytes(const struct layer_work *work, unsigned recomputed);
/* Backward holds the gradients of the widest activations of the layer beside what was kept; `element`: bytes of one. */
double operation_transient_bytes(const struct layer_work *work, double element);

#endif
