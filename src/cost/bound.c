/* Bounds from operations, ports and states. */
#include "cost/bound.h"

#include <math.h>

/* The operations and kept bytes of one share. */
static void keep_share(struct layer_work *work, enum bound_share share) {
    int operations = 0, saved = 0;
    for (int i = 0; i < work->operation_count; i++) {
        if (((work->operations[i].parts & PART_MOE) != 0) == (share == BOUND_EXPERTS)) {
            work->operations[operations++] = work->operations[i];
        }
    }
    for (int i = 0; i < work->saved_count; i++) {
        if (((work->saved[i].parts & PART_MOE) != 0) == (share == BOUND_EXPERTS)) {
            work->saved[saved++] = work->saved[i];
        }
    }
    work->operation_count = operations;
    work->saved_count = saved;
}

void bound_layer(const struct cost_context *context, const struct parallel *parallel, int64_t micro_batch,
                 const struct layer_kind *kind, enum bound_share share, struct layer_cost *ret) {
    struct shard shard = cost_shard(context, parallel, micro_batch);
    struct layer_work work;
    operation_layer(context->model, kind, &shard, &work);
    keep_share(&work, share);
    if (share == BOUND_EXPERTS) {
        work.input_bytes = 0; /* counts with the rest */
    }
    cost_operations(context, &work, ret);
}

void bound_ends(const struct cost_context *context, const struct parallel *parallel, int64_t micro_batch,
                struct layer_cost *ret_embedding, struct layer_cost *ret_head, struct layer_cost *ret_mtp) {
    const struct cut cut = {.parallel = *parallel}; /* groups of nobody: exchanges take no time */
    const struct layer_cost nothing = {0};
    cost_embedding(context, &cut, micro_batch, ret_embedding);
    cost_head(context, &cut, micro_batch, ret_head);
    *ret_mtp = nothing;
    if (context->mtp) {
        cost_mtp(context, &cut, micro_batch, &nothing, ret_head, ret_mtp);
    }
}

void bound_add_bytes(struct layer_cost *sum, const struct layer_cost *part, double times) {
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        sum->saved[mode] += times * part->saved[mode];
    }
    sum->working += times * part->working;
    sum->transient = fmax(sum->transient, part->transient);
    sum->logits = fmax(sum->logits, part->logits);
}

void bound_add_passes(struct layer_cost *sum, const struct layer_cost *part, double times) {
    cost_pass_add(&sum->forward, &part->forward, times);
    cost_pass_add(&sum->backward, &part->backward, times);
    cost_pass_add(&sum->weight, &part->weight, times);
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        cost_pass_add(&sum->again[mode], &part->again[mode], times);
    }
}

/* Seconds a byte takes at least: the bound for so many bytes that latency is nothing. */
static double port_seconds(const struct span *span, enum collective kind) {
    const double bytes = 1e18;
    return collective_bound(span, kind, bytes) / bytes;
}

/* Work beside an exchange hides it but for the slow-down of that work. */
static double least_visible(const struct cost_context *c, const struct cut *cut, const struct exchange *e) {
    double seconds = e->bytes * port_seconds(cost_exchange_span(cut, e), e->kind);
    double shown = e->beside == BESIDE_NOTHING ? 1 : fmin(1, c->topology->runtime.overlap_slowdown);
    return seconds * shown * (e->beside == BESIDE_GEMM ? 1 : e->count);
}

static void add_exchanges(const struct cost_context *c, const struct cut *cut, const struct exchange_list *list,
                          double layers, struct bound_exchange *sum) {
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        double seconds = layers * least_visible(c, cut, e);
        bool own = e->axis == AXIS_EP || e->axis == AXIS_ETP;
        for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
            unsigned parts = job_recompute_parts(c->job, c->model, (enum recompute)mode);
            bool again = e->phase == EXCHANGE_FORWARD && (e->parts & parts) != 0;
            *(own ? &sum->experts[mode] : &sum->others[mode]) += again ? 2 * seconds : seconds;
        }
    }
}

/* The cuts differ in their mesh order: what they exchange is the same but for the domains that experts reach. */
static void add_kind(const struct cost_context *c, const struct cut cuts[], int64_t count,
                     const struct layer_kind *kind, double layers, struct bound_exchange ret[]) {
    struct layer_work work;
    struct exchange_list list;
    int64_t domains = -1;
    for (int64_t i = 0; i < count; i++) {
        struct shard shard = cost_cut_shard(c, &cuts[i], 1);
        if (i == 0) {
            operation_layer(c->model, kind, &shard, &work);
        }
        if (shard.ep_domains != domains) {
            exchange_layer(c->model, kind, &shard, cuts[i].parallel.cp_kind, c->job, &work, &list);
            domains = shard.ep_domains;
        }
        add_exchanges(c, &cuts[i], &list, layers, &ret[i]);
    }
}

void bound_exchanges(const struct cost_context *context, const struct cut cuts[], int64_t count,
                     struct bound_exchange ret[]) {
    const struct model *model = context->model;
    double layers[MODEL_KINDS] = {0};
    for (int64_t i = 0; i < model->layer_count; i++) {
        layers[model->layers[i]]++;
    }
    layers[model->mtp_kind] += context->mtp ? (double)model->mtp_layers : 0;
    for (int64_t i = 0; i < count; i++) {
        ret[i] = (struct bound_exchange){0};
    }
    for (int64_t kind = 0; kind < model->kind_count; kind++) {
        if (layers[kind] > 0) {
            add_kind(context, cuts, count, &model->kinds[kind], layers[kind], ret);
        }
    }
}

static double jitter(const struct cost_context *c) {
    return c->nodes > 1 ? c->topology->runtime.jitter * log2((double)c->nodes) : 0;
}

double bound_step(const struct cost_context *context, int64_t pp, int64_t micro_batches, double pass) {
    const struct runtime *runtime = &context->topology->runtime;
    double busy = (double)micro_batches * (pass / (double)pp + 2 * runtime->micro_batch_overhead);
    return (busy * (1 + jitter(context)) + runtime->step_overhead) * BOUND_SLACK;
}

static void add_pass(const struct cost_context *c, const struct pass_cost *rest, const struct pass_cost *experts,
                     struct bound_pass *sum) {
    struct pass_cost pass = {.compute = rest->compute + experts->compute, .kernels = rest->kernels + experts->kernels};
    sum->device += pass.compute;
    sum->launched += cost_pass_seconds(c, &pass);
}

struct bound_pass bound_pass(const struct cost_context *context, const struct layer_cost *rest,
                             const struct layer_cost *experts, int recompute) {
    struct bound_pass sum = {0, 0};
    struct pass_cost backward[2] = {rest->backward, experts->backward};
    cost_pass_add(&backward[0], &rest->again[recompute], 1);
    cost_pass_add(&backward[1], &experts->again[recompute], 1);
    add_pass(context, &rest->forward, &experts->forward, &sum);
    add_pass(context, &backward[0], &backward[1], &sum);
    add_pass(context, &rest->weight, &experts->weight, &sum);
    return sum;
}

double bound_memory(const struct cost_context *context, const struct cut *cut, const struct stage_map *map,
                    const struct work_cost *work, const struct schedule *schedule, int64_t micro_batches, int recompute,
                    double states) {
    const struct state_cost state = {.weights = states};
    struct class_load load;
    struct memory_parts parts;
    double nccl;
    int64_t class = map->rank_class[0];
    cost_class_bytes(context, &map->classes[class], work, recompute, &load);
    return BOUND_SLACK * cost_peak(context, cut, map, &state, &load, schedule, micro_batches, class, &parts, &nccl);
}

double bound_load(const struct cost_context *context, const struct stage_map *map, const struct stage_load *load,
                  int64_t micro_batches, bool overlaps) {
    struct schedule_shape shape = {.ranks = map->ranks, .micro_batches = micro_batches, .chunks = map->chunks};
    double makespan = schedule_bound_unequal(&shape, &load->pipeline, overlaps);
    return (makespan * (1 + jitter(context)) + context->topology->runtime.step_overhead) * BOUND_SLACK;
}

double bound_compute(const struct stage_map *map, const struct stage_load *load, int64_t micro_batches) {
    double passes = (double)micro_batches / (map->placement == PLACEMENT_TWO_WAY ? 2 : 1);
    return passes * load->classes[load->heaviest].compute * BOUND_SLACK;
}
