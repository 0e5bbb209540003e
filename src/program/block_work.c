/* A block's lists, put together from those of layers, embedding and head. */
#include "program/block_work.h"

#include <assert.h>

/* Embedding, head and loss are never run again, and what they keep is kept whatever is. */
static void never_again(struct block_work *block) {
    for (int i = 0; i < block->work.operation_count; i++) {
        block->work.operations[i].parts = 0;
    }
    for (int i = 0; i < block->work.saved_count; i++) {
        block->work.saved[i].parts = 0;
    }
    for (int i = 0; i < block->exchanges.count; i++) {
        block->exchanges.items[i].parts = 0;
    }
}

static void append(struct block_work *sum, const struct block_work *part) {
    struct layer_work *work = &sum->work;
    int offset = work->operation_count;
    assert(offset + part->work.operation_count <= OPERATIONS_MAX);
    assert(work->saved_count + part->work.saved_count <= SAVED_MAX);
    assert(sum->exchanges.count + part->exchanges.count <= EXCHANGES_MAX);
    for (int i = 0; i < part->work.operation_count; i++) {
        work->operations[work->operation_count++] = part->work.operations[i];
    }
    for (int i = 0; i < part->work.saved_count; i++) {
        work->saved_with[work->saved_count] = part->work.saved_with[i] + offset;
        work->saved[work->saved_count++] = part->work.saved[i];
    }
    for (int i = 0; i < part->exchanges.count; i++) {
        struct exchange exchange = part->exchanges.items[i];
        exchange.first += offset;
        exchange.last += offset;
        sum->exchanges.items[sum->exchanges.count++] = exchange;
    }
}

static void make_layer(const struct model *model, const struct job *job, const struct shard *shard, int cp_kind,
                       const struct layer_kind *kind, struct block_work *ret) {
    operation_layer(model, kind, shard, &ret->work);
    exchange_layer(model, kind, shard, cp_kind, job, &ret->work, &ret->exchanges);
}

static void make_embedding(const struct model *model, const struct shard *shard, struct block_work *ret) {
    operation_embedding(model, shard, &ret->work);
    exchange_embedding(model, shard, &ret->work, &ret->exchanges);
    never_again(ret);
}

static void make_head(const struct model *model, const struct job *job, const struct shard *shard,
                      struct block_work *ret) {
    operation_head(model, shard, job->kernels.fused_cross_entropy, &ret->work);
    exchange_head(model, shard, &ret->work, &ret->exchanges);
    never_again(ret);
}

/* The projection 2h x h of the stream and the next token's embedding, side by side. */
static void make_projection(const struct model *model, const struct shard *shard, struct block_work *ret) {
    double tokens = (double)shard->micro_batch * (double)shard->seq_len / (double)shard->cp;
    double own = shard->sequence_parallel ? tokens / (double)shard->tp : tokens;
    double hidden = (double)model->hidden_size;
    ret->work = (struct layer_work){.operation_count = 1, .saved_count = 1, .tokens = tokens};
    ret->work.operations[0] = (struct operation){.name = "projection", .kind = OPERATION_GEMM, .m = tokens,
                                                 .n = hidden / (double)shard->tp, .k = 2 * hidden, .batch = 1,
                                                 .launches = 1};
    ret->work.saved[0] = (struct saved){.name = "projection input", .bytes = 2 * shard->element * own * hidden};
    exchange_projection(model, shard, &ret->work, &ret->exchanges);
    never_again(ret);
}

void block_work(const struct model *model, const struct job *job, const struct shard *shard, int cp_kind,
                enum block block, int layer_kind, struct block_work *ret) {
    struct block_work part;
    switch (block) {
    case BLOCK_LAYER:
        make_layer(model, job, shard, cp_kind, &model->kinds[layer_kind], ret);
        break;
    case BLOCK_EMBEDDING:
        make_embedding(model, shard, ret);
        break;
    case BLOCK_MTP:
        make_projection(model, shard, ret);
        make_layer(model, job, shard, cp_kind, &model->kinds[layer_kind], &part);
        ret->work.input_bytes = part.work.input_bytes;
        append(ret, &part);
        make_head(model, job, shard, &part);
        append(ret, &part);
        break;
    case BLOCK_HEAD:
    case BLOCK_COUNT:
        make_head(model, job, shard, ret);
        break;
    }
}
