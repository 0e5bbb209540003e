#include "cli/planning.h"

#include "base/arena.h"
#include "base/text.h"
#include "cli/output.h"
#include "model/model.h"
#include "plan/plan.h"
#include "topology/topology.h"
#include "yaml/emit.h"

const struct operand planning_operands[] = {
    {.name = "MODEL", .kind = OPERAND_MODEL, .doc = "A model: a file, or the name of a shipped one"},
    {.name = "TOPOLOGY", .kind = OPERAND_TOPOLOGY,
     .doc = "A topology: a file, the name of a shipped one, or a short form such as 8xh100-sxm*64"},
    {.name = "JOB", .kind = OPERAND_FILE, .optional = true, .doc = "A job document; options win over it"},
    {.name = NULL},
};

static bool asks_for(const struct job *job, enum objective objective, const char *name) {
    bool asked = job->objective == (int)objective;
    for (size_t i = 0; i < job->pareto.count; i++) {
        asked = asked || text_equal(((const char *const *)job->pareto.items)[i], name);
    }
    return asked;
}

/* Says what is priced otherwise than the job asks: a number format that the device lacks, an objective without
 * figures. */
static void warn_substitutes(struct context *context, const struct cost_context *cost) {
    const struct device *device = cost->device;
    const struct peak *peak = &device->peak;
    const double rates[DTYPE_COUNT] = {[DTYPE_FP32] = peak->fp32, [DTYPE_TF32] = peak->tf32, [DTYPE_BF16] = peak->bf16,
                                       [DTYPE_FP16] = peak->fp16, [DTYPE_FP8] = peak->fp8,   [DTYPE_FP4] = peak->fp4};
    if (rates[cost->dtype] <= 0) {
        diag_warning(context->diag, NO_MARK, "%s has no %s: products are priced in the nearest format that it has",
                     device->name, dtype_names[cost->dtype]);
    }
    if (cost->price <= 0 && asks_for(cost->job, OBJECTIVE_COST, "cost")) {
        diag_warning(context->diag, NO_MARK, "no price is known of %s, so cost does not tell plans apart",
                     device->name);
        diag_help(context->diag, "give devices its price in a topology that extends %s", cost->topology->name);
    }
    if (cost->power.busy <= 0 && asks_for(cost->job, OBJECTIVE_ENERGY, "energy")) {
        diag_warning(context->diag, NO_MARK, "no power is known of %s, so energy does not tell plans apart",
                     device->name);
        diag_help(context->diag, "give devices its power in a topology that extends %s", cost->topology->name);
    }
}

enum status planning_load(struct context *context, const struct scale *scale, struct planning *ret) {
    struct planning planning = {.model = NULL};
    enum status model = load_model(context, &context->operands[0], &planning.model);
    enum status job = load_job(context, context->operand_count > 2 ? &context->operands[2] : NULL, &planning.job);
    struct scale wanted = *scale;
    if (job == OK && wanted.nodes == 0 && wanted.gpus == 0) {
        wanted = (struct scale){.nodes = planning.job->nodes, .gpus = planning.job->gpus};
    }
    enum status topology = load_topology(context, &context->operands[1], &wanted, &planning.topology);
    TRY(model);
    TRY(job);
    TRY(topology);
    planning.cost = cost_context_make(planning.model, planning.topology, planning.job);
    warn_substitutes(context, &planning.cost);
    *ret = planning;
    return OK;
}

struct plan *planning_plan(struct context *context, const struct planning *planning, const struct estimate *estimate,
                           double lower_bound, double gap) {
    struct plan *plan = ARENA_NEW(context->arena, struct plan);
    field_defaults(context->arena, plan_fields, plan);
    plan->parplan = PARPLAN_VERSION;
    plan->model = command_operand(context, 0);
    plan->topology = command_operand(context, 1);
    plan->devices = planning->cost.world;
    plan->job = *planning->job;
    struct job usual;
    field_defaults(context->arena, job_fields, &usual);
    usual.space.hybrid_shard = planning->job->space.hybrid_shard;
    plan->job.space = usual.space; /* the decision says the rest */
    plan->decision = estimate->decision;
    plan->expected = *estimate;
    plan->lower_bound = lower_bound;
    plan->gap = gap;
    struct plan_input *inputs = ARENA_ARRAY(context->arena, struct plan_input, 2);
    inputs[0] = load_identity(context, "model", plan->model, planning->model);
    inputs[1] = load_identity(context, "topology", plan->topology, planning->topology);
    plan->inputs = (struct list){inputs, 2};
    cost_describe(context->arena, &planning->cost, plan);
    plan_round(plan);
    return plan;
}

enum status planning_save(struct context *context, const struct plan *plan, const char *path) {
    struct text text;
    text_init(&text, context->arena);
    emit_document(&text, "plan", plan_fields, plan, true);
    return output_file(context, path, &text);
}
