/* Gathers what is counted once for a search. */
#include "cost/context.h"

#include <math.h>

#include "cost/kernel.h"
#include "plan/plan.h"
#include "plan/shard.h"

/* A synchronous step waits for the slowest device and must fit into the smallest; all are paid for. One may be slowest
 * in products and another in memory: then what is priced is slower than each, so that a slower machine never seems
 * faster. */
static void add_devices(struct cost_context *context) {
    double slowest_memory = HUGE_VAL;
    const struct group *groups = context->topology->groups.items;
    for (size_t i = 0; i < context->topology->groups.count; i++) {
        struct device device = *groups[i].place.device;
        device.derate *= groups[i].derate;
        double count = (double)groups[i].place.devices;
        double memory = device_usable_memory(&device) * context->job->memory_fraction;
        if (i == 0 || memory < context->memory_limit) {
            context->memory_limit = memory;
        }
        if (i == 0 || kernel_gemm_rate(&device, context->dtype) < kernel_gemm_rate(context->device, context->dtype)) {
            context->device[0] = device;
        }
        slowest_memory = fmin(slowest_memory, device.hbm_bandwidth * device.kernels.memory_efficiency);
        context->price += count * device.price;
        context->power.idle += count * device.power.idle;
        context->power.busy += count * device.power.busy;
    }
    if (slowest_memory < context->device->hbm_bandwidth * context->device->kernels.memory_efficiency) {
        context->device->hbm_bandwidth = slowest_memory / context->device->kernels.memory_efficiency;
    }
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
        .tokens = plan_tokens(model, job),
        .outer = count_outer(model),
        .mtp = job->train_mtp && model->mtp_layers > 0,
    };
    add_devices(&context);
    context.element = plan_element(job);
    for (int64_t kind = 0; kind < model->kind_count; kind++) {
        context.params[kind] = count_layer(model, &model->kinds[kind]);
    }
    double tokens = (double)job->global_batch * (double)context.tokens;
    context.model_flops = tokens * count_flops_per_token(model, context.tokens, FLOPS_OURS, context.mtp);
    return context;
}

struct shard cost_shard(const struct cost_context *context, const struct parallel *parallel, int64_t micro_batch) {
    return plan_shard(context->model, context->job, parallel, micro_batch);
}
