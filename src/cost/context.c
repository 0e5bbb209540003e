/* Gathers what is counted once for a search. */
#include "cost/context.h"

#include "plan/plan.h"

/* A synchronous step waits for the slowest device and must fit into the smallest. */
static const struct device *slowest_device(const struct topology *topology, enum dtype dtype, double *ret_memory) {
    const struct device *slowest = NULL;
    for (int64_t group = 0; group < (int64_t)topology->groups.count; group++) {
        const struct device *device = topology_device(topology, group);
        double memory = device_usable_memory(device);
        if (slowest == NULL || memory < *ret_memory) {
            *ret_memory = memory;
        }
        if (slowest == NULL || device_peak(device, dtype) * device->kernels.gemm_efficiency <
                                   device_peak(slowest, dtype) * slowest->kernels.gemm_efficiency) {
            slowest = device;
        }
    }
    return slowest;
}

struct cost_context cost_context_make(const struct model *model, const struct topology *topology,
                                      const struct job *job) {
    struct cost_context context = {
        .model = model,
        .topology = topology,
        .job = job,
        .dtype = job_dtype(job),
        .world = topology_devices(topology),
        .nodes = topology_node_count(topology),
        .state = job_state_bytes(job),
        .outer = count_outer(model),
        .mtp = job->train_mtp && model->mtp_layers > 0,
    };
    double memory = 0;
    context.device = slowest_device(topology, context.dtype, &memory);
    context.memory_limit = memory * job->memory_fraction;
    context.element = context.dtype == DTYPE_FP32 || context.dtype == DTYPE_TF32 ? 4 : 2;
    for (int64_t kind = 0; kind < model->kind_count; kind++) {
        context.params[kind] = count_layer(model, &model->kinds[kind]);
    }
    double tokens = (double)job->global_batch * (double)job->seq_len;
    context.model_flops = tokens * count_flops_per_token(model, job->seq_len, FLOPS_OURS, context.mtp);
    return context;
}

struct shard cost_shard(const struct cost_context *context, const struct parallel *parallel, int64_t micro_batch) {
    const struct job *job = context->job;
    return (struct shard){
        .tp = parallel->tp,
        .cp = parallel->cp,
        .ep = parallel->ep,
        .etp = parallel->etp,
        .sequence_parallel = parallel->sp && parallel->tp > 1,
        .ulysses_only = parallel->cp_kind == CONTEXT_ULYSSES,
        .ulysses = parallel->ulysses,
        .micro_batch = micro_batch,
        .seq_len = job->seq_len,
        .element = context->element,
        .fp8 = context->dtype == DTYPE_FP8 || context->dtype == DTYPE_FP4,
        .flash = job->kernels.flash_attention,
        .fused_norm = job->kernels.fused_norm,
        .fused_activation = job->kernels.fused_activation,
        .ep_domains = 1,
        .gathers_keys = parallel->cp_kind == CONTEXT_ALL_GATHER,
        .expert_load = parallel->ep > 1 && context->model->moe != NULL ? context->model->moe->imbalance : 1,
    };
}
