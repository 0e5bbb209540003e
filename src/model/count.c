/* Parameters of a model from its shapes, with h hidden_size, a query heads, g key-value heads, d head_dim, f
 * feed-forward width, E experts, V vocabulary:
 *
 *   attention  h a d + 2 h g d + a d h            (Vaswani et al. 2017; GQA arXiv:2305.13245)
 *   MLP        2 h f, gated 3 h f                 (GLU variants arXiv:2002.05202)
 *   MoE        E experts of that, and h E router  (Switch arXiv:2101.03961)
 *   outside    V h embedding, V h head unless tied (arXiv:1608.05859)
 *
 * and biases, norms and the rest where the document says so. Totals equal the published ones of the shipped models. */
#include "model/count.h"

#include <stddef.h>

#include "model/internal.h"

/* Entries of a norm of `width`: RMSNorm has a weight (arXiv:1910.07467), LayerNorm a bias too (arXiv:1607.06450). */
static int64_t norm_params(const struct model *model, int64_t width) {
    return model->norm == NORM_LAYER ? 2 * width : width;
}

/* Matrices from h to the feed-forward's inner width: two when gated. */
static int64_t up_matrices(const struct model *model) {
    return model_gated(model) ? 2 : 1;
}

int64_t count_softmax_matrices(const struct model *model) {
    int64_t queries = model->num_attention_heads * model->head_dim;
    int64_t keys = model->num_key_value_heads * model->head_dim;
    return model->hidden_size * ((model->attn_output_gate ? 3 : 2) * queries + 2 * keys);
}

/* DeepSeek-V2 (arXiv:2405.04434, section 2.1): down to the latents, and from them up to the heads. */
int64_t count_mla_down(const struct model *model) {
    const struct mla *mla = model->mla;
    return model->hidden_size * (mla->q_lora_rank + mla->kv_lora_rank + mla->qk_rope_head_dim);
}

int64_t count_mla_up(const struct model *model) {
    const struct mla *mla = model->mla;
    int64_t heads = model->num_attention_heads;
    int64_t query_from = mla->q_lora_rank > 0 ? mla->q_lora_rank : model->hidden_size;
    int64_t query = query_from * heads * (mla->qk_nope_head_dim + mla->qk_rope_head_dim);
    int64_t key_value = mla->kv_lora_rank * heads * (mla->qk_nope_head_dim + mla->v_head_dim);
    return query + key_value + heads * mla->v_head_dim * model->hidden_size;
}

/* q, k and v of a gated delta net or state-space layer as one stream, which the convolution covers. */
int64_t count_linear_stream(const struct linear_attention *linear) {
    return 2 * linear->key_heads * linear->key_dim + linear->value_heads * linear->value_dim;
}

int64_t count_linear_matrices(const struct model *model) {
    const struct linear_attention *linear = model->linear;
    int64_t values = linear->value_heads * linear->value_dim;
    int64_t gates = (linear->gate ? values : 0) + linear->head_gates * linear->value_heads;
    return model->hidden_size * (count_linear_stream(linear) + gates + values);
}

int64_t count_mlp_matrices(const struct model *model, int64_t width) {
    return (up_matrices(model) + 1) * model->hidden_size * width;
}

static void add_softmax(const struct model *model, struct layer_params *layer) {
    int64_t heads = model->num_attention_heads;
    int64_t outputs = (heads + 2 * model->num_key_value_heads) * model->head_dim;
    layer->attention += count_softmax_matrices(model) + (model->bias.qkv ? outputs : 0);
    layer->attention += model->attention_sinks ? heads : 0;
    layer->replicated += model->qk_norm ? 2 * norm_params(model, model->head_dim) : 0;
    layer->replicated += model->bias.out ? model->hidden_size : 0;
}

/* Norms stand on both latents; a full-rank query has neither latent nor norm. Biases as in Hugging Face's DeepSeek:
 * on the down projections and the output. */
static void add_mla(const struct model *model, struct layer_params *layer) {
    const struct mla *mla = model->mla;
    layer->attention += count_mla_up(model);
    layer->latent = count_mla_down(model) + norm_params(model, mla->kv_lora_rank);
    layer->latent += mla->q_lora_rank > 0 ? norm_params(model, mla->q_lora_rank) : 0;
    layer->latent += model->bias.qkv ? mla->q_lora_rank + mla->kv_lora_rank + mla->qk_rope_head_dim : 0;
    layer->replicated += layer->latent + (model->bias.out ? model->hidden_size : 0);
}

static void add_linear(const struct model *model, struct layer_params *layer) {
    const struct linear_attention *linear = model->linear;
    layer->attention += count_linear_matrices(model) + linear->conv_kernel * count_linear_stream(linear);
    layer->attention += linear->head_scalars * linear->value_heads;
    layer->replicated += norm_params(model, linear->output_norm) + (model->bias.out ? model->hidden_size : 0);
}

static void add_attention(const struct model *model, const struct layer_kind *kind, struct layer_params *layer) {
    switch (kind->attention) {
    case ATTENTION_FULL:
    case ATTENTION_SLIDING:
        add_softmax(model, layer);
        break;
    case ATTENTION_MLA:
        add_mla(model, layer);
        break;
    case ATTENTION_LINEAR:
        add_linear(model, layer);
        break;
    case ATTENTION_NONE:
        break;
    }
    if (kind->cross) {
        add_softmax(model, layer);
        layer->replicated += norm_params(model, model->hidden_size);
    }
}

static void add_mlp(const struct model *model, int64_t width, struct layer_params *layer) {
    layer->mlp += count_mlp_matrices(model, width) + (model->bias.mlp ? up_matrices(model) * width : 0);
    layer->replicated += model->bias.mlp ? model->hidden_size : 0;
}

static void add_moe(const struct model *model, struct layer_params *layer) {
    const struct moe *moe = model->moe;
    int64_t width = moe->expert_intermediate_size;
    int64_t expert = count_mlp_matrices(model, width);
    expert += moe->expert_bias ? up_matrices(model) * width + model->hidden_size : 0;
    layer->experts = moe->num_experts * expert;
    layer->active_experts = moe->experts_per_token * expert;
    layer->replicated += model->hidden_size * moe->num_experts + (model->bias.router ? moe->num_experts : 0);
    layer->replicated += moe->router_bias;
    if (moe->shared_experts > 0) {
        add_mlp(model, moe->shared_intermediate_size, layer);
        layer->replicated += moe->shared_expert_gate ? model->hidden_size : 0;
    }
}

/* A layer that lacks attention or feed-forward has the norms of the other half. DiT's norms have no weights; its
 * modulation is one h x 6h projection with bias (arXiv:2212.09748, section 3.2, adaLN-Zero). */
static void add_norms(const struct model *model, const struct layer_kind *kind, struct layer_params *layer) {
    int64_t hidden = model->hidden_size;
    if (model->image != NULL && model->image->adaln) {
        layer->mlp += 6 * hidden * (hidden + 1);
        return;
    }
    bool half = kind->attention == ATTENTION_NONE || kind->ffn == FFN_NONE;
    int64_t norms = half ? (model->norms_per_layer + 1) / 2 : model->norms_per_layer;
    layer->replicated += norms * norm_params(model, hidden);
}

struct layer_params count_layer(const struct model *model, const struct layer_kind *kind) {
    struct layer_params layer = {0};
    add_attention(model, kind, &layer);
    switch (kind->ffn) {
    case FFN_DENSE:
        add_mlp(model, kind->intermediate_size, &layer);
        break;
    case FFN_MOE:
        add_moe(model, &layer);
        break;
    case FFN_NONE:
        break;
    }
    add_norms(model, kind, &layer);
    return layer;
}

/* Width of the vector of sinusoids from which DiT's conditioning is made. */
enum { TIMESTEP_WIDTH = 256 };

/* ViT (arXiv:2010.11929): patch projection with bias, class token and learned positions; a head with bias. DiT: patch
 * projection, fixed positions, timestep MLP 256 -> h -> h and a table of classes + 1 labels (one for guidance without
 * class); the last layer is modulated by 2h and predicts every pixel of a patch. */
static void count_image(const struct model *model, struct outer_params *outer) {
    const struct image *image = model->image;
    int64_t hidden = model->hidden_size;
    int64_t pixels = image->patch_size * image->patch_size;
    outer->embedding = (pixels * image->channels + 1) * hidden + (image->class_token ? hidden : 0);
    if (model->position == POSITION_LEARNED) {
        outer->embedding += model_image_tokens(model) * hidden;
    }
    if (image->adaln) {
        outer->embedding += (TIMESTEP_WIDTH + 1) * hidden + (hidden + 1) * hidden;
        outer->embedding += image->classes > 0 ? (image->classes + 1) * hidden : 0;
        outer->head = 2 * hidden * (hidden + 1);
        outer->final_norm = 0;
    } else {
        outer->head = image->classes * (hidden + (model->bias.head ? 1 : 0));
    }
    outer->head += pixels * image->out_channels * (hidden + 1);
    outer->position = outer->embedding;
}

static void count_text(const struct model *model, struct outer_params *outer) {
    int64_t hidden = model->hidden_size;
    if (model->position == POSITION_LEARNED) {
        outer->position += model->max_position_embeddings * hidden;
    }
    outer->position += model->embedding_norm ? norm_params(model, hidden) : 0;
    outer->embedding = model->vocab_size * hidden + outer->position;
    outer->head = (model->tie_word_embeddings ? 0 : model->vocab_size * hidden);
    outer->head += model->bias.head ? model->vocab_size : 0;
}

struct outer_params count_outer(const struct model *model) {
    struct outer_params outer = {0};
    int64_t hidden = model->hidden_size;
    /* an encoder ends with a norm of its own */
    outer.final_norm = norm_params(model, hidden) * (model->encoder != NULL ? 2 : 1);
    if (model->image != NULL) {
        count_image(model, &outer);
    } else {
        count_text(model, &outer);
    }
    /* DeepSeek-V3 (arXiv:2412.19437, section 2.2): norms of both inputs and the output, projection of their pair; the
     * embedding and the head are shared with the main model. */
    outer.mtp = model->mtp_layers * (3 * norm_params(model, hidden) + 2 * hidden * hidden);
    const struct extra_block *extra = model->extra_blocks.items;
    for (size_t i = 0; i < model->extra_blocks.count; i++) {
        outer.extra += extra[i].params;
    }
    return outer;
}

static int64_t outer_total(const struct model *model) {
    struct outer_params outer = count_outer(model);
    return outer.embedding + outer.head + outer.final_norm + outer.extra;
}

static int64_t layer_total(const struct model *model, const struct layer_kind *kind, bool active) {
    struct layer_params layer = count_layer(model, kind);
    return layer.attention + layer.mlp + layer.replicated + (active ? layer.active_experts : layer.experts);
}

static int64_t count_layers(const struct model *model, bool active) {
    int64_t each[MODEL_KINDS] = {0};
    int64_t total = 0;
    for (int64_t i = 0; i < model->kind_count; i++) {
        each[i] = layer_total(model, &model->kinds[i], active);
    }
    for (int64_t i = 0; i < model->layer_count; i++) {
        total += each[model->layers[i]];
    }
    return total;
}

int64_t count_total(const struct model *model) {
    return count_layers(model, false) + outer_total(model);
}

int64_t count_active(const struct model *model) {
    return count_layers(model, true) + outer_total(model);
}

int64_t count_mtp(const struct model *model) {
    if (model->mtp_layers == 0) {
        return 0;
    }
    return model->mtp_layers * layer_total(model, &model->kinds[model->mtp_kind], false) + count_outer(model).mtp;
}
