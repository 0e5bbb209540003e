/* The plan document: field tables, and the job a plan fixes. */
#include "plan/plan.h"

#include <math.h>
#include <stddef.h>

#include "base/arena.h"
#include "schedule/schedule.h"
#include "yaml/bind.h"
#include "yaml/document.h"

static const char *const recompute_names[] = {"none", "selective", "full", NULL};
static const char *const context_names[] = {"ring", "allgather", "ulysses", "usp", NULL};
static const char *const stages_names[] = {"even", "ends", NULL};

#define AT(member) .offset = offsetof(struct parallel, member)
const struct field parallel_fields[] = {
    {.key = "tp", .kind = FIELD_COUNT, AT(tp), .min = 1, .max = 1e9, .doc = "Tensor-parallel degree"},
    {.key = "pp", .kind = FIELD_COUNT, AT(pp), .min = 1, .max = 1e9, .doc = "Pipeline ranks"},
    {.key = "vpp", .kind = FIELD_COUNT, AT(vpp), .min = 1, .max = 1e9,
     .doc = "Chunks a pipeline rank"},
    {.key = "dp", .kind = FIELD_COUNT, AT(dp), .min = 1, .max = 1e9, .doc = "Data-parallel degree"},
    {.key = "cp", .kind = FIELD_COUNT, AT(cp), .min = 1, .max = 1e9,
     .doc = "Context-parallel degree"},
    {.key = "ep", .kind = FIELD_COUNT, AT(ep), .min = 1, .max = 1e9,
     .doc = "Expert-parallel degree"},
    {.key = "etp", .kind = FIELD_COUNT, AT(etp), .fallback = "1", .min = 1, .max = 1e9,
     .doc = "Tensor-parallel degree of experts"},
    {.key = "sp", .kind = FIELD_BOOL, AT(sp), .fallback = "false",
     .doc = "Sequence parallelism in the tensor-parallel group"},
    {.key = "zero", .kind = FIELD_COUNT, AT(zero), .fallback = "0", .min = 0, .max = 3, .doc = "ZeRO stage"},
    {.key = "cp_kind", .kind = FIELD_CHOICE, AT(cp_kind), .fallback = "ring", .choices = context_names,
     .doc = "How context parallelism exchanges"},
    {.key = "ulysses", .kind = FIELD_COUNT, AT(ulysses), .fallback = "1", .min = 1, .max = 1e9,
     .doc = "Part of cp that cuts heads"},
    {.key = "order", .kind = FIELD_CHOICE, AT(order), .fallback = "tp-cp-dp-pp", .choices = order_names,
     .doc = "Mesh axes from the nearest ranks to the farthest"},
    FIELD_END};
#undef AT

#define PART(member) \
    {.key = #member, .kind = FIELD_QUANTITY, .offset = offsetof(struct time_parts, member), \
     .dimension = UNIT_SECONDS, .flags = FIELD_OUTPUT, .doc = "Seconds of a step"}
static const struct field time_fields[] = {PART(compute),    PART(bubble),     PART(tp_exposed),
                                           PART(pp_exposed), PART(dp_exposed), PART(cp_exposed),
                                           PART(ep_exposed), PART(optimizer),  PART(overhead), FIELD_END};
#undef PART

#define PART(member) \
    {.key = #member, .kind = FIELD_QUANTITY, .offset = offsetof(struct memory_report, parts.member), \
     .dimension = UNIT_BYTES, .flags = FIELD_OUTPUT, .doc = "Bytes on the rank that peaks"}
static const struct field memory_fields[] = {
    {.key = "peak", .kind = FIELD_QUANTITY, .offset = offsetof(struct memory_report, peak), .dimension = UNIT_BYTES,
     .flags = FIELD_OUTPUT, .doc = "Most bytes any rank holds"},
    {.key = "limit", .kind = FIELD_QUANTITY, .offset = offsetof(struct memory_report, limit), .dimension = UNIT_BYTES,
     .flags = FIELD_OUTPUT, .doc = "Bytes a rank may hold"},
    {.key = "rank", .kind = FIELD_COUNT, .offset = offsetof(struct memory_report, rank), .flags = FIELD_OUTPUT,
     .doc = "A rank that peaks"},
    PART(weights), PART(gradients), PART(optimizer), PART(activations), PART(logits), PART(communication),
    PART(runtime), PART(allocator), FIELD_END};
#undef PART

#define AT(member) .offset = offsetof(struct estimate, member), .flags = FIELD_OUTPUT
#define NUMBER(member, text) \
    {.key = #member, .kind = FIELD_NUMBER, AT(member), .doc = text}
const struct field estimate_fields[] = {
    {.key = "feasible", .kind = FIELD_BOOL, AT(feasible), .fallback = "true", .doc = "Legal, and fits into memory"},
    {.key = "reasons", .kind = FIELD_TEXTS, AT(reasons), .doc = "Why not, the binding reason first"},
    {.key = "parallel", .kind = FIELD_STRUCT, AT(decision.parallel), .fields = parallel_fields,
     .size = sizeof(struct parallel), .doc = "Degrees of parallelism"},
    {.key = "micro_batch", .kind = FIELD_COUNT, AT(decision.micro_batch), .doc = "Sequences a micro-batch"},
    {.key = "micro_batches", .kind = FIELD_COUNT, AT(decision.micro_batches),
     .doc = "Micro-batches a step and replica"},
    {.key = "global_batch", .kind = FIELD_COUNT, AT(global_batch), .doc = "Sequences a step"},
    {.key = "sequence_length", .kind = FIELD_COUNT, AT(sequence_length), .doc = "Tokens a sequence"},
    {.key = "schedule", .kind = FIELD_CHOICE, AT(decision.schedule), .choices = schedule_names,
     .doc = "Pipeline schedule"},
    {.key = "recompute", .kind = FIELD_CHOICE, AT(decision.recompute), .choices = recompute_names,
     .doc = "Activations computed again in backward"},
    {.key = "stages", .kind = FIELD_CHOICE, AT(decision.stages), .choices = stages_names,
     .doc = "How layers are cut into stages"},
    {.key = "step_time", .kind = FIELD_QUANTITY, AT(step_time), .dimension = UNIT_SECONDS,
     .doc = "Seconds of a training step"},
    {.key = "step_time_low", .kind = FIELD_QUANTITY, AT(step_time_low), .dimension = UNIT_SECONDS,
     .doc = "Lower end of the model's error"},
    {.key = "step_time_high", .kind = FIELD_QUANTITY, AT(step_time_high), .dimension = UNIT_SECONDS,
     .doc = "Upper end of the model's error"},
    NUMBER(tokens_per_s, "Tokens a second of the whole cluster"),
    NUMBER(model_tflops_per_gpu, "Model TFLOP/s of a device, causal attention counted exactly"),
    NUMBER(hardware_tflops_per_gpu, "The same with recomputation"),
    NUMBER(mfu, "Model FLOP/s over the device's peak"),
    NUMBER(hfu, "Hardware FLOP/s over the device's peak"),
    {.key = "cost_per_mtoken", .kind = FIELD_QUANTITY, AT(cost_per_mtoken), .dimension = UNIT_MONEY,
     .doc = "Dollars a million tokens; 0 without a price"},
    {.key = "energy_per_mtoken", .kind = FIELD_QUANTITY, AT(energy_per_mtoken), .dimension = UNIT_ENERGY,
     .doc = "Joules a million tokens; 0 without power figures"},
    {.key = "time", .kind = FIELD_STRUCT, AT(time), .fields = time_fields, .size = sizeof(struct time_parts),
     .doc = "Parts of the step time; they add up to it"},
    {.key = "memory", .kind = FIELD_STRUCT, AT(memory), .fields = memory_fields, .size = sizeof(struct memory_report),
     .doc = "Parts of the peak; they add up to it"},
    FIELD_END};
#undef NUMBER
#undef AT

#define AT(member) .offset = offsetof(struct plan_axis, member)
static const struct field axis_fields[] = {
    {.key = "axis", .kind = FIELD_TEXT, AT(axis), .flags = FIELD_OUTPUT, .doc = "Axis of the mesh"},
    {.key = "size", .kind = FIELD_COUNT, AT(size), .flags = FIELD_OUTPUT, .doc = "Ranks in one of its groups"},
    {.key = "stride", .kind = FIELD_COUNT, AT(stride), .flags = FIELD_OUTPUT,
     .doc = "Distance of neighbours in rank numbers"},
    {.key = "run", .kind = FIELD_COUNT, AT(run), .flags = FIELD_OUTPUT,
     .doc = "Ranks at that distance before a larger step; absent when all are"},
    {.key = "run_stride", .kind = FIELD_COUNT, AT(run_stride), .flags = FIELD_OUTPUT,
     .doc = "Distance of the runs' first ranks"},
    {.key = "scope", .kind = FIELD_TEXT, AT(scope), .flags = FIELD_OUTPUT,
     .doc = "Whether a group stays in one scale-up domain"},
    FIELD_END};
#undef AT

#define AT(member) .offset = offsetof(struct plan_stage, member)
static const struct field stage_fields[] = {
    {.key = "rank", .kind = FIELD_COUNT, AT(rank), .max = 1e12, .flags = FIELD_ALWAYS,
     .doc = "Pipeline rank"},
    {.key = "chunk", .kind = FIELD_COUNT, AT(chunk), .max = 1e12, .flags = FIELD_ALWAYS,
     .doc = "Chunk of the rank"},
    {.key = "first", .kind = FIELD_COUNT, AT(first), .max = 1e12, .flags = FIELD_ALWAYS,
     .doc = "First layer, from 0"},
    {.key = "layers", .kind = FIELD_COUNT, AT(layers), .max = 1e12, .doc = "Layers"},
    {.key = "extra", .kind = FIELD_TEXT, AT(extra),
     .doc = "What else it holds: embedding, head, mtp; several with commas"},
    FIELD_END};
#undef AT

#define AT(member) .offset = offsetof(struct plan_input, member)
static const struct field input_fields[] = {
    {.key = "kind", .kind = FIELD_TEXT, AT(kind), .flags = FIELD_OUTPUT, .doc = "Kind of document"},
    {.key = "name", .kind = FIELD_TEXT, AT(name), .flags = FIELD_OUTPUT, .doc = "Name it was given by"},
    {.key = "digest", .kind = FIELD_TEXT, AT(digest), .flags = FIELD_OUTPUT, .doc = "Digest of its text"},
    FIELD_END};
#undef AT

#define AT(member) .offset = offsetof(struct plan, member)
const struct field plan_fields[] = {
    {.key = "name", .kind = FIELD_TEXT, AT(name), .doc = "Name of the plan"},
    {.key = "parplan", .kind = FIELD_TEXT, AT(parplan), .doc = "Version that wrote it"},
    {.key = "model", .kind = FIELD_TEXT, AT(model), .flags = FIELD_REQUIRED, .doc = "Model, by name or path"},
    {.key = "topology", .kind = FIELD_TEXT, AT(topology), .flags = FIELD_REQUIRED,
     .doc = "Topology, by name, path or short form"},
    {.key = "devices", .kind = FIELD_COUNT, AT(devices), .flags = FIELD_REQUIRED, .min = 1, .max = 1e9,
     .doc = "Devices used"},
    {.key = "parallel", .kind = FIELD_STRUCT, AT(decision.parallel), .fields = parallel_fields,
     .size = sizeof(struct parallel), .flags = FIELD_REQUIRED, .doc = "Degrees of parallelism"},
    {.key = "micro_batch", .kind = FIELD_COUNT, AT(decision.micro_batch), .min = 1, .max = 1e9,
     .doc = "Sequences a micro-batch"},
    {.key = "schedule", .kind = FIELD_CHOICE, AT(decision.schedule), .flags = FIELD_ALWAYS, .fallback = "none",
     .choices = schedule_names,
     .doc = "Pipeline schedule"},
    {.key = "recompute", .kind = FIELD_CHOICE, AT(decision.recompute), .flags = FIELD_ALWAYS, .fallback = "none",
     .choices = recompute_names, .doc = "Activations computed again in backward"},
    {.key = "stages", .kind = FIELD_CHOICE, AT(decision.stages), .fallback = "even", .choices = stages_names,
     .doc = "How layers are cut into stages"},
    {.key = "job", .kind = FIELD_STRUCT, AT(job), .fields = job_fields, .size = sizeof(struct job),
     .flags = FIELD_ALWAYS, .doc = "What is trained; see parplan-job(5)"},
    {.key = "mesh", .kind = FIELD_STRUCTS, AT(axes), .fields = axis_fields, .size = sizeof(struct plan_axis),
     .flags = FIELD_OUTPUT, .doc = "Rank map: the groups of every axis"},
    {.key = "layout", .kind = FIELD_STRUCTS, AT(layout), .fields = stage_fields, .size = sizeof(struct plan_stage),
     .doc = "Layers of every chunk; absent: cut as stages says"},
    {.key = "order", .kind = FIELD_TEXTS, AT(order),
     .doc = "Passes of every pipeline rank, a line each (F0.0 F0.1 BW0.0 ...); absent: the schedule's"},
    {.key = "expected", .kind = FIELD_STRUCT, AT(expected), .fields = estimate_fields,
     .size = sizeof(struct estimate), .flags = FIELD_OUTPUT, .doc = "What the cost model expects"},
    {.key = "lower_bound", .kind = FIELD_QUANTITY, AT(lower_bound), .dimension = UNIT_SECONDS, .flags = FIELD_OUTPUT,
     .doc = "No plan of the searched space takes less time"},
    {.key = "gap", .kind = FIELD_NUMBER, AT(gap), .flags = FIELD_OUTPUT, .doc = "Step time over that bound, minus one"},
    {.key = "inputs", .kind = FIELD_STRUCTS, AT(inputs), .fields = input_fields, .size = sizeof(struct plan_input),
     .flags = FIELD_OUTPUT, .doc = "What it was made from"},
    FIELD_END};
#undef AT

/* Degrees are written even when they are 1; absent ones mean 1. */
static void fill_ones(struct decision *d) {
    struct parallel *p = &d->parallel;
    int64_t *const degrees[] = {&p->tp, &p->pp, &p->vpp, &p->dp, &p->cp, &p->ep, &d->micro_batch};
    for (size_t i = 0; i < sizeof degrees / sizeof degrees[0]; i++) {
        *degrees[i] = *degrees[i] == 0 ? 1 : *degrees[i];
    }
}

enum status plan_load(struct arena *arena, struct node *root, struct plan *ret_plan, struct diag *diag) {
    TRY(bind_schema(root, "plan", diag));
    TRY(bind_fields(arena, root, "plan", plan_fields, ret_plan, diag));
    struct decision *d = &ret_plan->decision;
    fill_ones(d);
    fill_ones(&ret_plan->expected.decision);
    TRY(job_complete(arena, &ret_plan->job, node_find(root, "job"), diag));
    int64_t share = d->parallel.dp * d->micro_batch;
    d->micro_batches = ret_plan->job.global_batch / (share > 0 ? share : 1);
    return OK;
}

static struct degrees one(struct arena *arena, int64_t value) {
    int64_t *values = ARENA_ARRAY(arena, int64_t, 1);
    values[0] = value;
    return (struct degrees){false, values, 1};
}

void plan_fix_space(struct arena *arena, const struct decision *decision, struct space *ret) {
    const struct parallel *p = &decision->parallel;
    ret->tp = one(arena, p->tp);
    ret->pp = one(arena, p->pp);
    ret->vpp = one(arena, p->vpp);
    ret->dp = one(arena, p->dp);
    ret->cp = one(arena, p->cp);
    ret->ep = one(arena, p->ep);
    ret->etp = one(arena, p->etp);
    ret->zero = one(arena, p->zero);
    ret->micro_batch = one(arena, decision->micro_batch);
    ret->sp = p->sp ? 2 : 1;
    ret->cp_kind = 1U << p->cp_kind;
    ret->recompute = 1U << decision->recompute;
    ret->schedule = 1U << decision->schedule;
    ret->order = 1U << p->order;
    ret->stages = decision->stages;
    ret->ulysses = p->ulysses;
}

struct job plan_job(struct arena *arena, const struct plan *plan) {
    struct job job = plan->job;
    plan_fix_space(arena, &plan->decision, &job.space);
    return job;
}

enum { PLAN_DIGITS = 6 };

static double rounded(double value) {
    if (!isfinite(value) || fabs(value) <= 0) {
        return value;
    }
    double digits = PLAN_DIGITS - 1 - floor(log10(fabs(value)));
    double scale = pow(10, fabs(digits));
    return digits >= 0 ? round(value * scale) / scale : round(value / scale) * scale;
}

static void round_members(const struct field *fields, void *object) {
    for (const struct field *field = fields; field->key != NULL; field++) {
        void *member = field_member(field, object);
        if (field->kind == FIELD_QUANTITY || field->kind == FIELD_NUMBER) {
            *(double *)member = rounded(*(double *)member);
        } else if (field->kind == FIELD_STRUCT) {
            round_members(field->fields, member);
        }
    }
}

void plan_round(struct plan *plan) {
    round_members(estimate_fields, &plan->expected);
    plan->lower_bound = rounded(plan->lower_bound);
    plan->gap = rounded(plan->gap);
}
