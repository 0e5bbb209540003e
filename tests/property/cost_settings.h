/* Models, clusters and jobs over which laws of prices are tested, and random legal decisions on each. */
#ifndef PARPLAN_TESTS_COST_SETTINGS_H
#define PARPLAN_TESTS_COST_SETTINGS_H

#include "../unit/cost/draw.h"

static const struct {
    const char *model, *topology, *job;
    int64_t devices;
} settings[] = {
    {"llama3-8b", "h100-sxm", "global_batch: 128\nseq_len: 8192\n", 16},
    {"llama3-70b", "gb200-nvl72", "global_batch: 288\nprecision: fp8\n", 144},
    {"megatron-22b", "a100-sxm-80g", "global_batch: 64\nseq_len: 2048\nkernels: {flash_attention: false}\n", 64},
    {"gpt3-175b", "a100-sxm-80g", "global_batch: 96\noverlap: {gradients: false, parameters: false, pipeline: false}\n",
     96},
    {"deepseek-v2-lite", "h800-sxm", "global_batch: 64\ndispatch: flex\noverlap: {experts: true}\n", 32},
    {"deepseek-v3", "h100-sxm", "global_batch: 512\n", 256},
    {"mixtral-8x7b", "mi300x", "global_batch: 64\ndispatch: allgather\noverlap: {tensor: true}\n", 32},
    {"qwen3-next-80b-a3b", "h200-sxm", "global_batch: 64\n", 64},
    {"minimax-text-01", "ascend-910b", "global_batch: 64\n", 64},
    {"gemma3-27b-text", "tpu-v5p", "global_batch: 64\nkernels: {cuda_graphs: true}\n", 64},
    {"llama2-13b", "mixed-a100-v100", "global_batch: 64\nprecision: fp16\n", 0},
    {"t5-11b", "v100-dgx2", "global_batch: 64\nseq_len: 512\nprecision: fp16\n", 32},
    {"vit-h-14", "rtx-4090", "global_batch: 256\n", 16},
    {"dit-xl-2", "l40s", "global_batch: 256\noptimizer: muon\n", 16},
    {"llama3-8b", "h100-pcie", "global_batch: 64\nsearch: {hybrid_shard: true}\n", 16},
    {"qwen2.5-7b", "h100-sxm", "global_batch: 64\nvocab_parallel: true\n", 56},
    {"gpt2-xl", "a100-pcie-80g", "global_batch: 64\nseq_len: 1024\nkernels: {fused_cross_entropy: true}\n", 40},
};

enum { DRAWS = 80 };

static inline struct cost_context context_at(struct arena *arena, size_t i) {
    return cost_context_make(setup_model(arena, settings[i].model),
                             setup_topology(arena, settings[i].topology, settings[i].devices),
                             setup_job(arena, settings[i].job));
}

/* Calls `law` for random decisions of every setting. */
static inline void for_all(const char *purpose,
                    void (*law)(struct arena *arena, const struct cost_context *c, const struct decision *d,
                                const char *name)) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(settings); i++) {
        struct cost_context c = context_at(arena, i);
        struct random random;
        random_stream(&random, 1, purpose, i);
        for (int draw = 0; draw < DRAWS; draw++) {
            struct arena *own = support_arena();
            struct decision d = draw_decision(&random, &c, own);
            law(own, &c, &d, decision_text(own, &c, &d));
            arena_close(own);
        }
    }
    arena_close(arena);
}

#endif
