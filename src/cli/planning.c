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
    plan->job.space = usual.space; /* the decision says it all */
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
