/* Building blocks shared by the files that list a layer's work: attention and feed-forward. */
#ifndef PARPLAN_MODEL_OPERATION_INTERNAL_H
#define PARPLAN_MODEL_OPERATION_INTERNAL_H

#include "model/operation.h"

/* The layer under construction with the sizes every part needs. */
struct builder {
    const struct model *model;
    const struct layer_kind *kind;
    const struct shard *shard;
    struct layer_work *work;
    double hidden;
    double sequence;   /* tokens of one sequence in this layer's stack */
    double tokens;     /* of this rank between tensor-parallel regions: micro_batch * sequence / cp */
    double own_tokens; /* in the sequence-parallel region: tokens / tp when it is on */
    double tp;
    double element;    /* bytes of an activation */
    double linear;     /* bytes of a kept input of a linear layer (1 under fp8) */
};

/* A projection: tokens x inner times inner x outer. `parts` run it again when recomputed. */
void build_gemm(struct builder *b, const char *name, unsigned parts, double m, double n, double k);
void build_scores(struct builder *b, const char *name, unsigned parts, double batch, double m, double n, double k);
void build_memory(struct builder *b, const char *name, unsigned parts, double forward_bytes, double backward_bytes);
/* The operation added last takes so many kernels. */
void build_launches(struct builder *b, double launches);
void build_saved(struct builder *b, const char *name, unsigned parts, double bytes);
/* A norm over the sequence-parallel region; keeps its input and, unless recomputed, its output. */
void build_norm(struct builder *b, const char *name, double output_element);
/* Bias, dropout and residual addition at a block's end. */
void build_residual(struct builder *b, const char *name);

void build_attention(struct builder *b);
void build_cross_attention(struct builder *b);
void build_feed_forward(struct builder *b);

#endif
