/* Estimates: one decision priced and reported. */
#include "cost/estimate.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/units.h"
#include "cost/rule.h"

double cost_energy(const struct cost_context *context, double step, double compute) {
    double busy = fmin(compute, step);
    return context->power.idle * (step - busy) + context->power.busy * busy;
}

/* FLOPs of recomputation in a step, over all ranks. */
static double recompute_flops(const struct cost_context *c, const struct stage_map *map,
                              const struct stage_load *load, int64_t micro_batches) {
    double per_pipeline = 0;
    for (int64_t rank = 0; rank < map->ranks; rank++) {
        per_pipeline += load->classes[map->rank_class[rank]].recompute_flops;
    }
    double share = map->placement == PLACEMENT_TWO_WAY ? 0.5 : 1;
    return per_pipeline * share * (double)micro_batches * (double)c->world / (double)map->ranks;
}

static void report_rates(const struct cost_context *c, const struct stage_map *map, const struct stage_load *load,
                         const struct price *price, struct estimate *e) {
    double tokens = (double)e->global_batch * (double)e->sequence_length;
    double devices = (double)c->world;
    double peak = device_peak(c->device, c->dtype);
    e->tokens_per_s = tokens / price->step;
    double executed = c->model_flops + recompute_flops(c, map, load, e->decision.micro_batches);
    e->model_tflops_per_gpu = c->model_flops / price->step / devices / 1e12;
    e->hardware_tflops_per_gpu = executed / price->step / devices / 1e12;
    e->mfu = e->model_tflops_per_gpu * 1e12 / peak;
    e->hfu = e->hardware_tflops_per_gpu * 1e12 / peak;
    e->cost_per_mtoken = c->price * price->step / 3600 / tokens * 1e6;
    e->energy_per_mtoken = cost_energy(c, price->step, price->time.compute) / tokens * 1e6;
}

static const char *largest_part(const struct memory_parts *m, double *ret_bytes) {
    const struct { const char *name; double bytes; } parts[] = {
        {"weights", m->weights}, {"gradients", m->gradients}, {"optimizer state", m->optimizer},
        {"activations", m->activations}, {"logits", m->logits}, {"communication", m->communication},
        {"runtime", m->runtime}, {"allocator", m->allocator},
    };
    size_t most = 0;
    for (size_t i = 1; i < sizeof parts / sizeof parts[0]; i++) {
        most = parts[i].bytes > parts[most].bytes ? i : most;
    }
    *ret_bytes = parts[most].bytes;
    return parts[most].name;
}

static void report_memory(struct arena *arena, const struct cost_context *c, const struct cut *cut,
                          const struct price *price, struct estimate *e) {
    e->memory = (struct memory_report){
        .peak = price->peak,
        .limit = c->memory_limit,
        .rank = price->peak_rank * cut->mesh.axes[AXIS_PP].stride,
        .parts = price->memory,
    };
    e->feasible = price->peak <= c->memory_limit;
    if (!e->feasible) {
        double bytes = 0;
        const char *part = largest_part(&price->memory, &bytes);
        const char **reasons = ARENA_ARRAY(arena, const char *, 1);
        reasons[0] = arena_format(arena, "memory: rank %lld needs %s, %s more than the limit of %s; %s take %s",
                                  (long long)e->memory.rank, units_human(arena, price->peak, UNIT_BYTES, 4),
                                  units_human(arena, price->peak - c->memory_limit, UNIT_BYTES, 3),
                                  units_human(arena, c->memory_limit, UNIT_BYTES, 4), part,
                                  units_human(arena, bytes, UNIT_BYTES, 3));
        e->reasons = (struct list){reasons, 1};
    }
}

struct estimate cost_report(struct arena *arena, const struct cost_context *context, const struct decision *decision,
                            const struct cut *cut, const struct stage_map *map, const struct stage_load *load,
                            const struct price *price) {
    double error = context->topology->runtime.error;
    struct estimate e = {
        .decision = *decision,
        .global_batch = context->job->global_batch,
        .sequence_length = context->tokens,
        .step_time = price->step,
        .step_time_low = price->step * (1 - error),
        .step_time_high = price->step * (1 + error),
        .time = price->time,
    };
    report_rates(context, map, load, price, &e);
    report_memory(arena, context, cut, price, &e);
    return e;
}

/* Everything that goes into the price of one decision. */
struct parts {
    struct cut cut;
    struct stage_map map;
    struct state_cost states[STAGE_CLASSES];
    struct work_cost work;
    struct stage_load load;
    struct price price;
};

static struct parts *price_parts(struct arena *arena, const struct cost_context *c, const struct decision *d) {
    struct parts *parts = ARENA_NEW(arena, struct parts);
    const struct schedule *schedule = schedules[d->schedule];
    parts->cut = cost_cut(c, &d->parallel);
    stage_map_make(c, d->parallel.pp, d->parallel.vpp, schedule->placement, d->stages == STAGES_ENDS,
                   &parts->map);
    struct state_spans spans = state_spans(c, &parts->cut);
    for (int64_t i = 0; i < parts->map.class_count; i++) {
        cost_state(c, &parts->cut, &spans, &parts->map.classes[i], schedule->ways == 2, d->parallel.zero,
                   &parts->states[i]);
    }
    cost_work(c, &parts->cut, d->micro_batch, &parts->work);
    cost_load(c, &parts->map, &parts->work, parts->states, d->recompute, d->parallel.zero, &parts->load);
    cost_price(c, &parts->cut, &parts->map, parts->states, &parts->load, schedule, d->micro_batches, &parts->price);
    return parts;
}

struct estimate cost_estimate(struct arena *arena, const struct cost_context *context,
                              const struct decision *decision, double *ret_nccl_bytes) {
    struct estimate e = {.decision = *decision,
                         .global_batch = context->job->global_batch,
                         .sequence_length = context->tokens};
    e.reasons = rule_reasons(arena, context, decision);
    if (e.reasons.count > 0) {
        return e;
    }
    const struct parts *parts = price_parts(arena, context, decision);
    if (ret_nccl_bytes != NULL) {
        *ret_nccl_bytes = parts->price.nccl_bytes;
    }
    return cost_report(arena, context, decision, &parts->cut, &parts->map, &parts->load, &parts->price);
}

double cost_last_stage_peak(struct arena *arena, const struct cost_context *context, const struct decision *decision,
                            struct memory_parts *ret_parts, double *ret_nccl_bytes) {
    const struct parts *parts = price_parts(arena, context, decision);
    int64_t class = parts->map.rank_class[parts->map.ranks - 1];
    return cost_peak(context, &parts->cut, &parts->map, &parts->states[class], &parts->load.classes[class],
                     schedules[decision->schedule], decision->micro_batches, class, ret_parts, ret_nccl_bytes);
}

static void describe_axes(struct arena *arena, const struct cost_context *c, const struct cut *cut,
                          struct plan *plan) {
    struct plan_axis *axes = ARENA_ARRAY(arena, struct plan_axis, AXIS_COUNT);
    plan->axes = (struct list){axes, 0};
    for (int axis = 0; axis < AXIS_COUNT; axis++) {
        const struct mesh_axis *a = &cut->mesh.axes[axis];
        bool expert = axis == AXIS_EP || axis == AXIS_ETP || axis == AXIS_EDP;
        if (a->size > 1 && (!expert || c->model->moe != NULL)) {
            struct span span = mesh_span(c->topology, &cut->mesh, (enum axis)axis, a->size, 1);
            bool runs = a->inner < a->size;
            axes[plan->axes.count++] = (struct plan_axis){
                .axis = axis_names[axis],
                .size = a->size,
                .stride = a->stride,
                .run = runs ? a->inner : 0,
                .run_stride = runs ? a->outer_stride : 0,
                .scope = span.outer > 1 ? "cluster" : "domain",
            };
        }
    }
}

void cost_describe(struct arena *arena, const struct cost_context *context, struct plan *plan) {
    struct cut cut = cost_cut(context, &plan->decision.parallel);
    struct stages stages;
    describe_axes(arena, context, &cut, plan);
    stages_by_rule(arena, &plan->decision, context->model, context->mtp, &stages);
    plan_lay_out(arena, &stages, plan);
}
