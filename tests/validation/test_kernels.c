/* The kernel times of the shipped devices against published single-operator measurements (gemm.csv): aiconfigurator's
 * TensorRT-LLM tables, Vidur's profiles, apex_plus, DeepGEMM. Prints the error of each device and type and fails past
 * its bounds. The bounds are what the model reached, rounded up; the tables differ among themselves by as much: two
 * measurements of cuBLAS on the A100, by aiconfigurator and by Vidur, lie 10 % apart. */
#include "cost/kernel.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "measurements.h"
#include "topology/topology.h"
#include "yaml/document.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { RATIOS_MAX = 2048 };

/* A benchmark of one operator pauses between shapes, so short kernels run at the boost clock; a training step does not.
 * The tables were fitted with this gemm_sag_time, the shipped devices have 0. */
#define BENCHMARK_BOOST 1e-3

struct ratios {
    double values[RATIOS_MAX]; /* predicted over measured */
    size_t count;
};

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *values, size_t count, double share) {
    qsort(values, count, sizeof *values, ascending);
    return values[(size_t)(share * (double)(count - 1) + 0.5)];
}

/* Prints a line of the table and holds median and 90th percentile of the absolute error, and the bias, to bounds. */
static void judge(const char *what, struct ratios *ratios, size_t least, double median, double p90, double bias) {
    cr_assert(ratios->count >= least, "%s: %zu rows, at least %zu expected", what, ratios->count, least);
    double middle = quantile(ratios->values, ratios->count, 0.5) - 1;
    for (size_t i = 0; i < ratios->count; i++) {
        ratios->values[i] = fabs(ratios->values[i] - 1);
    }
    double reached = quantile(ratios->values, ratios->count, 0.5), tail = quantile(ratios->values, ratios->count, 0.9);
    double worst = quantile(ratios->values, ratios->count, 1);
    fprintf(stderr, "# %-46s %5zu rows  bias %+6.1f %%  median %5.1f %%  p90 %5.1f %%  max %5.1f %%\n", what,
            ratios->count, 100 * middle, 100 * reached, 100 * tail, 100 * worst);
    cr_expect(reached <= median, "%s: median error %.3f, at most %.3f", what, reached, median);
    cr_expect(tail <= p90, "%s: 90th percentile of the error %.3f, at most %.3f", what, tail, p90);
    cr_expect(fabs(middle) <= bias, "%s: bias %.3f, at most %.3f", what, middle, bias);
}

static void ratio_add(struct ratios *ratios, double predicted, double measured_us) {
    if (measured_us > 0 && ratios->count < RATIOS_MAX) {
        ratios->values[ratios->count++] = predicted / (measured_us * 1e-6);
    }
}

/* The first device of a shipped topology. */
static struct device shipped(struct arena *arena, const char *name) {
    struct diag diag;
    struct node *root = NULL;
    struct topology topology;
    diag_init(&diag, arena);
    const char *path = arena_format(arena, "%s/topologies/%s.yaml", getenv("PARPLAN_SOURCE"), name);
    cr_assert_eq(document_load(arena, path, &root, &diag), OK, "%s", path);
    cr_assert_eq(document_extend(arena, root, "topologies", NULL, NULL, &root, &diag), OK, "%s", path);
    cr_assert_eq(topology_load(arena, root, &topology, &diag), OK, "%s: %s", path,
                 diag.count > 0 ? diag.entries[0].text : "");
    return *topology_device(&topology, 0);
}

/* What the tables' FP8 and FP4 rows contain beside the product: TensorRT-LLM quantises A, bytes an element of A and
 * seconds fixed. Fitted on the rows themselves; training code lists its own casts. */
struct quantising {
    double bytes, seconds;
};

struct gemm_case {
    const char *topology, *gpu, *dtype, *source; /* source: part of the cell; NULL = any */
    enum dtype computed;
    struct quantising quantising;
    size_t least;
    double median, p90, bias;
    double derate; /* of the measured device against the shipped one; 0 = the same */
};

static const struct gemm_case gemm_cases[] = {
    {"a100-sxm-80g", "A100-SXM4-80GB", "bf16", NULL, DTYPE_BF16, {0, 0}, 50, 0.08, 0.15, 0.08, 0},
    {"a100-sxm-80g", "A100-SXM-80GB", "fp16", "vidur", DTYPE_FP16, {0, 0}, 150, 0.08, 0.18, 0.08, 0},
    {"h100-sxm", "H100-SXM-80GB", "bf16", "aiconfigurator", DTYPE_BF16, {0, 0}, 80, 0.06, 0.13, 0.04, 0},
    {"h100-sxm", "H100-SXM-80GB", "fp16", "vidur", DTYPE_FP16, {0, 0}, 80, 0.08, 0.20, 0.06, 0},
    {"h200-sxm", "H200-SXM", "bf16", "aiconfigurator", DTYPE_BF16, {0, 0}, 50, 0.05, 0.10, 0.04, 0},
    {"b200-sxm", "B200", "bf16", "aiconfigurator", DTYPE_BF16, {0, 0}, 70, 0.06, 0.14, 0.04, 0},
    {"gb200-nvl72", "GB200", "bf16", "aiconfigurator", DTYPE_BF16, {0, 0}, 80, 0.07, 0.16, 0.04, 0},
    {"b300-sxm", "B300", "bf16", "aiconfigurator", DTYPE_BF16, {0, 0}, 70, 0.09, 0.16, 0.05, 0},
    {"gb300-nvl72", "GB300", "bf16", "aiconfigurator", DTYPE_BF16, {0, 0}, 80, 0.05, 0.10, 0.04, 0},
    {"v100-dgx1", "V100-PCIE-16GB", "fp16", NULL, DTYPE_FP16, {0, 0}, 50, 0.05, 0.12, 0.05, 112.0 / 125},
    {"l40s", "L40S", "bf16", "aiconfigurator", DTYPE_BF16, {0, 0}, 50, 0.07, 0.14, 0.05, 0},
    {"h100-sxm", "H100-SXM-80GB", "fp8 (per-tensor dynamic)", NULL, DTYPE_FP8, {10, 10e-6}, 80, 0.07, 0.16, 0.08, 0},
    {"h200-sxm", "H200-SXM", "fp8 (per-tensor dynamic)", NULL, DTYPE_FP8, {13, 10e-6}, 40, 0.07, 0.16, 0.08, 0},
    {"b200-sxm", "B200", "fp8 (per-tensor dynamic)", NULL, DTYPE_FP8, {14, 11e-6}, 80, 0.08, 0.16, 0.06, 0},
    {"gb200-nvl72", "GB200", "fp8 (per-tensor dynamic)", NULL, DTYPE_FP8, {9, 12e-6}, 80, 0.06, 0.12, 0.05, 0},
    {"b300-sxm", "B300", "fp8 (per-tensor dynamic)", NULL, DTYPE_FP8, {9, 11e-6}, 80, 0.07, 0.14, 0.06, 0},
    {"gb300-nvl72", "GB300", "fp8 (per-tensor dynamic)", NULL, DTYPE_FP8, {8, 12e-6}, 80, 0.06, 0.12, 0.05, 0},
    {"h100-sxm", "H100-SXM-80GB", "fp8 (blockwise 128)", NULL, DTYPE_FP8, {5, 3e-6}, 80, 0.12, 0.22, 0.12, 0},
    {"h200-sxm", "H200-SXM", "fp8 (blockwise 128)", NULL, DTYPE_FP8, {6, 3e-6}, 40, 0.12, 0.22, 0.12, 0},
    {"gb200-nvl72", "GB200", "fp8 (blockwise 128)", NULL, DTYPE_FP8, {12, 4e-6}, 80, 0.06, 0.12, 0.06, 0},
    {"b200-sxm", "B200", "nvfp4", NULL, DTYPE_FP4, {4, 6e-6}, 80, 0.09, 0.20, 0.06, 0},
    {"gb200-nvl72", "GB200", "nvfp4", NULL, DTYPE_FP4, {4, 5e-6}, 80, 0.09, 0.20, 0.06, 0},
    {"b300-sxm", "B300", "nvfp4", NULL, DTYPE_FP4, {4, 9e-6}, 80, 0.11, 0.30, 0.08, 0},
    {"gb300-nvl72", "GB300", "nvfp4", NULL, DTYPE_FP4, {4, 9e-6}, 80, 0.13, 0.35, 0.08, 0},
    {"h100-sxm", "H800-SXM", "fp8 (1x128 / 128x128 scales)", "DeepGEMM", DTYPE_FP8, {0, 0}, 7, 0.08, 0.20, 0.06, 0},
};

static int fits(const struct measurements *table, const struct gemm_case *row) {
    const char *op = measurements_text(table, "op");
    int plain = strncmp(op, "gemm", 4) == 0 && strstr(op, "best shape") == NULL;
    double n = measurements_number(table, "n"), k = measurements_number(table, "k");
    return plain && strcmp(measurements_text(table, "gpu"), row->gpu) == 0 &&
           strcmp(measurements_text(table, "dtype"), row->dtype) == 0 && n >= 512 && k >= 512 &&
           (row->source == NULL || strstr(measurements_text(table, "source"), row->source) != NULL);
}

static void judge_gemms(const struct gemm_case *row) {
    struct arena *arena = arena_open(NULL, NULL);
    struct device device = shipped(arena, row->topology);
    device.derate = row->derate > 0 ? row->derate : device.derate;
    device.kernels.gemm_sag_time = BENCHMARK_BOOST;
    struct measurements table;
    struct ratios ratios = {.count = 0};
    cr_assert(measurements_open(&table, "gemm.csv"));
    while (measurements_next(&table)) {
        if (!fits(&table, row)) {
            continue;
        }
        double m = measurements_number(&table, "m"), n = measurements_number(&table, "n"),
               k = measurements_number(&table, "k");
        double time = kernel_gemm(&device, row->computed, m, n, k, 1) + device.kernels.launch +
                      row->quantising.bytes * m * k / (0.85 * device.hbm_bandwidth) + row->quantising.seconds;
        ratio_add(&ratios, time, measurements_number(&table, "time_us"));
    }
    char what[96];
    snprintf(what, sizeof what, "%s %s%s%s", row->gpu, row->dtype, row->source == NULL ? "" : " ",
             row->source == NULL ? "" : row->source);
    judge(what, &ratios, row->least, row->median, row->p90, row->bias);
    arena_close(arena);
}

static void skip_without_measurements(void) {
    struct measurements table;
    if (!measurements_open(&table, "gemm.csv")) {
        cr_skip_test("no table of measurements here");
    }
    fclose(table.file);
}

Test(kernels, gemm) {
    skip_without_measurements();
    for (size_t i = 0; i < COUNT(gemm_cases); i++) {
        judge_gemms(&gemm_cases[i]);
    }
}

struct attention_case {
    const char *topology, *gpu;
    double median, p90, bias;
};

/* Causal prefill by TensorRT-LLM: rotary embedding and the write of K and V into the cache are part of the rows, 2.8
 * bytes an element of Q, K and V, and a fixed part of about 20 us (fitted). */
static void judge_attention(const struct attention_case *row) {
    struct arena *arena = arena_open(NULL, NULL);
    struct device device = shipped(arena, row->topology);
    struct measurements table;
    struct ratios ratios = {.count = 0};
    cr_assert(measurements_open(&table, "gemm.csv"));
    while (measurements_next(&table)) {
        if (strcmp(measurements_text(&table, "op"), "attention forward") != 0 ||
            strcmp(measurements_text(&table, "gpu"), row->gpu) != 0) {
            continue;
        }
        double length = measurements_number(&table, "seq_len"), width = measurements_number(&table, "head_dim");
        struct attention_shape shape = {measurements_number(&table, "batch"),
                                        measurements_number(&table, "heads"),
                                        measurements_number(&table, "kv_heads"),
                                        length,
                                        length,
                                        width,
                                        width,
                                        length * (length + 1) / 2};
        double elements = shape.batch * length * (shape.heads + 2 * shape.kv_heads) * width;
        double time = kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &shape) +
                      2.8 * elements / (0.85 * device.hbm_bandwidth) + 20e-6;
        ratio_add(&ratios, time, measurements_number(&table, "time_us"));
    }
    char what[96];
    snprintf(what, sizeof what, "%s causal prefill", row->gpu);
    judge(what, &ratios, 100, row->median, row->p90, row->bias);
    arena_close(arena);
}

Test(kernels, attention) {
    static const struct attention_case rows[] = {
        {"a100-sxm-80g", "A100-SXM4-80GB", 0.06, 0.10, 0.06},
        {"h100-sxm", "H100-SXM-80GB", 0.05, 0.10, 0.04},
        {"h200-sxm", "H200-SXM", 0.05, 0.10, 0.04},
        {"b200-sxm", "B200", 0.07, 0.14, 0.05},
        {"gb200-nvl72", "GB200", 0.07, 0.16, 0.05},
        {"l40s", "L40S", 0.08, 0.18, 0.06},
        {"b300-sxm", "B300", 0.07, 0.16, 0.05},
        {"gb300-nvl72", "GB300", 0.07, 0.16, 0.05},
    };
    skip_without_measurements();
    for (size_t i = 0; i < COUNT(rows); i++) {
        judge_attention(&rows[i]);
    }
}

/* Single figures, not tables: each within the share given. */
Test(kernels, published_figures) {
    struct arena *arena = arena_open(NULL, NULL);
    struct device h100 = shipped(arena, "h100-sxm"), h200 = shipped(arena, "h200-sxm"),
                  b200 = shipped(arena, "b200-sxm");
    h100.kernels.gemm_sag_time = BENCHMARK_BOOST;
    struct attention_shape mla = {1, 128, 128, 4096, 4096, 192, 128, 4096.0 * 4097 / 2};
    struct attention_shape llama = {1, 32, 8, 8192, 8192, 128, 128, 8192.0 * 8193 / 2};
    double llama_flops = 3.5 * 2 * 8192.0 * 8192 * 32 * 128;
    const struct {
        const char *what;
        double predicted, measured, share;
    } rows[] = {
        /* deepseek-ai/profile-data train.json, H800, FlashAttention-3, beside communication */
        {"H800 MLA attention forward", kernel_attention(&h100, DTYPE_BF16, KERNEL_FORWARD, &mla), 1237e-6, 0.2},
        {"H800 MLA attention backward", kernel_attention(&h100, DTYPE_BF16, KERNEL_BACKWARD, &mla), 3779e-6, 0.2},
        /* S. Bekman, ml-engineering, "When to upgrade GPUs": kernel shares of a Llama-3.1-8B step, sequence 8192 */
        {"H200 attention in a step",
         kernel_attention(&h200, DTYPE_BF16, KERNEL_FORWARD, &llama) +
             kernel_attention(&h200, DTYPE_BF16, KERNEL_BACKWARD, &llama),
         llama_flops / 447e12, 0.15},
        {"B200 attention in a step",
         kernel_attention(&b200, DTYPE_BF16, KERNEL_FORWARD, &llama) +
             kernel_attention(&b200, DTYPE_BF16, KERNEL_BACKWARD, &llama),
         llama_flops / 834e12, 0.2},
        /* DeepGEMM's README (first release), H800, contiguous layout: rows a group, groups */
        {"H800 grouped GEMM 4x8192", kernel_grouped_gemm(&h100, DTYPE_FP8, 4 * 8192, 4, 4096, 7168), 1483.5e-6, 0.15},
        {"H800 grouped GEMM 8x4096", kernel_grouped_gemm(&h100, DTYPE_FP8, 8 * 4096, 8, 4096, 7168), 1493.9e-6, 0.15},
        {"H800 grouped GEMM 8x4096 k 2048", kernel_grouped_gemm(&h100, DTYPE_FP8, 8 * 4096, 8, 7168, 2048), 880.2e-6,
         0.2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double error = rows[i].predicted / rows[i].measured - 1;
        fprintf(stderr, "# %-46s predicted %8.1f us  measured %8.1f us  %+6.1f %%\n", rows[i].what,
                rows[i].predicted * 1e6, rows[i].measured * 1e6, 100 * error);
        cr_expect(fabs(error) <= rows[i].share, "%s: %.3f, at most %.2f", rows[i].what, error, rows[i].share);
    }
    arena_close(arena);
}

/* Sums of two fp16 tensors (Vidur's profiles): six bytes an element. */
Test(kernels, memory) {
    static const struct {
        const char *topology, *gpu;
    } rows[] = {{"a100-sxm-80g", "A100-SXM-80GB"}, {"h100-sxm", "H100-SXM-80GB"}};
    skip_without_measurements();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_open(NULL, NULL);
        struct device device = shipped(arena, rows[i].topology);
        struct measurements table;
        struct ratios ratios = {.count = 0};
        cr_assert(measurements_open(&table, "gemm.csv"));
        while (measurements_next(&table)) {
            double elements = measurements_number(&table, "m") * measurements_number(&table, "n");
            if (strcmp(measurements_text(&table, "op"), "elementwise add") == 0 &&
                strcmp(measurements_text(&table, "gpu"), rows[i].gpu) == 0 && elements >= 8e6 &&
                strstr(measurements_text(&table, "note"), "phi-2") == NULL) {
                ratio_add(&ratios, kernel_memory(&device, 6 * elements), measurements_number(&table, "time_us"));
            }
        }
        char what[96];
        snprintf(what, sizeof what, "%s sum of two tensors", rows[i].gpu);
        judge(what, &ratios, 5, 0.08, 0.22, 0.08); /* the smaller ones find part of their operands in the cache */
        arena_close(arena);
    }
}
