/* Feed-forward layers as operations: dense (gated or not) and mixture of experts. */
#include <math.h>

#include "model/operation_internal.h"

static bool is_gated(const struct model *model) {
    return model->mlp == MLP_SWIGLU || model->mlp == MLP_GEGLU;
}

/* Activation of `rows` rows of width `width`: gated forms read two halves; unfused kernels make one more round trip. */
static void build_activation(struct builder *b, unsigned parts, double rows, double width) {
    double values = rows * width;
    double trips = b->shard->fused_activation ? 1 : 2;
    double forward = is_gated(b->model) ? 3 : 2, backward = is_gated(b->model) ? 5 : 3;
    build_memory(b, "activation", parts | PART_ACTIVATION, trips * forward * b->element * values,
                 trips * backward * b->element * values);
}

static void build_dense(struct builder *b, unsigned parts, double width) {
    double up = is_gated(b->model) ? 2 : 1;
    build_gemm(b, "fc1", parts, b->tokens, up * width / b->tp, b->hidden);
    build_activation(b, parts, b->tokens, width / b->tp);
    build_gemm(b, "fc2", parts, b->tokens, b->hidden, width / b->tp);
    build_saved(b, "fc1 output", parts, up * b->element * b->tokens * width / b->tp);
    build_saved(b, "fc2 input", parts | PART_ACTIVATION, b->linear * b->tokens * width / b->tp);
}

/* Rows that the experts of one rank see: every token goes to experts_per_token of them; the busiest rank sees
 * `expert_load` times the mean; expert tensor parallelism gathers the rows of its members. A capacity factor pads each
 * expert to C = ceil(cf k T / E) rows. */
static double expert_rows(const struct builder *b) {
    const struct moe *moe = b->model->moe;
    double rows = b->own_tokens * (double)moe->experts_per_token * (double)b->shard->etp;
    return rows * (moe->capacity_factor > 0 ? moe->capacity_factor : b->shard->expert_load);
}

static void build_experts(struct builder *b) {
    const struct moe *moe = b->model->moe;
    double rows = expert_rows(b);
    double width = (double)moe->expert_intermediate_size / (double)b->shard->etp;
    double local = (double)moe->num_experts / (double)b->shard->ep;
    double up = is_gated(b->model) ? 2 : 1;
    struct layer_work *work = b->work;
    build_scores(b, "experts fc1", PART_MOE, local, rows, up * width, b->hidden);
    work->operations[work->operation_count - 1].kind = OPERATION_GROUPED;
    build_activation(b, PART_MOE, rows, width);
    build_scores(b, "experts fc2", PART_MOE, local, rows, b->hidden, width);
    work->operations[work->operation_count - 1].kind = OPERATION_GROUPED;
    build_saved(b, "experts input", PART_MOE, b->linear * rows * b->hidden);
    build_saved(b, "experts fc1 output", PART_MOE, up * b->element * rows * width);
    build_saved(b, "experts fc2 input", PART_MOE | PART_ACTIVATION, b->linear * rows * width);
    work->expert_rows = rows;
}

/* Routing is many small kernels: softmax or sigmoid, top-k, scatter of the map, histogram, auxiliary loss; permutation
 * sorts, gathers and counts (Megatron-Core moe_utils.py). */
enum { ROUTER_LAUNCHES = 20, PERMUTE_LAUNCHES = 6 };

/* Router in fp32 (logits and probabilities, 8 bytes an expert), permutation of tokens to experts and back. */
static void build_moe(struct builder *b) {
    const struct moe *moe = b->model->moe;
    double experts = (double)moe->num_experts;
    double copies = b->own_tokens * (double)moe->experts_per_token;
    build_gemm(b, "router", PART_MOE, b->own_tokens, experts, b->hidden);
    build_memory(b, "top-k", PART_MOE, 12 * b->own_tokens * experts, 12 * b->own_tokens * experts);
    build_launches(b, ROUTER_LAUNCHES);
    double permuted = b->element * b->hidden * (copies + b->own_tokens);
    build_memory(b, "permute", PART_MOE, permuted, permuted);
    build_launches(b, PERMUTE_LAUNCHES);
    build_saved(b, "router", PART_MOE, 8 * b->own_tokens * experts);
    build_saved(b, "permutation", PART_MOE, 8 * copies);
    build_experts(b);
    build_memory(b, "unpermute", PART_MOE, permuted, permuted);
    build_launches(b, PERMUTE_LAUNCHES);
    if (moe->shared_intermediate_size > 0) {
        build_dense(b, PART_MOE, (double)moe->shared_intermediate_size);
    }
    if (moe->shared_intermediate_size > 0 && moe->shared_expert_gate) {
        build_gemm(b, "shared gate", PART_MOE, b->own_tokens, 1, b->hidden);
        build_saved(b, "shared output", PART_MOE, b->element * b->own_tokens * b->hidden);
    }
}

void build_feed_forward(struct builder *b) {
    if (!b->model->parallel_block || b->model->norms_per_layer >= 2) {
        build_norm(b, "feed-forward norm", b->linear);
    }
    if (b->model->norms_per_layer >= 4) {
        build_norm(b, "feed-forward post-norm", 0);
    }
    if (b->kind->ffn == FFN_MOE) {
        build_moe(b);
    } else {
        build_dense(b, PART_MLP, (double)b->kind->intermediate_size);
    }
    build_residual(b, "feed-forward residual");
}
