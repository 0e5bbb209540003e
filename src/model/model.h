/* The architecture of a network: what a model document says, and the sequence of layers that follows from it.
 *
 *   embedding ─► [encoder layers] ─► layers (each: attention + feed-forward of some kind) ─► norm ─► LM head
 *                                                              └► MTP blocks (each one layer + projection + head)
 *
 * Keys carry Hugging Face names. Counts are whole numbers as published. */
#ifndef PARPLAN_MODEL_MODEL_H
#define PARPLAN_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/field.h"

struct node;

enum mlp_kind { MLP_GELU, MLP_RELU, MLP_SQUARED_RELU, MLP_SWIGLU, MLP_GEGLU };
enum norm_kind { NORM_RMS, NORM_LAYER };
enum position_kind { POSITION_ROPE, POSITION_LEARNED, POSITION_ALIBI, POSITION_NONE };
enum attention_kind { ATTENTION_FULL, ATTENTION_SLIDING, ATTENTION_MLA, ATTENTION_LINEAR, ATTENTION_NONE };
enum ffn_kind { FFN_DENSE, FFN_MOE, FFN_NONE };

struct bias { bool qkv, out, mlp, router, head; };

/* Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434). q_lora_rank 0 = full-rank query projection. */
struct mla { int64_t q_lora_rank, kv_lora_rank, qk_nope_head_dim, qk_rope_head_dim, v_head_dim; };

struct moe {
    int64_t num_experts, experts_per_token, expert_intermediate_size;
    int64_t shared_experts, shared_intermediate_size; /* shared: width of all shared experts together; 0 = derived */
    bool shared_expert_gate; /* a sigmoid gate h -> 1 on the shared experts' output (Qwen2-MoE) */
    int64_t first_dense_layers, layer_freq; /* layer i is MoE iff i >= first and (i - first + 1) % freq == 0 */
    bool expert_bias;        /* biases on the experts' projections */
    int64_t router_bias;     /* entries of the correction bias (noaux_tc), one per expert; published totals count it */
    double capacity_factor;  /* 0 = dropless */
    double imbalance;        /* load of the busiest expert-parallel rank over the mean, >= 1 */
    int64_t node_limit;      /* a token's experts lie on at most this many nodes; 0 = unlimited */
};

/* Linear attention and state-space layers (GLA arXiv:2312.06635, Mamba-2 arXiv:2405.21060, gated delta net
 * arXiv:2412.06464): per value head a state of key_dim x value_dim, processed in chunks. */
struct linear_attention {
    int64_t key_heads, value_heads, key_dim, value_dim, conv_kernel, chunk;
    bool gate;            /* an output gate projection h x value_heads*value_dim */
    int64_t head_gates;   /* projections h x value_heads: 2 of a gated delta net (decay, strength), 1 of Mamba-2 (dt) */
    int64_t head_scalars; /* learned scalars per value head: 2 of a gated delta net, 3 of Mamba-2 (A, D, dt bias) */
    int64_t output_norm;  /* width of the norm before the output projection; 0 = none */
};

/* The encoder of an encoder-decoder; the decoder's layers then carry cross-attention. 0 = as the decoder. */
struct encoder { int64_t num_hidden_layers, seq_len, intermediate_size; };

/* Images in: patches become tokens (ViT, DiT). */
struct image {
    int64_t image_size, patch_size, channels, classes; /* classes: width of the classification head, 0 = none */
    bool class_token;
    bool adaln;            /* DiT: per block a 6h modulation from the conditioning vector; norms then have no
                              weights and `classes` counts the label table */
    int64_t out_channels;  /* DiT: channels predicted per pixel; 0 = none */
};

/* Anything the keys above cannot say, by its numbers: adapters, vision towers, projectors. */
struct extra_block {
    const char *name;
    int64_t params;
    double flops_per_token;            /* forward */
    double activation_bytes_per_token;
    int place; /* 0 = with the embedding, 1 = with the head */
};

/* A sort of layer; layers of one kind cost the same. */
struct layer_kind {
    enum attention_kind attention;
    enum ffn_kind ffn;
    int64_t window;    /* tokens seen by sliding attention; 0 = all */
    bool causal;
    bool cross;        /* has cross-attention to the encoder */
    bool encoder;      /* in the encoder stack: its sequence is encoder.seq_len */
    int64_t intermediate_size; /* of the dense feed-forward */
};

enum { MODEL_KINDS = 16 };

struct model {
    const char *name, *source;
    int64_t hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads;
    int64_t head_dim;              /* of MLA: v_head_dim */
    int64_t intermediate_size;
    int64_t vocab_size, vocab_pad_multiple, padded_vocab_size; /* padded: rows as trained; 0 = derived */
    int64_t max_position_embeddings;
    bool tie_word_embeddings;
    int mlp, norm, position;       /* enum mlp_kind, norm_kind, position_kind */
    int attention;                 /* enum attention_kind of layers that layer_pattern does not name */
    int64_t norms_per_layer;       /* 2; Gemma 2 has 4, a parallel block 1 or 2 */
    bool qk_norm, embedding_norm, parallel_block, attention_sinks, causal;
    bool attn_output_gate;         /* a gate h x heads*head_dim on attention's output (Qwen3-Next) */
    double dropout;                /* > 0: dropout masks are kept for backward */
    struct bias bias;
    struct mla *mla;
    struct moe *moe;
    struct linear_attention *linear;
    int64_t sliding_window;
    int64_t mtp_layers;
    struct list layer_pattern;     /* const char *: "sliding*5", "full", "linear/moe" ... repeated over the layers */
    struct encoder *encoder;
    struct image *image;
    struct list extra_blocks;      /* struct extra_block */

    /* What follows, filled by model_complete. Layers are in order of execution: encoder first. */
    struct layer_kind kinds[MODEL_KINDS];
    int64_t kind_count;
    int64_t layer_count;           /* encoder + decoder layers, without MTP */
    const unsigned char *layers;   /* kind of each layer */
    unsigned char mtp_kind;        /* kind of the MTP blocks' layer */
};

extern const struct field model_fields[];

/* Reads a model from its document (schema parplan/model/v1), completes and checks it. A document without `name` takes
 * its file's name. */
enum status model_load(struct arena *arena, struct node *root, struct model *ret_model, struct diag *diag) MUST_CHECK;
/* Fills defaults that depend on other keys and the layer sequence; checks every rule (heads that do not divide,
 * experts_per_token > num_experts, contradicting keys, overflow ...). `root` gives places and may be NULL. */
enum status model_complete(struct arena *arena, struct model *model, const struct node *root, struct diag *diag)
    MUST_CHECK;

/* The larger of vocab_size and padded_vocab_size, padded to a multiple of vocab_pad_multiple * tp (Megatron-LM
 * --make-vocab-size-divisible-by). */
int64_t model_padded_vocab(const struct model *model, int64_t tp);
/* Tokens an image becomes: (image_size / patch_size)^2, + 1 with a class token; 0 without `image`. */
int64_t model_image_tokens(const struct model *model);
/* Tokens a sequence has in the encoder when it has `seq_len` in the decoder. */
int64_t model_encoder_tokens(const struct model *model, int64_t seq_len);

#endif
