/* Frameworks by the words their publications carry. Defaults from each project's argument parser of that time. */
#include "port/framework.h"

#include <string.h>

static const char *const foundry[] = {"llm-foundry", "mosaicml", NULL};
static const char *const titan[] = {"torchtitan", "fms-fsdp", "FSDP", NULL};
static const char *const science[] = {"bigscience", "vTrain", "Megatron-DeepSpeed", NULL};
static const char *const neox[] = {"EleutherAI", "Pythia", "GLM-130B", "DeepSpeed", "MT-NLG", "X-MoE", NULL};
static const char *const early[] = {"Narayanan", "Korthikanti", "2020", "sc21", "MegaScale", NULL};
static const char *const forks[] = {"Vocabulary", "Zero Bubble", "zero-bubble", NULL};
static const char *const launcher[] = {"NeMo-Framework-Launcher", NULL};
static const char *const nemo[] = {"NeMo docs", "dgxc", "mlcommons", "MLPerf", "Megatron-Bridge", NULL};
static const char *const modern[] = {"MoE-ModelZoo", "Megatron-LM", "Megatron Core", "NeMo", "Megatron", NULL};
static const char *const any[] = {"", NULL};

static const struct framework frameworks[] = {
    {.name = "llm-foundry (FSDP)", .marks = foundry, .gradient_precision = DTYPE_BF16, .overlap_gradients = true,
     .overlap_parameters = true, .overlap_pipeline = true, .fused_norm = true, .fused_activation = true,
     .attention_rate = 0.72, .attention_rate_hopper = 0.42, .flash_attention = true, .flops = FLOPS_FULL, .zero = 3,
     .recompute = RECOMPUTE_NONE, .clip = true},
    {.name = "FSDP2", .marks = titan, .gradient_precision = DTYPE_BF16, .overlap_gradients = true,
     .overlap_parameters = true, .overlap_pipeline = true, .fused_norm = true, .fused_activation = true,
     .attention_rate = 1, .attention_rate_hopper = 0.6, .flash_attention = true, .flops = FLOPS_FULL, .zero = 3,
     .recompute = RECOMPUTE_NONE, .clip = true},
    {.name = "Megatron-DeepSpeed", .marks = science, .gradient_precision = DTYPE_FP16, .separate_accumulation = true,
     .fused_norm = true, .fused_activation = true, .attention_rate = 0.6, .attention_rate_hopper = 0.6,
     .flops = FLOPS_FULL, .zero = 1, .recompute = RECOMPUTE_FULL, .clip = true, .dropout = 0.1, .allocator = 0.45},
    {.name = "DeepSpeed", .marks = neox, .gradient_precision = DTYPE_FP16, .overlap_gradients = true,
     .separate_accumulation = true, .fused_norm = true, .fused_activation = true, .attention_rate = 0.6,
     .attention_rate_hopper = 0.6, .flops = FLOPS_FULL, .zero = 1, .recompute = RECOMPUTE_FULL, .clip = true,
     .dropout = 0.1, .allocator = 0.45},
    {.name = "Megatron-LM 2021-2022", .marks = early, .gradient_precision = DTYPE_FP32, .fused_norm = true,
     .fused_activation = true, .attention_rate = 0.6, .attention_rate_hopper = 0.6, .flops = FLOPS_FULL,
     .recompute = RECOMPUTE_FULL, .clip = true, .dropout = 0.1},
    {.name = "Megatron-LM, pipeline research", .marks = forks, .gradient_precision = DTYPE_FP32,
     .overlap_gradients = true, .fused_norm = true, .fused_activation = true, .attention_rate = 0.8,
     .attention_rate_hopper = 0.8, .flops = FLOPS_FULL, .recompute = RECOMPUTE_NONE, .clip = true, .dropout = 0.1},
    {.name = "NeMo Megatron 2022", .marks = launcher, .gradient_precision = DTYPE_FP32,
     .separate_accumulation = true, .fused_norm = true, .fused_activation = true, .attention_rate = 0.6,
     .attention_rate_hopper = 0.6, .flops = FLOPS_FULL, .zero = 1, .recompute = RECOMPUTE_NONE, .clip = true,
     .dropout = 0.1},
    {.name = "NeMo (Megatron-Core)", .marks = nemo, .gradient_precision = DTYPE_FP32, .overlap_gradients = true,
     .overlap_parameters = true, .overlap_pipeline = true, .overlap_tensor = true, .fused_norm = true,
     .fused_activation = true, .attention_rate = 1, .attention_rate_hopper = 1, .flash_attention = true,
     .flops = FLOPS_MEGATRON, .zero = 1, .recompute = RECOMPUTE_NONE, .clip = true},
    {.name = "Megatron-Core", .marks = modern, .gradient_precision = DTYPE_FP32, .overlap_gradients = true,
     .overlap_parameters = true, .overlap_pipeline = true, .fused_norm = true, .fused_activation = true,
     .attention_rate = 1, .attention_rate_hopper = 1, .flash_attention = true, .flops = FLOPS_MEGATRON, .zero = 1,
     .recompute = RECOMPUTE_NONE, .clip = true, .dropout = 0.1},
    {.name = "Megatron-Core (assumed)", .marks = any, .gradient_precision = DTYPE_FP32, .overlap_gradients = true,
     .overlap_parameters = true, .overlap_pipeline = true, .fused_norm = true, .fused_activation = true,
     .attention_rate = 1, .attention_rate_hopper = 1, .flash_attention = true, .flops = FLOPS_MEGATRON, .zero = 1,
     .recompute = RECOMPUTE_NONE, .clip = true, .dropout = 0.1},
};

const struct framework *framework_of(const char *source) {
    size_t count = sizeof frameworks / sizeof frameworks[0];
    for (size_t i = 0; i + 1 < count; i++) {
        for (const char *const *mark = frameworks[i].marks; *mark != NULL; mark++) {
            if (strstr(source, *mark) != NULL) {
                return &frameworks[i];
            }
        }
    }
    return &frameworks[count - 1];
}
