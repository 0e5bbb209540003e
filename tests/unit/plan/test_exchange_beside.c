/* What exchanges run beside, what recomputation repeats, and the exchanges outside the layers. */
#include "setup.h"

#include <math.h>

#include "plan/exchange.h"

static struct shard cut(int64_t tp, int64_t cp, int64_t ep, bool sp) {
    return (struct shard){.tp = tp,
                          .cp = cp,
                          .ep = ep,
                          .etp = 1,
                          .ulysses = 1,
                          .sequence_parallel = sp,
                          .micro_batch = 1,
                          .seq_len = 1024,
                          .element = 2,
                          .flash = true,
                          .expert_load = 1};
}

static void list_layer(struct arena *arena, const char *text, const struct shard *shard, const char *job,
                       struct exchange_list *ret) {
    const struct model *model = setup_model(arena, text);
    struct layer_work work;
    const struct layer_kind *kind = &model->kinds[model->layers[model->layer_count - 1]];
    operation_layer(model, kind, shard, &work);
    exchange_layer(model, kind, shard, CONTEXT_RING, setup_job(arena, job), &work, ret);
}

/* The `number`-th exchange of this name, from 0. */
static const struct exchange *find(const struct exchange_list *list, const char *name, int number) {
    for (int i = 0; i < list->count; i++) {
        if (text_equal(list->items[i].name, name) && number-- == 0) {
            return &list->items[i];
        }
    }
    cr_assert_fail("no exchange '%s'", name);
    return NULL;
}

#define EXPERTS                                                                                                        \
    SMALL "num_hidden_layers: 1\nmoe: {num_experts: 8, experts_per_token: 2, expert_intermediate_size: 64, "           \
          "shared_experts: 1}\n"

/* A GEMM of n x k beside: column inputs by the column, row outputs by the row; the forms that software must ask for
 * only when it does. */
Test(exchange_beside, gemms) {
    static const struct {
        const char *name;
        int number;
        enum exchange_phase phase;
        enum exchange_beside plain, overlapped;
        double n, k;
    } rows[] = {
        {"gather input", 0, EXCHANGE_FORWARD, BESIDE_NOTHING, BESIDE_GEMM, (512 + 2 * 512) / 4, 512},
        {"reduce output", 0, EXCHANGE_FORWARD, BESIDE_NOTHING, BESIDE_GEMM, 512, 512 / 4},
        {"gather output gradient", 0, EXCHANGE_BACKWARD, BESIDE_NOTHING, BESIDE_GEMM, 512, 512 / 4},
        {"reduce input gradient", 0, EXCHANGE_BACKWARD, BESIDE_WEIGHT_GRADIENT, BESIDE_WEIGHT_GRADIENT, 1536 / 4, 512},
        {"gather saved input", 0, EXCHANGE_BACKWARD, BESIDE_INPUT_GRADIENT, BESIDE_INPUT_GRADIENT, 1536 / 4, 512},
        {"gather input", 1, EXCHANGE_FORWARD, BESIDE_NOTHING, BESIDE_GEMM, 2 * 1024 / 4, 512},
        {"reduce output", 1, EXCHANGE_FORWARD, BESIDE_NOTHING, BESIDE_GEMM, 512, 1024 / 4},
        {"reduce input gradient", 1, EXCHANGE_BACKWARD, BESIDE_WEIGHT_GRADIENT, BESIDE_WEIGHT_GRADIENT, 2048 / 4, 512},
    };
    struct arena *arena = support_arena();
    struct shard shard = cut(4, 1, 1, true);
    for (int overlapped = 0; overlapped < 2; overlapped++) {
        struct exchange_list list;
        list_layer(arena, SMALL "num_hidden_layers: 1\n", &shard, overlapped ? "overlap: {tensor: true}\n" : "", &list);
        cr_expect_eq(list.count, 10, "%d exchanges", list.count);
        for (size_t i = 0; i < ROWS(rows); i++) {
            const struct exchange *e = find(&list, rows[i].name, rows[i].number);
            cr_expect_eq(e->phase, rows[i].phase, "%s", e->name);
            cr_expect_eq(e->beside, overlapped ? rows[i].overlapped : rows[i].plain, "%s: beside %d", e->name,
                         (int)e->beside);
            cr_expect(e->beside_n == rows[i].n && e->beside_k == rows[i].k, "%s: %.0f x %.0f", e->name, e->beside_n,
                      e->beside_k);
            cr_expect(e->axis == AXIS_TP && e->size == 4 && e->step == 1 && e->count == 1, "%s", e->name);
        }
    }
    arena_close(arena);
}

/* Of cross-attention and of shared experts: queries with their gate, keys and values, FC1 of one matrix or two. */
Test(exchange_beside, more_columns) {
    static const struct {
        const char *keys;
        int number;
        const char *name;
        double n, k;
    } rows[] = {
        {"encoder: {num_hidden_layers: 1}\nattn_output_gate: true\n", 1, "gather input", 2 * 512 / 4, 512},
        {"encoder: {num_hidden_layers: 1}\nattn_output_gate: true\n", 2, "gather input", 2 * 512 / 4, 512},
        {"encoder: {num_hidden_layers: 1}\nnum_key_value_heads: 4\n", 1, "gather input", 512 / 4, 512},
        {"encoder: {num_hidden_layers: 1}\nnum_key_value_heads: 4\n", 2, "gather input", 2 * 64, 512},
        {"encoder: {num_hidden_layers: 1}\n", 1, "reduce output", 512, 512 / 4},
        {"mlp: relu\n", 1, "gather input", 1024 / 4, 512},
        {"mlp: geglu\n", 1, "gather input", 2 * 1024 / 4, 512},
        {"moe: {num_experts: 8, expert_intermediate_size: 64, shared_experts: 3}\n", 1, "gather input", 2 * 192 / 4,
         512},
        {"moe: {num_experts: 8, expert_intermediate_size: 64, shared_experts: 3}\nmlp: gelu\n", 1, "gather input",
         192 / 4, 512},
        {"moe: {num_experts: 8, expert_intermediate_size: 64, shared_experts: 3}\n", 1, "reduce output", 512, 192 / 4},
        {"layer_pattern: [linear]\nlinear: {key_heads: 2, value_heads: 4, key_dim: 16, value_dim: 32}\n", 0,
         "gather input", 16 + 16 + 32, 512},
    };
    struct arena *arena = support_arena();
    struct shard shard = cut(4, 1, 1, true);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct exchange_list list;
        list_layer(arena, arena_format(arena, SMALL "num_hidden_layers: 1\n%s", rows[i].keys), &shard, "", &list);
        const struct exchange *e = find(&list, rows[i].name, rows[i].number);
        cr_expect(e->beside_n == rows[i].n && e->beside_k == rows[i].k, "row %zu %s: %.1f x %.0f", i, e->name,
                  e->beside_n, e->beside_k);
    }
    arena_close(arena);
}

/* Gates are part of the projection; latents are projected up, here 32 x 8 x 48 and 64 x 8 x (32 + 32) over 4 ranks. */
Test(exchange_beside, other_projections) {
    static const struct {
        const char *keys;
        double n, k;
    } rows[] = {
        {"attn_output_gate: true\n", (2 * 512 + 2 * 512) / 4, 512},
        {"num_key_value_heads: 1\n", 512 / 4 + 2 * 64, 512},
        {"layer_pattern: [linear]\nlinear: {key_heads: 4, value_heads: 8, key_dim: 16, value_dim: 32, gate: true, "
         "head_gates: 2}\n",
         (2 * 64 + 2 * 256 + 16) / 4, 512},
        {"mla: {q_lora_rank: 32, kv_lora_rank: 64, qk_nope_head_dim: 32, qk_rope_head_dim: 16, v_head_dim: 32}\n",
         (32 * 8 * 48 + 64 * 8 * 64) / 4.0 / (32 + 64 + 16), 32 + 64 + 16},
    };
    struct arena *arena = support_arena();
    struct shard shard = cut(4, 1, 1, true);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct exchange_list list;
        list_layer(arena, arena_format(arena, SMALL "num_hidden_layers: 1\n%s", rows[i].keys), &shard, "", &list);
        const struct exchange *e = find(&list, "gather input", 0);
        cr_expect(fabs(e->beside_n - rows[i].n) < 1e-9 && e->beside_k == rows[i].k, "%s: %.3f x %.0f", rows[i].keys,
                  e->beside_n, e->beside_k);
    }
    arena_close(arena);
}

/* Ring steps run beside attention, but for the gradients' way home; experts beside shared ones where the software does.
 */
Test(exchange_beside, attention_and_experts) {
    struct arena *arena = support_arena();
    struct exchange_list list;
    struct shard shard = cut(1, 4, 1, false);
    list_layer(arena, SMALL "num_hidden_layers: 1\n", &shard, "", &list);
    cr_expect_eq(list.count, 3);
    cr_expect_eq(find(&list, "ring keys and values", 0)->beside, BESIDE_ATTENTION);
    cr_expect_eq(find(&list, "ring gradients", 0)->beside, BESIDE_ATTENTION);
    cr_expect_eq(find(&list, "ring gradients home", 0)->beside, BESIDE_NOTHING);
    shard = cut(1, 1, 4, false);
    for (int overlapped = 0; overlapped < 2; overlapped++) {
        for (int shared = 0; shared < 2; shared++) {
            const char *model = shared == 1 ? EXPERTS : SMALL "num_hidden_layers: 1\nmoe: {num_experts: 8}\n";
            list_layer(arena, model, &shard, overlapped ? "overlap: {experts: true}\n" : "", &list);
            cr_expect_eq(list.count, 4);
            enum exchange_beside expected = overlapped && shared ? BESIDE_SHARED_EXPERTS : BESIDE_NOTHING;
            cr_expect_eq(find(&list, "dispatch", 1)->beside, expected);
            cr_expect_eq(find(&list, "combine", 0)->beside, expected);
        }
    }
    arena_close(arena);
}

/* Bytes of forward exchanges that recomputation of `parts` repeats: all of them in full; a recomputed feed-forward,
 * expert layer or core its own. */
Test(exchange_beside, recomputation_repeats) {
    struct arena *arena = support_arena();
    const double once = 2 * 1024 * 512;
    const struct {
        const char *model;
        int64_t tp, cp, ep;
        unsigned parts;
        double calls, bytes;
    } rows[] = {
        {SMALL "num_hidden_layers: 1\n", 2, 1, 1, PART_ALL, 4, 4 * once},
        {SMALL "num_hidden_layers: 1\n", 2, 1, 1, PART_MLP, 2, 2 * once},
        {SMALL "num_hidden_layers: 1\n", 2, 1, 1, PART_NORM | PART_ACTIVATION | PART_CORE, 0, 0},
        {SMALL "num_hidden_layers: 1\n", 1, 4, 1, PART_CORE, 3, 3 * once / 4 * 2},
        {SMALL "num_hidden_layers: 1\n", 1, 4, 1, PART_MLP, 0, 0},
        {EXPERTS, 1, 1, 4, PART_MOE, 2, 2 * 2 * once},
        {EXPERTS, 1, 1, 4, PART_ALL, 2, 2 * 2 * once},
        {EXPERTS, 1, 1, 4, PART_MLP, 0, 0},
        {EXPERTS, 2, 1, 1, PART_MOE, 2, 2 * once},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct exchange_list list;
        struct shard shard = cut(rows[i].tp, rows[i].cp, rows[i].ep, rows[i].tp > 1);
        list_layer(arena, rows[i].model, &shard, "", &list);
        double calls = 0, bytes = 0;
        for (int e = 0; e < list.count; e++) {
            bool again = list.items[e].phase == EXCHANGE_FORWARD && (list.items[e].parts & rows[i].parts) != 0;
            calls += again ? list.items[e].count : 0;
            bytes += again ? list.items[e].count * list.items[e].bytes : 0;
        }
        cr_expect(calls == rows[i].calls && bytes == rows[i].bytes, "row %zu: %.0f calls, %.0f bytes", i, calls, bytes);
    }
    arena_close(arena);
}

/* The vocabulary over t ranks: rows that a rank lacks are zero until the embedding is reduced; the head reads the whole
 * stream, and the loss needs three numbers a token from everyone, in fp32. */
Test(exchange_beside, embedding_and_head) {
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, SMALL "num_hidden_layers: 1\n");
    const double bytes = 2 * 1024 * 512;
    for (int sp = 0; sp < 2; sp++) {
        struct exchange_list list;
        struct layer_work work;
        struct shard shard = cut(4, 1, 1, sp == 1);
        operation_embedding(model, &shard, &work);
        exchange_embedding(model, &shard, &work, &list);
        cr_expect_eq(list.count, sp == 1 ? 2 : 1);
        const struct exchange *e = find(&list, "reduce embedding", 0);
        cr_expect(e->kind == (sp == 1 ? COLLECTIVE_REDUCE_SCATTER : COLLECTIVE_ALL_REDUCE) && e->bytes == bytes);
        cr_expect_eq(e->phase, EXCHANGE_FORWARD);
        operation_head(model, &shard, false, &work);
        exchange_head(model, &shard, &work, &list);
        cr_expect_eq(list.count, sp == 1 ? 4 : 2);
        e = find(&list, "loss statistics", 0);
        cr_expect(e->kind == COLLECTIVE_ALL_REDUCE && e->bytes == 4 * 1024 && e->count == 3 &&
                  e->phase == EXCHANGE_FORWARD);
        e = find(&list, "reduce head input gradient", 0);
        cr_expect(e->kind == (sp == 1 ? COLLECTIVE_REDUCE_SCATTER : COLLECTIVE_ALL_REDUCE) && e->bytes == bytes);
        cr_expect(e->phase == EXCHANGE_BACKWARD && e->beside == BESIDE_WEIGHT_GRADIENT && e->beside_n == 1024 / 4);
        if (sp == 1) {
            cr_expect_eq(find(&list, "gather head input", 0)->phase, EXCHANGE_FORWARD);
            cr_expect_eq(find(&list, "gather saved head input", 0)->beside, BESIDE_INPUT_GRADIENT);
        }
    }
    /* Both stacks' tokens are looked up; patches need no reduction. */
    struct exchange_list list;
    struct layer_work work;
    struct shard shard = cut(4, 1, 1, false);
    model = setup_model(arena, SMALL "num_hidden_layers: 1\nencoder: {num_hidden_layers: 1, seq_len: 512}\n");
    operation_embedding(model, &shard, &work);
    exchange_embedding(model, &shard, &work, &list);
    cr_expect_eq(list.items[0].bytes, 1.5 * bytes);
    model = setup_model(arena, "vit-l-16");
    operation_embedding(model, &shard, &work);
    exchange_embedding(model, &shard, &work, &list);
    cr_expect_eq(list.count, 0);
    arena_close(arena);
}
