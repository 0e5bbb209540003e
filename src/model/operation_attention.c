/* Attention as operations: grouped-query with rotary positions, fused or unfused; multi-head latent; linear. */
#include <math.h>

#include "model/operation_internal.h"

/* Query-key pairs of one head over a whole sequence: causal s(s+1)/2, a window of w: ws - w(w-1)/2, else all. */
static double score_pairs(const struct layer_kind *kind, double sequence) {
    double window = (double)kind->window;
    if (window > 0 && window < sequence) {
        double causal = window * sequence - window * (window - 1) / 2;
        return kind->causal ? causal : 2 * causal - sequence;
    }
    return kind->causal ? sequence * (sequence + 1) / 2 : sequence * sequence;
}

/* How context parallelism cuts attention: `ulysses` ways by heads, the rest by tokens (zig-zag, so every rank has the
 * same number of pairs; Liu et al. 2023 arXiv:2310.01889, Fang & Zhao 2024 arXiv:2405.07719). */
struct attention_cut {
    double heads, kv_heads, query, ring;
};

static struct attention_cut attention_cut(const struct builder *b) {
    double ulysses = (double)b->shard->ulysses;
    double ring = (double)b->shard->cp / ulysses;
    double kv_heads = (double)b->model->num_key_value_heads;
    return (struct attention_cut){
        .heads = fmax(1, (double)b->model->num_attention_heads / b->tp / ulysses),
        .kv_heads = fmax(1, kv_heads / b->tp / ulysses),
        .query = b->sequence / ring,
        .ring = ring,
    };
}

static void build_fused(struct builder *b, const struct attention_cut *cut, double key_dim, double value_dim) {
    struct layer_work *work = b->work;
    build_scores(b, "attention", PART_CORE, (double)b->shard->micro_batch, cut->query, b->sequence, key_dim);
    struct operation *operation = &work->operations[work->operation_count - 1];
    operation->kind = OPERATION_ATTENTION;
    operation->heads = cut->heads;
    operation->kv_heads = cut->kv_heads;
    operation->query = cut->query;
    operation->keys = b->sequence;
    operation->key_dim = key_dim;
    operation->value_dim = value_dim;
    operation->pairs = score_pairs(b->kind, b->sequence) / cut->ring;
    build_saved(b, "log-sum-exp", PART_CORE, 4 * b->tokens * (double)b->model->num_attention_heads / b->tp);
}

/* Scores in memory: QK^T, scaled masked softmax, dropout, AV. Softmax output is kept (2 bytes), with dropout its mask
 * (1) and output (2): the 5as/h of Korthikanti et al. */
static void build_unfused(struct builder *b, const struct attention_cut *cut, double key_dim, double value_dim) {
    double batch = (double)b->shard->micro_batch * cut->heads;
    double scores = batch * cut->query * b->sequence;
    bool dropout = b->model->dropout > 0;
    build_scores(b, "scores", PART_CORE, batch, cut->query, b->sequence, key_dim);
    build_memory(b, "softmax", PART_CORE, 2 * b->element * scores, 3 * b->element * scores);
    if (dropout) {
        build_memory(b, "attention dropout", PART_CORE, (2 * b->element + 1) * scores, (2 * b->element + 1) * scores);
    }
    build_scores(b, "values", PART_CORE, batch, cut->query, value_dim, b->sequence);
    build_saved(b, "softmax output", PART_CORE, b->element * scores);
    build_saved(b, "attention dropout", PART_CORE, dropout ? (b->element + 1) * scores : 0);
}

static void build_core(struct builder *b, double key_dim, double value_dim) {
    struct attention_cut cut = attention_cut(b);
    if (b->shard->flash) {
        build_fused(b, &cut, key_dim, value_dim);
    } else {
        build_unfused(b, &cut, key_dim, value_dim);
    }
}

static void build_out(struct builder *b, double inner) {
    build_gemm(b, "attention out", 0, b->tokens, b->hidden, inner);
    build_saved(b, "attention output", 0, (b->element + (b->shard->fp8 ? 1 : 0)) * b->tokens * inner);
    build_residual(b, "attention residual");
}

/* K and V as all-gather context parallelism keeps them: of the whole sequence. */
static double kept_keys(const struct builder *b) {
    return b->shard->gathers_keys ? (double)b->shard->cp : 1;
}

static void build_grouped_query(struct builder *b) {
    const struct model *model = b->model;
    double head = (double)model->head_dim;
    double query = (double)model->num_attention_heads * head / b->tp;
    double keys = fmax(1, (double)model->num_key_value_heads / b->tp) * head;
    build_gemm(b, "qkv", 0, b->tokens, query + 2 * keys, b->hidden);
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
    build_core(b, head, head);
    build_out(b, query);
}

/* MLA (DeepSeek-V2, arXiv:2405.04434): the down-projections are whole on every tensor-parallel rank and work on its own
 * tokens; the up-projections are split by heads. */
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
        build_saved(b, "q latent normed", PART_NORM, latent);
        build_gemm(b, "q up", PART_MLA_UP, b->tokens, heads * key_dim, q_rank);
    } else {
        build_gemm(b, "q", PART_MLA_UP, b->tokens, heads * key_dim, b->hidden);
    }
    double latent = b->element * b->own_tokens * kv_rank;
    build_gemm(b, "kv down", 0, b->own_tokens, kv_rank + rope, b->hidden);
    build_memory(b, "kv latent norm", PART_NORM, 2 * latent, 3 * latent);
    build_saved(b, "kv latent", 0, latent + b->element * b->own_tokens * rope);
    build_saved(b, "kv latent normed", PART_NORM, latent);
    build_gemm(b, "kv up", PART_MLA_UP, b->tokens, heads * ((double)mla->qk_nope_head_dim + value_dim), kv_rank);
    double qk_bytes = b->element * b->tokens * heads * key_dim;
    build_memory(b, "rotary", PART_MLA_UP, 4 * qk_bytes, 4 * qk_bytes);
    build_saved(b, "query", PART_MLA_UP, qk_bytes);
    build_saved(b, "keys", PART_MLA_UP, qk_bytes * kept_keys(b));
    build_saved(b, "values", PART_MLA_UP, b->element * b->tokens * heads * value_dim * kept_keys(b));
    build_core(b, key_dim, value_dim);
    build_out(b, heads * value_dim);
}

/* Chunked linear attention (GLA arXiv:2312.06635, LASP-2 arXiv:2502.07563): inside a chunk of C tokens masked products,
 * across chunks a state of key_dim x value_dim a head: T a (C (dk + dv) + 4 dk dv) multiply-adds times two. */
static void build_linear(struct builder *b) {
    const struct linear_attention *linear = b->model->linear;
    double heads = fmax(1, (double)linear->value_heads / b->tp);
    double key = fmax(1, (double)linear->key_heads / b->tp) * (double)linear->key_dim;
    double value = heads * (double)linear->value_dim;
    double chunk = fmax(1, (double)linear->chunk);
    double chunks = b->tokens / chunk * heads;
    double gate = linear->gate ? value : 0;
    build_gemm(b, "qkvg", 0, b->tokens, 2 * key + value + gate, b->hidden);
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
    build_saved(b, "chunk states", PART_CORE, 4 * chunks * (double)(linear->key_dim * linear->value_dim));
    build_out(b, value);
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

/* Queries from the decoder, keys and values from the encoder's output, no mask. */
void build_cross_attention(struct builder *b) {
    const struct model *model = b->model;
    double head = (double)model->head_dim;
    double query = (double)model->num_attention_heads * head / b->tp;
    double keys = fmax(1, (double)model->num_key_value_heads / b->tp) * head;
    double source = model->encoder != NULL && model->encoder->seq_len > 0 ? (double)model->encoder->seq_len : b->sequence;
    double source_tokens = (double)b->shard->micro_batch * source / (double)b->shard->cp;
    build_norm(b, "cross norm", b->linear);
    build_gemm(b, "cross query", 0, b->tokens, query, b->hidden);
    build_gemm(b, "cross keys and values", 0, source_tokens, 2 * keys, b->hidden);
    build_saved(b, "cross query", 0, b->element * b->tokens * query);
    build_saved(b, "cross keys and values", 0, 2 * b->element * source_tokens * keys);
    struct attention_cut cut = attention_cut(b);
    double batch = (double)b->shard->micro_batch * cut.heads;
    build_scores(b, "cross scores", PART_CORE, batch, cut.query, source, head);
    build_scores(b, "cross values", PART_CORE, batch, cut.query, head, source);
    build_saved(b, "cross log-sum-exp", PART_CORE, 4 * b->tokens * cut.heads);
    build_out(b, query);
}
