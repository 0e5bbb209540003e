/* Model FLOPs: a multiply-add is 2, a matrix of P entries costs 2P a token forward, and backward costs twice forward
 * (Narayanan et al. 2021, arXiv:2104.04473, appendix; Chowdhery et al. 2022, arXiv:2204.02311, appendix B). Lookups,
 * norms, activations and softmax count nothing.
 *
 * Attention adds 4 d per head and pair of tokens (scores and their product with the values). Pairs of a sequence of s:
 *
 *   both directions s^2     causal s(s+1)/2     window w: w s - w(w-1)/2, s >= w
 */
#include "model/count.h"

#include <stddef.h>

#include "model/internal.h"

/* One evaluation: a model at a sequence length under a convention. */
struct tally {
    const struct model *model;
    double seq_len; /* of the decoder, or of the only stack */
    double encoder_len;
    enum flops_convention convention;
};

static struct tally make_tally(const struct model *model, int64_t seq_len, enum flops_convention convention) {
    return (struct tally){
        .model = model,
        .seq_len = (double)seq_len,
        .encoder_len = (double)model_encoder_tokens(model, seq_len),
        .convention = convention,
    };
}

/* Pairs of a token with the up to `reach` tokens on one side of it, summed over a sequence of s tokens. */
static double side_pairs(double s, double reach) {
    return reach >= s ? s * (s - 1) / 2 : reach * s - reach * (reach + 1) / 2;
}

/* Pairs per token. A window of a causal layer lies before the token, else around it; the token is part of it. */
static double mean_pairs(const struct tally *tally, const struct layer_kind *kind, double s) {
    if (tally->convention == FLOPS_FULL) {
        return s;
    }
    if (tally->convention == FLOPS_MEGATRON) {
        return kind->causal ? s / 2 : s;
    }
    double window = kind->window > 0 ? (double)kind->window : 2 * s;
    double before = kind->causal ? window - 1 : (double)(kind->window > 0 ? kind->window / 2 : (int64_t)s);
    double after = kind->causal ? 0 : window - 1 - before;
    return 1 + (side_pairs(s, before) + side_pairs(s, after)) / s;
}

/* Chunked linear attention with chunks of C tokens, per head and token: within the chunk C(d_k + d_v), which is the
 * causal half, and 2 d_k d_v each to update and to read the state (GLA arXiv:2312.06635, section 4; Lightning
 * Attention-2 arXiv:2401.04658). Megatron-LM counts a gated delta net as a recurrence of 8 d_v^2. */
static double linear_core(const struct tally *tally, double s) {
    const struct linear_attention *linear = tally->model->linear;
    double key = (double)linear->key_dim;
    double value = (double)linear->value_dim;
    double heads = (double)linear->value_heads;
    if (tally->convention == FLOPS_MEGATRON) {
        return heads * 8 * value * value;
    }
    double chunk = (double)linear->chunk < s ? (double)linear->chunk : s;
    return heads * (chunk * (key + value) + 4 * key * value);
}

/* Per token of the layer's own sequence; cross-attention reads all of the encoder's tokens. */
static double attention_core(const struct tally *tally, const struct layer_kind *kind) {
    const struct model *model = tally->model;
    double s = kind->encoder ? tally->encoder_len : tally->seq_len;
    double heads = (double)model->num_attention_heads;
    double head_dim = (double)model->head_dim;
    double cross = kind->cross ? 4 * tally->encoder_len * heads * head_dim : 0;
    switch (kind->attention) {
    case ATTENTION_FULL:
    case ATTENTION_SLIDING:
        return cross + 4 * mean_pairs(tally, kind, s) * heads * head_dim;
    case ATTENTION_MLA: {
        /* trained in expanded form: scores over d_nope + d_rope, values over d_v */
        double widths = (double)(model->mla->qk_nope_head_dim + model->mla->qk_rope_head_dim + model->mla->v_head_dim);
        return cross + 2 * mean_pairs(tally, kind, s) * heads * widths;
    }
    case ATTENTION_LINEAR:
        return cross + linear_core(tally, s);
    case ATTENTION_NONE:
        break;
    }
    return cross;
}

/* Megatron-LM counts a norm over MLA's latents as one more row of their up projections. */
static double mla_matrices(const struct tally *tally) {
    const struct mla *mla = tally->model->mla;
    double norms = tally->convention == FLOPS_MEGATRON ? (double)(mla->q_lora_rank + mla->kv_lora_rank) : 0;
    return (double)(count_mla_down(tally->model) + count_mla_up(tally->model)) + norms;
}

static double attention_matrices(const struct tally *tally, const struct layer_kind *kind) {
    const struct model *model = tally->model;
    switch (kind->attention) {
    case ATTENTION_FULL:
    case ATTENTION_SLIDING:
        return (double)count_softmax_matrices(model);
    case ATTENTION_MLA:
        return mla_matrices(tally);
    case ATTENTION_LINEAR:
        return (double)(count_linear_matrices(model) + model->linear->conv_kernel * count_linear_stream(model->linear));
    case ATTENTION_NONE:
        break;
    }
    return 0;
}

/* Queries and output for the decoder's tokens, keys and values for the encoder's; in decoder tokens. */
static double cross_matrices(const struct tally *tally) {
    const struct model *model = tally->model;
    double keys = 2.0 * (double)(model->hidden_size * model->num_key_value_heads * model->head_dim);
    double queries = (double)count_softmax_matrices(model) - keys;
    return queries + keys * tally->encoder_len / tally->seq_len;
}

static double ffn_matrices(const struct tally *tally, const struct layer_kind *kind) {
    const struct model *model = tally->model;
    const struct moe *moe = model->moe;
    switch (kind->ffn) {
    case FFN_DENSE:
        return (double)count_mlp_matrices(model, kind->intermediate_size);
    case FFN_MOE: {
        double routed =
            (double)moe->experts_per_token * (double)count_mlp_matrices(model, moe->expert_intermediate_size);
        double shared = (double)count_mlp_matrices(model, moe->shared_intermediate_size);
        double router = (double)(model->hidden_size * moe->num_experts);
        router += moe->shared_expert_gate ? (double)model->hidden_size : 0;
        return routed + shared + (tally->convention == FLOPS_MEGATRON ? 0 : router);
    }
    case FFN_NONE:
        break;
    }
    return 0;
}

/* Forward, per token of the layer's own sequence. */
static double layer_flops(const struct tally *tally, const struct layer_kind *kind) {
    const struct model *model = tally->model;
    double matrices = attention_matrices(tally, kind) + ffn_matrices(tally, kind);
    matrices += kind->cross ? cross_matrices(tally) : 0;
    if (model->image != NULL && model->image->adaln) {
        /* once an image, not once a token */
        matrices += 6.0 * (double)(model->hidden_size * model->hidden_size) / tally->seq_len;
    }
    return 2 * matrices + attention_core(tally, kind);
}

/* Patches are projected at every token; the class head, the timestep and the last modulation once an image. */
static double image_flops(const struct tally *tally) {
    const struct model *model = tally->model;
    const struct image *image = model->image;
    double hidden = (double)model->hidden_size;
    double pixels = (double)(image->patch_size * image->patch_size);
    double each_token = pixels * (double)(image->channels + image->out_channels) * hidden;
    double each_image = (double)image->classes * hidden;
    if (image->adaln) {
        each_image = 256 * hidden + hidden * hidden + 2 * hidden * hidden;
    }
    return 2 * (each_token + each_image / tally->seq_len);
}

static double head_flops(const struct tally *tally) {
    const struct model *model = tally->model;
    bool padded = tally->convention == FLOPS_MEGATRON;
    int64_t rows = padded ? model_padded_vocab(model, 1) : model->vocab_size;
    return 2 * (double)model->hidden_size * (double)rows;
}

/* Each block: one layer, the 2h x h projection and a use of the head; Megatron-LM adds 6h for its norms. */
static double mtp_flops(const struct tally *tally) {
    const struct model *model = tally->model;
    double hidden = (double)model->hidden_size;
    double norms = tally->convention == FLOPS_MEGATRON ? 6 * hidden : 0;
    double block = layer_flops(tally, &model->kinds[model->mtp_kind]) + 4 * hidden * hidden + norms + head_flops(tally);
    return (double)model->mtp_layers * block;
}

double count_attention_flops(const struct model *model, const struct layer_kind *kind, int64_t seq_len,
                             enum flops_convention convention) {
    struct tally tally = make_tally(model, seq_len, convention);
    return attention_core(&tally, kind);
}

double count_flops_per_token(const struct model *model, int64_t seq_len, enum flops_convention convention,
                             bool with_mtp) {
    struct tally tally = make_tally(model, seq_len, convention);
    double each[MODEL_KINDS] = {0};
    double forward = model->image != NULL ? image_flops(&tally) : head_flops(&tally);
    for (int64_t i = 0; i < model->kind_count; i++) {
        each[i] = layer_flops(&tally, &model->kinds[i]);
        each[i] *= model->kinds[i].encoder ? tally.encoder_len / tally.seq_len : 1;
    }
    for (int64_t i = 0; i < model->layer_count; i++) {
        forward += each[model->layers[i]];
    }
    const struct extra_block *extra = model->extra_blocks.items;
    for (size_t i = 0; i < model->extra_blocks.count; i++) {
        forward += extra[i].flops_per_token;
    }
    return 3 * (forward + (with_mtp ? mtp_flops(&tally) : 0));
}
