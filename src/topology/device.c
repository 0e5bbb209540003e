/* Accelerators: number types, the field tables of the `devices` block, and the two questions every cost asks of a
 * device: how fast at this type, how much memory. */
#include "topology/device.h"

#include "topology/row.h"

/* Share of the physical memory that driver and ECC keep when a document does not say what a process can take. PyTorch
 * reports 79.15 of 80 GiB on an A100, 79.1 of 80 on an H100, 31.75 of 32 on a V100, 39.4 of 40 on an A100 40 GB: at
 * most 1.5 percent. */
#define MEMORY_RESERVE 0.015

const char *const dtype_names[] = {"fp32", "tf32", "bf16", "fp16", "fp8", "fp4", NULL};

static const struct field peak_fields[] = {
    ROW(peak, fp32, QUANTITY, .dimension = UNIT_FLOP_RATE, .doc = "Dense FLOP/s in fp32"),
    ROW(peak, tf32, QUANTITY, .dimension = UNIT_FLOP_RATE, .doc = "Dense FLOP/s in tf32"),
    ROW(peak, bf16, QUANTITY, .dimension = UNIT_FLOP_RATE, .doc = "Dense FLOP/s in bf16, fp32 accumulation"),
    ROW(peak, fp16, QUANTITY, .dimension = UNIT_FLOP_RATE, .doc = "Dense FLOP/s in fp16, fp32 accumulation"),
    ROW(peak, fp8, QUANTITY, .dimension = UNIT_FLOP_RATE, .doc = "Dense FLOP/s in fp8"),
    ROW(peak, fp4, QUANTITY, .dimension = UNIT_FLOP_RATE, .doc = "Dense FLOP/s in fp4"),
    FIELD_END,
};

static const struct field kernels_fields[] = {
    ROW(kernels, source, TEXT, SOURCE_DOC),
    ROW(kernels, tile_m, COUNT, .fallback = "256", .min = 1, .max = 4096,
        .doc = "Rows of the largest output tile of one multiprocessor in a GEMM"),
    ROW(kernels, tile_n, COUNT, .fallback = "128", .min = 1, .max = 4096,
        .doc = "Columns of the largest output tile of one multiprocessor in a GEMM"),
    SHARE_ROW(kernels, tile_half, .fallback = "0.9", .doc = "Efficiency kept each time that tile is halved"),
    SHARE_ROW(kernels, gemm_efficiency, .fallback = "0.85",
              .doc = "Share of the peak inside the tiles of a short GEMM"),
    SHARE_ROW(kernels, gemm_efficiency_fp8, .fallback = "0.75", .doc = "The same in fp8"),
    SHARE_ROW(kernels, gemm_efficiency_fp4, .fallback = "0.5", .doc = "The same in fp4"),
    SHARE_ROW(kernels, gemm_sag, .fallback = "0.15",
              .doc = "How much longer a long GEMM takes, relative: clocks fall under power"),
    SECONDS_ROW(kernels, gemm_sag_time, .fallback = "0us",
                .doc = "Length of a GEMM at which half of gemm_sag is felt; 0 = always all, as in a training step"),
    ROW(kernels, k_overhead, NUMBER, .fallback = "150", .max = 1e6,
        .doc = "Prologue and epilogue of a GEMM tile, in elements of k in bf16"),
    SHARE_ROW(kernels, attention_forward, .fallback = "0.5",
              .doc = "Share of the bf16 peak of fused attention, forward, long sequences, head dimension 128"),
    SHARE_ROW(kernels, attention_backward, .fallback = "0.43", .doc = "The same of its backward"),
    ROW(kernels, attention_overhead, NUMBER, .fallback = "140", .max = 1e6,
        .doc = "Prologue and epilogue of a query of fused attention, in keys"),
    ROW(kernels, attention_softmax, NUMBER, .fallback = "50", .max = 1e6,
        .doc = "Cost of the exponential of one score, in elements of the head dimension"),
    SHARE_ROW(kernels, memory_efficiency, .fallback = "0.85",
              .doc = "Share of hbm_bandwidth of a large memory-bound kernel"),
    BYTES_ROW(kernels, memory_ramp, .fallback = "2MiB",
              .doc = "Size at which a memory-bound kernel reaches half of that"),
    SECONDS_ROW(kernels, launch, .fallback = "3us", .doc = "Gap on the device from one kernel to the next"),
    SECONDS_ROW(kernels, host_launch, .fallback = "6us", .doc = "Time of the host per kernel without CUDA graphs"),
    FIELD_END,
};

static const struct field power_fields[] = {
    ROW(power, idle, QUANTITY, .dimension = UNIT_POWER, .doc = "Power of an idle device"),
    ROW(power, busy, QUANTITY, .dimension = UNIT_POWER, .doc = "Power of a busy device: its limit"),
    FIELD_END,
};

const struct field device_fields[] = {
    ROW(device, name, TEXT, .flags = FIELD_REQUIRED | FIELD_KEY, .doc = "Name that nodes refer to"),
    ROW(device, source, TEXT, SOURCE_DOC),
    ROW(device, vendor, TEXT, .doc = "Maker"),
    BYTES_ROW(device, memory, .flags = FIELD_REQUIRED | FIELD_POSITIVE, .doc = "Physical memory"),
    BYTES_ROW(device, memory_usable, .doc = "Memory a process can take from an empty device; 0 = 98.5% of memory"),
    BYTES_ROW(device, context, .fallback = "500MiB",
              .doc = "Driver context, module images and library handles of a process"),
    BYTES_ROW(device, workspace, .fallback = "64MiB", .doc = "Workspaces of GEMM and attention libraries"),
    RATE_ROW(device, hbm_bandwidth, .flags = FIELD_REQUIRED | FIELD_POSITIVE, .doc = "Memory bandwidth, data sheet"),
    BYTES_ROW(device, l2, .doc = "Last-level cache"),
    ROW(device, sms, COUNT, .min = 1, .max = 100000, .flags = FIELD_REQUIRED,
        .doc = "Streaming multiprocessors, compute units or cores that work on tiles side by side"),
    STRUCT_ROW(device, peak, peak, .flags = FIELD_REQUIRED, .doc = "Dense FLOP/s by number type; absent = unsupported"),
    STRUCT_ROW(device, kernels, kernels, .doc = "Efficiency of kernels"),
    STRUCT_ROW(device, power, power, .doc = "Power"),
    ROW(device, price, QUANTITY, .dimension = UNIT_PRICE_RATE, .doc = "Price of a device; 0 = unknown"),
    ROW(device, derate, NUMBER, .fallback = "1", .max = 2, .flags = FIELD_POSITIVE,
        .doc = "Compute rate over the nominal one, for slow devices"),
    FIELD_END,
};

double dtype_bytes(enum dtype dtype) {
    static const double bytes[] = {4, 4, 2, 2, 1, 0.5};
    return (unsigned)dtype < DTYPE_COUNT ? bytes[dtype] : 0;
}

static double peak_of(const struct peak *peak, enum dtype dtype) {
    switch (dtype) {
    case DTYPE_FP32:
        return peak->fp32;
    case DTYPE_TF32:
        return peak->tf32;
    case DTYPE_BF16:
        return peak->bf16;
    case DTYPE_FP16:
        return peak->fp16;
    case DTYPE_FP8:
        return peak->fp8;
    case DTYPE_FP4:
        return peak->fp4;
    case DTYPE_COUNT:
        break;
    }
    return 0;
}

double device_peak(const struct device *device, enum dtype dtype) {
    /* What stands in for a type, nearest first; every row ends in fp32 and then in whatever there is. */
    static const enum dtype order[DTYPE_COUNT][DTYPE_COUNT] = {
        [DTYPE_FP32] = {DTYPE_FP32, DTYPE_TF32, DTYPE_BF16, DTYPE_FP16, DTYPE_FP8, DTYPE_FP4},
        [DTYPE_TF32] = {DTYPE_TF32, DTYPE_FP32, DTYPE_BF16, DTYPE_FP16, DTYPE_FP8, DTYPE_FP4},
        [DTYPE_BF16] = {DTYPE_BF16, DTYPE_FP16, DTYPE_TF32, DTYPE_FP32, DTYPE_FP8, DTYPE_FP4},
        [DTYPE_FP16] = {DTYPE_FP16, DTYPE_BF16, DTYPE_TF32, DTYPE_FP32, DTYPE_FP8, DTYPE_FP4},
        [DTYPE_FP8] = {DTYPE_FP8, DTYPE_BF16, DTYPE_FP16, DTYPE_TF32, DTYPE_FP32, DTYPE_FP4},
        [DTYPE_FP4] = {DTYPE_FP4, DTYPE_FP8, DTYPE_BF16, DTYPE_FP16, DTYPE_TF32, DTYPE_FP32},
    };
    if ((unsigned)dtype >= DTYPE_COUNT) {
        return 0;
    }
    for (int i = 0; i < DTYPE_COUNT; i++) {
        double rate = peak_of(&device->peak, order[dtype][i]);
        if (rate > 0) {
            return rate;
        }
    }
    return 0;
}

double device_usable_memory(const struct device *device) {
    return device->memory_usable > 0 ? device->memory_usable : device->memory * (1 - MEMORY_RESERVE);
}
