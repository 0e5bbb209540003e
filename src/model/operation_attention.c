/* Attention as operations: grouped-query with rotary positions, fused or unfused; multi-head latent; linear. */
#include <math.h>

#include "model/operation_internal.h"

/* Pairs of every token with the up to `reach` tokens on one side of it. */
static double side_pairs(double sequence, double reach) {
    return reach >= sequence ? sequence * (sequence - 1) / 2 : reach * sequence - reach * (reach + 1) / 2;
}

/* Query-key pairs of one head over a whole sequence: causal s(s+1)/2, a window of w before the token ws - w(w-1)/2,
 * around it w/2 on either side, else all. */
static double score_pairs(const struct layer_kind *kind, double sequence) {
    double window = kind->window > 0 ? (double)kind->window : 2 * sequence;
    double before = kind->causal ? window - 1 : floor(window / 2);
    double after = kind->causal ? 0 : window - 1 - before;
    return sequence + side_pairs(sequence, before) + side_pairs(sequence, after);
}

/* How context parallelism cuts attention: `ulysses` ways by heads, the rest by tokens (zig-zag, so every rank has the
 * same number of pairs; Liu et al. 2023 arXiv:2310.01889, Fang & Zhao 2024 arXiv:2405.07719). */
struct attention_cut {
    double heads, kv_heads, query, keys, pairs;
};

static struct attention_cut attention_cut(const struct builder *b) {
    double ulysses = (double)b->shard->ulysses;
    double ring = (double)b->shard->cp / ulysses;
    double kv_heads = (double)b->model->num_key_value_heads;
    return (struct attention_cut){
        .heads = fmax(1, (double)b->model->num_attention_heads / b->tp / ulysses),
        .kv_heads = fmax(1, kv_heads / b->tp / ulysses),
        .query = b->sequence / ring,
        .keys = b->sequence,
        .pairs = score_pairs(b->kind, b->sequence) / ring,
    };
}

static void build_fused(struct builder *b, const struct attention_cut *cut, double key_dim, double value_dim) {
    struct layer_work *work = b->work;
    build_scores(b, "attention", PART_CORE, (double)b->shard->micro_batch, cut->query, cut->keys, key_dim);
    struct operation *operation = &work->operations[work->operation_count - 1];
    operation->kind = OPERATION_ATTENTION;
    operation->heads = cut->heads;
    operation->kv_heads = cut->kv_heads;
    operation->query = cut->query;
    operation->keys = cut->keys;
    operation->key_dim = key_dim;
    operation->value_dim = value_dim;
    operation->pairs = cut->pairs;
    build_saved(b, "log-sum-exp", PART_CORE, 4 * b->tokens * (double)b->model->num_attention_heads / b->tp);
}

/* Scores in memory: QK^T, scaled masked softmax, dropout, AV. Softmax output is kept (2 bytes), with dropout its mask
 * (1) and output (2): the 5as/h of Korthikanti et al. */
static void build_unfused(struct builder *b, const struct attention_cut *cut, double key_dim, double value_dim) {
    double batch = (double)b->shard->micro_batch * cut->heads;
    double scores = batch * cut->query * cut->keys;
    bool dropout = b->model->dropout > 0;
    build_scores(b, "scores", PART_CORE, batch, cut->query, cut->keys, key_dim);
    build_memory(b, "softmax", PART_CORE, 2 * b->element * scores, 3 * b->element * scores);
    if (dropout) {
        build_memory(b, "attention dropout", PART_CORE, (2 * b->element + 1) * scores, (2 * b->element + 1) * scores);
    }
    build_scores(b, "values", PART_CORE, batch, cut->query, value_dim, cut->keys);
    build_saved(b, "softmax output", PART_CORE, b->element * scores);
    build_saved(b, "attention dropout", PART_CORE, dropout ? (b->element + 1) * scores : 0);
}

static void build_core(struct builder *b, const struct attention_cut *cut, double key_dim, double value_dim) {
    if (b->shard->flash) {
        build_fused(b, cut, key_dim, value_dim);
    } else {
        build_unfused(b, cut, key_dim, value_dim);
    }
}

/* The core's output is kept for its own backward and for the projection's weight gradient. Under fp8 the projection
 * keeps a one-byte copy; with a gate or a norm between the two (`gated`) its input is another tensor. */
static void build_out(struct builder *b, double inner, bool gated) {
    build_gemm(b, "attention out", 0, b->tokens, b->hidden, inner);
    build_saved(b, "attention output", 0, b->element * b->tokens * inner);
    build_saved(b, "attention out input", 0, gated || b->shard->fp8 ? b->linear * b->tokens * inner : 0);
    build_residual(b, "attention residual");
}

/* Output times a sigmoid gate, both `width` wide. */
static void build_gate(struct builder *b, double width) {
    double bytes = b->element * b->tokens * width;
    build_memory(b, "output gate", 0, 3 * bytes, 5 * bytes);
    build_saved(b, "output gate", 0, bytes);
}

/* Copies of K and V that are kept: all-gather context parallelism has those of the whole sequence; Ulysses over more
 * ranks than a tensor-parallel rank has key-value heads gives every rank one of them. */
static double kept_keys(const struct builder *b) {
    if (b->shard->gathers_keys) {
        return (double)b->shard->cp;
    }
    return fmax(1, (double)b->shard->ulysses / fmax(1, (double)b->model->num_key_value_heads / b->tp));
}

static void build_grouped_query(struct builder *b) {
    const struct model *model = b->model;
    double head = (double)model->head_dim;
    double query = (double)model->num_attention_heads * head / b->tp;
    double keys = fmax(1, (double)model->num_key_value_heads / b->tp) * head;
    bool gated = model->attn_output_gate;
    build_gemm(b, "qkv", 0, b->tokens, (gated ? 2 : 1) * query + 2 * keys, b->hidden);
    if (model->qk_norm) {
        double bytes = b->element * b->tokens * (query + keys);
        build_memory(b, "qk norm", PART_NORM, 2 * bytes, 3 * bytes);
        build_saved(b, "qk norm input", PART_NORM, bytes);
    }
    if (model->position == POSITION_ROPE) {
        double bytes = b->element * b->tokens * (query + keys);
        build_memory(b, "rotary", 0, 2 * bytes, 2 * bytes);
    }
    build_saved(b, "query", 0, b->element * b->tokens * query);
    build_saved(b, "keys and values", 0, 2 * b->element * b->tokens * keys * kept_keys(b));
    struct attention_cut cut = attention_cut(b);
    build_core(b, &cut, head, head);
    if (gated) {
        build_gate(b, query);
    }
    build_out(b, query, gated);
}

/* MLA (DeepSeek-V2, arXiv:2405.04434): the down-projections are whole on every tensor-parallel rank and work on its own
 * tokens; the up-projections are split by heads and stand behind both, as one exchange brings what both read. */
static void build_latent(struct builder *b) {
    const struct mla *mla = b->model->mla;
    double heads = (double)b->model->num_attention_heads / b->tp;
    double key_dim = (double)(mla->qk_nope_head_dim + mla->qk_rope_head_dim);
    double value_dim = (double)mla->v_head_dim;
    double q_rank = (double)mla->q_lora_rank, kv_rank = (double)mla->kv_lora_rank;
    double rope = (double)mla->qk_rope_head_dim;
    if (q_rank > 0) {
        double latent = b->element * b->own_tokens * q_rank;
        build_gemm(b, "q down", 0, b->own_tokens, q_rank, b->hidden);
        build_memory(b, "q latent norm", PART_NORM, 2 * latent, 3 * latent);
        build_saved(b, "q latent", 0, latent);
        build_saved(b, "q latent normed", PART_NORM, b->linear * b->own_tokens * q_rank);
    }
    double latent = b->element * b->own_tokens * kv_rank;
    build_gemm(b, "kv down", 0, b->own_tokens, kv_rank + rope, b->hidden);
    build_memory(b, "kv latent norm", PART_NORM, 2 * latent, 3 * latent);
    build_saved(b, "kv latent", 0, latent + b->element * b->own_tokens * rope);
    build_saved(b, "kv latent normed", PART_NORM, b->linear * b->own_tokens * kv_rank);
    build_gemm(b, q_rank > 0 ? "q up" : "q", PART_MLA_UP, b->tokens, heads * key_dim, q_rank > 0 ? q_rank : b->hidden);
    build_gemm(b, "kv up", PART_MLA_UP, b->tokens, heads * ((double)mla->qk_nope_head_dim + value_dim), kv_rank);
    double qk_bytes = b->element * b->tokens * heads * key_dim;
    build_memory(b, "rotary", PART_MLA_UP, 4 * qk_bytes, 4 * qk_bytes);
    build_saved(b, "query", PART_MLA_UP, qk_bytes);
    build_saved(b, "keys", PART_MLA_UP, qk_bytes * kept_keys(b));
    build_saved(b, "values", PART_MLA_UP, b->element * b->tokens * heads * value_dim * kept_keys(b));
    struct attention_cut cut = attention_cut(b);
    build_core(b, &cut, key_dim, value_dim);
    build_out(b, heads * value_dim, false);
}

/* A norm of the heads' outputs, a gate, or both in one kernel. */
static void build_linear_output(struct builder *b, double value) {
    const struct linear_attention *linear = b->model->linear;
    bool gated = linear->gate || linear->output_norm > 0;
    double bytes = b->element * b->tokens * value;
    if (gated) {
        build_memory(b, "output norm and gate", 0, (linear->gate ? 3 : 2) * bytes, (linear->gate ? 5 : 3) * bytes);
    }
    build_out(b, value, gated);
}

/* Chunked linear attention (GLA arXiv:2312.06635, LASP-2 arXiv:2502.07563): inside a chunk of C tokens masked products,
 * across chunks a state of key_dim x value_dim a head. Per token and head 2C(dk + dv) FLOPs, of which the mask leaves
 * half, and 4 dk dv to update and to read the state. */
static void build_linear(struct builder *b) {
    const struct linear_attention *linear = b->model->linear;
    double heads = fmax(1, (double)linear->value_heads / b->tp);
    double key = fmax(1, (double)linear->key_heads / b->tp) * (double)linear->key_dim;
    double value = heads * (double)linear->value_dim;
    double chunk = fmax(1, fmin((double)linear->chunk, b->sequence / (double)b->shard->cp));
    double chunks = b->tokens / chunk * heads;
    double gate = linear->gate ? value : 0;
    double head_gates = (double)linear->head_gates * heads;
    build_gemm(b, "qkvg", 0, b->tokens, 2 * key + value + gate + head_gates, b->hidden);
    if (linear->conv_kernel > 0) {
        double bytes = b->element * b->tokens * (2 * key + value);
        build_memory(b, "convolution", 0, 2 * bytes, 3 * bytes);
        build_saved(b, "convolution input", 0, bytes);
    }
    build_scores(b, "chunk scores", PART_CORE, chunks, chunk, chunk, (double)linear->key_dim);
    build_scores(b, "chunk values", PART_CORE, chunks, chunk, (double)linear->value_dim, chunk);
    build_scores(b, "state update", PART_CORE, chunks, (double)linear->key_dim, (double)linear->value_dim, chunk);
    build_scores(b, "state read", PART_CORE, chunks, chunk, (double)linear->value_dim, (double)linear->key_dim);
    build_saved(b, "query, keys and values", 0, b->element * b->tokens * (2 * key + value + gate));
    build_saved(b, "head gates", 0, b->element * b->tokens * head_gates);
    build_saved(b, "chunk states", PART_CORE, 4 * chunks * (double)(linear->key_dim * linear->value_dim));
    build_linear_output(b, value);
}

void build_attention(struct builder *b) {
    build_norm(b, "attention norm", b->linear);
    if (b->model->norms_per_layer >= 4) {
        build_norm(b, "attention post-norm", 0);
    }
    if (b->kind->attention == ATTENTION_MLA) {
        build_latent(b);
    } else if (b->kind->attention == ATTENTION_LINEAR) {
        build_linear(b);
    } else {
        build_grouped_query(b);
    }
}

/* Queries from the decoder, keys and values from the encoder's output; every query sees every key. The encoder's output
 * itself is kept once for all layers, with the encoder. */
void build_cross_attention(struct builder *b) {
    const struct model *model = b->model;
    double head = (double)model->head_dim;
    double query = (double)model->num_attention_heads * head / b->tp;
    double keys = fmax(1, (double)model->num_key_value_heads / b->tp) * head;
    double source = (double)model_encoder_tokens(model, b->shard->seq_len);
    double source_tokens = (double)b->shard->micro_batch * source / (double)b->shard->cp;
    bool gated = model->attn_output_gate;
    build_norm(b, "cross norm", b->linear);
    build_gemm(b, "cross query", 0, b->tokens, (gated ? 2 : 1) * query, b->hidden);
    build_gemm(b, "cross keys and values", 0, source_tokens, 2 * keys, b->hidden);
    build_saved(b, "cross query", 0, b->element * b->tokens * query);
    build_saved(b, "cross keys and values", 0, 2 * b->element * source_tokens * keys * kept_keys(b));
    struct attention_cut cut = attention_cut(b);
    cut.keys = source;
    cut.pairs = cut.query * source;
    build_core(b, &cut, head, head);
    if (gated) {
        build_gate(b, query);
    }
    build_out(b, query, gated);
}
