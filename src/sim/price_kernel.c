/* Kernels of single operations: seconds by the cost model, bytes and tiles by their shapes. */
#include <math.h>

#include "cost/kernel.h"
#include "sim/price_internal.h"

static enum cost_pass pass_of(enum action action) {
    return action == ACTION_BACKWARD ? COST_BACKWARD : action == ACTION_WEIGHT ? COST_WEIGHT : COST_FORWARD;
}

/* Bytes of fused attention: queries and outputs of every head, keys and values of every key-value head, once; backward
 * reads them with the output's gradient and writes theirs. */
static double attention_bytes(const struct operation *o, enum cost_pass pass) {
    double rows = o->heads * o->query + o->kv_heads * o->keys;
    return 2 * (pass == COST_FORWARD ? 1 : 2) * o->batch * rows * (o->key_dim + o->value_dim);
}

/* Bytes through memory. The three products of a projection read two of its three matrices and write the other. */
static double moved_bytes(const struct cost_context *c, const struct operation *o, enum cost_pass pass) {
    double groups = o->kind == OPERATION_SCORES || o->kind == OPERATION_GROUPED ? o->batch : 1;
    double rows = o->kind == OPERATION_GROUPED ? o->m : groups * o->m;
    double times = o->kind == OPERATION_SCORES && pass == COST_BACKWARD ? 2 : 1;
    switch (o->kind) {
    case OPERATION_GEMM:
    case OPERATION_GROUPED:
    case OPERATION_SCORES:
        return times * dtype_bytes(c->dtype) * (rows * (o->k + o->n) + groups * o->k * o->n);
    case OPERATION_ATTENTION:
        return attention_bytes(o, pass);
    case OPERATION_MEMORY:
        break;
    }
    return pass == COST_FORWARD ? o->forward_bytes : o->backward_bytes;
}

/* A kernel that comes near to the bandwidth waits for memory. */
static const double NEAR_BANDWIDTH = 0.9;

static double memory_share(const struct cost_context *c, const struct operation *o, enum cost_pass pass,
                           double seconds) {
    double rate = c->device->hbm_bandwidth;
    if (o->kind == OPERATION_MEMORY) {
        return 1;
    }
    rate *= c->device->kernels.memory_efficiency > 0 ? c->device->kernels.memory_efficiency : 1;
    return seconds > 0 ? fmin(1, moved_bytes(c, o, pass) / rate / seconds) : 0;
}

double price_memory_share(const struct pricing *p, const struct layer_work *work, enum cost_pass pass) {
    double seconds = 0, used = 0;
    for (int i = 0; i < work->operation_count; i++) {
        struct pass_cost cost;
        cost_operation(p->context, &work->operations[i], pass, &cost);
        seconds += cost.compute;
        used += cost.compute * memory_share(p->context, &work->operations[i], pass, cost.compute);
    }
    return seconds > 0 ? used / seconds : 0;
}

/* Output tiles of the largest size: m x n of forward, m x k of the input gradient, k x n of the weight gradient. */
static double tiles_of(const struct cost_context *c, const struct operation *o, enum cost_pass pass) {
    double m = pass == COST_WEIGHT ? o->k : o->m, n = pass == COST_BACKWARD ? o->k : o->n;
    double groups = o->kind == OPERATION_GEMM || (o->kind == OPERATION_GROUPED && pass != COST_WEIGHT) ? 1 : o->batch;
    double tile_m = c->device->kernels.tile_m > 0 ? (double)c->device->kernels.tile_m : 128;
    double tile_n = c->device->kernels.tile_n > 0 ? (double)c->device->kernels.tile_n : 128;
    if (o->kind == OPERATION_ATTENTION || o->kind == OPERATION_MEMORY) {
        return 0;
    }
    return groups * ceil(m / tile_m) * ceil(n / tile_n);
}

/* A piece of a projection is a product of as many times fewer rows, with tiles and waves of its own; of attention and
 * all else so many times less. */
static struct operation piece_of(const struct operation *operation, int32_t pieces, double *ret_divisor) {
    struct operation piece = *operation;
    *ret_divisor = 1;
    if (operation->kind == OPERATION_GEMM) {
        piece.m /= (double)pieces;
    } else {
        *ret_divisor = (double)pieces;
    }
    return piece;
}

void price_kernel(const struct pricing *p, const struct block_price *block, const struct work *work,
                  struct work_price *ret) {
    enum cost_pass pass = pass_of((enum action)work->action);
    const struct stretch *stretch = &block->stretch;
    double divisor;
    struct operation o = piece_of(&block->lists.work.operations[work->item], work->pieces, &divisor);
    struct pass_cost cost;
    cost_operation(p->context, &o, pass, &cost);
    double stretched = work->action == ACTION_FORWARD ? stretch->forward
                       : pass == COST_WEIGHT          ? stretch->weight
                                                      : stretch->backward;
    ret->picoseconds = price_picoseconds(stretched * cost.compute / divisor);
    ret->memory = memory_share(p->context, &o, pass, cost.compute);
    ret->memory_bound = ret->memory >= NEAR_BANDWIDTH;
    ret->tiles = ret->memory_bound ? 0 : tiles_of(p->context, &o, pass);
}
