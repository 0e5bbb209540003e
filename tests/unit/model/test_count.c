/* Parameters of the shipped models against independently computed tables, and of small ones against sums written out
 * here. */
#include "load.h"

#include <math.h>

/* Every row of the table of public models: total and active parameters, and the shapes they follow from. */
Test(count, equals_the_table_of_public_models) {
    struct arena *arena = arena_open(NULL, NULL);
    FILE *file = open_oracle(arena, "models.csv");
    char line[LINE];
    char *cells[CELLS];
    int rows = 0;
    cr_assert_eq(read_row(file, line, LINE, cells, CELLS), 16);
    while (read_row(file, line, LINE, cells, CELLS) == 16) {
        struct model model;
        load_shipped(arena, cells[0], &model);
        cr_expect_eq(count_total(&model), cell_number(cells[14]), "%s: total %lld, table %s", cells[0],
                     (long long)count_total(&model), cells[14]);
        cr_expect_eq(count_active(&model), cell_number(cells[15]), "%s: active %lld, table %s", cells[0],
                     (long long)count_active(&model), cells[15]);
        const int64_t shapes[][2] = {{model.num_hidden_layers, 1},
                                     {model.hidden_size, 2},
                                     {model.num_attention_heads, 4},
                                     {model.vocab_size, 7}};
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            cr_expect_eq(shapes[i][0], cell_number(cells[shapes[i][1]]), "%s: column %lld", cells[0],
                         (long long)shapes[i][1]);
        }
        cr_expect_eq(model.moe == NULL ? 0 : model.moe->num_experts, cell_number(cells[8]), "%s: experts", cells[0]);
        cr_expect_eq(model.tie_word_embeddings, cell_number(cells[13]) == 1, "%s: tied", cells[0]);
        rows++;
    }
    cr_expect_eq(rows, 35, "%d rows", rows);
    fclose(file);
    arena_close(arena);
}

/* Published totals of shipped models beyond that table. */
Test(count, equals_published_totals) {
    static const struct {
        const char *name;
        long long total, active;
    } rows[] = {
        {"gpt-neox-20b", 20554567680, 20554567680},
        {"falcon-180b", 178557088768, 178557088768},
        {"llama4-maverick-text", 400711848960, 17184691200},
        {"gemma3-27b-text", 27009346304, 27009346304},
        {"glm-5", 743180209920, 41053720320},
        {"qwen3-coder-480b-a35b", 480154875392, 35474765312},
        {"phi3-medium", 13960238080, 13960238080},
        {"vit-l-16", 304326632, 304326632},
        {"vit-h-14", 632045800, 632045800},
        {"t5-11b", 11307321344, 11307321344},
        {"flan-t5-xxl", 11135332352, 11135332352},
        /* facebookresearch/DiT has 675129632 with its 256 x 1152 fixed sinusoids */
        {"dit-xl-2", 675129632 - 256 * 1152, 675129632 - 256 * 1152},
        /* published as 45.9 B active without embedding and head, of 200064 x 6144 each */
        {"minimax-text-01", 456089655296, 48403306496},
        /* Hugging Face's 81324862720 with the MTP block */
        {"qwen3-next-80b-a3b", 81324862720 - 1650471424, 3874929408},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model model;
        load_shipped(arena, rows[i].name, &model);
        cr_expect_eq(count_total(&model), rows[i].total, "%s: total %lld", rows[i].name,
                     (long long)count_total(&model));
        cr_expect_eq(count_active(&model), rows[i].active, "%s: active %lld", rows[i].name,
                     (long long)count_active(&model));
    }
    arena_close(arena);
}

/* DeepSeek-V3: 11.61 B in the MTP block; Megatron-LM's estimate of 682.53 B leaves its projection and norms out. */
Test(count, mtp_blocks) {
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    load_shipped(arena, "deepseek-v3", &model);
    int64_t outer = count_outer(&model).mtp;
    cr_expect_eq(outer, 2LL * 7168 * 7168 + 3 * 7168);
    cr_expect(fabs((double)count_mtp(&model) / 1e9 - 11.61) < 0.005, "%lld", (long long)count_mtp(&model));
    cr_expect(fabs((double)(count_total(&model) + count_mtp(&model) - outer) / 1e9 - 682.53) < 0.005);
    load_shipped(arena, "qwen3-next-80b-a3b", &model);
    cr_expect_eq(count_total(&model) + count_mtp(&model), 81324862720);
    load_shipped(arena, "kimi-k2", &model);
    cr_expect_eq(count_mtp(&model), 0);
    arena_close(arena);
}

/* A decoder with cross-attention and its encoder, written out: h 8, 2 heads of 4, f 16, V 10, one layer each, decoder
 * of 4 tokens, encoder of 6. */
Test(count, encoder_decoder_written_out) {
    static const char text[] = "schema: parplan/model/v1\nname: t\nhidden_size: 8\nnum_hidden_layers: 1\n"
                               "num_attention_heads: 2\nintermediate_size: 16\nvocab_size: 10\nmlp: relu\n"
                               "tie_word_embeddings: true\nencoder: {num_hidden_layers: 1, seq_len: 6}\n";
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    struct diag diag;
    cr_assert_eq(load_text(arena, text, &model, &diag), OK);
    cr_assert_eq(model.layer_count, 2);
    double attention = 4 * 8 * 8;
    double mlp = 2 * 8 * 16;
    double decoder = 2 * (attention + mlp) + 4 * 2.5 * 8;           /* mean of 4 causal tokens: 2.5 pairs */
    double cross = 2 * (2 * 64.0 + 2 * 64.0 * 6 / 4) + 4 * 6.0 * 8; /* keys and values of 6 tokens for 4 */
    double encoder = (2 * (attention + mlp) + 4 * 6.0 * 8) * 6 / 4;
    double expected = 3 * (decoder + cross + encoder + 2 * 8 * 10);
    double each = count_flops_per_token(&model, 4, FLOPS_OURS, false);
    cr_expect(fabs(each - expected) < 1e-9, "%.3f, expected %.3f", each, expected);
    cr_expect_eq(count_total(&model), 3 * 256 + 2 * 256 + 5 * 8 + 80 + 2 * 8);
    arena_close(arena);
}

/* A gated delta net, written out: h 8, 1 key head of 2, 2 value heads of 3, convolution 4, chunk 4. */
Test(count, linear_attention_written_out) {
    static const char text[] =
        "schema: parplan/model/v1\nname: t\nhidden_size: 8\nnum_hidden_layers: 1\nnum_attention_heads: 2\n"
        "vocab_size: 10\nlayer_pattern: [linear/none]\n"
        "linear: {key_heads: 1, value_heads: 2, key_dim: 2, value_dim: 3, conv_kernel: 4, chunk: 4, gate: true,\n"
        "  head_gates: 2, head_scalars: 2, output_norm: 3}\n";
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    struct diag diag;
    cr_assert_eq(load_text(arena, text, &model, &diag), OK);
    int64_t stream = 2 * 1 * 2 + 2 * 3;
    int64_t matrices = 8 * (stream + 6 + 2 * 2 + 6); /* q k v, gate, two gates a head, out */
    int64_t layer = matrices + 4 * stream + 2 * 2 + 3 + 8;
    cr_expect_eq(count_total(&model), layer + 2 * 80 + 8, "%lld", (long long)count_total(&model));
    double core = 2 * (4 * (2 + 3) + 4 * 2 * 3);
    double expected = 3 * (2.0 * (double)(matrices + 4 * stream) + core + 2 * 80);
    cr_expect_eq(count_flops_per_token(&model, 100, FLOPS_OURS, false), expected);
    core = 2 * (3 * (2 + 3) + 4 * 2 * 3); /* a sequence shorter than a chunk */
    cr_expect_eq(count_attention_flops(&model, &model.kinds[0], 3, FLOPS_OURS), core);
    cr_expect_eq(count_attention_flops(&model, &model.kinds[0], 3, FLOPS_MEGATRON), 2 * 8 * 9);
    arena_close(arena);
}

/* How tensor and expert parallelism see a layer: gpt-oss-20b's biases, sinks and router; DeepSeek-V3's latents. */
Test(count, parts_of_a_layer) {
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    load_shipped(arena, "gpt-oss-20b", &model);
    struct layer_params layer = count_layer(&model, &model.kinds[0]);
    int64_t expert = 3LL * 2880 * 2880 + 2 * 2880 + 2880;
    cr_expect_eq(layer.attention, 2880LL * 4096 * 2 + 2LL * 2880 * 512 + 4096 + 2 * 512 + 64);
    cr_expect_eq(layer.experts, 32 * expert);
    cr_expect_eq(layer.active_experts, 4 * expert);
    cr_expect_eq(layer.mlp, 0);
    cr_expect_eq(layer.replicated, 2 * 2880 + 2880 + 2880 * 32 + 32);
    cr_expect_eq(layer.latent, 0);
    load_shipped(arena, "deepseek-v3", &model);
    layer = count_layer(&model, &model.kinds[model.layers[60]]);
    cr_expect_eq(layer.latent, 7168LL * (1536 + 512 + 64) + 1536 + 512);
    cr_expect_eq(layer.replicated, layer.latent + 2 * 7168 + 7168 * 256 + 256);
    cr_expect_eq(layer.mlp, 3LL * 7168 * 2048);
    load_shipped(arena, "opt-175b", &model);
    struct outer_params outer = count_outer(&model);
    cr_expect_eq(outer.position, 2050LL * 12288);
    cr_expect_eq(outer.embedding, (2050LL + 50272) * 12288);
    cr_expect_eq(outer.head, 0);
    cr_expect_eq(outer.final_norm, 2 * 12288);
    load_shipped(arena, "bloom-176b", &model);
    cr_expect_eq(count_outer(&model).position, 2 * 14336);
    arena_close(arena);
}

/* Outside the layers of an image model: h 8, patches of 2 x 2 pixels of 3 channels, 4 patches. */
Test(count, outer_parameters_of_image_models) {
    static const struct {
        const char *keys;
        int64_t embedding, head, final_norm;
    } rows[] = {
        {"image: {image_size: 4, patch_size: 2, classes: 10}\n", 13 * 8, 80, 8},
        {"bias: {head: true}\nimage: {image_size: 4, patch_size: 2, classes: 10}\n", 13 * 8, 90, 8},
        {"position: learned\nimage: {image_size: 4, patch_size: 2, classes: 0, class_token: true}\n", (13 + 1 + 5) * 8,
         0, 8},
        {"image: {image_size: 4, patch_size: 2, classes: 0, adaln: true, out_channels: 5}\n", (13 + 257 + 9) * 8,
         16 * 9 + 20 * 9, 0},
        {"image: {image_size: 4, patch_size: 2, classes: 10, adaln: true}\n", (13 + 257 + 9 + 11) * 8, 16 * 9, 0},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model model;
        struct diag diag;
        const char *text = arena_format(arena,
                                        "schema: parplan/model/v1\nname: t\nhidden_size: 8\nnum_hidden_layers: 1\n"
                                        "num_attention_heads: 2\nintermediate_size: 16\n%s",
                                        rows[i].keys);
        cr_assert_eq(load_text(arena, text, &model, &diag), OK, "%s", rows[i].keys);
        struct outer_params outer = count_outer(&model);
        cr_expect_eq(outer.embedding, rows[i].embedding, "%s: %lld", rows[i].keys, (long long)outer.embedding);
        cr_expect_eq(outer.position, outer.embedding, "%s", rows[i].keys);
        cr_expect_eq(outer.head, rows[i].head, "%s: %lld", rows[i].keys, (long long)outer.head);
        cr_expect_eq(outer.final_norm, rows[i].final_norm, "%s: %lld", rows[i].keys, (long long)outer.final_norm);
    }
    arena_close(arena);
}

/* What a key adds to the parameters: h 8, 2 heads of 4, f 16, V 128, one layer. */
Test(count, keys_add_parameters) {
    static const char base[] = "schema: parplan/model/v1\nname: t\nhidden_size: 8\nnum_hidden_layers: 1\n"
                               "num_attention_heads: 2\nintermediate_size: 16\nvocab_size: 128\n";
    static const char mla[] = "mla: {kv_lora_rank: 4, qk_nope_head_dim: 3, qk_rope_head_dim: 2, v_head_dim: 5}\n";
    static const char linear[] = "linear: {key_heads: 1, value_heads: 1, key_dim: 2, value_dim: 3}\n";
    static const char cross[] = "encoder: {num_hidden_layers: 1, intermediate_size: 32}\n";
    static const struct {
        const char *keys, *more; /* more: on top of keys */
        int64_t params;
    } rows[] = {
        {"", "bias: {qkv: true}\n", 24},
        {"", "bias: {out: true}\n", 8},
        {"", "bias: {mlp: true}\n", 2 * 16 + 8},
        {"", "bias: {head: true}\n", 128},
        {"", "qk_norm: true\n", 8},
        {"norm: layernorm\n", "qk_norm: true\n", 16},
        {"", "norm: layernorm\n", 3 * 8},
        {"", "attention_sinks: true\n", 2},
        {"", "attn_output_gate: true\n", 64},
        {"", "embedding_norm: true\n", 8},
        {"", "norms_per_layer: 5\n", 3 * 8},
        {"norms_per_layer: 3\n", "layer_pattern: [full/none]\n", -(8 + 3 * 128)},
        {"", "tie_word_embeddings: true\n", -1024},
        {"", "position: learned\nmax_position_embeddings: 10\n", 80},
        {"", "extra_blocks: [{name: a, params: 5}, {name: b, params: 6}]\n", 11},
        {"", "padded_vocab_size: 256\n", 0},
        {mla, "", 0},
        {mla, "bias: {qkv: true, out: true}\n", 4 + 2 + 8},
        {"", mla, (8 * 10 + 8 * 6 + 4 * 2 * 8 + 10 * 8 + 4) - 256},
        {cross, "bias: {qkv: true, out: true}\n", 3 * 32},
        {"", cross, (256 + 3 * 8 * 32 + 16) + (256 + 8) + 8},
        {linear, "", 0},
        {"", linear, 8 * (2 * 2 + 3 + 3) - 256},
        {linear, "bias: {out: true}\n", 8},
        {"moe: {num_experts: 4}\n", "bias: {router: true, mlp: true}\n", 4},
        {"moe: {num_experts: 4, shared_experts: 2}\n", "bias: {mlp: true}\n", 2 * 32 + 8},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model plain;
        struct model model;
        struct diag diag;
        cr_assert_eq(load_text(arena, arena_format(arena, "%s%s", base, rows[i].keys), &plain, &diag), OK);
        enum status status =
            load_text(arena, arena_format(arena, "%s%s%s", base, rows[i].keys, rows[i].more), &model, &diag);
        cr_assert_eq(status, OK, "%s: %s", rows[i].more, diag.count > 0 ? diag.entries[0].text : "");
        int64_t added = count_total(&model) - count_total(&plain);
        cr_expect_eq(added, rows[i].params, "%s%s: adds %lld, expected %lld", rows[i].keys, rows[i].more,
                     (long long)added, (long long)rows[i].params);
        cr_expect_eq(model.moe != NULL || count_active(&model) == count_total(&model), true, "%s", rows[i].more);
    }
    arena_close(arena);
}
