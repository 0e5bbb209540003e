/* Kernel times. A GEMM is priced as a library runs it: the output is cut into tiles, one per streaming multiprocessor,
 * and the tiles run in waves,
 *
 *     time = ceil(tiles / sms) * 2 tile_m tile_n (k + k_overhead) / (peak * efficiency / sms)
 *
 * (tile and wave quantisation: NVIDIA, "Matrix Multiplication Background User's Guide").
 * Libraries choose among tile shapes and cut k where the grid is small, so the fastest candidate counts. The memory
 * side is the roofline of Williams et al. 2009. */
#include "cost/kernel.h"

#include <math.h>

/* Tile shapes tried: the full one and its halvings of the longer side, down to a quarter of each side. */
#define TILE_LEVELS 4

/* Partial sums of a k cut `split` ways go through the last-level cache, which is this much faster than memory: fitted.
 * The A100's reads 5120 bytes a clock, 3.5 times its memory ("NVIDIA A100 Tensor Core GPU Architecture"). */
#define CACHE_OVER_MEMORY 2.5

/* Rows and columns of one block of scores in fused attention (FlashAttention-2 and -3 use 128 x 64 to 128 x 176). */
#define SCORE_BLOCK 128.0

/* One GEMM kernel: `groups` independent products of `row_tiles(tile)` tile rows each. */
struct product {
    double m, n, k, groups;
    bool ragged;         /* m is a mean over groups */
    double sms, sm_rate; /* multiprocessors at hand, FLOP/s of one */
    double overhead;     /* of a tile, in elements of k */
    double cache_rate;   /* bytes/s */
};

static double positive(double value, double otherwise) {
    return value > 0 ? value : otherwise;
}

/* As ceil and fmin, without calls and NaN rules: a search prices 1e5 kernels and more. */
static inline double rounded_up(double value) {
    if (!(value < 9e15)) { /* whole already */
        return value;
    }
    double whole = (double)(int64_t)value;
    return whole < value ? whole + 1 : whole;
}

static inline double lesser(double a, double b) {
    return a < b ? a : b;
}

double kernel_waves(double tiles, double sms) {
    return tiles > 0 ? rounded_up(tiles / sms) : 0;
}

static double memory_rate(const struct device *device) {
    return device->hbm_bandwidth * positive(device->kernels.memory_efficiency, 1);
}

static double gemm_efficiency(const struct device *device, enum dtype dtype) {
    const struct kernels *kernels = &device->kernels;
    if (dtype == DTYPE_FP4 && device->peak.fp4 > 0) {
        return positive(kernels->gemm_efficiency_fp4, 1);
    }
    if ((dtype == DTYPE_FP4 || dtype == DTYPE_FP8) && device->peak.fp8 > 0) {
        return positive(kernels->gemm_efficiency_fp8, 1);
    }
    return positive(kernels->gemm_efficiency, 1);
}

double kernel_gemm_rate(const struct device *device, enum dtype dtype) {
    return device_peak(device, dtype) * gemm_efficiency(device, dtype) * positive(device->derate, 1);
}

/* Tile rows of one group. Scattered row counts end in the middle of a tile on average, so half a tile is wasted: mean
 * rows / tile + 1/2; a group that has any row (Poisson arrivals: all but exp(-rows)) takes at least one tile. */
static double row_tiles(const struct product *product, double tile) {
    if (!product->ragged) {
        return rounded_up(product->m / tile);
    }
    return fmax(product->m / tile + 0.5, 1 - exp(-product->m));
}

/* Seconds with this tile, the best over cutting k in 1, 2 or 4; libraries do not cut it from four full waves on. */
static double tile_time(const struct product *product, double tile_m, double tile_n, double efficiency) {
    double tiles = product->groups * row_tiles(product, tile_m) * rounded_up(product->n / tile_n);
    double work = 2 * tile_m * tile_n / (product->sm_rate * efficiency);
    double best = kernel_waves(tiles, product->sms) * work * (product->k + product->overhead);
    if (tiles >= 4 * product->sms) {
        return best;
    }
    for (double split = 2; split <= 4; split *= 2) {
        double partial_bytes = 8 * split * product->groups * product->m * product->n; /* fp32, written and read */
        double time = kernel_waves(tiles * split, product->sms) * work * (product->k / split + product->overhead) +
                      partial_bytes / product->cache_rate;
        best = lesser(best, time);
    }
    return best;
}

static double best_tile_time(const struct product *product, const struct kernels *kernels) {
    double tile_m = positive((double)kernels->tile_m, 128);
    double tile_n = positive((double)kernels->tile_n, 128);
    double efficiency = 1;
    double best = HUGE_VAL;
    for (int level = 0; level < TILE_LEVELS; level++) {
        best = lesser(best, tile_time(product, tile_m, tile_n, efficiency));
        if (tile_m > tile_n || tile_m < tile_n) {
            best = lesser(best, tile_time(product, tile_n, tile_m, efficiency));
        }
        if (tile_m >= tile_n) {
            tile_m /= 2;
        } else {
            tile_n /= 2;
        }
        efficiency *= positive(kernels->tile_half, 1);
    }
    return best;
}

/* Long GEMMs on random data draw more than the power limit and the clock falls (H. He, "Strangely, Matrix
 * Multiplications on GPUs Run Faster When Given 'Predictable' Data!", 2024): the boosted rate for a time of the order
 * of the power controller's, the sustained rate after it. The form is ours, monotone in `time`. With a gemm_sag_time of
 * 0 every GEMM runs at the sustained rate, as on a device that never pauses. */
static double under_power(const struct kernels *kernels, double time) {
    if (!(kernels->gemm_sag > 0)) {
        return time;
    }
    return time * (1 + kernels->gemm_sag * time / (time + kernels->gemm_sag_time));
}

static double product_time(const struct device *device, enum dtype dtype, struct product *product, double taken,
                           double weights) {
    if (!(product->m > 0 && product->n > 0 && product->k > 0 && product->groups > 0)) {
        return 0;
    }
    const struct kernels *kernels = &device->kernels;
    double sms = positive((double)device->sms, 1);
    product->sms = fmax(1, sms - taken);
    product->sm_rate = kernel_gemm_rate(device, dtype) / sms;
    product->cache_rate = CACHE_OVER_MEMORY * device->hbm_bandwidth;
    /* The overhead is latency: constant in time, so more elements of k in a faster type. */
    product->overhead = kernels->k_overhead * device_peak(device, dtype) / device_peak(device, DTYPE_BF16);
    double compute = under_power(kernels, best_tile_time(product, kernels));

    double element = dtype_bytes(dtype), out = fmax(element, 2);
    double bytes = product->groups * product->m * (element * product->k + out * product->n) +
                   weights * element * product->k * product->n;
    return fmax(compute, bytes / memory_rate(device));
}

double kernel_gemm_beside(const struct device *device, enum dtype dtype, double m, double n, double k, double batch,
                          double taken) {
    struct product product = {.m = m, .n = n, .k = k, .groups = batch};
    return product_time(device, dtype, &product, taken, batch);
}

double kernel_gemm(const struct device *device, enum dtype dtype, double m, double n, double k, double batch) {
    return kernel_gemm_beside(device, dtype, m, n, k, batch, 0);
}

double kernel_grouped_gemm(const struct device *device, enum dtype dtype, double rows_total, double experts, double n,
                           double k) {
    if (!(experts > 0)) {
        return 0;
    }
    double rows = rows_total / experts;
    struct product product = {.m = rows, .n = n, .k = k, .groups = experts, .ragged = experts > 1};
    double read = experts > 1 ? experts * (1 - exp(-rows)) : experts; /* experts without rows are not read */
    return product_time(device, dtype, &product, 0, read);
}

/* Score pairs a head computes. On top of what the mask leaves: the blocks that its edge crosses, half a block of keys
 * on either side of a query row's edge, and the start and end of every row of blocks (`attention_overhead` keys). */
static double executed_pairs(const struct kernels *kernels, const struct attention_shape *shape) {
    double masked = fmax(0, shape->query * shape->keys - shape->pairs);
    return shape->pairs + shape->query * kernels->attention_overhead + fmin(masked, SCORE_BLOCK * shape->query);
}

/* FLOPs over efficiency falls with the head width, because each score costs one exponential whatever the width: its
 * time counts as `attention_softmax` more elements. Normalised to width 128. Forward: Q K^T and P V. Backward: S again,
 * dP, dV, dQ, dK (FlashAttention-2, arXiv:2307.08691, algorithm 2). */
double kernel_attention(const struct device *device, enum dtype dtype, enum kernel_pass pass,
                        const struct attention_shape *shape) {
    if (!(shape->batch > 0 && shape->heads > 0 && shape->pairs > 0)) {
        return 0;
    }
    const struct kernels *kernels = &device->kernels;
    enum dtype computed = dtype == DTYPE_FP8 || dtype == DTYPE_FP4 ? DTYPE_BF16 : dtype;
    bool forward = pass == KERNEL_FORWARD;
    double efficiency = positive(forward ? kernels->attention_forward : kernels->attention_backward, 1);
    double width = forward ? 2 * shape->key_dim + 2 * shape->value_dim : 6 * shape->key_dim + 4 * shape->value_dim;
    double per_score = (forward ? 4 : 10) * kernels->attention_softmax;
    double wide = (width + per_score) * SCORE_BLOCK / (SCORE_BLOCK + kernels->attention_softmax);
    double rate = device_peak(device, computed) * efficiency * positive(device->derate, 1);
    double blocks = shape->batch * shape->heads * rounded_up(shape->query / SCORE_BLOCK);
    double idle = fmax(1, (double)device->sms / blocks); /* fewer blocks than multiprocessors */
    double compute = shape->batch * shape->heads * executed_pairs(kernels, shape) * wide / rate * idle;

    /* Q, O per query head and K, V per key head, once; backward reads them with dO and writes dQ, dK, dV. */
    double elements = shape->heads * shape->query * (shape->key_dim + shape->value_dim) +
                      shape->kv_heads * shape->keys * (shape->key_dim + shape->value_dim);
    double bytes = shape->batch * elements * dtype_bytes(computed) * (forward ? 1 : 2);
    return fmax(compute, bytes / memory_rate(device));
}

/* Bandwidth is reached asymptotically: half of it at `memory_ramp` bytes. */
double kernel_memory(const struct device *device, double bytes) {
    return bytes > 0 ? (bytes + device->kernels.memory_ramp) / memory_rate(device) : 0;
}
