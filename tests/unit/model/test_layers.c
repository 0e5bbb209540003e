/* The sequences of layers that follow from documents. */
#include "load.h"

Test(layers, layer_sequences) {
    static const struct {
        const char *keys, *sequence;
        int64_t kinds;
    } rows[] = {
        {"intermediate_size: 64\n", "fd fd fd fd", 1},
        {MOE, "fx fx fx fx", 1},
        {"intermediate_size: 64\nmoe: {first_dense_layers: 1}\n", "fd fx fx fx", 2},
        {"intermediate_size: 64\nmoe: {layer_freq: 2}\n", "fd fx fd fx", 2},
        {"intermediate_size: 64\nmoe: {first_dense_layers: 1, layer_freq: 2}\n", "fd fd fx fd", 2},
        {"intermediate_size: 64\nmoe: {layer_freq: 3}\n", "fd fd fx fd", 2},
        {"intermediate_size: 64\nsliding_window: 1\n", "sd sd sd sd", 1},
        {"intermediate_size: 64\nlayer_pattern: [\"full*2\", \"full*2\"]\n", "fd fd fd fd", 1},
        {"intermediate_size: 64\nmoe: {first_dense_layers: 2, layer_freq: 2}\n", "fd fd fd fx", 2},
        {"intermediate_size: 64\nsliding_window: 8\n", "sd sd sd sd", 1},
        {"intermediate_size: 64\n" MLA, "md md md md", 1},
        {"intermediate_size: 64\n" LINEAR, "ld ld ld ld", 1},
        {"intermediate_size: 64\nsliding_window: 8\nlayer_pattern: [sliding, full]\n", "sd fd sd fd", 2},
        {"intermediate_size: 64\nsliding_window: 8\nlayer_pattern: [\"sliding*2\", full]\n", "sd sd fd sd", 2},
        {"intermediate_size: 64\nlayer_pattern: [\"full*4\"]\n", "fd fd fd fd", 1},
        {"intermediate_size: 64\n" MOE "layer_pattern: [full/dense, \"full/moe*3\"]\n", "fd fx fx fx", 2},
        {"intermediate_size: 64\n" MOE LINEAR "layer_pattern: [linear/none, none/moe, full/dense]\n", "l- nx fd l-", 3},
        {"intermediate_size: 64\n" LINEAR "moe: {layer_freq: 2}\nlayer_pattern: [linear, full]\n", "ld fx ld fx", 2},
        {"intermediate_size: 64\nencoder: {num_hidden_layers: 2}\n", "Fd Fd fd fd fd fd", 2},
        {"intermediate_size: 64\nencoder: {num_hidden_layers: 1}\nmoe: {layer_freq: 2}\n", "Fd fd fx fd fx", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = arena_open(NULL, NULL);
        struct model model;
        struct diag diag;
        enum status status = load_text(arena, arena_format(arena, TEXT "%s", rows[i].keys), &model, &diag);
        cr_expect_eq(status, OK, "%s: %s", rows[i].keys, diag.count > 0 ? diag.entries[0].text : "");
        if (status == OK) {
            cr_expect_str_eq(spell(arena, &model), rows[i].sequence, "%s: %s", rows[i].keys, spell(arena, &model));
            cr_expect_eq(model.kind_count, rows[i].kinds, "%s: %lld kinds", rows[i].keys, (long long)model.kind_count);
            cr_expect_eq(model.mtp_kind, model.layers[model.layer_count - 1]);
        }
        arena_close(arena);
    }
}

/* Every attention with every feed-forward and an encoder: the most sorts a document can have. */
Test(layers, as_many_kinds_as_can_be) {
    static const char text[] = HEAD
        "hidden_size: 512\nnum_hidden_layers: 14\nnum_attention_heads: 8\nvocab_size: 10\nintermediate_size: 64\n" MOE
            MLA LINEAR "sliding_window: 8\nencoder: {num_hidden_layers: 1}\n"
        "layer_pattern: [full/dense, full/moe, full/none, sliding/dense, sliding/moe, sliding/none, mla/dense,\n"
        "  mla/moe, mla/none, linear/dense, linear/moe, linear/none, none/dense, none/moe]\n";
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    struct diag diag;
    cr_assert_eq(load_text(arena, text, &model, &diag), OK, "%s", diag.entries[0].text);
    cr_expect_eq(model.kind_count, 15);
    cr_expect_str_eq(spell(arena, &model), "Fd fd fx f- sd sx s- md mx m- ld lx l- nd nx");
    for (int64_t i = 0; i < model.kind_count; i++) {
        const struct layer_kind *kind = &model.kinds[i];
        cr_expect_eq(kind->window, kind->attention == ATTENTION_SLIDING ? 8 : 0, "kind %lld", (long long)i);
        cr_expect_eq(kind->intermediate_size, kind->ffn == FFN_DENSE ? 64 : 0, "kind %lld", (long long)i);
        cr_expect_eq(kind->cross, !kind->encoder, "kind %lld", (long long)i);
        cr_expect_eq(kind->causal, !kind->encoder, "kind %lld", (long long)i);
    }
    arena_close(arena);
}

/* Sequences of shipped models that their papers state. */
Test(layers, shipped_sequences) {
    static const struct {
        const char *name;
        int64_t layers, full, sliding, linear, moe;
    } rows[] = {
        {"deepseek-v3", 61, 0, 0, 0, 58},       {"llama4-maverick-text", 48, 48, 0, 0, 24},
        {"gemma2-27b", 46, 23, 23, 0, 0},       {"gemma3-27b-text", 62, 10, 52, 0, 0},
        {"gpt-oss-20b", 24, 12, 12, 0, 24},     {"qwen3-next-80b-a3b", 48, 12, 0, 36, 48},
        {"minimax-text-01", 80, 10, 0, 70, 80}, {"flan-t5-xxl", 48, 48, 0, 0, 0},
        {"deepseek-v2-lite", 27, 0, 0, 0, 26},  {"kimi-k2", 61, 0, 0, 0, 60},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model model;
        int64_t seen[5] = {0};
        int64_t moe = 0;
        load_shipped(arena, rows[i].name, &model);
        for (int64_t j = 0; j < model.layer_count; j++) {
            seen[model.kinds[model.layers[j]].attention]++;
            moe += model.kinds[model.layers[j]].ffn == FFN_MOE;
        }
        cr_expect_eq(model.layer_count, rows[i].layers, "%s", rows[i].name);
        cr_expect_eq(seen[ATTENTION_FULL], rows[i].full, "%s", rows[i].name);
        cr_expect_eq(seen[ATTENTION_SLIDING], rows[i].sliding, "%s", rows[i].name);
        cr_expect_eq(seen[ATTENTION_LINEAR], rows[i].linear, "%s", rows[i].name);
        cr_expect_eq(moe, rows[i].moe, "%s", rows[i].name);
    }
    arena_close(arena);
}
