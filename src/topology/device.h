/* One accelerator: memory truth, peak rates, and the few numbers that shape kernel efficiency. Hardware is data: every
 * number comes from a topology document with its source. */
#ifndef PARPLAN_TOPOLOGY_DEVICE_H
#define PARPLAN_TOPOLOGY_DEVICE_H

#include <stdint.h>

#include "base/field.h"

enum dtype { DTYPE_FP32, DTYPE_TF32, DTYPE_BF16, DTYPE_FP16, DTYPE_FP8, DTYPE_FP4, DTYPE_COUNT };
extern const char *const dtype_names[]; /* NULL-terminated */
double dtype_bytes(enum dtype dtype);   /* of one element: 4, 4, 2, 2, 1, 0.5 */

struct peak { double fp32, tf32, bf16, fp16, fp8, fp4; }; /* dense FLOP/s; 0 = not supported */

/* Shape-dependent efficiency of kernels; the formulas are in cost/kernel.c. */
struct kernels {
    const char *source;        /* "fitted on ..." or a citation */
    int64_t tile_m, tile_n;    /* largest output tile of one multiprocessor; libraries also have its halvings */
    double tile_half;          /* efficiency kept each time a tile is halved */
    double gemm_efficiency;    /* fraction of peak inside the tiles of a short GEMM */
    double gemm_efficiency_fp8;
    double gemm_efficiency_fp4;
    double gemm_sag;           /* how much longer a long GEMM takes, relative: clocks fall under power */
    double gemm_sag_time;      /* seconds: length of a GEMM at which half of that is felt; 0 = always all of it */
    double k_overhead;         /* k elements' worth of prologue and epilogue per tile, in bf16 */
    double attention_forward;  /* fraction of bf16 peak of fused attention, long sequences, head dim 128 */
    double attention_backward;
    double attention_overhead; /* keys' worth of prologue and epilogue per query */
    double attention_softmax;  /* head-dim elements' worth of an exponential per score */
    double memory_efficiency;  /* fraction of hbm_bandwidth of a large memory-bound kernel */
    double memory_ramp;        /* bytes at which a memory-bound kernel reaches half of that */
    double launch;             /* seconds: gap per kernel on the device */
    double host_launch;        /* seconds: host time per kernel without CUDA graphs */
};

struct power { double idle, busy; };

struct device {
    const char *name, *source, *vendor;
    double memory;          /* physical bytes */
    double memory_usable;   /* bytes a process can take from an empty device; 0 = derived */
    double context;         /* bytes of driver context, module images and library handles per process */
    double workspace;       /* bytes of GEMM and attention workspaces */
    double hbm_bandwidth;   /* bytes/s, data sheet */
    double l2;
    int64_t sms;            /* streaming multiprocessors, compute units or cores */
    struct peak peak;
    struct kernels kernels;
    struct power power;
    double price;           /* USD/h, 0 = unknown */
    double derate;          /* compute rate over nominal, for slow devices; 1 */
};

extern const struct field device_fields[];

/* Peak dense FLOP/s for `dtype`, falling back to the next wider supported type (fp8 on A100 computes in bf16, bf16 on
 * V100 in fp16). */
double device_peak(const struct device *device, enum dtype dtype);
double device_usable_memory(const struct device *device);

#endif
