/* The work of one layer: the frame and the pieces that attention and feed-forward share. */
#include "model/operation.h"

#include <assert.h>
#include <math.h>

#include "model/operation_internal.h"

static struct operation *build_operation(struct builder *b, const char *name, enum operation_kind kind,
                                         unsigned parts) {
    assert(b->work->operation_count < OPERATIONS_MAX);
    struct operation *operation = &b->work->operations[b->work->operation_count++];
    *operation = (struct operation){.name = name, .kind = kind, .parts = parts | PART_ALL, .batch = 1, .launches = 1};
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

void build_launches(struct builder *b, double launches) {
    b->work->operations[b->work->operation_count - 1].launches = launches;
}

void build_saved(struct builder *b, const char *name, unsigned parts, double bytes) {
    if (bytes <= 0) {
        return;
    }
    assert(b->work->saved_count < SAVED_MAX);
    b->work->saved_with[b->work->saved_count] = b->work->operation_count > 0 ? b->work->operation_count - 1 : 0;
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

/* Forward reads the branch and the residual and writes their sum; with dropout a byte of mask is written and kept.
 * DiT's adaLN-Zero multiplies the branch by a gate, whose gradient needs the branch. */
void build_residual(struct builder *b, const char *name) {
    double values = b->own_tokens * b->hidden;
    double mask = b->model->dropout > 0 ? 1 : 0;
    build_memory(b, name, 0, (3 * b->element + mask) * values, (2 * b->element + mask) * values);
    build_saved(b, "dropout mask", 0, mask * values);
    bool gated = b->model->image != NULL && b->model->image->adaln;
    build_saved(b, "gated branch", 0, gated ? b->element * values : 0);
}

/* Tokens of one sequence in the stack of `kind`; images have as many as patches, whatever the job says. */
static double stack_tokens(const struct model *model, const struct layer_kind *kind, int64_t seq_len) {
    if (kind != NULL && kind->encoder) {
        return (double)model_encoder_tokens(model, seq_len);
    }
    return (double)(model->image != NULL ? model_image_tokens(model) : seq_len);
}

static struct builder builder_make(const struct model *model, const struct layer_kind *kind,
                                   const struct shard *shard, struct layer_work *work) {
    double sequence = stack_tokens(model, kind, shard->seq_len);
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

/* Blocks that are known by their numbers alone, those of one place together: a square product of their FLOPs, whole on
 * every tensor-parallel rank. */
static void build_extra(struct builder *b, int place) {
    const struct extra_block *blocks = b->model->extra_blocks.items;
    double flops = 0, bytes = 0;
    for (size_t i = 0; i < b->model->extra_blocks.count; i++) {
        if (blocks[i].place == place) {
            flops += blocks[i].flops_per_token;
            bytes += blocks[i].activation_bytes_per_token;
        }
    }
    if (flops > 0) {
        build_gemm(b, "extra blocks", 0, b->tokens, sqrt(flops / 2), sqrt(flops / 2));
    }
    build_saved(b, "extra blocks", 0, bytes * b->tokens);
}

/* Patches of an image are projected by weights that every rank has whole; DiT makes its conditioning from 256 sinusoids
 * of the timestep, once an image (arXiv:2212.09748, section 3.2). */
static void build_patches(struct builder *b) {
    const struct image *image = b->model->image;
    double pixels = (double)(image->patch_size * image->patch_size * image->channels);
    build_gemm(b, "patch embedding", 0, b->own_tokens, b->hidden, pixels);
    if (image->adaln) {
        build_gemm(b, "timestep", 0, (double)b->shard->micro_batch, b->hidden, 256);
        build_gemm(b, "conditioning", 0, (double)b->shard->micro_batch, b->hidden, b->hidden);
    }
}

/* An encoder-decoder looks up the tokens of both. */
void operation_embedding(const struct model *model, const struct shard *shard, struct layer_work *ret) {
    struct builder b = builder_make(model, NULL, shard, ret);
    double all = 1;
    if (model->encoder != NULL) {
        all += (double)model_encoder_tokens(model, shard->seq_len) / b.sequence;
    }
    double values = all * b.tokens * b.hidden, own = all * b.own_tokens * b.hidden;
    if (model->image != NULL) {
        build_patches(&b);
    } else {
        build_memory(&b, "embedding", 0, 2 * b.element * values, 3 * b.element * values);
    }
    if (model->dropout > 0) {
        build_memory(&b, "embedding dropout", 0, 2 * b.element * own, 2 * b.element * own);
        build_saved(&b, "dropout mask", 0, own);
    }
    build_extra(&b, 0);
    ret->tokens *= all;
}

/* Outputs of the head of an image model: classes of the image, or the pixels of a patch (DiT) behind a last
 * modulation. */
static void build_image_head(struct builder *b, double *ret_rows, double *ret_outputs) {
    const struct image *image = b->model->image;
    *ret_rows = (double)b->shard->micro_batch;
    *ret_outputs = (double)image->classes / b->tp;
    if (image->adaln) {
        build_gemm(b, "last modulation", 0, (double)b->shard->micro_batch, 2 * b->hidden / b->tp, b->hidden);
    }
    if (image->out_channels > 0) {
        *ret_rows = b->tokens;
        *ret_outputs = (double)(image->patch_size * image->patch_size * image->out_channels) / b->tp;
    }
}

/* Cross-entropy over vocabulary-parallel logits makes fp32 copies: forward converts (2 + 4), finds the maximum (4),
 * exponentiates in place (8); backward reads and writes once and converts back (4 + 4 + 2). A fused loss reads and
 * writes the 16-bit logits once each way. */
void operation_head(const struct model *model, const struct shard *shard, bool fused_loss, struct layer_work *ret) {
    struct builder b = builder_make(model, NULL, shard, ret);
    double outputs = (double)model_padded_vocab(model, shard->tp) / b.tp;
    double rows = b.tokens;
    if (model->image != NULL) {
        build_image_head(&b, &rows, &outputs);
    }
    build_extra(&b, 1);
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

double operation_transient_bytes(const struct layer_work *work, double element) {
    double widest = 0;
    for (int i = 0; i < work->operation_count; i++) {
        const struct operation *o = &work->operations[i];
        if (o->kind == OPERATION_GEMM || o->kind == OPERATION_GROUPED) {
            widest = fmax(widest, element * o->m * (o->n + o->k));
        }
    }
    return widest;
}
