/* Parts of model_complete that lie in files of their own. Each reports every error it finds. */
#ifndef PARPLAN_MODEL_INTERNAL_H
#define PARPLAN_MODEL_INTERNAL_H

#include <stdbool.h>

#include "base/diag.h"
#include "model/model.h"

struct arena;
struct node;

/* The place of `path` in the document, or none without a document. */
struct mark model_mark(const struct node *root, const char *path);

static inline bool model_gated(const struct model *model) {
    return model->mlp == MLP_SWIGLU || model->mlp == MLP_GEGLU;
}

/* layers.c: kinds, layers and mtp_kind from layer_pattern, moe, encoder; needs the defaults filled. */
void model_build_layers(struct arena *arena, struct model *model, const struct node *root, struct diag *diag);
/* Whether any layer has this attention or this feed-forward. */
bool model_uses_attention(const struct model *model, enum attention_kind attention);
bool model_uses_ffn(const struct model *model, enum ffn_kind ffn);

/* check.c: the rules across keys. */
void model_check_blocks(const struct model *model, const struct node *root, struct diag *diag);
/* What the sequence of layers must fit; after model_build_layers. */
void model_check_layers(const struct model *model, const struct node *root, struct diag *diag);

/* count.c: entries of weight matrices, which flops.c multiplies with. */
int64_t count_softmax_matrices(const struct model *model);
int64_t count_mla_down(const struct model *model);
int64_t count_mla_up(const struct model *model);
int64_t count_linear_stream(const struct linear_attention *linear); /* q, k and v side by side */
int64_t count_linear_matrices(const struct model *model);
int64_t count_mlp_matrices(const struct model *model, int64_t width);

#endif
