/* Operations as kernels: each with its own gradients' products, casts, launches and the slack of a training step. */
#include "decision.h"

#include "cost/kernel.h"
#include "model/operation.h"

enum { M = 4096, N = 2048, K = 1024 };

/* Forward, backward, weight: seconds of kernels alone, how many, and their FLOPs. */
struct passes {
    double seconds[3], kernels[3], flops[3];
};

typedef struct passes by_hand(const struct cost_context *c);

static double memory(const struct cost_context *c, double bytes) {
    return kernel_memory(c->device, bytes) / c->topology->runtime.memory_rate;
}

/* The weight gradient is added to an fp32 sum in its epilogue. */
static struct passes product(const struct cost_context *c) {
    double flops = 2.0 * M * N * K;
    double weight = fmax(kernel_gemm(c->device, c->dtype, K, N, M, 1), memory(c, 8.0 * K * N));
    return (struct passes){{kernel_gemm(c->device, c->dtype, M, N, K, 1), kernel_gemm(c->device, c->dtype, M, K, N, 1),
                            weight}, {1, 1, 1}, {flops, flops, flops}};
}

/* fp8: input and output gradient read in 16 bits and written twice in 8. */
static struct passes cast_product(const struct cost_context *c) {
    struct passes p = product(c);
    p.seconds[0] += memory(c, 4.0 * M * K);
    p.seconds[1] += memory(c, 4.0 * M * N);
    p.kernels[0] = p.kernels[1] = 2;
    return p;
}

static struct passes separately(const struct cost_context *c) {
    struct passes p = product(c);
    p.seconds[2] = kernel_gemm(c->device, c->dtype, K, N, M, 1) + memory(c, (2 + 8.0) * K * N);
    return p;
}

/* Few rows: the sum's traffic outlasts the product. */
static struct passes few_rows(const struct cost_context *c) {
    double flops = 2.0 * 16 * N * K;
    return (struct passes){{kernel_gemm(c->device, c->dtype, 16, N, K, 1),
                            kernel_gemm(c->device, c->dtype, 16, K, N, 1), memory(c, 8.0 * K * N)}, {1, 1, 1},
                           {flops, flops, flops}};
}

static struct passes grouped(const struct cost_context *c) {
    double flops = 2.0 * M * N * K;
    double weight = fmax(kernel_gemm(c->device, c->dtype, K, N, M / 8.0, 8), memory(c, 8.0 * K * N * 8));
    return (struct passes){{kernel_grouped_gemm(c->device, c->dtype, M, 8, N, K),
                            kernel_grouped_gemm(c->device, c->dtype, M, 8, K, N), weight}, {1, 1, 1},
                           {flops, flops, flops}};
}

/* Both factors are activations: two products in backward, no weight. */
static struct passes scores(const struct cost_context *c) {
    double flops = 2.0 * M * N * K * 8;
    return (struct passes){{kernel_gemm(c->device, DTYPE_BF16, M, N, K, 8),
                            kernel_gemm(c->device, DTYPE_BF16, M, K, N, 8) +
                                kernel_gemm(c->device, DTYPE_BF16, K, N, M, 8), 0}, {1, 2, 0}, {flops, 2 * flops, 0}};
}

/* 2044 keys are 4088 bytes, no multiple of 16: the ordinary cores take four times as long. */
static struct passes unaligned(const struct cost_context *c) {
    double flops = 2.0 * M * 2044 * K * 8;
    return (struct passes){{4 * kernel_gemm(c->device, DTYPE_BF16, M, 2044, K, 8),
                            4 * (kernel_gemm(c->device, DTYPE_BF16, M, K, 2044, 8) +
                                 kernel_gemm(c->device, DTYPE_BF16, K, 2044, M, 8)), 0}, {1, 2, 0},
                           {flops, 2 * flops, 0}};
}

/* FlashAttention's backward: five products for two. */
static struct passes attention(const struct cost_context *c) {
    struct attention_shape shape = {2, 16, 4, 1024, 1024, 64, 128, 524800};
    double flops = 2.0 * 2 * 16 * 524800 * (64 + 128);
    return (struct passes){{kernel_attention(c->device, c->dtype, KERNEL_FORWARD, &shape) / 0.5,
                            kernel_attention(c->device, c->dtype, KERNEL_BACKWARD, &shape) / 0.5, 0}, {1, 2, 0},
                           {flops, 2.5 * flops, 0}};
}

static struct passes memory_bound(const struct cost_context *c) {
    return (struct passes){{memory(c, 1e9), memory(c, 3e9), 0}, {5, 5, 0}, {0, 0, 0}};
}

#define GEMM {.kind = OPERATION_GEMM, .m = M, .n = N, .k = K, .batch = 1}

static const struct {
    const char *name, *job;
    struct operation operation;
    by_hand *wanted;
    double transient; /* bytes of gradients alive at once */
} rows[] = {
    {"product", "", GEMM, product, 2.0 * M * (N + K)},
    {"product in fp32", "precision: fp32\n", GEMM, product, 4.0 * M * (N + K)},
    {"product in fp8", "precision: fp8\n", GEMM, cast_product, 2.0 * M * (N + K)},
    {"sum of its own", "kernels: {fused_accumulation: false}\n", GEMM, separately, 2.0 * M * (N + K)},
    {"few rows", "", {.kind = OPERATION_GEMM, .m = 16, .n = N, .k = K, .batch = 1}, few_rows, 2.0 * 16 * (N + K)},
    {"experts", "", {.kind = OPERATION_GROUPED, .m = M, .n = N, .k = K, .batch = 8}, grouped, 2.0 * M * (N + K)},
    {"scores", "precision: fp8\n", {.kind = OPERATION_SCORES, .m = M, .n = N, .k = K, .batch = 8}, scores, 0},
    {"unaligned scores", "", {.kind = OPERATION_SCORES, .m = M, .n = 2044, .k = K, .batch = 8}, unaligned, 0},
    {"attention", "kernels: {attention_rate: 0.5}\n",
     {.kind = OPERATION_ATTENTION, .batch = 2, .heads = 16, .kv_heads = 4, .query = 1024, .keys = 1024, .key_dim = 64,
      .value_dim = 128, .pairs = 524800}, attention, 0},
    {"norm", "", {.kind = OPERATION_MEMORY, .forward_bytes = 1e9, .backward_bytes = 3e9, .launches = 5}, memory_bound,
     0},
};

Test(passes, kernels_of_an_operation) {
    struct arena *arena = support_arena();
    struct topology *topology = setup_topology(arena, "h100-sxm", 8);
    topology->runtime.slack = 0.07;
    const struct model *model = setup_model(arena, DENSE);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = cost_context_make(model, topology, setup_job(arena, rows[i].job));
        struct layer_work work = {.operation_count = 1, .input_bytes = 100, .saved_count = 1};
        work.operations[0] = rows[i].operation;
        work.operations[0].parts = PART_ALL | PART_NORM; /* again in selective and full recomputation */
        work.saved[0] = (struct saved){"kept", PART_ALL | PART_NORM, 1000};
        struct layer_cost cost;
        cost_operations(&c, &work, &cost);
        struct passes p = rows[i].wanted(&c);
        const struct pass_cost *passes[] = {&cost.forward, &cost.backward, &cost.weight};
        for (int k = 0; k < 3; k++) {
            double seconds = 1.07 * p.seconds[k] + p.kernels[k] * c.device->kernels.launch;
            cr_expect(near(passes[k]->compute, seconds, 1e-12), "%s: pass %d takes %.12g s, by hand %.12g s",
                      rows[i].name, k, passes[k]->compute, seconds);
            cr_expect(passes[k]->kernels == p.kernels[k] && near(passes[k]->flops, p.flops[k], 1e-12),
                      "%s: pass %d has %g kernels of %g FLOPs", rows[i].name, k, passes[k]->kernels, passes[k]->flops);
            cr_expect(passes[k]->exposed.tp + passes[k]->exposed.cp + passes[k]->exposed.ep <= 0);
        }
        for (int mode = RECOMPUTE_NONE; mode < RECOMPUTE_KINDS; mode++) {
            const struct pass_cost nothing = {0};
            const struct pass_cost *again = mode == RECOMPUTE_NONE ? &nothing : &cost.forward;
            cr_expect(cost.again[mode].compute == again->compute && cost.again[mode].flops == again->flops,
                      "%s: recompute %d runs %g s again", rows[i].name, mode, cost.again[mode].compute);
        }
        cr_expect(cost.saved[RECOMPUTE_NONE] == 1000 && cost.saved[RECOMPUTE_SELECTIVE] == 0 &&
                      cost.saved[RECOMPUTE_FULL] == 100 && cost.working == 1000, "%s: bytes", rows[i].name);
        cr_expect(cost.transient == rows[i].transient, "%s: %g bytes of gradients", rows[i].name, cost.transient);
    }
    arena_close(arena);
}
