/* FLOPs of the shipped models against Megatron-LM's own counts and published figures, and of small ones against sums
 * written out here. */
#include "load.h"

#include <math.h>

/* Every row of Megatron-LM's own counts, to the last digit. */
Test(flops, equals_megatron_flops) {
    struct arena *arena = arena_open(NULL, NULL);
    FILE *file = open_oracle(arena, "megatron_flops.csv");
    char line[LINE];
    char *cells[CELLS];
    int rows = 0;
    cr_assert_eq(read_row(file, line, LINE, cells, CELLS), 5);
    while (read_row(file, line, LINE, cells, CELLS) == 5) {
        bool no_mtp = strcmp(cells[0], "deepseek-v3-nomtp") == 0;
        const char *name = strcmp(cells[0], "llama3-405b") == 0 ? "llama3.1-405b" : cells[0];
        struct model model;
        load_shipped(arena, no_mtp ? "deepseek-v3" : name, &model);
        int64_t seq_len = cell_number(cells[1]);
        double each = count_flops_per_token(&model, seq_len, FLOPS_MEGATRON, !no_mtp);
        char text[64];
        snprintf(text, sizeof text, "%.1f", each);
        cr_expect_str_eq(text, cells[4], "%s at %s: %s, Megatron %s", cells[0], cells[1], text, cells[4]);
        snprintf(text, sizeof text, "%.0f", each * (double)seq_len);
        cr_expect_str_eq(text, cells[3], "%s at %s: batch %s, Megatron %s", cells[0], cells[1], text, cells[3]);
        rows++;
    }
    cr_expect_eq(rows, 18, "%d rows", rows);
    fclose(file);
    arena_close(arena);
}

/* Where our convention differs from Megatron's: s(s+1)/2 pairs, the router, MLA's and MTP's norms, padding. */
Test(flops, differs_from_megatron_as_stated) {
    static const struct {
        const char *name;
        int64_t seq_len;
        double diagonal; /* 2 L a (widths of query and value): half a pair a token */
        double router;   /* 2 L h E */
        double norms;    /* of Megatron */
        double padding;  /* 2 h rows, of Megatron */
    } rows[] = {
        {"llama3-8b", 8192, 2.0 * 32 * 32 * 128, 0, 0, 0},
        {"gpt3-175b", 2048, 2.0 * 96 * 96 * 128, 0, 0, 2.0 * 12288 * (51200 - 50257)},
        {"mixtral-8x7b", 4096, 2.0 * 32 * 32 * 128, 2.0 * 32 * 4096 * 8, 0, 0},
        {"deepseek-v3", 4096, 1.0 * 62 * 128 * 320, 2.0 * 59 * 7168 * 256, 2.0 * 62 * (1536 + 512) + 6 * 7168, 0},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model model;
        load_shipped(arena, rows[i].name, &model);
        double ours = count_flops_per_token(&model, rows[i].seq_len, FLOPS_OURS, true);
        double megatron = count_flops_per_token(&model, rows[i].seq_len, FLOPS_MEGATRON, true);
        double expected = 3 * (rows[i].diagonal + rows[i].router - rows[i].norms - rows[i].padding);
        cr_expect_eq(ours - megatron, expected, "%s: %.1f, expected %.1f", rows[i].name, ours - megatron, expected);
    }
    arena_close(arena);
}

/* Narayanan et al. 2021: 72 L h^2 (1 + s/6h + V/12hL) a token with attention counted s^2. */
Test(flops, full_convention_is_narayanan) {
    static const char *const names[] = {"megatron-22b", "megatron-175b", "mt-nlg-530b", "megatron-1t"};
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct model model;
        load_shipped(arena, names[i], &model);
        double h = (double)model.hidden_size;
        double layers = (double)model.num_hidden_layers;
        double vocab = (double)model.vocab_size;
        double expected = 72 * layers * h * h * (1 + 2048 / (6 * h) + vocab / (12 * h * layers));
        double each = count_flops_per_token(&model, 2048, FLOPS_FULL, false);
        cr_expect(fabs(each / expected - 1) < 1e-12, "%s: %.6g, expected %.6g", names[i], each, expected);
    }
    arena_close(arena);
}

/* Published multiply-adds of an image's forward pass; a FLOP count is twice that. */
Test(flops, flops_of_image_models) {
    static const struct {
        const char *name;
        double giga_multiply_adds, tolerance;
    } rows[] = {
        {"vit-l-16", 61.6, 0.1},
        {"vit-h-14", 167.4, 0.3},
        {"dit-xl-2", 118.6, 0.1},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model model;
        load_shipped(arena, rows[i].name, &model);
        int64_t tokens = model_image_tokens(&model);
        double each = count_flops_per_token(&model, tokens, FLOPS_OURS, false) / 3 * (double)tokens / 2e9;
        cr_expect(fabs(each - rows[i].giga_multiply_adds) < rows[i].tolerance, "%s: %.3f G", rows[i].name, each);
    }
    arena_close(arena);
}

/* Pairs of tokens, counted one by one. */
static double brute_pairs(int64_t s, int64_t window, bool causal) {
    int64_t pairs = 0;
    int64_t before = window == 0 ? s : causal ? window - 1 : window / 2;
    int64_t after = causal ? 0 : window == 0 ? s : window - 1 - window / 2;
    for (int64_t q = 0; q < s; q++) {
        for (int64_t k = 0; k < s; k++) {
            pairs += k >= q - before && k <= q + after;
        }
    }
    return (double)pairs;
}

Test(flops, attention_pairs_equal_brute_force) {
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    load_shipped(arena, "llama3-8b", &model);
    for (int64_t s = 1; s <= 20; s++) {
        for (int64_t window = 0; window <= 24; window++) {
            for (int causal = 0; causal < 2; causal++) {
                struct layer_kind kind = {.attention = window > 0 ? ATTENTION_SLIDING : ATTENTION_FULL,
                                          .window = window,
                                          .causal = causal == 1};
                double each = count_attention_flops(&model, &kind, s, FLOPS_OURS);
                double expected = 4.0 * 32 * 128 * brute_pairs(s, window, causal == 1) / (double)s;
                cr_expect(fabs(each - expected) <= 1e-9 * expected, "s %lld window %lld causal %d: %.3f, expected %.3f",
                          (long long)s, (long long)window, causal, each, expected);
                double full = count_attention_flops(&model, &kind, s, FLOPS_FULL);
                cr_expect_eq(full, 4.0 * 32 * 128 * (double)s, "s %lld: full %.3f", (long long)s, full);
            }
        }
    }
    arena_close(arena);
}

static double flops_of(struct arena *arena, const char *keys, int64_t seq_len, enum flops_convention convention) {
    struct model model;
    struct diag diag;
    const char *text = arena_format(arena, "schema: parplan/model/v1\nname: t\n%s", keys);
    enum status status = load_text(arena, text, &model, &diag);
    cr_assert_eq(status, OK, "%s: %s", keys, diag.count > 0 ? diag.entries[0].text : "");
    return count_flops_per_token(&model, seq_len, convention, true);
}

/* One block on images of 4 x 4 pixels in patches of 2, written out: h 8, 2 heads, f 16. */
Test(flops, image_models_written_out) {
    static const char block[] = "hidden_size: 8\nnum_hidden_layers: 1\nnum_attention_heads: 2\nintermediate_size: 16\n"
                                "mlp: gelu\nnorm: layernorm\ncausal: false\n";
    struct arena *arena = arena_open(NULL, NULL);
    const char *vit =
        arena_format(arena, "%simage: {image_size: 4, patch_size: 2, classes: 10, class_token: true}\n", block);
    const char *dit = arena_format(arena,
                                   "%simage: {image_size: 4, patch_size: 2, channels: 4, classes: 10, adaln: true, "
                                   "out_channels: 6}\n",
                                   block);
    double layer = 2 * (4 * 64 + 2 * 128);
    double expected = layer + 4 * 5 * 8 + 2 * 4 * 3 * 8 + 2 * 8 * 10 / 5.0;
    double each = flops_of(arena, vit, 5, FLOPS_OURS);
    cr_expect(fabs(each - 3 * expected) < 1e-9, "ViT %.3f, expected %.3f", each, 3 * expected);
    double once = 6 * 64 + 256 * 8 + 64 + 2 * 64; /* modulation, timestep, last modulation */
    expected = layer + 4 * 4 * 8 + 2 * 4 * (4 + 6) * 8 + 2 * once / 4.0;
    each = flops_of(arena, dit, 4, FLOPS_OURS);
    cr_expect(fabs(each - 3 * expected) < 1e-9, "DiT %.3f, expected %.3f", each, 3 * expected);
    arena_close(arena);
}

/* What a key adds to the FLOPs of a token; `seq_len` 4. */
Test(flops, keys_add_flops) {
    static const char base[] = "hidden_size: 8\nnum_hidden_layers: 1\nnum_attention_heads: 2\nintermediate_size: 16\n"
                               "vocab_size: 128\n";
    static const struct {
        const char *keys;
        double forward;
    } rows[] = {
        {"extra_blocks: [{name: a, flops_per_token: 10}, {name: b, flops_per_token: 32, params: 7}]\n", 42},
        {"attn_output_gate: true\n", 2 * 64},
        {"mtp_layers: 1\n", 2 * (256 + 3 * 128) + 4 * 2.5 * 8 + 4 * 64 + 2 * 8 * 128},
        {"moe: {num_experts: 4, experts_per_token: 2, expert_intermediate_size: 16}\n", 2 * (3 * 128 + 8 * 4)},
        {"moe: {num_experts: 4, experts_per_token: 1, expert_intermediate_size: 16, shared_experts: 1, "
         "shared_expert_gate: true}\n",
         2 * (3 * 128 + 8 * 4 + 8)},
        {"bias: {qkv: true, out: true, mlp: true, head: true}\nqk_norm: true\nattention_sinks: true\n", 0},
        {"mlp: geglu\n", 0},
        {"mlp: relu\n", -2 * 128},
        {"num_key_value_heads: 1\n", -2 * 64},
        {"causal: false\n", 4 * 1.5 * 8},
    };
    struct arena *arena = arena_open(NULL, NULL);
    double plain = flops_of(arena, base, 4, FLOPS_OURS);
    cr_expect_eq(plain, 3 * (2 * (256 + 3 * 128) + 4 * 2.5 * 8 + 2 * 8 * 128));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double each = flops_of(arena, arena_format(arena, "%s%s", base, rows[i].keys), 4, FLOPS_OURS);
        cr_expect_eq(each - plain, 3 * rows[i].forward, "%s: adds %.3f, expected %.3f", rows[i].keys, each - plain,
                     3 * rows[i].forward);
    }
    arena_close(arena);
}
