/* Parameters and FLOPs of a model, exactly, from its shapes. Pure functions; formulas and sources at each definition,
 * in count.c (parameters) and flops.c. */
#ifndef PARPLAN_MODEL_COUNT_H
#define PARPLAN_MODEL_COUNT_H

#include <stdint.h>

#include "model/model.h"

/* Parameters of one layer by how parallelism treats them. */
struct layer_params {
    int64_t attention;   /* split by tp */
    int64_t mlp;         /* dense feed-forward and shared experts, split by tp */
    int64_t experts;     /* all routed experts, split by ep and etp */
    int64_t active_experts; /* of these, what one token uses */
    int64_t replicated;  /* norms, router, row-parallel biases, latent: whole on every tp rank */
    int64_t latent;      /* of these, MLA's down projections and norms, which Megatron's estimate splits by tp */
};

struct layer_params count_layer(const struct model *model, const struct layer_kind *kind);

/* Parameters outside the layers. */
struct outer_params {
    int64_t embedding;  /* token (and learned position) table; of an image model the patch projection */
    int64_t position;   /* part of embedding that is not split by tp */
    int64_t head;       /* 0 when tied */
    int64_t final_norm;
    int64_t mtp;        /* all MTP blocks without the layer itself: norms and the 2h x h projection */
    int64_t extra;
};
struct outer_params count_outer(const struct model *model);

int64_t count_total(const struct model *model);     /* without MTP blocks, as published */
int64_t count_active(const struct model *model);    /* one token's: routed experts limited to experts_per_token */
int64_t count_mtp(const struct model *model);       /* parameters of all MTP blocks (layer + projection + norms) */

enum flops_convention {
    FLOPS_OURS,     /* exact causal s(s+1)/2 pairs, sliding windows, router counted */
    FLOPS_MEGATRON, /* causal s^2/2 whatever the window, padded vocabulary, norms of MLA and MTP; no router */
    FLOPS_FULL      /* as ours but attention counted s^2 whatever the mask (12 L h s per token): Narayanan, MegaScale */
};

/* Forward plus backward model FLOPs per token (3 x forward) at sequence length `seq_len` >= 1, of one sequence's mean
 * token, MTP blocks included when `with_mtp`. */
double count_flops_per_token(const struct model *model, int64_t seq_len, enum flops_convention convention,
                             bool with_mtp);
/* Forward FLOPs per token of attention's score and value products alone in one layer of `kind`; tokens of an
 * encoder's layer are the encoder's. */
double count_attention_flops(const struct model *model, const struct layer_kind *kind, int64_t seq_len,
                             enum flops_convention convention);

#endif
