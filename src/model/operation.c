/* The work of one layer: the frame and the pieces that attention and feed-forward share. */
#include "model/operation.h"

#include <assert.h>

#include "model/operation_internal.h"

static struct operation *build_operation(struct builder *b, const char *name, enum operation_kind kind,
                                         unsigned parts) {
    assert(b->work->operation_count < OPERATIONS_MAX);
    struct operation *operation = &b->work->operations[b->work->operation_count++];
    *operation = (struct operation){.name = name, .kind = kind, .parts = parts | PART_ALL, .batch = 1};
    return operation;
}

void build_gemm(struct builder *b, const char *name, unsigned parts, double m, double n, double k) {
    struct operation *operation = build_operation(b, name, OPERATION_GEMM, parts);
    operation->m = m;
    operation->n = n;
    operation->k = k;
}

void build_scores(struct builder *b, const char *name, unsigned parts, double batch, double m, double n, double k) {
    struct operation *operation = build_operation(b, name, OPERATION_SCORES, parts);
    operation->m = m;
    operation->n = n;
    operation->k = k;
    operation->batch = batch;
}

void build_memory(struct builder *b, const char *name, unsigned parts, double forward_bytes, double backward_bytes) {
    struct operation *operation = build_operation(b, name, OPERATION_MEMORY, parts);
    operation->forward_bytes = forward_bytes;
    operation->backward_bytes = backward_bytes;
}

void build_saved(struct builder *b, const char *name, unsigned parts, double bytes) {
    if (bytes <= 0) {
        return;
    }
    assert(b->work->saved_count < SAVED_MAX);
    b->work->saved[b->work->saved_count++] = (struct saved){name, parts | PART_ALL, bytes};
}

/* Forward reads x and writes y; backward reads dy and x and writes dx. Unfused norms make one more round trip. */
void build_norm(struct builder *b, const char *name, double output_element) {
    double values = b->own_tokens * b->hidden;
    double trips = b->shard->fused_norm ? 1 : 2;
    build_memory(b, name, PART_NORM, trips * 2 * b->element * values, trips * 3 * b->element * values);
    build_saved(b, "norm input", 0, b->element * values);
    build_saved(b, "norm output", PART_NORM, output_element * values);
}

/* Forward reads the branch and the residual and writes their sum; with dropout a byte of mask is written and kept. */
void build_residual(struct builder *b, const char *name) {
    double values = b->own_tokens * b->hidden;
    double mask = b->model->dropout > 0 ? 1 : 0;
    build_memory(b, name, 0, (3 * b->element + mask) * values, (2 * b->element + mask) * values);
    build_saved(b, "dropout mask", 0, mask * values);
}

static struct builder builder_make(const struct model *model, const struct layer_kind *kind,
                                   const struct shard *shard, struct layer_work *work) {
    double sequence = (double)shard->seq_len;
    if (kind != NULL && kind->encoder && model->encoder != NULL && model->encoder->seq_len > 0) {
        sequence = (double)model->encoder->seq_len;
    }
    double tokens = (double)shard->micro_batch * sequence / (double)shard->cp;
    work->operation_count = 0;
    work->saved_count = 0;
    work->expert_rows = 0;
    work->tokens = tokens;
    struct builder b = {
        .model = model,
        .kind = kind,
        .shard = shard,
        .work = work,
        .hidden = (double)model->hidden_size,
        .sequence = sequence,
        .tokens = tokens,
        .own_tokens = shard->sequence_parallel ? tokens / (double)shard->tp : tokens,
        .tp = (double)shard->tp,
        .element = shard->element,
        .linear = shard->fp8 ? 1 : shard->element,
    };
    work->input_bytes = b.element * b.own_tokens * b.hidden;
    return b;
}

void operation_layer(const struct model *model, const struct layer_kind *kind, const struct shard *shard,
                     struct layer_work *ret) {
    struct builder b = builder_make(model, kind, shard, ret);
    if (model->image != NULL && model->image->adaln) {
        /* DiT (Peebles & Xie 2022, arXiv:2212.09748): six modulation vectors of size h from the conditioning, per
         * sample, not per token. */
        build_gemm(&b, "adaln", 0, (double)shard->micro_batch, 6 * b.hidden / b.tp, b.hidden);
    }
    if (kind->attention != ATTENTION_NONE) {
        build_attention(&b);
    }
    if (kind->cross) {
        build_cross_attention(&b);
    }
    if (kind->ffn != FFN_NONE) {
        build_feed_forward(&b);
    }
}

void operation_embedding(const struct model *model, const struct shard *shard, struct layer_work *ret) {
    struct builder b = builder_make(model, NULL, shard, ret);
    double values = b.tokens * b.hidden;
    if (model->image != NULL) {
        double patch = (double)(model->image->patch_size * model->image->patch_size * model->image->channels);
        build_gemm(&b, "patch embedding", 0, b.tokens, b.hidden / b.tp, patch);
    } else {
        build_memory(&b, "embedding", 0, 2 * b.element * values, 3 * b.element * values);
    }
    if (model->dropout > 0) {
        build_memory(&b, "embedding dropout", 0, 2 * b.element * b.own_tokens * b.hidden,
                     2 * b.element * b.own_tokens * b.hidden);
        build_saved(&b, "dropout mask", 0, b.own_tokens * b.hidden);
    }
}

/* Cross-entropy over vocabulary-parallel logits makes fp32 copies: forward converts (2 + 4), finds the maximum (4),
 * exponentiates in place (8); backward reads and writes once and converts back (4 + 4 + 2). A fused loss reads and
 * writes the 16-bit logits once each way. */
void operation_head(const struct model *model, const struct shard *shard, bool fused_loss, struct layer_work *ret) {
    struct builder b = builder_make(model, NULL, shard, ret);
    bool classes = model->image != NULL;
    double outputs = (double)model_padded_vocab(model, shard->tp) / b.tp;
    double rows = b.tokens;
    if (classes) {
        outputs = (double)model->image->classes;
        rows = (double)shard->micro_batch;
        if (model->image->out_channels > 0) {
            outputs = (double)(model->image->patch_size * model->image->patch_size * model->image->out_channels);
            rows = b.tokens;
        }
    }
    build_norm(&b, "final norm", b.element);
    build_gemm(&b, "head", 0, rows, outputs, b.hidden);
    double logits = rows * outputs;
    build_memory(&b, "loss", 0, (fused_loss ? 4 : 18) * logits, (fused_loss ? 4 : 10) * logits);
    build_saved(&b, "logits", 0, (fused_loss ? b.element : 4) * logits);
}

double operation_saved_bytes(const struct layer_work *work, unsigned recomputed) {
    if ((recomputed & PART_ALL) != 0) {
        return work->input_bytes;
    }
    double bytes = 0;
    for (int i = 0; i < work->saved_count; i++) {
        if ((work->saved[i].parts & recomputed) == 0) {
            bytes += work->saved[i].bytes;
        }
    }
    return bytes;
}
