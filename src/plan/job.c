/* The job document: field tables and rules. */
#include "plan/job.h"

#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"
#include "plan/constraint.h"
#include "schedule/schedule.h"
#include "yaml/bind.h"
#include "yaml/document.h"

static const char *const optimizer_names[] = {"adam", "sgd", "muon", "adafactor", NULL};
static const char *const recompute_names[] = {"none", "selective", "full", NULL};
static const char *const part_names[] = {"rule", "core_attn", "norm", "act", "mla_up", "mlp", "moe", NULL};
static const char *const context_names[] = {"ring", "allgather", "ulysses", "usp", NULL};
static const char *const stages_names[] = {"even", "ends", "auto", NULL};
static const char *const objective_names[] = {"time", "tokens", "cost", "energy", "memory", NULL};
static const char *const dispatch_names[] = {"alltoall", "allgather", "flex", NULL};
static const char *const off_on[] = {"off", "on", NULL};

#define AT(member) .offset = offsetof(struct kernels_used, member)
static const struct field kernels_fields[] = {
    {.key = "flash_attention", .kind = FIELD_BOOL, AT(flash_attention), .fallback = "true",
     .doc = "Fused attention that keeps no score matrix"},
    {.key = "attention_rate", .kind = FIELD_RATIO, AT(attention_rate), .fallback = "1", .min = 0.01, .max = 2,
     .doc = "Rate of fused attention over the device's best kernel; FlashAttention-2 on Hopper is about 0.55"},
    {.key = "fused_norm", .kind = FIELD_BOOL, AT(fused_norm), .fallback = "true",
     .doc = "One kernel per normalisation"},
    {.key = "fused_activation", .kind = FIELD_BOOL, AT(fused_activation), .fallback = "true",
     .doc = "One kernel per activation with its gate and bias"},
    {.key = "fused_accumulation", .kind = FIELD_BOOL, AT(fused_accumulation), .fallback = "true",
     .doc = "Weight gradients are added up inside the product that makes them"},
    {.key = "fused_cross_entropy", .kind = FIELD_BOOL, AT(fused_cross_entropy), .fallback = "false",
     .doc = "Loss without a 32-bit copy of the logits"},
    {.key = "cuda_graphs", .kind = FIELD_BOOL, AT(graphs), .fallback = "false",
     .doc = "Captured kernel launches: no host time per kernel"},
    FIELD_END};
#undef AT

#define AT(member) .offset = offsetof(struct overlap, member)
static const struct field overlap_fields[] = {
    {.key = "gradients", .kind = FIELD_BOOL, AT(gradients), .fallback = "true", .flag = "overlap-gradients",
     .doc = "Gradient buckets are reduced beside the last backward pass"},
    {.key = "parameters", .kind = FIELD_BOOL, AT(parameters), .fallback = "true", .flag = "overlap-parameters",
     .doc = "Parameters are gathered beside the forward pass"},
    {.key = "tensor", .kind = FIELD_BOOL, AT(tensor), .fallback = "false", .flag = "overlap-tensor",
     .doc = "Tensor-parallel collectives run beside the GEMM they feed, in pieces"},
    {.key = "pipeline", .kind = FIELD_BOOL, AT(pipeline), .fallback = "true", .flag = "overlap-pipeline",
     .doc = "Sends and receives between stages run beside compute"},
    {.key = "experts", .kind = FIELD_BOOL, AT(experts), .fallback = "false", .flag = "overlap-experts",
     .doc = "All-to-alls of experts run beside another micro-batch's compute"},
    FIELD_END};
#undef AT

#define AT(member) .offset = offsetof(struct space, member)
static const struct field space_fields[] = {
    {.key = "tp", .kind = FIELD_DEGREES, AT(tp), .min = 1, .max = 1e9, .doc = "Tensor-parallel degree"},
    {.key = "pp", .kind = FIELD_DEGREES, AT(pp), .min = 1, .max = 1e9, .doc = "Pipeline-parallel degree"},
    {.key = "vpp", .kind = FIELD_DEGREES, AT(vpp), .min = 1, .max = 1e9,
     .doc = "Chunks (virtual stages) a pipeline rank"},
    {.key = "dp", .kind = FIELD_DEGREES, AT(dp), .min = 1, .max = 1e9, .doc = "Data-parallel degree"},
    {.key = "cp", .kind = FIELD_DEGREES, AT(cp), .min = 1, .max = 1e9, .doc = "Context-parallel degree"},
    {.key = "cp_kind", .kind = FIELD_CHOICES, AT(cp_kind), .choices = context_names,
     .doc = "How context parallelism exchanges keys and values or heads"},
    {.key = "ulysses", .kind = FIELD_COUNT, AT(ulysses), .max = 4096,
     .doc = "Degree by heads inside usp; 0 takes what fits in a scale-up domain"},
    {.key = "ep", .kind = FIELD_DEGREES, AT(ep), .min = 1, .max = 1e9, .doc = "Expert-parallel degree"},
    {.key = "etp", .kind = FIELD_DEGREES, AT(etp), .min = 1, .max = 1e9, .doc = "Tensor-parallel degree of experts"},
    {.key = "sp", .kind = FIELD_CHOICES, AT(sp), .choices = off_on,
     .doc = "Sequence parallelism in the tensor-parallel group"},
    {.key = "zero", .kind = FIELD_DEGREES, AT(zero), .min = 0, .max = 3,
     .doc = "What data parallelism shards: 1 optimizer state, 2 and gradients, 3 and weights"},
    {.key = "hybrid_shard", .kind = FIELD_BOOL, AT(hybrid_shard), .fallback = "false",
     .doc = "ZeRO-3 shards inside a node and replicates across nodes (HSDP)"},
    {.key = "micro_batch", .kind = FIELD_DEGREES, AT(micro_batch), .min = 1, .max = 1e9,
     .doc = "Sequences a micro-batch"},
    {.key = "recompute", .kind = FIELD_CHOICES, AT(recompute), .choices = recompute_names,
     .doc = "Activations that backward computes again"},
    {.key = "schedule", .kind = FIELD_CHOICES, AT(schedule), .choices = schedule_names,
     .doc = "Pipeline schedule; auto: those of general use, others by name"},
    {.key = "stages", .kind = FIELD_CHOICE, AT(stages), .fallback = "auto", .choices = stages_names,
     .doc = "Layers a stage: even, or fewer on the first and last (ends)"},
    {.key = "order", .kind = FIELD_CHOICES, AT(order), .choices = order_names,
     .doc = "Mesh axes from the nearest ranks to the farthest"},
    FIELD_END};
#undef AT

#define AT(member) .offset = offsetof(struct job, member)
const struct field job_fields[] = {
    {.key = "name", .kind = FIELD_TEXT, AT(name), .flags = FIELD_NO_FLAG, .doc = "Name of the job"},
    {.key = "source", .kind = FIELD_TEXT, AT(source), .flags = FIELD_NO_FLAG, .doc = "Where the settings come from"},
    {.key = "nodes", .kind = FIELD_COUNT, AT(nodes), .max = 1e9, .flags = FIELD_NO_FLAG,
     .doc = "Nodes that the topology is scaled to, unless --nodes or --gpus say otherwise; 0 is as it is"},
    {.key = "gpus", .kind = FIELD_COUNT, AT(gpus), .max = 1e9, .flags = FIELD_NO_FLAG,
     .doc = "Devices that the topology is scaled to, unless --nodes or --gpus say otherwise; 0 is as it is"},
    {.key = "global_batch", .kind = FIELD_COUNT, AT(global_batch), .flags = FIELD_ALWAYS, .fallback = "1024",
     .min = 1, .max = 1e9,
     .doc = "Sequences a step; never changed by the search"},
    {.key = "seq_len", .kind = FIELD_COUNT, AT(seq_len), .flags = FIELD_ALWAYS, .fallback = "4096", .min = 1,
     .max = 1e8,
     .doc = "Tokens a sequence"},
    {.key = "precision", .kind = FIELD_CHOICE, AT(precision), .flags = FIELD_ALWAYS, .fallback = "bf16",
     .choices = dtype_names,
     .doc = "Number format of the matrix products"},
    {.key = "gradient_precision", .kind = FIELD_CHOICE, AT(gradient_precision), .fallback = "fp32",
     .choices = dtype_names, .doc = "Number format of gradient accumulation and reduction"},
    {.key = "moment_precision", .kind = FIELD_CHOICE, AT(moment_precision), .fallback = "fp32",
     .choices = dtype_names, .doc = "Number format of the optimizer's moments"},
    {.key = "master_weights", .kind = FIELD_BOOL, AT(master_weights), .fallback = "true",
     .doc = "The optimizer keeps 32-bit weights beside the 16-bit ones"},
    {.key = "optimizer", .kind = FIELD_CHOICE, AT(optimizer), .fallback = "adam", .choices = optimizer_names,
     .doc = "Optimizer: decides state per parameter and update traffic"},
    {.key = "clip_gradients", .kind = FIELD_BOOL, AT(clip_gradients), .fallback = "true",
     .doc = "Gradient clipping by global norm"},
    {.key = "dispatch", .kind = FIELD_CHOICE, AT(dispatch), .fallback = "alltoall", .choices = dispatch_names,
     .doc = "How tokens reach experts: a copy for each expert, all to all, or a copy for each node and rank (flex)"},
    {.key = "recompute_ops", .kind = FIELD_CHOICES, AT(recompute_ops), .choices = part_names,
     .doc = "What selective recomputation runs again; rule chooses by the attention kernel"},
    {.key = "vocab_parallel", .kind = FIELD_BOOL, AT(vocab_parallel), .fallback = "false",
     .doc = "Embedding and head are spread over all pipeline stages"},
    {.key = "train_mtp", .kind = FIELD_BOOL, AT(train_mtp), .fallback = "true",
     .doc = "Multi-token prediction blocks of the model are trained"},
    {.key = "kernels", .kind = FIELD_STRUCT, AT(kernels), .fields = kernels_fields,
     .size = sizeof(struct kernels_used), .doc = "Kernels of the training software"},
    {.key = "overlap", .kind = FIELD_STRUCT, AT(overlap), .fields = overlap_fields, .size = sizeof(struct overlap),
     .doc = "What the training software runs beside what"},
    {.key = "bucket", .kind = FIELD_NUMBER, AT(bucket), .max = 1e15,
     .doc = "Elements a gradient bucket; 0 is the larger of 40e6 and 1e6 times dp"},
    {.key = "memory_fraction", .kind = FIELD_RATIO, AT(memory_fraction), .fallback = "0.95", .min = 0.01, .max = 1,
     .doc = "Share of usable device memory that a plan may fill"},
    {.key = "search", .kind = FIELD_STRUCT, AT(space), .fields = space_fields, .size = sizeof(struct space),
     .doc = "What the search may choose; each axis fixed, listed, ranged or auto"},
    {.key = "forbid", .kind = FIELD_TEXTS, AT(forbid), .doc = "Configurations not to offer, such as 'tp > 8 && cp > 1'",
     .value_name = "RULE"},
    {.key = "max_step_time", .kind = FIELD_QUANTITY, AT(max_step_time), .dimension = UNIT_SECONDS,
     .doc = "Longest step allowed; 0s is any"},
    {.key = "objective", .kind = FIELD_CHOICE, AT(objective), .fallback = "time", .choices = objective_names,
     .doc = "What is best: step time, tokens/s per device, cost or energy per token, or memory"},
    {.key = "pareto", .kind = FIELD_TEXTS, AT(pareto), .doc = "Objectives whose front is printed, such as time,memory",
     .value_name = "LIST"},
    {.key = "top", .kind = FIELD_COUNT, AT(top), .fallback = "5", .min = 1, .max = 1000, .letter = 'n',
     .doc = "Plans to show"},
    {.key = "time", .kind = FIELD_QUANTITY, AT(time), .dimension = UNIT_SECONDS,
     .doc = "Time the search may take; 0s is unbounded"},
    {.key = "threads", .kind = FIELD_COUNT, AT(threads), .max = 1024, .letter = 'j', .doc = "Threads; 0 is all"},
    {.key = "seed", .kind = FIELD_COUNT, AT(seed), .fallback = "1", .max = 9e15, .doc = "Seed of random numbers"},
    FIELD_END};
#undef AT

enum status job_load(struct arena *arena, struct node *root, struct job *ret_job, struct diag *diag) {
    TRY(bind_schema(root, "job", diag));
    TRY(bind_fields(arena, root, "job", job_fields, ret_job, diag));
    return job_complete(arena, ret_job, root, diag);
}

static struct mark place(const struct node *root, const char *path) {
    return root != NULL ? bind_mark(root, path) : NO_MARK;
}

static void check_pareto(struct arena *arena, const struct job *job, const struct node *root, struct diag *diag) {
    size_t count = 0;
    while (objective_names[count] != NULL) {
        count++;
    }
    for (size_t i = 0; i < job->pareto.count; i++) {
        const char *name = ((const char **)job->pareto.items)[i];
        bool known = false;
        for (size_t j = 0; j < count; j++) {
            known = known || text_equal(objective_names[j], name);
        }
        if (!known) {
            const char *path = arena_format(arena, "pareto.%zu", i);
            (void)diag_error(diag, place(root, path), "pareto: '%s' is no objective", name);
            const char *nearest = text_nearest(name, objective_names, count);
            diag_help(diag, "known: time, tokens, cost, energy, memory%s%s", nearest ? "; did you mean " : "",
                      nearest ? nearest : "");
        }
    }
}

/* Every text is compiled once, so that its error has a place. */
static void check_forbid(struct arena *arena, const struct job *job, const struct node *root, struct diag *diag) {
    for (size_t i = 0; i < job->forbid.count; i++) {
        struct list one = {(const char **)job->forbid.items + i, 1};
        const struct constraint *constraint;
        if (constraint_parse(arena, &one, &constraint, diag) != OK && diag->last != NULL) {
            diag->last->mark = place(root, arena_format(arena, "forbid.%zu", i));
        }
    }
}

enum status job_complete(struct arena *arena, struct job *job, const struct node *root, struct diag *diag) {
    size_t errors = diag->errors;
    check_pareto(arena, job, root, diag);
    check_forbid(arena, job, root, diag);
    if (job->bucket > 0 && job->bucket < 1) {
        (void)diag_error(diag, place(root, "bucket"), "bucket: less than one element; 0 is the usual size");
    }
    if (job->gradient_precision == DTYPE_FP8 || job->gradient_precision == DTYPE_FP4) {
        (void)diag_error(diag, place(root, "gradient_precision"),
                         "gradient_precision: gradients are accumulated in fp32, bf16 or fp16");
    }
    return diag->errors == errors ? OK : STATUS_INVALID;
}

enum dtype job_dtype(const struct job *job) {
    return (enum dtype)job->precision;
}

bool job_tries(const struct job *job, int schedule) {
    const uint64_t all = (UINT64_C(1) << SCHEDULE_COUNT) - 1;
    bool open = (job->space.schedule & all) == all;
    return (job->space.schedule >> schedule & 1) != 0 && (!open || schedules[schedule]->searched);
}

unsigned job_recompute_parts(const struct job *job, const struct model *model, enum recompute mode) {
    if (mode == RECOMPUTE_NONE || mode == RECOMPUTE_KINDS) {
        return 0;
    }
    if (mode == RECOMPUTE_FULL) {
        return PART_ALL;
    }
    if ((job->recompute_ops & 1) == 0) {
        return (unsigned)(job->recompute_ops >> 1);
    }
    if (!job->kernels.flash_attention) {
        return PART_CORE;
    }
    return PART_NORM | PART_ACTIVATION | (model->mla != NULL ? PART_MLA_UP : 0);
}

static double float_bytes(int dtype) {
    return dtype == DTYPE_FP32 || dtype == DTYPE_TF32 ? 4 : dtype == DTYPE_FP8 ? 1 : dtype == DTYPE_FP4 ? 0.5 : 2;
}

struct state_bytes job_state_bytes(const struct job *job) {
    bool wide = job->precision == DTYPE_FP32 || job->precision == DTYPE_TF32;
    double moments = job->optimizer == OPTIMIZER_ADAM ? 2 : job->optimizer == OPTIMIZER_ADAFACTOR ? 0 : 1;
    double master = !wide && job->master_weights ? 4 : 0;
    return (struct state_bytes){
        .weight = wide ? 4 : 2,
        .gradient = float_bytes(job->gradient_precision),
        .optimizer = master + moments * float_bytes(job->moment_precision),
    };
}
