/* Every technique's volume reaches the price. On a machine whose kernels take no time and whose links are very slow,
 * the visible seconds of a technique are the collectives that its paper lists, and nothing else is visible:
 *
 *   u = 2 bytes x tokens x h   forward               backward
 *   tp                         2 AR u                2 AR u                               arXiv:1909.08053, 3
 *   tp + sp                    2 AG u + 2 RS u       2 AG u + 2 RS u + 2 AG u             arXiv:2205.05198, 4.2
 *   ring                       (c-1) sends of K, V   (c-1) of K, V, dK, dV; dK, dV home   arXiv:2310.01889
 *   all-gather                 AG K, V               RS dK, dV                            arXiv:2407.21783, 3.3.2
 *   Ulysses                    A2A Q, K, V + A2A O   the same                             arXiv:2309.14509
 *   experts, all to all        2 A2A of k copies     the same                             arXiv:2006.16668 */
#include "decision.h"

#include "collective/collective.h"
#include "cost/kernel.h"
#include "model/operation.h"

#define BUSY HEAVY "moe: {num_experts: 16, experts_per_token: 2, expert_intermediate_size: 512, imbalance: 1.5}\n"
#define SHARED HEAVY "moe: {num_experts: 16, experts_per_token: 2, expert_intermediate_size: 512, shared_experts: 1}\n"
#define LATENT MODEL "hidden_size: 1024\nnum_attention_heads: 16\nvocab_size: 51200\nnum_hidden_layers: 4\n" \
                     "intermediate_size: 4096\nmla: {q_lora_rank: 256, kv_lora_rank: 128, qk_nope_head_dim: 64, " \
                     "qk_rope_head_dim: 32, v_head_dim: 64}\n"
#define LINEAR HEAVY "intermediate_size: 4096\nlayer_pattern: [linear]\n" \
                     "linear: {key_heads: 8, value_heads: 16, key_dim: 64, value_dim: 64}\n"

enum { SEQUENCE = 4096, LAYERS = 4, HIDDEN = 1024, KEYS = 8 * 64, STEPS = 3 };

/* A collective of a layer: of `bytes`, so many times a micro-batch. */
struct call { enum collective kind; int64_t stride, size; double bytes, count; };

struct technique {
    const char *name, *model, *job;
    struct parallel parallel; /* degrees of 1 left out */
    int recompute;
    enum axis axis;         /* whose part of the time it is */
    struct call calls[10];  /* of a micro-batch, all layers */
};

/* Bytes of the hidden states of a micro-batch of one sequence, and of its keys and values. */
#define U (2.0 * SEQUENCE * HIDDEN)
#define KV (2.0 * SEQUENCE * 2 * KEYS)
#define AR COLLECTIVE_ALL_REDUCE
#define AG COLLECTIVE_ALL_GATHER
#define RS COLLECTIVE_REDUCE_SCATTER
#define A2A COLLECTIVE_ALL_TO_ALL
#define SEND COLLECTIVE_SEND

static const struct technique techniques[] = {
    /* Embedding: one all-reduce forward. Head: of its input's gradient, and three of 4 bytes a token for the loss. */
    {"tp", DENSE, "", {.tp = 8}, RECOMPUTE_NONE, AXIS_TP,
     {{AR, 1, 8, U, 4 * LAYERS + 2}, {AR, 1, 8, 4.0 * SEQUENCE, 3}}},
    {"tp, full recomputation", DENSE, "", {.tp = 8}, RECOMPUTE_FULL, AXIS_TP,
     {{AR, 1, 8, U, 6 * LAYERS + 2}, {AR, 1, 8, 4.0 * SEQUENCE, 3}}},
    {"tp, selective", DENSE, "", {.tp = 8}, RECOMPUTE_SELECTIVE, AXIS_TP,
     {{AR, 1, 8, U, 4 * LAYERS + 2}, {AR, 1, 8, 4.0 * SEQUENCE, 3}}},
    {"tp, feed-forward again", DENSE, "recompute_ops: [mlp]\n", {.tp = 8}, RECOMPUTE_SELECTIVE, AXIS_TP,
     {{AR, 1, 8, U, 5 * LAYERS + 2}, {AR, 1, 8, 4.0 * SEQUENCE, 3}}},
    /* Norms: two a layer and the last, summed once a step in fp32. */
    {"tp, sp", DENSE, "", {.tp = 8, .sp = true}, RECOMPUTE_NONE, AXIS_TP,
     {{AG, 1, 8, U, 6 * LAYERS + 3}, {RS, 1, 8, U, 4 * LAYERS + 2}, {AR, 1, 8, 4.0 * SEQUENCE, 3},
      {AR, 1, 8, 4.0 * (2 * LAYERS + 1) * HIDDEN, 1.0 / STEPS}}},
    {"tp, sp, full recomputation", DENSE, "", {.tp = 8, .sp = true}, RECOMPUTE_FULL, AXIS_TP,
     {{AG, 1, 8, U, 8 * LAYERS + 3}, {RS, 1, 8, U, 6 * LAYERS + 2}, {AR, 1, 8, 4.0 * SEQUENCE, 3},
      {AR, 1, 8, 4.0 * (2 * LAYERS + 1) * HIDDEN, 1.0 / STEPS}}},
    {"tp across nodes", DENSE, "", {.tp = 16}, RECOMPUTE_NONE, AXIS_TP,
     {{AR, 1, 16, U, 4 * LAYERS + 2}, {AR, 1, 16, 4.0 * SEQUENCE, 3}}},
    /* MLA gathers latents: 256 + 128 + 32 values of 1024; down projections are whole on every rank. */
    {"tp, sp, latent attention", LATENT, "", {.tp = 8, .sp = true}, RECOMPUTE_NONE, AXIS_TP,
     {{AG, 1, 8, U, 4 * LAYERS + 3}, {AG, 1, 8, U * 416 / 1024, 2 * LAYERS}, {RS, 1, 8, U, 3 * LAYERS + 2},
      {RS, 1, 8, U * 416 / 1024, LAYERS}, {AR, 1, 8, 4.0 * SEQUENCE, 3},
      {AR, 1, 8, 4.0 * ((2 * LAYERS + 1) * HIDDEN + LAYERS * (416 * HIDDEN + 256 + 128)), 1.0 / STEPS}}},
    {"ring", DENSE, "", {.cp = 4}, RECOMPUTE_NONE, AXIS_CP,
     {{SEND, 1, 4, KV / 4, 3 * LAYERS}, {SEND, 1, 4, 3 * KV / 4, 3 * LAYERS}, {SEND, 1, 4, 2 * KV / 4, LAYERS}}},
    {"ring, full recomputation", DENSE, "", {.cp = 4}, RECOMPUTE_FULL, AXIS_CP,
     {{SEND, 1, 4, KV / 4, 6 * LAYERS}, {SEND, 1, 4, 3 * KV / 4, 3 * LAYERS}, {SEND, 1, 4, 2 * KV / 4, LAYERS}}},
    {"all-gather", DENSE, "", {.cp = 4, .cp_kind = CONTEXT_ALL_GATHER}, RECOMPUTE_NONE, AXIS_CP,
     {{AG, 1, 4, KV, LAYERS}, {RS, 1, 4, KV, LAYERS}}},
    {"ulysses", DENSE, "", {.cp = 4, .cp_kind = CONTEXT_ULYSSES, .ulysses = 4}, RECOMPUTE_NONE, AXIS_CP,
     {{A2A, 1, 4, (U + KV) / 4, 2 * LAYERS}, {A2A, 1, 4, U / 4, 2 * LAYERS}}},
    /* 16 ranks share 8 key-value heads: two copies of each. */
    {"ulysses beyond its heads", DENSE, "", {.cp = 16, .cp_kind = CONTEXT_ULYSSES, .ulysses = 16}, RECOMPUTE_NONE,
     AXIS_CP, {{A2A, 1, 16, (U + 2 * KV) / 16, 2 * LAYERS}, {A2A, 1, 16, U / 16, 2 * LAYERS}}},
    {"ulysses by ring", DENSE, "", {.cp = 8, .cp_kind = CONTEXT_USP, .ulysses = 2}, RECOMPUTE_NONE, AXIS_CP,
     {{A2A, 1, 2, (U + KV) / 8, 2 * LAYERS}, {A2A, 1, 2, U / 8, 2 * LAYERS}, {SEND, 2, 4, KV / 8, 3 * LAYERS},
      {SEND, 2, 4, 3 * KV / 8, 3 * LAYERS}, {SEND, 2, 4, 2 * KV / 8, LAYERS}}},
    {"ulysses in the node, ring across", DENSE, "", {.cp = 16, .cp_kind = CONTEXT_USP, .ulysses = 8}, RECOMPUTE_NONE,
     AXIS_CP,
     {{A2A, 1, 8, (U + KV) / 16, 2 * LAYERS}, {A2A, 1, 8, U / 16, 2 * LAYERS}, {SEND, 8, 2, KV / 16, LAYERS},
      {SEND, 8, 2, 3 * KV / 16, LAYERS}, {SEND, 8, 2, 2 * KV / 16, LAYERS}}},
    /* States of 64 x 64 in fp32 for each of 16 heads from each of 4 ranks. */
    {"linear attention", LINEAR, "", {.cp = 4}, RECOMPUTE_NONE, AXIS_CP,
     {{AG, 1, 4, 4.0 * 16 * 64 * 64 * 4, 2 * LAYERS}}},
    {"experts", EXPERTS, "", {.dp = 8, .ep = 8}, RECOMPUTE_NONE, AXIS_EP, {{A2A, 1, 8, 2 * U, 4 * LAYERS}}},
    {"experts, full recomputation", EXPERTS, "", {.dp = 8, .ep = 8}, RECOMPUTE_FULL, AXIS_EP,
     {{A2A, 1, 8, 2 * U, 6 * LAYERS}}},
    {"busy experts", BUSY, "", {.dp = 8, .ep = 8}, RECOMPUTE_NONE, AXIS_EP, {{A2A, 1, 8, 3 * U, 4 * LAYERS}}},
    {"shared experts", SHARED, "overlap: {experts: true}\n", {.dp = 8, .ep = 8}, RECOMPUTE_NONE, AXIS_EP,
     {{A2A, 1, 8, 2 * U, 4 * LAYERS}}},
    {"experts of all tokens", EXPERTS, "dispatch: allgather\n", {.dp = 8, .ep = 8}, RECOMPUTE_NONE, AXIS_EP,
     {{AG, 1, 8, 8 * U, 2 * LAYERS}, {RS, 1, 8, 8 * U, 2 * LAYERS}}},
    /* Two experts on 8 ranks of two each: 8 (1 - C(14,2) / C(16,2)) = 8 x 29 / 120 ranks. */
    {"experts by node", EXPERTS, "dispatch: flex\n", {.dp = 8, .ep = 8}, RECOMPUTE_NONE, AXIS_EP,
     {{A2A, 1, 8, U * 8 * 29 / 120, 4 * LAYERS}}},
    /* On 2 nodes: 2 (1 - C(8,2) / C(16,2)) = 2 x 92 / 120 by the same rail; then 2 of 16 ranks of one expert. */
    {"experts by node, two nodes", EXPERTS, "dispatch: flex\n", {.dp = 16, .ep = 16}, RECOMPUTE_NONE, AXIS_EP,
     {{A2A, 8, 2, U * 2 * 92 / 120, 4 * LAYERS}, {A2A, 1, 8, 2 * U, 4 * LAYERS}}},
    /* Each of two ranks has half an expert's width: rows of both are gathered and what comes out is summed. */
    {"experts' tensor parallelism", EXPERTS, "", {.dp = 8, .ep = 4, .etp = 2}, RECOMPUTE_NONE, AXIS_EP,
     {{A2A, 2, 4, 2 * U, 4 * LAYERS}, {AG, 1, 2, 4 * U, 2 * LAYERS}, {RS, 1, 2, 4 * U, 2 * LAYERS}}},
    {"experts' tensor parallelism alone", EXPERTS, "", {.dp = 8, .etp = 8}, RECOMPUTE_NONE, AXIS_EP,
     {{AG, 1, 8, 16 * U, 2 * LAYERS}, {RS, 1, 8, 16 * U, 2 * LAYERS}}},
};

static double expected(const struct topology *topology, const struct technique *t) {
    double seconds = 0;
    for (size_t i = 0; i < ROWS(t->calls) && t->calls[i].count > 0; i++) {
        const struct call *call = &t->calls[i];
        struct span span = route_span(topology, call->stride, call->size);
        seconds += STEPS * call->count * collective_seconds(&span, call->kind, call->bytes, NULL);
    }
    return seconds;
}

static double part_of(struct time_parts time, enum axis axis) {
    return axis == AXIS_TP ? time.tp_exposed : axis == AXIS_CP ? time.cp_exposed : time.ep_exposed;
}

Test(layer, every_technique_costs_what_it_sends) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(techniques); i++) {
        const struct technique *t = &techniques[i];
        struct decision d = alone;
        d.parallel = filled(t->parallel);
        d.recompute = t->recompute;
        d.micro_batches = STEPS;
        int64_t world = d.parallel.tp * d.parallel.cp * d.parallel.dp;
        const struct topology *topology = setup_slow(arena, world, true);
        const char *job = arena_format(arena, "seq_len: %d\nglobal_batch: %lld\n%s", SEQUENCE,
                                       (long long)(STEPS * d.parallel.dp), t->job);
        struct cost_context c = cost_context_make(setup_model(arena, t->model), topology, setup_job(arena, job));
        struct estimate e = cost_estimate(arena, &c, &d, NULL);
        cr_assert(e.step_time > 0, "%s: %s", t->name, ((const char **)e.reasons.items)[0]);
        double visible = part_of(e.time, t->axis), wanted = expected(topology, t);
        cr_expect(near(visible, wanted, 1e-9), "%s: %.12g s visible, %.12g s sent", t->name, visible, wanted);
        bool data = d.parallel.dp * d.parallel.cp > 1; /* gradients, always */
        cr_expect(near(e.step_time, wanted + e.time.dp_exposed, 1e-9) && data == (e.time.dp_exposed > 0),
                  "%s: step %.12g s, of which %.12g s are of data parallelism", t->name, e.step_time,
                  e.time.dp_exposed);
    }
    arena_close(arena);
}

/* What runs beside exchanges of a layer that take longer, with the real kernels of the H100: seconds of one micro-batch
 * and layer, forward and backward. */
typedef double beside_seconds(const struct device *device);

static double product(const struct device *device, double m, double n, double k) {
    return kernel_gemm(device, DTYPE_BF16, m, n, k, 1);
}

/* The input gradient's reduction runs beside the weight gradient of the same projection: QKV and the gated FC1. */
static double weight_gradients(const struct device *device) {
    return product(device, HIDDEN, (HIDDEN + 2 * KEYS) / 8.0, SEQUENCE) +
           product(device, HIDDEN, 2 * 4096 / 8.0, SEQUENCE);
}

/* Cut in 8 pieces, one of which is alone: the reduction of the output of both blocks, beside its own product. */
static double pieces(const struct device *device) {
    double rows = product(device, SEQUENCE, HIDDEN, HIDDEN / 8.0) + product(device, SEQUENCE, HIDDEN, 4096 / 8.0);
    return weight_gradients(device) + rows * 7 / 8;
}

/* With sequence parallelism the saved input is gathered again beside the input gradient. */
static double saved_inputs(const struct device *device) {
    return weight_gradients(device) + product(device, SEQUENCE, HIDDEN, (HIDDEN + 2 * KEYS) / 8.0) +
           product(device, SEQUENCE, HIDDEN, 2 * 4096 / 8.0);
}

/* Three of four blocks of causal attention, each way. */
static double ring_blocks(const struct device *device) {
    struct attention_shape shape = {1, 16, 8, SEQUENCE / 4.0, SEQUENCE, 64, 64, SEQUENCE * (SEQUENCE + 1.0) / 2 / 4};
    double blocks = kernel_attention(device, DTYPE_BF16, KERNEL_FORWARD, &shape) +
                    kernel_attention(device, DTYPE_BF16, KERNEL_BACKWARD, &shape);
    return blocks * 3 / 4;
}

/* The shared expert once each way, however many exchanges there are: its gated first product and half as much again. */
static double shared_expert(const struct device *device) {
    return 2 * 1.5 * product(device, SEQUENCE, 2 * 512, HIDDEN);
}

static double nothing(const struct device *device) {
    (void)device;
    return 0;
}

struct overlapped {
    const char *name, *model, *job;
    struct parallel parallel;
    enum axis axis;
    beside_seconds *beside;
    int head; /* products of the head beside exchanges of its own: its weight gradient, its input gradient */
};

#define OUTPUTS (51200.0 / 8)

static const struct overlapped overlaps[] = {
    {"tp", DENSE, "", {.tp = 8}, AXIS_TP, weight_gradients, 1},
    {"tp in pieces", DENSE, "overlap: {tensor: true}\n", {.tp = 8}, AXIS_TP, pieces, 1},
    {"tp, sp", DENSE, "", {.tp = 8, .sp = true}, AXIS_TP, saved_inputs, 2},
    {"ring", DENSE, "", {.cp = 4}, AXIS_CP, ring_blocks, 0},
    {"all-gather", DENSE, "", {.cp = 4, .cp_kind = CONTEXT_ALL_GATHER}, AXIS_CP, nothing, 0},
    {"ulysses", DENSE, "", {.cp = 4, .cp_kind = CONTEXT_ULYSSES, .ulysses = 4}, AXIS_CP, nothing, 0},
    {"experts", SHARED, "", {.dp = 8, .ep = 8}, AXIS_EP, nothing, 0},
    {"no shared expert", EXPERTS, "overlap: {experts: true}\n", {.dp = 8, .ep = 8}, AXIS_EP, nothing, 0},
    {"shared expert", SHARED, "overlap: {experts: true}\n", {.dp = 8, .ep = 8}, AXIS_EP, shared_expert, 0},
    {"shared expert, four exchanges", SHARED, "overlap: {experts: true}\n", {.dp = 8, .ep = 4, .etp = 2}, AXIS_EP,
     shared_expert, 0},
    {"shared expert, by node", SHARED, "overlap: {experts: true}\ndispatch: flex\n", {.dp = 16, .ep = 16}, AXIS_EP,
     shared_expert, 0},
};

/* An exchange that takes longer than what runs beside it hides all of that but for the slow-down of a quarter. */
Test(layer, what_is_hidden_runs_beside) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(overlaps); i++) {
        const struct overlapped *o = &overlaps[i];
        struct decision d = alone;
        d.parallel = filled(o->parallel);
        int64_t world = d.parallel.tp * d.parallel.cp * d.parallel.dp;
        const struct model *model = setup_model(arena, o->model);
        const struct job *job = setup_job(arena, arena_format(arena, "seq_len: %d\nglobal_batch: %lld\n%s", SEQUENCE,
                                                              (long long)d.parallel.dp, o->job));
        struct cost_context real = cost_context_make(model, setup_slow(arena, world, false), job);
        struct cost_context instant = cost_context_make(model, setup_slow(arena, world, true), job);
        double hidden = part_of(cost_estimate(arena, &instant, &d, NULL).time, o->axis) -
                        part_of(cost_estimate(arena, &real, &d, NULL).time, o->axis);
        double head = o->head > 0 ? product(real.device, HIDDEN, OUTPUTS, SEQUENCE) : 0;
        head += o->head > 1 ? product(real.device, SEQUENCE, HIDDEN, OUTPUTS) : 0;
        double beside = (LAYERS * o->beside(real.device) + head) * 0.75;
        cr_expect(fabs(hidden - beside) <= 1e-9 * beside + 1e-9, "%s: %.12g s hidden, %.12g s beside", o->name, hidden,
                  beside);
    }
    arena_close(arena);
}

/* A block of prediction ahead: a layer, the projection 2h x h with what it gathers and reduces, and the head once more.
 * Its two inputs are kept. */
Test(layer, prediction_ahead) {
    struct arena *arena = support_arena();
    const struct topology *topology = setup_topology(arena, "h100-sxm", 8);
    struct cost_context c = cost_context_make(setup_model(arena, DENSE "mtp_layers: 1\n"), topology,
                                              setup_job(arena, arena_format(arena, "seq_len: %d\n", SEQUENCE)));
    for (int sp = 0; sp < 2; sp++) {
        struct parallel parallel = filled((struct parallel){.tp = 8, .sp = sp == 1});
        struct cut cut = cost_cut(&c, &parallel);
        struct work_cost work;
        cost_work(&c, &cut, 1, &work);
        struct layer_work projection = {.operation_count = 1};
        projection.operations[0] = (struct operation){.kind = OPERATION_GEMM, .m = SEQUENCE, .n = HIDDEN / 8.0,
                                                      .k = 2 * HIDDEN, .batch = 1};
        struct layer_cost own;
        cost_operations(&c, &projection, &own);
        const struct layer_cost *layer = &work.kinds[0], *head = &work.head, *ahead = &work.mtp;
        const struct pass_cost *sums[3][4] = {{&ahead->forward, &layer->forward, &head->forward, &own.forward},
                                              {&ahead->backward, &layer->backward, &head->backward, &own.backward},
                                              {&ahead->weight, &layer->weight, &head->weight, &own.weight}};
        struct span tensor = route_span(topology, 1, 8);
        double out = collective_seconds(&tensor, AG, U, NULL), in = collective_seconds(&tensor, AG, 2 * U, NULL);
        double back = collective_seconds(&tensor, sp ? RS : AR, 2 * U, NULL);
        const double sent[3] = {out + (sp ? in : 0), back, 0};
        for (int i = 0; i < 3; i++) {
            double compute = sums[i][1]->compute + sums[i][2]->compute + sums[i][3]->compute;
            double visible = sums[i][1]->exposed.tp + sums[i][2]->exposed.tp + sent[i];
            cr_expect(near(sums[i][0]->compute, compute, 1e-12), "pass %d: %g s, %g s", i, sums[i][0]->compute,
                      compute);
            cr_expect(fabs(sums[i][0]->exposed.tp - visible) <= 1e-12 * visible, "pass %d: %g s visible, %g s", i,
                      sums[i][0]->exposed.tp, visible);
        }
        double inputs = 2 * U / (sp ? 8 : 1);
        for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
            cr_expect(near(ahead->saved[mode], layer->saved[mode] + head->saved[mode] + inputs, 1e-12));
            /* of the head: the norm's input and output; the logits are apart */
            cr_expect(near(head->saved[mode], 2 * U / (sp ? 8 : 1), 1e-12), "head keeps %g bytes", head->saved[mode]);
        }
        cr_expect(ahead->logits == head->logits && near(head->logits, 8.0 * SEQUENCE * 51200 / 8, 1e-12));
    }
    arena_close(arena);
}
