/* Which framework a publication's name tells. */
#include <criterion/criterion.h>

#include "../support.h"
#include "port/framework.h"

Test(framework, by_source) {
    static const struct {
        const char *source, *name;
    } rows[] = {
        {"mosaicml/llm-foundry scripts/train/benchmarking/README.md", "llm-foundry (FSDP)"},
        {"pytorch/torchtitan docs/performance.md", "FSDP2"},
        {"foundation-model-stack/fms-fsdp README", "FSDP2"},
        {"bigscience-workshop/bigscience train/tr11-176B-ml/README.md", "Megatron-DeepSpeed"},
        {"vTrain/data/ground_truth_multi.csv", "Megatron-DeepSpeed"},
        {"Pythia paper Table 5 + EleutherAI/pythia", "DeepSpeed"},
        {"deepspeedai/DeepSpeed docs/_posts", "DeepSpeed"},
        {"MT-NLG 530B (arXiv:2201.11990)", "DeepSpeed"},
        {"GLM-130B (arXiv:2210.02414)", "DeepSpeed"},
        {"Narayanan et al. 2021 (arXiv:2104.04473)", "Megatron-LM 2021-2022"},
        {"Korthikanti et al. 2022 (arXiv:2205.05198)", "Megatron-LM 2021-2022"},
        {"MegaScale (NSDI 2024)", "Megatron-LM 2021-2022"},
        {"Zero Bubble Pipeline Parallelism (arXiv:2401.10241)", "Megatron-LM, pipeline research"},
        {"Vocabulary Parallelism paper Table 5", "Megatron-LM, pipeline research"},
        {"NVIDIA/NeMo docs/source/performance", "NeMo (Megatron-Core)"},
        {"NVIDIA/dgxc-benchmarking llama3.1/README.md", "NeMo (Megatron-Core)"},
        {"mlcommons/training_results_v3.0 NVIDIA", "NeMo (Megatron-Core)"},
        {"NVIDIA-NeMo/Megatron-Bridge docs", "NeMo (Megatron-Core)"},
        {"yanring/Megatron-MoE-ModelZoo", "Megatron-Core"},
        {"NVIDIA/Megatron-LM tests/functional_tests", "Megatron-Core"},
        {"Scalable Training of MoE Models with Megatron Core", "Megatron-Core"},
        {"somebody's own code", "Megatron-Core (assumed)"},
        {"", "Megatron-Core (assumed)"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *name = framework_of(rows[i].source)->name;
        cr_expect_str_eq(name, rows[i].name, "%s: %s", rows[i].source, name);
    }
}
