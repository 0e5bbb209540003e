#include "plan/shard.h"

int64_t plan_tokens(const struct model *model, const struct job *job) {
    return model->image != NULL ? model_image_tokens(model) : job->seq_len;
}

double plan_element(const struct job *job) {
    enum dtype dtype = job_dtype(job);
    return dtype == DTYPE_FP32 || dtype == DTYPE_TF32 ? 4 : 2;
}

struct shard plan_shard(const struct model *model, const struct job *job, const struct parallel *parallel,
                        int64_t micro_batch) {
    enum dtype dtype = job_dtype(job);
    return (struct shard){
        .tp = parallel->tp,
        .cp = parallel->cp,
        .ep = parallel->ep,
        .etp = parallel->etp,
        .sequence_parallel = parallel->sp && parallel->tp > 1,
        .ulysses_only = parallel->cp_kind == CONTEXT_ULYSSES,
        .ulysses = parallel->ulysses,
        .micro_batch = micro_batch,
        .seq_len = plan_tokens(model, job),
        .element = plan_element(job),
        .fp8 = dtype == DTYPE_FP8 || dtype == DTYPE_FP4,
        .flash = job->kernels.flash_attention,
        .fused_norm = job->kernels.fused_norm,
        .fused_activation = job->kernels.fused_activation,
        .ep_domains = 1,
        .gathers_keys = parallel->cp_kind == CONTEXT_ALL_GATHER,
        .expert_load = parallel->ep > 1 && model->moe != NULL ? model->moe->imbalance : 1,
    };
}

double plan_stage_tokens(const struct model *model, const struct shard *shard) {
    int64_t more = model->encoder != NULL ? model_encoder_tokens(model, shard->seq_len) : 0;
    return (double)shard->micro_batch * (double)(shard->seq_len + more) / (double)shard->cp;
}

double plan_message_bytes(const struct model *model, const struct shard *shard) {
    double whole = shard->element * plan_stage_tokens(model, shard) * (double)model->hidden_size;
    return whole / (double)shard->tp;
}
