/* What operations move and run: bytes of those bound by memory, shapes of attention, and what recomputation runs again.
 */
#include "load.h"

#include "model/operation.h"

#define GROUPED TEXT "intermediate_size: 1024\nnum_key_value_heads: 2\nhead_dim: 64\n"
#define LATENT                                                                                                         \
    TEXT "intermediate_size: 1024\n"                                                                                   \
         "mla: {q_lora_rank: 96, kv_lora_rank: 64, qk_nope_head_dim: 32, qk_rope_head_dim: 16, v_head_dim: 24}\n"
#define EXPERTS GROUPED "moe: {num_experts: 16, experts_per_token: 3, expert_intermediate_size: 40"
#define DELTA                                                                                                          \
    GROUPED "layer_pattern: [linear]\nlinear: {key_heads: 4, value_heads: 8, key_dim: 16, value_dim: 32, chunk: 32"
#define CROSS GROUPED "encoder: {num_hidden_layers: 1, seq_len: 96}\n"

enum { H = 512, QUERY = 8 * 64, KEY = 2 * 64, F = 1024, TOKENS = 256, STREAM = 2 * 4 * 16 + 8 * 32, VALUES = 8 * 32 };

struct plan {
    int64_t tp, cp, ulysses, ep, etp;
    bool sp, unfused, fp8, plain;
}; /* plain: norms and activations unfused */

static struct shard shard_of(const struct plan *plan) {
    return (struct shard){.tp = plan->tp > 0 ? plan->tp : 1,
                          .cp = plan->cp > 0 ? plan->cp : 1,
                          .ep = plan->ep > 0 ? plan->ep : 1,
                          .etp = plan->etp > 0 ? plan->etp : 1,
                          .ulysses = plan->ulysses > 0 ? plan->ulysses : 1,
                          .sequence_parallel = plan->sp,
                          .micro_batch = 2,
                          .seq_len = 128,
                          .element = 2,
                          .fp8 = plan->fp8,
                          .flash = !plan->unfused,
                          .fused_norm = !plan->plain,
                          .fused_activation = !plan->plain,
                          .expert_load = 1};
}

/* The list of the document's last layer. */
static void list_layer(struct arena *arena, const char *text, const struct plan *plan, struct layer_work *ret) {
    struct model model;
    struct diag diag;
    enum status status = load_text(arena, text, &model, &diag);
    cr_assert_eq(status, OK, "%s: %s", text, diag.count > 0 ? diag.entries[0].text : "");
    struct shard shard = shard_of(plan);
    operation_layer(&model, &model.kinds[model.layers[model.layer_count - 1]], &shard, ret);
}

/* The first operation of this name. */
static const struct operation *find(const struct layer_work *work, const char *name) {
    for (int i = 0; i < work->operation_count; i++) {
        if (text_equal(work->operations[i].name, name)) {
            return &work->operations[i];
        }
    }
    cr_assert_fail("no operation '%s'", name);
    return NULL;
}

/* Each reads what it takes and writes what it makes, once; values of 2 bytes a token. Backward reads the gradient and
 * what was kept and writes the gradient. A sequence-parallel rank has its own tokens. */
Test(operation_traffic, bytes) {
    static const struct {
        const char *text, *name;
        struct plan plan;
        double forward, backward; /* a token of the layer */
    } rows[] = {
        {GROUPED, "attention norm", {0}, 2 * 2 * H, 3 * 2 * H},
        {GROUPED, "attention norm", {.plain = true}, 4 * 2 * H, 6 * 2 * H},
        {GROUPED, "feed-forward norm", {.tp = 2, .sp = true}, 2 * 2 * H / 2, 3 * 2 * H / 2},
        {GROUPED, "attention residual", {0}, 3 * 2 * H, 2 * 2 * H},
        {GROUPED "dropout: 0.1\n", "attention residual", {0}, 3 * 2 * H + H, 2 * 2 * H + H},
        {GROUPED, "rotary", {0}, 2 * 2 * (QUERY + KEY), 2 * 2 * (QUERY + KEY)},
        {GROUPED, "rotary", {.tp = 4}, 2 * 2 * (QUERY / 4 + 64), 2 * 2 * (QUERY / 4 + 64)},
        {GROUPED "qk_norm: true\n", "qk norm", {0}, 2 * 2 * (QUERY + KEY), 3 * 2 * (QUERY + KEY)},
        {GROUPED "attn_output_gate: true\n", "output gate", {0}, 3 * 2 * QUERY, 5 * 2 * QUERY},
        {GROUPED, "softmax", {.unfused = true}, 2 * 2 * 8 * 128, 3 * 2 * 8 * 128},
        {GROUPED "dropout: 0.1\n", "attention dropout", {.unfused = true}, 5 * 8 * 128, 5 * 8 * 128},
        {GROUPED, "activation", {0}, 3 * 2 * F, 5 * 2 * F},
        {GROUPED, "activation", {.plain = true}, 6 * 2 * F, 10 * 2 * F},
        {GROUPED "mlp: gelu\n", "activation", {.tp = 2}, 2 * 2 * F / 2, 3 * 2 * F / 2},
        {LATENT, "q latent norm", {0}, 2 * 2 * 96, 3 * 2 * 96},
        {LATENT, "kv latent norm", {.tp = 2, .sp = true}, 2 * 2 * 64 / 2, 3 * 2 * 64 / 2},
        {LATENT, "rotary", {0}, 4 * 2 * 8 * 48, 4 * 2 * 8 * 48},
        {EXPERTS "}\n", "activation", {0}, 3 * 2 * 3 * 40, 5 * 2 * 3 * 40},
        {EXPERTS "}\n", "top-k", {.tp = 2, .sp = true}, 12 * 16 / 2, 12 * 16 / 2},
        {EXPERTS "}\n", "permute", {0}, 2 * (3 + 1) * H, 2 * (3 + 1) * H},
        {EXPERTS "}\n", "unpermute", {.tp = 2, .sp = true}, 2 * (3 + 1) * H / 2, 2 * (3 + 1) * H / 2},
        {DELTA ", conv_kernel: 4}\n", "convolution", {0}, 2 * 2 * STREAM, 3 * 2 * STREAM},
        {DELTA ", gate: true}\n", "output norm and gate", {0}, 3 * 2 * VALUES, 5 * 2 * VALUES},
        {DELTA ", output_norm: 32}\n", "output norm and gate", {0}, 2 * 2 * VALUES, 3 * 2 * VALUES},
        {DELTA ", output_norm: 32, gate: true}\n",
         "output norm and gate",
         {.tp = 4},
         3 * 2 * VALUES / 4,
         5 * 2 * VALUES / 4},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct layer_work work;
        list_layer(arena, rows[i].text, &rows[i].plan, &work);
        const struct operation *o = find(&work, rows[i].name);
        cr_expect_eq(o->kind, OPERATION_MEMORY);
        cr_expect(o->forward_bytes == TOKENS * rows[i].forward && o->backward_bytes == TOKENS * rows[i].backward,
                  "row %zu %s: %.1f forward, %.1f backward", i, o->name, o->forward_bytes / TOKENS,
                  o->backward_bytes / TOKENS);
    }
    struct layer_work work;
    list_layer(arena, DELTA "}\n", &(struct plan){0}, &work); /* neither norm nor gate: nothing to do */
    for (int i = 0; i < work.operation_count; i++) {
        cr_expect_not(text_equal(work.operations[i].name, "output norm and gate"));
    }
    list_layer(arena, GROUPED "position: alibi\n", &(struct plan){0}, &work);
    for (int i = 0; i < work.operation_count; i++) {
        cr_expect_not(text_equal(work.operations[i].name, "rotary"));
    }
    arena_close(arena);
}

/* Fused attention as a kernel sees it: context parallelism cuts queries, Ulysses heads; key-value heads are at least 1.
 */
Test(operation_traffic, attention_shapes) {
    static const struct {
        const char *text;
        struct plan plan;
        double heads, kv_heads, query, keys, key_dim, value_dim, pairs;
    } rows[] = {
        {GROUPED, {0}, 8, 2, 128, 128, 64, 64, 128 * 129 / 2},
        {GROUPED, {.tp = 2}, 4, 1, 128, 128, 64, 64, 128 * 129 / 2},
        {GROUPED, {.tp = 4}, 2, 1, 128, 128, 64, 64, 128 * 129 / 2},
        {GROUPED, {.cp = 4}, 8, 2, 32, 128, 64, 64, 128 * 129 / 8},
        {GROUPED, {.cp = 4, .ulysses = 4}, 2, 1, 128, 128, 64, 64, 128 * 129 / 2},
        {GROUPED, {.cp = 4, .ulysses = 2}, 4, 1, 64, 128, 64, 64, 128 * 129 / 4},
        {GROUPED, {.tp = 2, .cp = 2, .ulysses = 2}, 2, 1, 128, 128, 64, 64, 128 * 129 / 2},
        {GROUPED "causal: false\n", {0}, 8, 2, 128, 128, 64, 64, 128 * 128},
        {GROUPED "sliding_window: 10\n", {0}, 8, 2, 128, 128, 64, 64, 10 * 128 - 45},
        {GROUPED "sliding_window: 128\n", {0}, 8, 2, 128, 128, 64, 64, 128 * 129 / 2},
        {GROUPED "sliding_window: 200\n", {0}, 8, 2, 128, 128, 64, 64, 128 * 129 / 2},
        {GROUPED "sliding_window: 10\ncausal: false\n", {0}, 8, 2, 128, 128, 64, 64, 10 * 128 - 15 - 10},
        {LATENT, {.tp = 2}, 4, 4, 128, 128, 48, 24, 128 * 129 / 2},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct layer_work work;
        list_layer(arena, rows[i].text, &rows[i].plan, &work);
        const struct operation *o = find(&work, "attention");
        cr_expect(o->kind == OPERATION_ATTENTION && o->batch == 2);
        cr_expect(o->heads == rows[i].heads && o->kv_heads == rows[i].kv_heads && o->query == rows[i].query &&
                      o->keys == rows[i].keys && o->key_dim == rows[i].key_dim && o->value_dim == rows[i].value_dim,
                  "row %zu: %.0f heads, %.0f key-value heads, %.0f x %.0f, %.0f and %.0f", i, o->heads, o->kv_heads,
                  o->query, o->keys, o->key_dim, o->value_dim);
        cr_expect_eq(o->pairs, rows[i].pairs, "row %zu: %.1f pairs", i, o->pairs);
    }
    struct layer_work work;
    list_layer(arena, CROSS, &(struct plan){.cp = 4}, &work);
    const struct operation *o = &work.operations[0];
    for (int i = 0, seen = 0; i < work.operation_count; i++) {
        seen += work.operations[i].kind == OPERATION_ATTENTION ? 1 : 0;
        o = seen == 2 && work.operations[i].kind == OPERATION_ATTENTION ? &work.operations[i] : o;
    }
    cr_expect(o->query == 32 && o->keys == 96 && o->pairs == 32 * 96 && o->kv_heads == 2, "cross %.0f x %.0f", o->query,
              o->keys);
    arena_close(arena);
}

/* The experts of a rank share its rows; every operation is one kernel but routing and permutation, which are many. */
Test(operation_traffic, experts_shapes) {
    static const struct {
        const char *text;
        struct plan plan;
        double m, n, k, batch;
    } rows[] = {
        {EXPERTS "}\n", {0}, TOKENS * 3, 2 * 40, H, 16},
        {EXPERTS "}\nmlp: relu\n", {0}, TOKENS * 3, 40, H, 16},
        {EXPERTS "}\n", {.etp = 2}, TOKENS * 3 * 2, 40, H, 16},
        {EXPERTS "}\n", {.tp = 2, .sp = true}, TOKENS * 3 / 2, 2 * 40, H, 16},
        {EXPERTS "}\n", {.ep = 8}, TOKENS * 3, 2 * 40, H, 2},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct layer_work work;
        list_layer(arena, rows[i].text, &rows[i].plan, &work);
        const struct operation *o = find(&work, "experts fc1"), *down = find(&work, "experts fc2");
        cr_expect(o->kind == OPERATION_GROUPED && o->m == rows[i].m && o->n == rows[i].n && o->k == rows[i].k &&
                      o->batch == rows[i].batch,
                  "row %zu: %.0f x %.0f x %.0f, %.0f experts", i, o->m, o->n, o->k, o->batch);
        cr_expect(down->kind == OPERATION_GROUPED && down->m == rows[i].m && down->n == H &&
                  down->batch == rows[i].batch);
        cr_expect_eq(work.expert_rows, rows[i].m);
        for (int j = 0; j < work.operation_count; j++) {
            const struct operation *each = &work.operations[j];
            bool many = text_equal(each->name, "top-k") || text_ends(each->name, "permute");
            cr_expect(many ? each->launches > 1 : each->launches == 1, "%s: %.0f kernels", each->name, each->launches);
            cr_expect(each->kind == OPERATION_GROUPED || each->kind == OPERATION_ATTENTION || each->batch == 1, "%s",
                      each->name);
        }
    }
    arena_close(arena);
}

static double list_flops(const struct operation *o) {
    if (o->kind == OPERATION_ATTENTION) {
        return 2 * o->batch * o->heads * o->pairs * (o->key_dim + o->value_dim);
    }
    return o->kind == OPERATION_MEMORY ? 0 : 2 * o->m * o->n * o->k * (o->kind == OPERATION_SCORES ? o->batch : 1);
}

/* Forward products, and forward bytes of what is bound by memory, that recomputing these parts runs again; a token. */
Test(operation_traffic, recomputation_runs_again) {
    static const double core = 4 * 64.5 * QUERY, up = 2 * (96 * 8 * 48 + 64 * 8 * 56);
    static const double norms = 2 * 2 * 2 * H, act = 3 * 2 * F, expert = 2 * 3 * 3 * H * 40;
    static const struct {
        const char *text;
        struct plan plan;
        unsigned parts;
        double flops, bytes;
    } rows[] = {
        {GROUPED, {0}, PART_CORE, core, 0},
        {GROUPED, {0}, PART_NORM, 0, norms},
        {GROUPED, {0}, PART_NORM | PART_ACTIVATION, 0, norms + act},
        {GROUPED, {0}, PART_MLP, 2 * 3 * H * F, act},
        {GROUPED, {0}, PART_MOE | PART_MLA_UP, 0, 0},
        {GROUPED,
         {0},
         PART_ALL,
         2 * (2 * H * QUERY + 2 * H * KEY + 3 * H * F) + core,
         norms + act + 2 * 3 * 2 * H + 2 * 2 * (QUERY + KEY)},
        {GROUPED, {.unfused = true}, PART_CORE, 4 * 128 * QUERY, 2 * 2 * 8 * 128},
        {GROUPED "dropout: 0.1\n", {.unfused = true}, PART_CORE, 4 * 128 * QUERY, 4 * 8 * 128 + 5 * 8 * 128},
        {GROUPED "qk_norm: true\n", {0}, PART_NORM, 0, norms + 2 * 2 * (QUERY + KEY)},
        {LATENT, {0}, PART_MLA_UP, up, 4 * 2 * 8 * 48},
        {LATENT, {0}, PART_NORM, 0, norms + 2 * 2 * (96 + 64)},
        {TEXT "intermediate_size: 1024\n" MLA, {0}, PART_MLA_UP, 2 * (512 * 8 * 48 + 64 * 8 * 64), 4 * 2 * 8 * 48},
        {EXPERTS "}\n", {0}, PART_MOE, 2 * H * 16 + expert, 12 * 16 + 2 * 2 * 4 * H + 3 * 2 * 3 * 40},
        {EXPERTS "}\n", {0}, PART_ACTIVATION, 0, 3 * 2 * 3 * 40},
        {EXPERTS ", shared_experts: 1, shared_expert_gate: true}\n",
         {0},
         PART_MOE,
         2 * H * 16 + expert + 2 * 3 * H * 40 + 2 * H,
         12 * 16 + 2 * 2 * 4 * H + 3 * 2 * 4 * 40},
        {EXPERTS "}\n", {0}, PART_MLP, 0, 0},
        {DELTA "}\n", {0}, PART_CORE, 8 * (2 * 32 * (16 + 32) + 4 * 16 * 32), 0},
        {CROSS, {0}, PART_CORE, core + 4 * 96 * QUERY, 0},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct layer_work work;
        double flops = 0, bytes = 0;
        list_layer(arena, rows[i].text, &rows[i].plan, &work);
        for (int j = 0; j < work.operation_count; j++) {
            const struct operation *o = &work.operations[j];
            bool again = (o->parts & rows[i].parts) != 0;
            flops += again ? list_flops(o) / TOKENS : 0;
            bytes += again ? o->forward_bytes / TOKENS : 0;
        }
        cr_expect(flops == rows[i].flops && bytes == rows[i].bytes,
                  "row %zu: %.1f FLOPs and %.1f bytes, expected %.1f and "
                  "%.1f",
                  i, flops, bytes, rows[i].flops, rows[i].bytes);
    }
    arena_close(arena);
}

/* Embedding: a lookup and its gradient; the loss in fp32 makes 18 bytes of traffic a logit forward and 10 backward,
 * fused 4 each way. */
Test(operation_traffic, outside_the_layers) {
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    struct diag diag;
    struct layer_work work;
    struct shard shard = shard_of(&(struct plan){.tp = 2, .sp = true});
    cr_assert_eq(load_text(arena, CROSS "dropout: 0.1\n", &model, &diag), OK);
    operation_embedding(&model, &shard, &work);
    const struct operation *o = find(&work, "embedding");
    cr_expect(o->forward_bytes == (256 + 192) * 2 * 2 * H && o->backward_bytes == (256 + 192) * 3 * 2 * H);
    o = find(&work, "embedding dropout");
    cr_expect(o->forward_bytes == (256 + 192) / 2 * 2 * 2 * H && o->backward_bytes == o->forward_bytes);
    cr_expect_eq(work.tokens, 256 + 192);
    for (int fused = 0; fused < 2; fused++) {
        operation_head(&model, &shard, fused == 1, &work);
        o = find(&work, "loss");
        double logits = 256 * 512;
        cr_expect(o->forward_bytes == (fused ? 4 : 18) * logits && o->backward_bytes == (fused ? 4 : 10) * logits);
        o = find(&work, "head");
        cr_expect(o->m == 256 && o->n == 512 && o->k == H);
        cr_expect_eq(find(&work, "final norm")->forward_bytes, 128 * 2 * 2 * H);
    }
    /* ViT's classes of an image, DiT's pixels of a patch: here over two ranks. */
    load_shipped(arena, "vit-l-16", &model);
    operation_head(&model, &shard, false, &work);
    o = find(&work, "head");
    cr_expect(o->m == 2 && o->n == 500 && o->k == 1024);
    operation_embedding(&model, &shard, &work);
    o = find(&work, "patch embedding");
    cr_expect(o->m == 197 && o->n == 1024 && o->k == 16 * 16 * 3, "%.0f x %.0f x %.0f", o->m, o->n, o->k);
    load_shipped(arena, "dit-xl-2", &model);
    operation_head(&model, &shard, false, &work);
    o = find(&work, "head");
    cr_expect(o->m == 2 * 256 && o->n == 16 && o->k == 1152);
    o = find(&work, "last modulation");
    cr_expect(o->m == 2 && o->n == 1152 && o->k == 1152);
    operation_embedding(&model, &shard, &work);
    cr_expect(find(&work, "timestep")->k == 256 && find(&work, "timestep")->m == 2);
    cr_expect(find(&work, "conditioning")->k == 1152 && find(&work, "conditioning")->n == 1152);
    struct layer_work layer;
    operation_layer(&model, &model.kinds[0], &shard, &layer);
    cr_expect(find(&layer, "adaln")->m == 2 && find(&layer, "adaln")->n == 6 * 1152 / 2);
    arena_close(arena);
}
