/* Kernel times: the wave arithmetic, the roofline below, monotone growth, and the edges. The devices here are made up
 * of round numbers; tests/validation/test_kernels.c holds the shipped ones against measurements. */
#include "cost/kernel.h"

#include <criterion/criterion.h>
#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct device hopper(void) {
    return (struct device){
        .name = "hopper",
        .hbm_bandwidth = 3.35e12,
        .sms = 132,
        .peak = {.fp32 = 67e12, .tf32 = 494e12, .bf16 = 990e12, .fp16 = 990e12, .fp8 = 1980e12},
        .kernels = {.tile_m = 256,
                    .tile_n = 128,
                    .tile_half = 0.9,
                    .gemm_efficiency = 0.85,
                    .gemm_efficiency_fp8 = 0.75,
                    .gemm_efficiency_fp4 = 0.5,
                    .gemm_sag = 0.2,
                    .gemm_sag_time = 1e-3,
                    .k_overhead = 150,
                    .attention_forward = 0.55,
                    .attention_backward = 0.48,
                    .attention_overhead = 150,
                    .attention_softmax = 50,
                    .memory_efficiency = 0.9,
                    .memory_ramp = 1e6,
                    .launch = 3e-6},
        .derate = 1,
    };
}

/* One tile shape, one rate, no overheads: time is waves and nothing else. */
static struct device plain(void) {
    struct device device = hopper();
    device.kernels = (struct kernels){.tile_m = 128,
                                      .tile_n = 128,
                                      .tile_half = 1e-6,
                                      .gemm_efficiency = 1,
                                      .gemm_efficiency_fp8 = 1,
                                      .gemm_efficiency_fp4 = 1,
                                      .attention_forward = 1,
                                      .attention_backward = 1,
                                      .memory_efficiency = 1};
    device.hbm_bandwidth = 1e18;
    return device;
}

static bool close_to(double a, double b) {
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

/* NVIDIA forum 337991 (H100): 132 tiles double their time when a collective holds 24 of 132 multiprocessors. */
Test(kernel, waves) {
    static const struct {
        double tiles, sms, taken, waves;
    } rows[] = {{132, 132, 0, 1},   {132, 132, 4, 2},    {132, 132, 16, 2},   {132, 132, 24, 2}, {1320, 132, 0, 10},
                {1320, 132, 4, 11}, {1320, 132, 16, 12}, {1320, 132, 24, 13}, {0, 132, 0, 0},    {1, 132, 0, 1},
                {133, 132, 0, 2},   {264, 132, 0, 2},    {265, 132, 0, 3}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        double waves = kernel_waves(rows[i].tiles, rows[i].sms - rows[i].taken);
        cr_expect(close_to(waves, rows[i].waves), "row %zu: %g tiles on %g: %g waves, want %g", i, rows[i].tiles,
                  rows[i].sms - rows[i].taken, waves, rows[i].waves);
    }
}

/* The same through a whole GEMM: k short enough that cutting it does not pay is out of reach with free partial sums, so
 * the grid is four waves and more. */
Test(kernel, gemm_takes_whole_waves) {
    static const struct {
        double tiles_m, tiles_n, taken, waves;
    } rows[] = {{44, 12, 0, 4}, {44, 12, 4, 5}, {44, 12, 24, 5}, {53, 10, 0, 5}, {44, 30, 0, 10}, {44, 30, 24, 13}};
    struct device device = plain();
    double k = 4096;
    double wave = 2 * 128 * 128 * k / (device.peak.bf16 / 132);
    for (size_t i = 0; i < COUNT(rows); i++) {
        double time =
            kernel_gemm_beside(&device, DTYPE_BF16, 128 * rows[i].tiles_m, 128 * rows[i].tiles_n, k, 1, rows[i].taken);
        cr_expect(close_to(time, rows[i].waves * wave), "row %zu: %g waves, want %g", i, time / wave, rows[i].waves);
    }
}

/* A partial last tile costs a whole one. */
Test(kernel, gemm_pays_whole_tiles) {
    struct device device = plain();
    double whole = kernel_gemm(&device, DTYPE_BF16, 128 * 44, 128 * 12, 4096, 1);
    cr_expect(close_to(kernel_gemm(&device, DTYPE_BF16, 128 * 44 - 127, 128 * 12, 4096, 1), whole));
    cr_expect(close_to(kernel_gemm(&device, DTYPE_BF16, 128 * 44, 128 * 12 - 100, 4096, 1), whole));
    cr_expect(kernel_gemm(&device, DTYPE_BF16, 128 * 44 + 1, 128 * 12, 4096, 1) > whole * 1.2);
}

/* One tile on 132 multiprocessors: k in four parts, whose partial sums (fp32, written and read) cross the cache at 2.5
 * times the memory's rate. */
Test(kernel, gemm_cuts_k) {
    struct device device = plain();
    device.hbm_bandwidth = 4e12;
    double work = 2 * 128 * 128 * 16384.0 / (device.peak.bf16 / 132), partial = 4 * 8 * 128 * 128 / (2.5 * 4e12);
    double time = kernel_gemm(&device, DTYPE_BF16, 128, 128, 16384, 1);
    cr_expect(close_to(time, work / 4 + partial), "%g, want %g + %g", time, work / 4, partial);
    device.hbm_bandwidth = 1e9; /* partial sums too dear, and A, B and C bound it */
    time = kernel_gemm(&device, DTYPE_BF16, 128, 128, 16384, 1);
    cr_expect(close_to(time, (2 * 2 * 128 * 16384.0 + 2 * 128 * 128) / 1e9), "%g", time);
    /* From four waves on k is whole, whatever it would gain: 529 tiles take five waves, not the 4.25 of quarters. */
    device.hbm_bandwidth = 1e18;
    time = kernel_gemm(&device, DTYPE_BF16, 128 * 23, 128 * 23, 16384, 1);
    cr_expect(close_to(time, 5 * work), "%g waves", time / work);
    /* Below that it is: 400 tiles are 1600 quarters, 13 rounds of them. */
    time = kernel_gemm(&device, DTYPE_BF16, 128 * 20, 128 * 20, 16384, 1);
    cr_expect(fabs(time / work - 13 / 4.0) < 1e-4, "%g waves", time / work);
}

/* Halves of the tile, each at tile_half of the efficiency before: 128 x 128 on the whole grid, then 64 x 128 ... */
Test(kernel, gemm_chooses_the_tile) {
    struct device device = plain();
    double work = 2 * 128 * 128 * 64.0 / (device.peak.bf16 / 132);
    device.hbm_bandwidth = 4e13; /* partial sums cost more than they save at this k */
    device.kernels.tile_half = 0.8;
    double time = kernel_gemm(&device, DTYPE_BF16, 128 * 11, 128 * 6, 64, 1); /* 66 tiles, or 132 halves */
    cr_expect(close_to(time, work / 2 / 0.8), "%g of a full tile", time / work);
    device.kernels.tile_half = 0.45;
    time = kernel_gemm(&device, DTYPE_BF16, 128 * 11, 128 * 6, 64, 1);
    cr_expect(close_to(time, work), "%g of a full tile", time / work);
    device.kernels.tile_half = 0.9;
    time = kernel_gemm(&device, DTYPE_BF16, 128 * 11, 128 * 3, 64, 1); /* 33 tiles, or 132 quarters */
    cr_expect(close_to(time, work / 4 / 0.9 / 0.9), "%g of a full tile", time / work);
    time = kernel_gemm(&device, DTYPE_BF16, 128 * 11, 192, 64, 1); /* 132 eighths, 32 x 64 */
    cr_expect(close_to(time, work / 8 / 0.9 / 0.9 / 0.9), "%g of a full tile", time / work);
}

/* A long tile lies along either side: 132 tiles of 128 x 256, not 132 of which half is wasted twice. */
Test(kernel, gemm_turns_the_tile) {
    struct device device = plain();
    device.kernels.tile_m = 256;
    double work = 2 * 256 * 128 * 16384.0 / (device.peak.bf16 / 132);
    double lying = kernel_gemm(&device, DTYPE_BF16, 128, 256 * 132 * 4, 16384, 1);
    double upright = kernel_gemm(&device, DTYPE_BF16, 256 * 132 * 4, 128, 16384, 1);
    cr_expect(close_to(lying, 4 * work) && close_to(upright, 4 * work), "%g and %g waves", lying / work,
              upright / work);
}

/* Prologue and epilogue take the same time in every type: twice the elements of k in a type twice as fast. */
Test(kernel, gemm_overhead) {
    struct device device = plain();
    device.kernels.k_overhead = 100;
    double wave = 2 * 128 * 128 / (device.peak.bf16 / 132);
    double bf16 = kernel_gemm(&device, DTYPE_BF16, 128 * 44, 128 * 30, 1000, 1);
    double fp8 = kernel_gemm(&device, DTYPE_FP8, 128 * 44, 128 * 30, 1000, 1);
    cr_expect(close_to(bf16, 10 * wave * 1100), "%g", bf16 / wave);
    cr_expect(close_to(fp8, 10 * wave / 2 * 1200), "%g", fp8 / wave);
}

/* A grid of half the multiprocessors runs faster by cutting k or by smaller tiles. */
Test(kernel, gemm_fills_small_grids) {
    struct device device = hopper();
    double one_tile_each = kernel_gemm(&device, DTYPE_BF16, 1024, 1024, 16384, 1);
    double tile = 2.0 * 256 * 128 * (16384 + 150) / (device.peak.bf16 * 0.85 / 132);
    cr_expect(one_tile_each < 0.6 * tile, "32 tiles on 132 multiprocessors took %g of one wave", one_tile_each / tile);
}

static const double sizes[] = {1, 7, 64, 128, 200, 1000, 1024, 3000, 4096, 12288, 30000};
static const enum dtype types[] = {DTYPE_FP32, DTYPE_TF32, DTYPE_BF16, DTYPE_FP16, DTYPE_FP8, DTYPE_FP4};

static void expect_above_roofline(const struct device *device, enum dtype type, double m, double n, double k) {
    double time = kernel_gemm(device, type, m, n, k, 1);
    double flops = 2 * m * n * k / device_peak(device, type);
    double bytes = (dtype_bytes(type) * (m * k + n * k) + 2 * m * n) / device->hbm_bandwidth;
    cr_expect(time >= flops && time >= bytes, "%s %gx%gx%g: %g s below the roofline %g, %g", dtype_names[type], m, n, k,
              time, flops, bytes);
}

Test(kernel, gemm_is_never_below_the_roofline) {
    struct device device = hopper();
    for (size_t t = 0; t < COUNT(types); t++) {
        for (size_t i = 0; i < COUNT(sizes) * COUNT(sizes) * COUNT(sizes); i++) {
            expect_above_roofline(&device, types[t], sizes[i % COUNT(sizes)], sizes[i / COUNT(sizes) % COUNT(sizes)],
                                  sizes[i / COUNT(sizes) / COUNT(sizes)]);
        }
    }
}

Test(kernel, gemm_grows_with_every_dimension) {
    struct device device = hopper();
    for (size_t i = 0; i < COUNT(sizes) * COUNT(sizes) * COUNT(sizes); i++) {
        double m = sizes[i % COUNT(sizes)], n = sizes[i / COUNT(sizes) % COUNT(sizes)],
               k = sizes[i / COUNT(sizes) / COUNT(sizes)];
        double base = kernel_gemm(&device, DTYPE_BF16, m, n, k, 1);
        double grown[] = {
            kernel_gemm(&device, DTYPE_BF16, m * 1.3, n, k, 1), kernel_gemm(&device, DTYPE_BF16, m, n * 1.3, k, 1),
            kernel_gemm(&device, DTYPE_BF16, m, n, k * 1.3, 1), kernel_gemm(&device, DTYPE_BF16, m, n, k, 2),
            kernel_gemm_beside(&device, DTYPE_BF16, m, n, k, 1, 20)};
        for (size_t g = 0; g < COUNT(grown); g++) {
            cr_expect(grown[g] >= base * (1 - 1e-12), "%gx%gx%g: growing %zu shrinks %g to %g", m, n, k, g, base,
                      grown[g]);
        }
        /* Eight times the work never takes more than eight times as long, beyond the power sag. */
        double eight = kernel_gemm(&device, DTYPE_BF16, 2 * m, 2 * n, 2 * k, 1);
        cr_expect(eight <= 8 * base * 1.2 * (1 + 1e-9), "%gx%gx%g: eightfold work %g times as long", m, n, k,
                  eight / base);
    }
}

Test(kernel, gemm_is_symmetric_in_m_and_n) {
    struct device device = hopper();
    for (size_t i = 0; i < COUNT(sizes) * COUNT(sizes); i++) {
        double m = sizes[i % COUNT(sizes)], n = sizes[i / COUNT(sizes)];
        cr_expect(
            close_to(kernel_gemm(&device, DTYPE_BF16, m, n, 2048, 1), kernel_gemm(&device, DTYPE_BF16, n, m, 2048, 1)),
            "%g x %g", m, n);
    }
}

Test(kernel, long_gemms_lose_clock) {
    struct device device = hopper();
    double flops = 2 * 16384.0 * 16384 * 16384;
    double hot = kernel_gemm(&device, DTYPE_BF16, 16384, 16384, 16384, 1);
    device.kernels.gemm_sag_time = 0;
    double steady = kernel_gemm(&device, DTYPE_BF16, 16384, 16384, 16384, 1);
    device.kernels.gemm_sag = 0;
    double cool = kernel_gemm(&device, DTYPE_BF16, 16384, 16384, 16384, 1);
    cr_expect(close_to(hot / cool, 1 + 0.2 * cool / (cool + 1e-3)), "%g", hot / cool);
    cr_expect(close_to(steady / cool, 1.2), "%g", steady / cool);
    cr_expect(flops / cool > 0.8 * 990e12 && flops / cool < 0.85 * 990e12, "%g", flops / cool);
}

Test(kernel, narrow_types) {
    struct device device = hopper();
    double bf16 = kernel_gemm(&device, DTYPE_BF16, 8192, 8192, 8192, 1);
    double fp8 = kernel_gemm(&device, DTYPE_FP8, 8192, 8192, 8192, 1);
    cr_expect(fp8 < bf16 / 1.6 && fp8 > bf16 / 2, "fp8 %g of bf16", fp8 / bf16);
    cr_expect(close_to(kernel_gemm_rate(&device, DTYPE_FP8), 1980e12 * 0.75));
    cr_expect(close_to(kernel_gemm_rate(&device, DTYPE_FP4), 1980e12 * 0.75), "no FP4 units: as FP8");
    device.peak.fp8 = 0;
    cr_expect(close_to(kernel_gemm_rate(&device, DTYPE_FP8), 990e12 * 0.85), "no FP8 units: as bf16");
    device.peak.fp4 = 4000e12;
    cr_expect(close_to(kernel_gemm_rate(&device, DTYPE_FP4), 4000e12 * 0.5));
    device.derate = 0.5;
    cr_expect(close_to(kernel_gemm_rate(&device, DTYPE_BF16), 990e12 * 0.85 / 2), "half speed device");
}

Test(kernel, grouped_gemm) {
    struct device device = hopper();
    double one = kernel_grouped_gemm(&device, DTYPE_BF16, 4096, 1, 2048, 7168);
    cr_expect(close_to(one, kernel_gemm(&device, DTYPE_BF16, 4096, 2048, 7168, 1)), "one expert is a GEMM");
    double whole = kernel_gemm(&device, DTYPE_BF16, 65536, 2048, 7168, 1), last = whole;
    for (double experts = 2; experts <= 1024; experts *= 2) {
        double time = kernel_grouped_gemm(&device, DTYPE_BF16, 65536, experts, 2048, 7168);
        cr_expect(time >= last * (1 - 1e-9), "%g experts: %g after %g", experts, time, last);
        last = time;
    }
    cr_expect(kernel_grouped_gemm(&device, DTYPE_BF16, 65536, 16, 2048, 7168) < 1.15 * whole, "4096 rows waste little");
    cr_expect(last > 1.2 * whole, "64 rows an expert waste tiles: %g", last / whole);
}

/* Two rows an expert: bound by the weights of the experts that have any, all but exp(-2), and the rows themselves. */
Test(kernel, grouped_gemm_reads_busy_experts) {
    struct device device = plain();
    device.hbm_bandwidth = 1e9;
    double bytes = 2.0 * 256 * (1 - exp(-2.0)) * 2048 * 7168 + 2.0 * 512 * (2048 + 7168);
    double time = kernel_grouped_gemm(&device, DTYPE_BF16, 512, 256, 2048, 7168);
    cr_expect(close_to(time, bytes / 1e9), "%g, want %g", time, bytes / 1e9);
}

/* Row counts end anywhere in a tile: half a tile more than the mean, at least one where an expert has rows. */
Test(kernel, grouped_gemm_tiles) {
    static const struct {
        double experts, rows, tiles; /* rows of an expert, tiles of one in m */
    } rows[] = {{8, 1024, 8.5}, {8, 1000, 1000 / 128.0 + 0.5}, {32, 320, 3}, {66, 32, 1}, {66, 100, 100 / 128.0 + 0.5}};
    struct device device = plain();
    double wave = 2 * 128 * 128 * 4096.0 / (device.peak.bf16 / 132);
    for (size_t i = 0; i < COUNT(rows); i++) {
        double time =
            kernel_grouped_gemm(&device, DTYPE_BF16, rows[i].experts * rows[i].rows, rows[i].experts, 128 * 64, 4096);
        double want = ceil(rows[i].experts * rows[i].tiles * 64 / 132);
        cr_expect(close_to(time, want * wave), "row %zu: %g waves, want %g", i, time / wave, want);
    }
}

Test(kernel, nothing_takes_no_time) {
    struct device device = hopper();
    struct attention_shape none = {
        .batch = 1, .heads = 0, .kv_heads = 1, .query = 8, .keys = 8, .key_dim = 64, .value_dim = 64, .pairs = 64};
    double times[] = {kernel_gemm(&device, DTYPE_BF16, 0, 8, 8, 1),
                      kernel_gemm(&device, DTYPE_BF16, 8, 8, 8, 0),
                      kernel_gemm(&device, DTYPE_BF16, 8, 8, 0, 1),
                      kernel_grouped_gemm(&device, DTYPE_BF16, 0, 8, 64, 64),
                      kernel_grouped_gemm(&device, DTYPE_BF16, 8, 0, 64, 64),
                      kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &none),
                      kernel_memory(&device, 0)};
    for (size_t i = 0; i < COUNT(times); i++) {
        cr_expect_eq(times[i], 0, "case %zu: %g", i, times[i]);
    }
}

static struct attention_shape causal(double batch, double heads, double kv_heads, double length, double width) {
    return (struct attention_shape){batch, heads, kv_heads, length, length, width, width, length * (length + 1) / 2};
}

static double rate(const struct device *device, enum kernel_pass pass, const struct attention_shape *shape) {
    double flops = shape->batch * shape->heads * shape->pairs * 2 * (shape->key_dim + shape->value_dim);
    return (pass == KERNEL_FORWARD ? 1 : 2.5) * flops / kernel_attention(device, DTYPE_BF16, pass, shape) / 990e12;
}

Test(kernel, attention_rates) {
    struct device device = hopper();
    struct attention_shape long128 = causal(1, 32, 8, 131072, 128), long64 = causal(1, 32, 8, 131072, 64),
                           long256 = causal(1, 32, 8, 131072, 256), short128 = causal(64, 32, 8, 1024, 128),
                           full128 = long128;
    full128.pairs = full128.query * full128.keys;
    cr_expect(fabs(rate(&device, KERNEL_FORWARD, &long128) - 0.55) < 0.005);
    cr_expect(fabs(rate(&device, KERNEL_BACKWARD, &long128) - 0.48) < 0.005);
    cr_expect(fabs(rate(&device, KERNEL_FORWARD, &full128) - 0.55) < 0.005);
    /* (64 / (64 + 50)) / (128 / (128 + 50)) = 0.781: FlashAttention-3 (arXiv:2407.08608) has 497 of 648, 0.767. */
    cr_expect(fabs(rate(&device, KERNEL_FORWARD, &long64) / 0.55 - 0.781) < 0.005);
    cr_expect(fabs(rate(&device, KERNEL_FORWARD, &long256) / 0.55 - 1.163) < 0.005);
    /* 512.5 of 512.5 + 150 + 128 keys a query are useful. */
    cr_expect(fabs(rate(&device, KERNEL_FORWARD, &short128) / 0.55 - 512.5 / 790.5) < 0.005);
}

Test(kernel, attention_shapes) {
    struct device device = hopper();
    struct attention_shape half = causal(2, 16, 16, 4096, 128), full = half, window = half, mla = half, few = half;
    full.pairs = full.query * full.keys;
    double causal_time = kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &half);
    double full_time = kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &full);
    cr_expect(full_time > 1.7 * causal_time && full_time < 2 * causal_time, "%g", full_time / causal_time);
    window.pairs = 512.0 * 4096;
    cr_expect(kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &window) < 0.5 * causal_time);
    mla.key_dim = 192;
    double mla_time = kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &mla);
    cr_expect(mla_time > 1.1 * causal_time && mla_time < 1.25 * causal_time, "%g", mla_time / causal_time);
    cr_expect(close_to(kernel_attention(&device, DTYPE_FP8, KERNEL_FORWARD, &half), causal_time), "FP8 runs in bf16");
    few.batch = few.heads = few.kv_heads = 1; /* 32 blocks of queries on 132 multiprocessors */
    double few_time = kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &few);
    cr_expect(close_to(few_time, causal_time / 32 * 132 / 32), "%g", few_time / causal_time);
    /* A query against a long cache reads the cache: 2 x 1M x 128 x 2 bytes x 8. */
    struct attention_shape decode = {1, 64, 8, 1, 1 << 20, 128, 128, 1 << 20};
    double read = 2 * 1048576.0 * 128 * 2 * 8 / (3.35e12 * 0.9);
    cr_expect(kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &decode) >= read);
}

/* Forward Q K^T and P V; backward Q K^T, dQ, dK over the key width, dP, dV over the value width. */
Test(kernel, attention_counts_products) {
    struct device device = plain();
    struct attention_shape shape = {4, 64, 64, 4096, 4096, 192, 128, 4096.0 * 4096};
    double forward = kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &shape);
    double backward = kernel_attention(&device, DTYPE_BF16, KERNEL_BACKWARD, &shape);
    cr_expect(close_to(forward, 4 * 64 * 4096.0 * 4096 * 2 * (192 + 128) / 990e12), "%g", forward);
    cr_expect(close_to(backward / forward, (6 * 192 + 4 * 128) / 640.0), "%g", backward / forward);
}

/* Little memory bandwidth: Q, O of 64 heads and K, V of 8, twice that in backward. */
Test(kernel, attention_reads_once) {
    struct device device = plain();
    device.hbm_bandwidth = 1e9;
    struct attention_shape shape = causal(2, 64, 8, 1024, 128);
    double bytes = 2 * 2 * 1024 * (64 + 8) * 256.0;
    double forward = kernel_attention(&device, DTYPE_BF16, KERNEL_FORWARD, &shape);
    double backward = kernel_attention(&device, DTYPE_BF16, KERNEL_BACKWARD, &shape);
    cr_expect(close_to(forward, bytes / 1e9), "%g", forward);
    cr_expect(close_to(backward, 2 * bytes / 1e9), "%g", backward);
}

Test(kernel, attention_grows) {
    struct device device = hopper();
    double last[2] = {0, 0};
    for (double length = 128; length < 1e6; length *= 1.7) {
        struct attention_shape shape = causal(1, 32, 8, length, 128);
        for (int pass = KERNEL_FORWARD; pass <= KERNEL_BACKWARD; pass++) {
            double time = kernel_attention(&device, DTYPE_BF16, (enum kernel_pass)pass, &shape);
            cr_expect(time > last[pass], "length %g pass %d", length, pass);
            last[pass] = time;
        }
        cr_expect(last[KERNEL_BACKWARD] > 2 * last[KERNEL_FORWARD], "length %g", length);
    }
}

Test(kernel, memory) {
    struct device device = hopper();
    cr_expect(close_to(kernel_memory(&device, 1e9), (1e9 + 1e6) / (3.35e12 * 0.9)));
    cr_expect(close_to(kernel_memory(&device, 1e6), 2 * 1e6 / (3.35e12 * 0.9)), "half the rate at the ramp");
}
