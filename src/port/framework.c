/* Frameworks by the words their publications carry. Defaults from each project's argument parser of that time. */
#include "port/framework.h"

#include <string.h>

static const char *const foundry[] = {"llm-foundry", "mosaicml", NULL};
static const char *const titan[] = {"torchtitan", "fms-fsdp", "FSDP", NULL};
static const char *const science[] = {"bigscience", "vTrain", "Megatron-DeepSpeed", NULL};
static const char *const neox[] = {"EleutherAI", "Pythia", "GLM-130B", "DeepSpeed", "MT-NLG", "X-MoE", NULL};
static const char *const early[] = {"Narayanan", "Korthikanti", "2020", "sc21", "MegaScale", NULL};
static const char *const forks[] = {"Vocabulary", "Zero Bubble", "zero-bubble", NULL};
static const char *const nemo[] = {"NeMo docs", "dgxc", "mlcommons", "MLPerf", "Megatron-Bridge", NULL};
static const char *const modern[] = {"MoE-ModelZoo", "Megatron-LM", "Megatron Core", "NeMo", "Megatron", NULL};
static const char *const any[] = {"", NULL};

static const struct framework frameworks[] = {
    {"llm-foundry (FSDP)", foundry, DTYPE_BF16, true, true, true, false, true, true, 0.6, true, FLOPS_FULL, 3,
     RECOMPUTE_NONE, true, 0, 0},
    {"FSDP2", titan, DTYPE_BF16, true, true, true, false, true, true, 1, true, FLOPS_FULL, 3, RECOMPUTE_NONE, true, 0, 0},
    {"Megatron-DeepSpeed", science, DTYPE_FP16, false, false, false, false, true, true, 0.6, false, FLOPS_FULL, 1,
     RECOMPUTE_FULL, true, 0.1, 0.45},
    {"DeepSpeed", neox, DTYPE_FP16, true, false, false, false, true, true, 0.6, false, FLOPS_FULL, 1, RECOMPUTE_FULL,
     true, 0.1, 0.45},
    {"Megatron-LM 2021-2022", early, DTYPE_FP32, false, false, false, false, true, true, 0.6, false, FLOPS_FULL, 0,
     RECOMPUTE_FULL, true, 0.1, 0},
    {"Megatron-LM, pipeline research", forks, DTYPE_FP32, true, false, false, false, true, true, 0.8, false, FLOPS_FULL,
     0, RECOMPUTE_NONE, true, 0.1, 0},
    {"NeMo (Megatron-Core)", nemo, DTYPE_FP32, true, true, true, true, true, true, 1, true, FLOPS_MEGATRON, 1,
     RECOMPUTE_NONE, true, 0, 0},
    {"Megatron-Core", modern, DTYPE_FP32, true, true, true, false, true, true, 1, true, FLOPS_MEGATRON, 1,
     RECOMPUTE_NONE, true, 0.1, 0},
    {"Megatron-Core (assumed)", any, DTYPE_FP32, true, true, true, false, true, true, 1, true, FLOPS_MEGATRON, 1,
     RECOMPUTE_NONE, true, 0.1, 0},
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
