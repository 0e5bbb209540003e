/* The keys of a model document, in the order in which documents are written. Upper bounds are far beyond any network
 * there is, and low enough that the parameters of one layer fit int64_t whatever the combination. */
#include "model/model.h"

#include <stddef.h>

#include "base/field.h"

static const char *const mlp_names[] = {"gelu", "relu", "squared_relu", "swiglu", "geglu", NULL};
static const char *const norm_names[] = {"rmsnorm", "layernorm", NULL};
static const char *const position_names[] = {"rope", "learned", "alibi", "none", NULL};
static const char *const attention_names[] = {"full", "sliding", "mla", "linear", "none", NULL};
static const char *const place_names[] = {"embedding", "head", NULL};

/* Rows of the common kinds: a member of `struct type`, its bounds and its value when absent. */
#define COUNT(type, member, low, high, absent, sentence)                                                               \
    {                                                                                                                  \
        .key = #member, .kind = FIELD_COUNT, .offset = offsetof(struct type, member), .min = (low), .max = (high),     \
        .fallback = (absent), .doc = (sentence)                                                                        \
    }
#define BOOL(type, member, absent, sentence)                                                                           \
    {                                                                                                                  \
        .key = #member, .kind = FIELD_BOOL, .offset = offsetof(struct type, member), .fallback = (absent),             \
        .doc = (sentence)                                                                                              \
    }
#define NUMBER(type, member, low, high, absent, sentence)                                                              \
    {                                                                                                                  \
        .key = #member, .kind = FIELD_NUMBER, .offset = offsetof(struct type, member), .min = (low), .max = (high),    \
        .fallback = (absent), .doc = (sentence)                                                                        \
    }
#define CHOICE(type, member, names, absent, sentence)                                                                  \
    {                                                                                                                  \
        .key = #member, .kind = FIELD_CHOICE, .offset = offsetof(struct type, member), .choices = (names),             \
        .fallback = (absent), .doc = (sentence)                                                                        \
    }
#define BLOCK(member, row_kind, rows, element, sentence)                                                               \
    {                                                                                                                  \
        .key = #member, .kind = (row_kind), .offset = offsetof(struct model, member), .fields = (rows),                \
        .size = sizeof(struct element), .doc = (sentence)                                                              \
    }
/* A key that a document must have. */
#define NEEDED(member, low, high, sentence)                                                                            \
    {                                                                                                                  \
        .key = #member, .kind = FIELD_COUNT, .offset = offsetof(struct model, member), .min = (low), .max = (high),    \
        .doc = (sentence), .flags = FIELD_REQUIRED                                                                     \
    }

static const struct field bias_fields[] = {
    BOOL(bias, qkv, "false", "Whether the query, key and value projections have biases"),
    BOOL(bias, out, "false", "Whether attention's output projection has a bias"),
    BOOL(bias, mlp, "false", "Whether the dense and shared feed-forward projections have biases"),
    BOOL(bias, router, "false", "Whether the router has a bias per expert that is a trained parameter"),
    BOOL(bias, head, "false", "Whether the output head has a bias"),
    FIELD_END,
};

static const struct field mla_fields[] = {
    COUNT(mla, q_lora_rank, 0, 65536, "0", "Rank of the query projection; 0 projects queries at full rank"),
    COUNT(mla, kv_lora_rank, 1, 65536, "512", "Rank of the joint key and value projection, which is what is cached"),
    COUNT(mla, qk_nope_head_dim, 1, 65536, "128", "Width of a head's query and key without rotary position"),
    COUNT(mla, qk_rope_head_dim, 0, 65536, "64", "Width of a head's query and key with rotary position"),
    COUNT(mla, v_head_dim, 1, 65536, "128", "Width of a head's value"),
    FIELD_END,
};

static const struct field moe_fields[] = {
    COUNT(moe, num_experts, 1, 65536, "8", "Routed experts of a layer"),
    COUNT(moe, experts_per_token, 1, 65536, "2", "Routed experts that one token uses"),
    COUNT(moe, expert_intermediate_size, 0, 16777216, "0", "Width of an expert; 0 takes intermediate_size"),
    COUNT(moe, shared_experts, 0, 1024, "0", "Experts that every token uses beside the routed ones"),
    COUNT(moe, shared_intermediate_size, 0, 16777216, "0",
          "Width of all shared experts together; 0 takes shared_experts * expert_intermediate_size"),
    BOOL(moe, shared_expert_gate, "false", "Whether a gate of one output scales the shared experts' result"),
    COUNT(moe, first_dense_layers, 0, 10000, "0", "Leading layers with a dense feed-forward"),
    COUNT(moe, layer_freq, 1, 10000, "1",
          "After the leading dense layers, the last of every so many layers has experts and the others are dense"),
    BOOL(moe, expert_bias, "false", "Whether the experts' projections have biases"),
    COUNT(moe, router_bias, 0, 65536, "0",
          "Entries of the router's correction bias, one per expert, which is adjusted and not trained; 0 has none"),
    NUMBER(moe, capacity_factor, 0, 1e6, "0",
           "Room of an expert over the mean load, beyond which tokens are dropped; 0 drops none"),
    NUMBER(moe, imbalance, 1, 1e6, "1", "Load of the busiest expert-parallel rank over the mean load"),
    COUNT(moe, node_limit, 0, 65536, "0", "Nodes that one token's experts may lie on; 0 is unlimited"),
    FIELD_END,
};

static const struct field linear_fields[] = {
    COUNT(linear_attention, key_heads, 1, 65536, "16", "Heads of queries and keys"),
    COUNT(linear_attention, value_heads, 1, 65536, "16", "Heads of values, a multiple of key_heads"),
    COUNT(linear_attention, key_dim, 1, 65536, "128",
          "Width of a head's query and key; a state-space layer's state size"),
    COUNT(linear_attention, value_dim, 1, 65536, "128", "Width of a head's value"),
    COUNT(linear_attention, conv_kernel, 0, 1024, "0",
          "Width of the depthwise convolution over queries, keys and values; 0 has none"),
    COUNT(linear_attention, chunk, 1, 1048576, "64", "Tokens that are processed together"),
    BOOL(linear_attention, gate, "false", "Whether a projection of the values' width gates the output"),
    COUNT(linear_attention, head_gates, 0, 16, "0",
          "Projections of one output per value head: 2 of a gated delta net, 1 of Mamba-2"),
    COUNT(linear_attention, head_scalars, 0, 16, "0",
          "Learned numbers per value head: 2 of a gated delta net, 3 of Mamba-2"),
    COUNT(linear_attention, output_norm, 0, 16777216, "0",
          "Width of the norm before the output projection; 0 has none"),
    FIELD_END,
};

static const struct field encoder_fields[] = {
    COUNT(encoder, num_hidden_layers, 1, 10000, "12", "Layers of the encoder"),
    COUNT(encoder, seq_len, 0, 1e9, "0", "Tokens of the encoder's sequence; 0 is as long as the decoder's"),
    COUNT(encoder, intermediate_size, 0, 16777216, "0", "Width of the encoder's feed-forward; 0 is the decoder's"),
    FIELD_END,
};

static const struct field image_fields[] = {
    COUNT(image, image_size, 1, 65536, "224", "Height and width of an image in pixels, or of its latent for DiT"),
    COUNT(image, patch_size, 1, 4096, "16", "Height and width of a patch in pixels"),
    COUNT(image, channels, 1, 4096, "3", "Channels of a pixel"),
    COUNT(image, classes, 0, 268435456, "1000",
          "Width of the classification head, or with adaln rows of the label table; 0 has none"),
    BOOL(image, class_token, "false", "Whether a class token is put before the patches"),
    BOOL(image, adaln, "false",
         "Whether blocks are modulated by a conditioning vector (DiT), in place of the norms' own weights"),
    COUNT(image, out_channels, 0, 4096, "0", "Channels predicted per pixel; 0 predicts none"),
    FIELD_END,
};

static const struct field extra_block_fields[] = {
    {.key = "name",
     .kind = FIELD_TEXT,
     .offset = offsetof(struct extra_block, name),
     .doc = "Name of the block",
     .flags = FIELD_REQUIRED | FIELD_KEY},
    COUNT(extra_block, params, 0, 1e13, "0", "Parameters"),
    NUMBER(extra_block, flops_per_token, 0, 1e18, "0", "Forward floating-point operations per token"),
    NUMBER(extra_block, activation_bytes_per_token, 0, 1e15, "0", "Bytes kept for backward per token"),
    CHOICE(extra_block, place, place_names, "embedding", "Pipeline stage on which the block lies"),
    FIELD_END,
};

const struct field model_fields[] = {
    {.key = "name",
     .kind = FIELD_TEXT,
     .offset = offsetof(struct model, name),
     .doc = "Name of the model; absent, the file's name"},
    {.key = "source",
     .kind = FIELD_TEXT,
     .offset = offsetof(struct model, source),
     .doc = "Where the numbers come from: a paper, a Hugging Face id"},
    NEEDED(hidden_size, 1, 1048576, "Width of the residual stream"),
    NEEDED(num_hidden_layers, 1, 10000, "Layers, of an encoder-decoder those of the decoder"),
    NEEDED(num_attention_heads, 1, 1048576, "Query heads of a layer"),
    COUNT(model, num_key_value_heads, 0, 1048576, "0",
          "Key and value heads of a layer; 0 is as many as query heads, 1 is multi-query attention"),
    COUNT(model, head_dim, 0, 65536, "0", "Width of a head; 0 is hidden_size / num_attention_heads"),
    COUNT(model, intermediate_size, 0, 16777216, "0",
          "Width of the dense feed-forward; 0 is 4 * hidden_size where the activation is not gated"),
    COUNT(model, vocab_size, 0, 268435456, "0", "Tokens of the vocabulary; 0 only with image"),
    COUNT(model, vocab_pad_multiple, 1, 65536, "128",
          "Training pads the vocabulary to a multiple of this times the tensor-parallel degree"),
    COUNT(model, padded_vocab_size, 0, 536870912, "0", "Rows of the vocabulary's table as trained; 0 is derived"),
    COUNT(model, max_position_embeddings, 0, 1e9, "0", "Longest sequence; rows of the table of learned positions"),
    BOOL(model, tie_word_embeddings, "false", "Whether the embedding's table is the output head too"),
    CHOICE(model, mlp, mlp_names, "swiglu",
           "Activation of the feed-forward; swiglu and geglu are gated, with 3 matrices"),
    CHOICE(model, norm, norm_names, "rmsnorm", "Kind of the norms; layernorm has weight and bias"),
    CHOICE(model, position, position_names, "rope", "How positions enter; learned is a table of parameters"),
    CHOICE(model, attention, attention_names, "full",
           "Attention of the layers; absent, the one whose block (mla, sliding_window, linear) is given"),
    COUNT(model, norms_per_layer, 0, 8, "2", "Norms of hidden_size width in a layer"),
    BOOL(model, qk_norm, "false", "Whether each head's query and key are normed"),
    BOOL(model, embedding_norm, "false", "Whether the embedding is normed"),
    BOOL(model, parallel_block, "false", "Whether attention and feed-forward run beside each other from one input"),
    BOOL(model, attention_sinks, "false", "Whether each head has a learned sink logit"),
    BOOL(model, attn_output_gate, "false", "Whether a projection of the heads' width gates attention's output"),
    BOOL(model, causal, "true", "Whether a token attends to earlier tokens only"),
    {.key = "dropout",
     .kind = FIELD_RATIO,
     .offset = offsetof(struct model, dropout),
     .fallback = "0",
     .min = 0,
     .max = 1,
     .doc = "Dropout probability in training; above 0 its masks are kept for backward"},
    BLOCK(bias, FIELD_STRUCT, bias_fields, bias, "Which projections have biases"),
    BLOCK(mla, FIELD_OPTIONAL, mla_fields, mla, "Multi-head latent attention (DeepSeek-V2)"),
    BLOCK(moe, FIELD_OPTIONAL, moe_fields, moe, "Mixture of experts"),
    BLOCK(linear, FIELD_OPTIONAL, linear_fields, linear_attention, "Linear attention or state-space layers"),
    COUNT(model, sliding_window, 0, 1e9, "0", "Tokens, itself included, that a token sees in sliding attention"),
    COUNT(model, mtp_layers, 0, 64, "0",
          "Multi-token prediction blocks, each one layer, a projection and a use of the head"),
    {.key = "layer_pattern",
     .kind = FIELD_TEXTS,
     .offset = offsetof(struct model, layer_pattern),
     .doc = "Layers in order, repeated until all are named: attention[/ffn][*count] with attention full, sliding, mla, "
            "linear or none and ffn dense, moe or none"},
    BLOCK(encoder, FIELD_OPTIONAL, encoder_fields, encoder, "The encoder of an encoder-decoder"),
    BLOCK(image, FIELD_OPTIONAL, image_fields, image, "Images in: patches become tokens"),
    BLOCK(extra_blocks, FIELD_STRUCTS, extra_block_fields, extra_block,
          "Parts that no other key describes, by their numbers: adapters, towers, projectors"),
    FIELD_END,
};
