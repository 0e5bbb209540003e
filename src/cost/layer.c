/* Times a layer: every operation by its kernel, every exchange by its collective, less what runs beside it. */
#include "cost/layer.h"

#include <math.h>

#include "collective/collective.h"
#include "cost/kernel.h"

struct cut cost_cut(const struct cost_context *context, const struct parallel *parallel) {
    const struct topology *topology = context->topology;
    struct cut cut = {.parallel = *parallel};
    cut.mesh = mesh_make(parallel->tp, parallel->cp, parallel->dp, parallel->pp, parallel->ep, parallel->etp,
                         (enum mesh_order)parallel->order);
    cut.tp = mesh_span(topology, &cut.mesh, AXIS_TP, parallel->tp, 1);
    cut.cp = mesh_span(topology, &cut.mesh, AXIS_CP, parallel->cp, 1);
    cut.cp_inner = mesh_span(topology, &cut.mesh, AXIS_CP, parallel->ulysses, 1);
    cut.cp_ring = mesh_span(topology, &cut.mesh, AXIS_CP, parallel->cp / parallel->ulysses, parallel->ulysses);
    cut.ep = mesh_span(topology, &cut.mesh, AXIS_EP, parallel->ep, 1);
    cut.ep_inner = mesh_span(topology, &cut.mesh, AXIS_EP, cut.ep.inner, 1);
    cut.ep_outer = mesh_span(topology, &cut.mesh, AXIS_EP, parallel->ep / cut.ep.inner, cut.ep.inner);
    cut.etp = mesh_span(topology, &cut.mesh, AXIS_ETP, parallel->etp, 1);
    return cut;
}

const struct span *cost_exchange_span(const struct cut *cut, const struct exchange *exchange) {
    switch (exchange->axis) {
    case AXIS_TP:
        return &cut->tp;
    case AXIS_CP:
        return exchange->step > 1 ? &cut->cp_ring : exchange->size < cut->cp.size ? &cut->cp_inner : &cut->cp;
    case AXIS_EP:
        return exchange->step > 1 ? &cut->ep_outer : exchange->size < cut->ep.size ? &cut->ep_inner : &cut->ep;
    case AXIS_ETP:
    case AXIS_DP:
    case AXIS_PP:
    case AXIS_EDP:
    case AXIS_DP_CP:
    case AXIS_COUNT:
        break;
    }
    return &cut->etp;
}

void cost_pass_add(struct pass_cost *sum, const struct pass_cost *pass, double times) {
    sum->compute += times * pass->compute;
    sum->kernels += times * pass->kernels;
    sum->flops += times * pass->flops;
    sum->exposed.tp += times * pass->exposed.tp;
    sum->exposed.cp += times * pass->exposed.cp;
    sum->exposed.ep += times * pass->exposed.ep;
}

double cost_pass_seconds(const struct cost_context *context, const struct pass_cost *pass) {
    double device = pass->compute + pass->exposed.tp + pass->exposed.cp + pass->exposed.ep;
    double host = context->job->kernels.graphs ? 0 : pass->kernels * context->device->kernels.host_launch;
    return fmax(device, host);
}

/* Norms, softmax, activations and casts reach less of the bandwidth than a plain copy. */
static double memory_seconds(const struct cost_context *context, double bytes) {
    return kernel_memory(context->device, bytes) / context->topology->runtime.memory_rate;
}

static double gap(const struct cost_context *context) {
    return context->device->kernels.launch;
}

static void pass_kernel(const struct cost_context *context, struct pass_cost *pass, double seconds, double flops,
                        double kernels) {
    pass->compute += seconds * (1 + context->topology->runtime.slack) + kernels * gap(context);
    pass->kernels += kernels;
    pass->flops += flops;
}

/* A weight gradient is added in the GEMM's epilogue to what earlier micro-batches left, in the gradients' precision:
 * the kernel takes as long as its products or as that traffic. */
static double accumulated(const struct cost_context *c, double gemm, double elements) {
    return fmax(gemm, memory_seconds(c, elements * 2 * c->state.gradient));
}

/* Narrow formats quantise: forward reads its 16-bit input and writes it row- and column-wise (the weight gradient needs
 * the other layout), backward does the same with the output's gradient (Transformer Engine; Micikevicius et al. 2022,
 * arXiv:2209.05433). */
static void time_cast(const struct cost_context *c, double elements, struct pass_cost *pass) {
    if (c->dtype == DTYPE_FP8 || c->dtype == DTYPE_FP4) {
        double bytes = c->element + 2 * dtype_bytes(c->dtype);
        pass_kernel(c, pass, memory_seconds(c, bytes * elements), 0, 1);
    }
}

/* Products of two activations run in the activations' own precision. */
static enum dtype scores_dtype(const struct cost_context *c) {
    return c->element > 2 ? c->dtype : DTYPE_BF16;
}

static double attention_kernel(const struct cost_context *c, const struct operation *o, enum kernel_pass pass) {
    struct attention_shape shape = {o->batch, o->heads, o->kv_heads, o->query, o->keys, o->key_dim, o->value_dim,
                                    o->pairs};
    return kernel_attention(c->device, c->dtype, pass, &shape) / c->job->kernels.attention_rate;
}

/* A product m x k times k x n. Its input gradient is m x n times n x k, its weight gradient k x m times m x n. */
static void time_forward(const struct cost_context *c, const struct operation *o, struct pass_cost *pass) {
    double flops = 2 * o->m * o->n * o->k;
    switch (o->kind) {
    case OPERATION_GEMM:
        pass_kernel(c, pass, kernel_gemm(c->device, c->dtype, o->m, o->n, o->k, 1), flops, 1);
        time_cast(c, o->m * o->k, pass);
        break;
    case OPERATION_GROUPED:
        pass_kernel(c, pass, kernel_grouped_gemm(c->device, c->dtype, o->m, o->batch, o->n, o->k), flops, 1);
        time_cast(c, o->m * o->k, pass);
        break;
    case OPERATION_SCORES:
        pass_kernel(c, pass, kernel_gemm(c->device, scores_dtype(c), o->m, o->n, o->k, o->batch), flops * o->batch, 1);
        break;
    case OPERATION_ATTENTION:
        flops = 2 * o->batch * o->heads * o->pairs * (o->key_dim + o->value_dim);
        pass_kernel(c, pass, attention_kernel(c, o, KERNEL_FORWARD), flops, 1);
        break;
    case OPERATION_MEMORY:
        pass_kernel(c, pass, memory_seconds(c, o->forward_bytes), 0, o->launches);
        break;
    }
}

static void backward_gemm(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    double flops = 2 * o->m * o->n * o->k;
    pass_kernel(c, &cost->backward, kernel_gemm(c->device, c->dtype, o->m, o->k, o->n, 1), flops, 1);
    time_cast(c, o->m * o->n, &cost->backward);
    double weight = kernel_gemm(c->device, c->dtype, o->k, o->n, o->m, 1);
    pass_kernel(c, &cost->weight, accumulated(c, weight, o->n * o->k), flops, 1);
}

static void backward_grouped(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    double flops = 2 * o->m * o->n * o->k;
    double rows = o->m / fmax(1, o->batch);
    pass_kernel(c, &cost->backward, kernel_grouped_gemm(c->device, c->dtype, o->m, o->batch, o->k, o->n), flops, 1);
    time_cast(c, o->m * o->n, &cost->backward);
    double weight = kernel_gemm(c->device, c->dtype, o->k, o->n, rows, o->batch);
    pass_kernel(c, &cost->weight, accumulated(c, weight, o->n * o->k * o->batch), flops, 1);
}

/* Both factors are activations, so both gradients are due at once. */
static void backward_scores(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    enum dtype dtype = scores_dtype(c);
    double flops = 2 * o->m * o->n * o->k * o->batch;
    pass_kernel(c, &cost->backward, kernel_gemm(c->device, dtype, o->m, o->k, o->n, o->batch), flops, 1);
    pass_kernel(c, &cost->backward, kernel_gemm(c->device, dtype, o->k, o->n, o->m, o->batch), flops, 1);
}

static void time_backward(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    switch (o->kind) {
    case OPERATION_GEMM:
        backward_gemm(c, o, cost);
        break;
    case OPERATION_GROUPED:
        backward_grouped(c, o, cost);
        break;
    case OPERATION_SCORES:
        backward_scores(c, o, cost);
        break;
    case OPERATION_ATTENTION:
        pass_kernel(c, &cost->backward, attention_kernel(c, o, KERNEL_BACKWARD),
                    2.5 * (2 * o->batch * o->heads * o->pairs * (o->key_dim + o->value_dim)), 2);
        break;
    case OPERATION_MEMORY:
        pass_kernel(c, &cost->backward, memory_seconds(c, o->backward_bytes), 0, o->launches);
        break;
    }
}

static void time_operation(const struct cost_context *c, const struct operation *o, struct layer_cost *cost) {
    time_forward(c, o, &cost->forward);
    time_backward(c, o, cost);
}

/* Seconds of one exchange that stay visible. What runs beside it is slowed by it (SMs and memory bandwidth are shared);
 * that slow-down counts as visible too. `attention` is the device time of one ring block, `shared` what shared experts
 * leave to one of the exchanges beside them. */
static double visible_seconds(const struct cost_context *c, const struct cut *cut, const struct exchange *e,
                              double tokens, double attention, double shared) {
    double seconds = collective_seconds(cost_exchange_span(cut, e), e->kind, e->bytes, NULL);
    double beside = 0;
    double pieces = 1;
    switch (e->beside) {
    case BESIDE_NOTHING:
        break;
    case BESIDE_ATTENTION:
        beside = attention;
        break;
    case BESIDE_INPUT_GRADIENT:
        beside = kernel_gemm(c->device, c->dtype, tokens, e->beside_k, e->beside_n, 1);
        break;
    case BESIDE_WEIGHT_GRADIENT:
        beside = kernel_gemm(c->device, c->dtype, e->beside_k, e->beside_n, tokens, 1);
        break;
    case BESIDE_GEMM:
        beside = kernel_gemm(c->device, c->dtype, tokens, e->beside_n, e->beside_k, 1);
        pieces = (double)e->size;
        break;
    case BESIDE_SHARED_EXPERTS:
        beside = shared;
        break;
    }
    if (pieces > 1) { /* of n pieces one is alone at an end */
        double hidden = fmin(seconds, beside) * (pieces - 1) / pieces;
        return seconds - hidden + hidden * c->topology->runtime.overlap_slowdown;
    }
    double hidden = fmin(seconds, beside);
    return (seconds - hidden + hidden * c->topology->runtime.overlap_slowdown) * e->count;
}

static void pass_expose(struct pass_cost *pass, enum axis axis, double seconds, double kernels) {
    pass->kernels += kernels;
    if (axis == AXIS_TP) {
        pass->exposed.tp += seconds;
    } else if (axis == AXIS_CP) {
        pass->exposed.cp += seconds;
    } else {
        pass->exposed.ep += seconds;
    }
}

/* Operation time by name prefix: of attention (for ring blocks) and of shared experts, forward. */
static double attention_seconds(const struct cost_context *c, const struct layer_work *work,
                                enum kernel_pass pass) {
    double seconds = 0;
    for (int i = 0; i < work->operation_count; i++) {
        const struct operation *o = &work->operations[i];
        if (o->kind == OPERATION_ATTENTION) {
            seconds += attention_kernel(c, o, pass);
        }
    }
    return seconds;
}

static double shared_seconds(const struct cost_context *c, double tokens, const struct cut *cut) {
    const struct moe *moe = c->model->moe;
    if (moe == NULL || moe->shared_intermediate_size == 0) {
        return 0;
    }
    double width = (double)moe->shared_intermediate_size / (double)cut->parallel.tp;
    double up = c->model->mlp == MLP_SWIGLU || c->model->mlp == MLP_GEGLU ? 2 : 1;
    return (1 + 1 / up) * kernel_gemm(c->device, c->dtype, tokens, up * width, (double)c->model->hidden_size, 1);
}

/* Exchanges of one pass that share the time of the shared experts. */
static double beside_shared(const struct exchange_list *list) {
    int count = 0;
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        count += e->beside == BESIDE_SHARED_EXPERTS && e->phase == EXCHANGE_FORWARD ? 1 : 0;
    }
    return fmax(1, (double)count);
}

static void time_exchanges(const struct cost_context *c, const struct cut *cut, const struct layer_work *work,
                           const struct exchange_list *list, struct layer_cost *cost) {
    double blocks = (double)(cut->parallel.cp / cut->parallel.ulysses);
    double attention[2] = {0, 0};
    double shared = 0;
    if (cut->parallel.cp > 1) {
        attention[0] = attention_seconds(c, work, KERNEL_FORWARD) / blocks;
        attention[1] = attention_seconds(c, work, KERNEL_BACKWARD) / blocks;
    }
    if (cut->parallel.ep > 1) {
        shared = shared_seconds(c, work->tokens, cut) / beside_shared(list);
    }
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        double seconds = visible_seconds(c, cut, e, work->tokens, attention[e->phase], shared);
        pass_expose(e->phase == EXCHANGE_FORWARD ? &cost->forward : &cost->backward, e->axis, seconds, e->count);
        for (int mode = 0; mode < RECOMPUTE_KINDS && e->phase == EXCHANGE_FORWARD; mode++) {
            if ((e->parts & job_recompute_parts(c->job, c->model, (enum recompute)mode)) != 0) {
                pass_expose(&cost->again[mode], e->axis, seconds, e->count);
            }
        }
    }
}

/* Operations that recomputation runs again: their forward, once more. */
static void time_again(const struct cost_context *c, const struct layer_work *work,
                       const unsigned parts[RECOMPUTE_KINDS], struct layer_cost *cost) {
    for (int i = 0; i < work->operation_count; i++) {
        const struct operation *o = &work->operations[i];
        if ((o->parts & (parts[RECOMPUTE_SELECTIVE] | parts[RECOMPUTE_FULL])) == 0) {
            continue;
        }
        struct pass_cost once = {0};
        time_forward(c, o, &once);
        for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
            if ((o->parts & parts[mode]) != 0) {
                cost_pass_add(&cost->again[mode], &once, 1);
            }
        }
    }
}

/* Backward holds the gradients of the widest activations of the layer beside what was kept. */
static double transient_bytes(const struct layer_work *work, double element) {
    double widest = 0;
    for (int i = 0; i < work->operation_count; i++) {
        const struct operation *o = &work->operations[i];
        if (o->kind == OPERATION_GEMM || o->kind == OPERATION_GROUPED) {
            widest = fmax(widest, element * o->m * (o->n + o->k));
        }
    }
    return widest;
}

void cost_operations(const struct cost_context *context, const struct layer_work *work, struct layer_cost *ret) {
    unsigned parts[RECOMPUTE_KINDS];
    *ret = (struct layer_cost){0};
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        parts[mode] = job_recompute_parts(context->job, context->model, (enum recompute)mode);
        ret->saved[mode] = operation_saved_bytes(work, parts[mode]);
    }
    for (int i = 0; i < work->operation_count; i++) {
        time_operation(context, &work->operations[i], ret);
    }
    time_again(context, work, parts, ret);
    ret->working = operation_saved_bytes(work, 0);
    ret->transient = transient_bytes(work, context->element);
}

struct shard cost_cut_shard(const struct cost_context *context, const struct cut *cut, int64_t micro_batch) {
    struct shard shard = cost_shard(context, &cut->parallel, micro_batch);
    shard.ep_domains = cut->parallel.ep % cut->ep.inner == 0 ? cut->parallel.ep / cut->ep.inner : 1;
    return shard;
}

static void time_work(const struct cost_context *c, const struct cut *cut, const struct layer_work *work,
                      const struct exchange_list *list, struct layer_cost *ret) {
    cost_operations(c, work, ret);
    time_exchanges(c, cut, work, list, ret);
}

void cost_layer(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
                const struct layer_kind *kind, struct layer_cost *ret) {
    struct shard shard = cost_cut_shard(context, cut, micro_batch);
    struct layer_work work;
    struct exchange_list list;
    operation_layer(context->model, kind, &shard, &work);
    exchange_layer(context->model, kind, &shard, cut->parallel.cp_kind, context->job, &work, &list);
    time_work(context, cut, &work, &list, ret);
}

/* Embedding, head and loss are never recomputed. */
static void keep_all(struct layer_cost *cost) {
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        cost->saved[mode] = cost->working;
        cost->again[mode] = (struct pass_cost){0};
    }
}

void cost_embedding(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
                    struct layer_cost *ret) {
    struct shard shard = cost_shard(context, &cut->parallel, micro_batch);
    struct layer_work work;
    struct exchange_list list;
    operation_embedding(context->model, &shard, &work);
    exchange_embedding(context->model, &shard, &work, &list);
    time_work(context, cut, &work, &list, ret);
    keep_all(ret);
}

void cost_head(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
               struct layer_cost *ret) {
    struct shard shard = cost_shard(context, &cut->parallel, micro_batch);
    struct layer_work work;
    struct exchange_list list;
    bool fused = context->job->kernels.fused_cross_entropy;
    operation_head(context->model, &shard, fused, &work);
    exchange_head(context->model, &shard, &work, &list);
    time_work(context, cut, &work, &list, ret);
    double kept = work.saved[work.saved_count - 1].bytes; /* the loss comes last */
    ret->working -= kept;
    keep_all(ret);
    /* 16-bit logits, the 32-bit copy that becomes the gradient, and the 16-bit gradient of the product. */
    ret->logits = fused ? kept : 2 * kept;
    ret->transient = 0;
}

/* The MTP projection is split by output, which is gathered behind it; both inputs before it with sequence parallelism.
 * `whole`: bytes of one input of all ranks. */
static void expose_projection(const struct cut *cut, bool gathers, double whole, struct layer_cost *ret) {
    double out = collective_seconds(&cut->tp, COLLECTIVE_ALL_GATHER, whole, NULL);
    double in = gathers ? collective_seconds(&cut->tp, COLLECTIVE_ALL_GATHER, 2 * whole, NULL) : 0;
    enum collective back = gathers ? COLLECTIVE_REDUCE_SCATTER : COLLECTIVE_ALL_REDUCE;
    ret->forward.exposed.tp += in + out;
    ret->backward.exposed.tp += collective_seconds(&cut->tp, back, 2 * whole, NULL);
}

void cost_mtp(const struct cost_context *context, const struct cut *cut, int64_t micro_batch,
              const struct layer_cost *layer, const struct layer_cost *head, struct layer_cost *ret) {
    const struct model *model = context->model;
    *ret = *layer;
    double h = (double)model->hidden_size;
    struct shard shard = cost_shard(context, &cut->parallel, micro_batch);
    double tokens = (double)micro_batch * (double)shard.seq_len / (double)shard.cp;
    double own = shard.sequence_parallel ? tokens / (double)shard.tp : tokens;
    struct operation projection = {.kind = OPERATION_GEMM, .m = tokens, .n = h / (double)shard.tp, .k = 2 * h};
    time_operation(context, &projection, ret);
    cost_pass_add(&ret->forward, &head->forward, 1);
    cost_pass_add(&ret->backward, &head->backward, 1);
    cost_pass_add(&ret->weight, &head->weight, 1);
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        ret->saved[mode] += head->saved[mode] + 2 * context->element * own * h;
    }
    ret->working += head->working;
    ret->logits = head->logits;
    expose_projection(cut, shard.sequence_parallel, context->element * tokens * h, ret);
}
