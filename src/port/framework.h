/* What training frameworks do when nobody says otherwise: what fills a row of measurements that does not state it. */
#ifndef PARPLAN_PORT_FRAMEWORK_H
#define PARPLAN_PORT_FRAMEWORK_H

#include "model/count.h"
#include "plan/job.h"

struct framework {
    const char *name;
    const char *const *marks; /* words in a source's name that tell it, NULL-terminated */
    enum dtype gradient_precision;
    bool overlap_gradients, overlap_parameters, overlap_pipeline, overlap_tensor;
    bool fused_norm, fused_activation;
    double attention_rate;    /* of its fused attention over the best kernels of the device, up to Ampere */
    double attention_rate_hopper; /* the same on Hopper and later, where the best is FlashAttention-3 or cuDNN */
    bool separate_accumulation;   /* weight gradients are added up by kernels of their own */
    bool flash_attention;     /* when the row does not say */
    enum flops_convention flops; /* of its published FLOP/s */
    int64_t zero;             /* when the row does not say and there is data parallelism */
    int recompute;            /* enum recompute, when the row does not say */
    bool clip;
    double dropout;           /* of GPT blocks */
    double allocator;         /* reserved over allocated memory, minus one; 0 = the topology's */
};

/* The first framework of which a mark occurs in `source`; the last row of the table fits all. */
const struct framework *framework_of(const char *source);

#endif
