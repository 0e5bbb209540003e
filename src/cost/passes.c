/* Times the kernels of operations, and counts the bytes they keep. */
#include <math.h>
#include <stdbool.h>

#include "cost/kernel.h"
#include "cost/layer.h"

void cost_pass_add(struct pass_cost *sum, const struct pass_cost *pass, double times) {
    sum->compute += times * pass->compute;
    sum->kernels += times * pass->kernels;
    sum->flops += times * pass->flops;
    sum->exposed.tp += times * pass->exposed.tp;
    sum->exposed.cp += times * pass->exposed.cp;
    sum->exposed.ep += times * pass->exposed.ep;
}

double cost_pass_seconds(const struct cost_context *context, const struct pass_cost *pass) {
    double device = pass->compute + pass->exposed.tp + pass->exposed.cp + pass->exposed.ep;
    double host = context->job->kernels.graphs ? 0 : pass->kernels * context->device->kernels.host_launch;
    return fmax(device, host);
}

/* Norms, softmax, activations and casts reach less of the bandwidth than a plain copy. */
static double memory_seconds(const struct cost_context *context, double bytes) {
    return kernel_memory(context->device, bytes) / context->topology->runtime.memory_rate;
}

static double gap(const struct cost_context *context) {
    return context->device->kernels.launch;
}

static void pass_kernel(const struct cost_context *context, struct pass_cost *pass, double seconds, double flops,
                        double kernels) {
    pass->compute += seconds * (1 + context->topology->runtime.slack) + kernels * gap(context);
    pass->kernels += kernels;
    pass->flops += flops;
}

/* A weight gradient is added to what earlier micro-batches left, in the gradients' precision: in the GEMM's epilogue,
 * so that the kernel takes as long as its products or as that traffic; or by a kernel of its own that also reads what
 * the GEMM wrote. */
static double accumulated(const struct cost_context *c, double gemm, double elements) {
    if (!c->job->kernels.fused_accumulation) {
        return gemm + memory_seconds(c, elements * (c->element + 2 * c->state.gradient));
    }
    return fmax(gemm, memory_seconds(c, elements * 2 * c->state.gradient));
}

/* Narrow formats quantise: forward reads its 16-bit input and writes it row- and column-wise (the weight gradient needs
 * the other layout), backward does the same with the output's gradient (Transformer Engine; Micikevicius et al. 2022,
 * arXiv:2209.05433). */
static void time_cast(const struct cost_context *c, double elements, struct pass_cost *pass) {
    if (c->dtype == DTYPE_FP8 || c->dtype == DTYPE_FP4) {
        double bytes = c->element + 2 * dtype_bytes(c->dtype);
        pass_kernel(c, pass, memory_seconds(c, bytes * elements), 0, 1);
    }
}

/* Products of two activations run in the activations' own precision. */
static enum dtype scores_dtype(const struct cost_context *c) {
    return c->element > 2 ? c->dtype : DTYPE_BF16;
}

static double attention_kernel(const struct cost_context *c, const struct operation *o, enum kernel_pass pass) {
    struct attention_shape shape = {o->batch, o->heads, o->kv_heads, o->query, o->keys, o->key_dim, o->value_dim,
                                    o->pairs};
    return kernel_attention(c->device, c->dtype, pass, &shape) / c->job->kernels.attention_rate;
}

/* Tensor cores want rows of a multiple of 16 bytes (NVIDIA, Matrix Multiplication Background User's Guide, section 3);
 * 16-bit products of others run on the ordinary cores at a quarter of the rate (A100: 78 against 312 TFLOP/s). */
enum { TENSOR_ALIGNMENT = 8, ORDINARY_CORES = 4 };

static bool is_aligned(double extent) {
    return fmod(extent, TENSOR_ALIGNMENT) <= 0;
}

static double scores_kernel(const struct cost_context *c, double m, double n, double k, double batch) {
    double slower = is_aligned(n) && is_aligned(k) ? 1 : ORDINARY_CORES;
    return slower * kernel_gemm(c->device, scores_dtype(c), m, n, k, batch);
}

/* A product m x k times k x n. Its input gradient is m x n times n x k, its weight gradient k x m times m x n. */
static void time_forward(const struct cost_context *c, const struct operation *o, struct pass_cost *pass) {
    double flops = 2 * o->m * o->n * o->k;
    switch (o->kind) {
    case OPERATION_GEMM:
        pass_kernel(c, pass, kernel_gemm(c->device, c->dtype, o->m, o->n, o->k, 1), flops, 1);
        time_cast(c, o->m * o->k, pass);
        break;
    case OPERATION_GROUPED:
        pass_kernel(c, pass, kernel_grouped_gemm(c->device, c->dtype, o->m, o->batch, o->n, o->k), flops, 1);
        time_cast(c, o->m * o->k, pass);
        break;
    case OPERATION_SCORES:
        pass_kernel(c, pass, scores_kernel(c, o->m, o->n, o->k, o->batch), flops * o->batch, 1);
        break;
    case OPERATION_ATTENTION:
        flops = 2 * o->batch * o->heads * o->pairs * (o->key_dim + o->value_dim);
        pass_kernel(c, pass, attention_kernel(c, o, KERNEL_FORWARD), flops, 1);
        break;
    case OPERATION_MEMORY:
        pass_kernel(c, pass, memory_seconds(c, o->forward_bytes), 0, o->launches);
        break;
    }
}

static void backward_gemm(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    double flops = 2 * o->m * o->n * o->k;
    pass_kernel(c, &cost->backward, kernel_gemm(c->device, c->dtype, o->m, o->k, o->n, 1), flops, 1);
    time_cast(c, o->m * o->n, &cost->backward);
    double weight = kernel_gemm(c->device, c->dtype, o->k, o->n, o->m, 1);
    pass_kernel(c, &cost->weight, accumulated(c, weight, o->n * o->k), flops, 1);
}

static void backward_grouped(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    double flops = 2 * o->m * o->n * o->k;
    double rows = o->m / fmax(1, o->batch);
    pass_kernel(c, &cost->backward, kernel_grouped_gemm(c->device, c->dtype, o->m, o->batch, o->k, o->n), flops, 1);
    time_cast(c, o->m * o->n, &cost->backward);
    double weight = kernel_gemm(c->device, c->dtype, o->k, o->n, rows, o->batch);
    pass_kernel(c, &cost->weight, accumulated(c, weight, o->n * o->k * o->batch), flops, 1);
}

/* Both factors are activations, so both gradients are due at once. */
static void backward_scores(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    double flops = 2 * o->m * o->n * o->k * o->batch;
    pass_kernel(c, &cost->backward, scores_kernel(c, o->m, o->k, o->n, o->batch), flops, 1);
    pass_kernel(c, &cost->backward, scores_kernel(c, o->k, o->n, o->m, o->batch), flops, 1);
}

static void time_backward(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    switch (o->kind) {
    case OPERATION_GEMM:
        backward_gemm(c, o, cost);
        break;
    case OPERATION_GROUPED:
        backward_grouped(c, o, cost);
        break;
    case OPERATION_SCORES:
        backward_scores(c, o, cost);
        break;
    case OPERATION_ATTENTION:
        pass_kernel(c, &cost->backward, attention_kernel(c, o, KERNEL_BACKWARD),
                    2.5 * (2 * o->batch * o->heads * o->pairs * (o->key_dim + o->value_dim)), 2);
        break;
    case OPERATION_MEMORY:
        pass_kernel(c, &cost->backward, memory_seconds(c, o->backward_bytes), 0, o->launches);
        break;
    }
}

static void time_operation(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    time_forward(c, o, &cost->forward);
    time_backward(c, o, cost);
}

void cost_operation(const struct cost_context *context, const struct operation *operation, enum cost_pass pass,
                    struct pass_cost *ret) {
    struct layer_cost cost = {0};
    if (pass == COST_FORWARD) {
        time_forward(context, operation, &cost.forward);
    } else {
        time_backward(context, operation, &cost);
    }
    *ret = pass == COST_FORWARD ? cost.forward : pass == COST_BACKWARD ? cost.backward : cost.weight;
}

double cost_attention_seconds(const struct cost_context *context, const struct layer_work *work, bool backward) {
    double seconds = 0;
    for (int i = 0; i < work->operation_count; i++) {
        const struct operation *o = &work->operations[i];
        if (o->kind == OPERATION_ATTENTION) {
            seconds += attention_kernel(context, o, backward ? KERNEL_BACKWARD : KERNEL_FORWARD);
        }
    }
    return seconds;
}

/* Operations that recomputation runs again: their forward, once more. */
static void time_again(const struct cost_context *c, const struct layer_work *work,
                       const unsigned parts[RECOMPUTE_KINDS], struct layer_cost *cost) {
    for (int i = 0; i < work->operation_count; i++) {
        const struct operation *o = &work->operations[i];
        if ((o->parts & (parts[RECOMPUTE_SELECTIVE] | parts[RECOMPUTE_FULL])) == 0) {
            continue;
        }
        struct pass_cost once = {0};
        time_forward(c, o, &once);
        for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
            if ((o->parts & parts[mode]) != 0) {
                cost_pass_add(&cost->again[mode], &once, 1);
            }
        }
    }
}

void cost_operations(const struct cost_context *context, const struct layer_work *work, struct layer_cost *ret) {
    unsigned parts[RECOMPUTE_KINDS];
    *ret = (struct layer_cost){0};
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        parts[mode] = job_recompute_parts(context->job, context->model, (enum recompute)mode);
        ret->saved[mode] = operation_saved_bytes(work, parts[mode]);
    }
    for (int i = 0; i < work->operation_count; i++) {
        time_operation(context, &work->operations[i], ret);
    }
    time_again(context, work, parts, ret);
    ret->working = operation_saved_bytes(work, 0);
    ret->transient = operation_transient_bytes(work, context->element);
}
