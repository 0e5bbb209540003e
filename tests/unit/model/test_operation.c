/* Bytes that a layer keeps for backward: a table of published formulas, and sums written out here. */
#include "load.h"

#include "model/operation.h"

/* The whole layer on one rank with fused kernels. */
static struct shard whole(int64_t seq_len) {
    return (struct shard){.tp = 1,
                          .cp = 1,
                          .ep = 1,
                          .etp = 1,
                          .ulysses = 1,
                          .micro_batch = 1,
                          .seq_len = seq_len,
                          .element = 2,
                          .flash = true,
                          .fused_norm = true,
                          .fused_activation = true,
                          .expert_load = 1};
}

static double layer_bytes(const struct model *model, const struct layer_kind *kind, const struct shard *shard,
                          unsigned recomputed) {
    struct layer_work work;
    operation_layer(model, kind, shard, &work);
    return operation_saved_bytes(&work, recomputed);
}

/* Names of the table whose documents are called otherwise. */
static const char *document_of(const char *name) {
    static const char *const names[][2] = {
        {"22b", "megatron-22b"}, {"530b", "mt-nlg-530b"}, {"1t", "megatron-1t"}, {"llama3-405b", "llama3.1-405b"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_equal(names[i][0], name)) {
            return names[i][1];
        }
    }
    return name;
}

/* How a row of the table is executed: unfused scores with dropout (Korthikanti et al.), or Llama's with flash. */
static unsigned read_variant(const char *variant, struct shard *shard) {
    shard->flash = text_starts(variant, "flash");
    if (!shard->flash) {
        return text_equal(variant, "none") ? 0 : text_equal(variant, "selective") ? PART_CORE : PART_ALL;
    }
    shard->fp8 = text_ends(variant, "fp8=True");
    return strstr(variant, "rec=none") != NULL   ? 0
           : strstr(variant, "rec=full") != NULL ? PART_ALL
                                                 : PART_NORM | PART_ACTIVATION;
}

/* Every row of the table to the byte. Its rows of GPT with full recomputation under sequence parallelism keep the
 * paper's 2sbh undivided; there the kept input is split like the residual stream, so they are `tp` times ours. */
Test(operation, equals_the_table_of_activations) {
    struct arena *arena = arena_open(NULL, NULL);
    FILE *file = open_oracle(arena, "activation.csv");
    char line[LINE];
    char *cells[CELLS];
    int rows = 0, undivided = 0;
    cr_assert_eq(read_row(file, line, LINE, cells, CELLS), 5);
    while (read_row(file, line, LINE, cells, CELLS) == 5) {
        struct model model;
        load_shipped(arena, document_of(cells[0]), &model);
        bool llama = text_starts(cells[0], "llama");
        struct shard shard = whole(llama && !text_equal(cells[0], "llama2-7b") ? 8192 : llama ? 4096 : 2048);
        unsigned parts = read_variant(cells[1], &shard);
        shard.tp = cell_number(cells[2]);
        shard.sequence_parallel = text_equal(cells[3], "True");
        double bytes = layer_bytes(&model, &model.kinds[0], &shard, parts);
        bool paper = text_equal(cells[1], "full") && shard.sequence_parallel && shard.tp > 1;
        double factor = paper ? (double)shard.tp : 1;
        undivided += paper ? 1 : 0;
        cr_expect_eq(bytes * factor, (double)cell_number(cells[4]), "%s %s tp %s sp %s: %.0f x %.0f, table %s",
                     cells[0], cells[1], cells[2], cells[3], bytes, factor, cells[4]);
        rows++;
    }
    cr_expect_eq(rows, 96, "%d rows", rows);
    cr_expect_eq(undivided, 4, "%d rows are undivided", undivided);
    fclose(file);
    arena_close(arena);
}

/* h 512, 8 heads and 2 key-value heads of 64, f 1024, 128 tokens in the decoder and 96 in an encoder; bytes a token of
 * the decoder: norms 8h, queries and output 4ad, keys and values 4gd, statistics 4a, feed-forward 6f. */
enum { H = 512, QUERY = 8 * 64, KEY = 2 * 64, F = 1024, DENSE = 8 * H + 4 * QUERY + 4 * KEY + 4 * 8 + 6 * F };

#define GROUPED TEXT "intermediate_size: 1024\nnum_key_value_heads: 2\nhead_dim: 64\n"
#define LATENT                                                                                                         \
    TEXT "intermediate_size: 1024\n"                                                                                   \
         "mla: {q_lora_rank: 96, kv_lora_rank: 64, qk_nope_head_dim: 32, qk_rope_head_dim: 16, v_head_dim: 24}\n"
#define EXPERTS GROUPED "moe: {num_experts: 16, experts_per_token: 3, expert_intermediate_size: 40"
#define DELTA                                                                                                          \
    GROUPED "layer_pattern: [linear]\nlinear: {key_heads: 4, value_heads: 8, key_dim: 16, value_dim: 32, chunk: 32"
/* Of MLA: both latents before and after their norms, query and key of 48, value and output of 24. */
enum { MLA_LATENTS = 2 * 96 + 2 * 96 + 2 * (64 + 16) + 2 * 64, MLA_UP = 2 * 2 * 8 * 48 + 2 * 8 * 24 };
enum { MLA_LAYER = 8 * H + MLA_LATENTS + MLA_UP + 2 * 8 * 24 + 4 * 8 + 6 * F };
/* Of attention in front of experts, and of the experts' layer: 8E routing, 8k permutation, k(2h + 6f). */
enum { BEFORE_EXPERTS = 8 * H + 4 * QUERY + 4 * KEY + 4 * 8, ROUTING = 8 * 16 + 8 * 3, EXPERT = 3 * (2 * H + 6 * 40) };
/* Of linear attention: q, k and v of 4 x 16, 4 x 16 and 8 x 32, chunk states, output. */
enum { STREAM = 2 * (2 * 4 * 16 + 8 * 32), STATES = 4 * 8 * 16 * 32 / 32, VALUES = 2 * 8 * 32 };
enum { LINEAR_LAYER = 8 * H + STREAM + STATES + VALUES + 6 * F };

struct shape {
    int64_t tp, cp, etp, ulysses;
    bool sp, gathers, fp8, unfused;
    double load, element;
};

struct bytes_row {
    const char *text;
    struct shape shape; /* 0: as whole() */
    unsigned parts;
    double bytes; /* a token of the decoder */
};

static const struct bytes_row rows[] = {
    {GROUPED, {0}, 0, DENSE},
    {GROUPED, {.element = 4}, 0, 2 * DENSE - 4 * 8},
    {GROUPED, {0}, PART_NORM, DENSE - 4 * H},
    {GROUPED, {0}, PART_ACTIVATION, DENSE - 2 * F},
    {GROUPED, {0}, PART_MLP, DENSE - 6 * F},
    {GROUPED, {0}, PART_CORE, DENSE - 4 * 8},
    {GROUPED, {0}, PART_ALL | PART_NORM, 2 * H},
    {GROUPED, {.fp8 = true}, 0, DENSE - 2 * H + QUERY - F},
    {GROUPED, {.unfused = true}, 0, DENSE - 4 * 8 + 2 * 8 * 128},
    {GROUPED "mlp: gelu\n", {0}, 0, DENSE - 2 * F},
    {GROUPED "dropout: 0.1\n", {0}, 0, DENSE + 2 * H},
    {GROUPED "qk_norm: true\n", {0}, 0, DENSE + 2 * (QUERY + KEY)},
    {GROUPED "qk_norm: true\n", {0}, PART_NORM, DENSE - 4 * H},
    {GROUPED "norms_per_layer: 4\n", {0}, 0, DENSE + 4 * H},
    {GROUPED "parallel_block: true\n", {0}, 0, DENSE},
    {GROUPED "parallel_block: true\nnorms_per_layer: 1\n", {0}, 0, DENSE - 4 * H},
    {GROUPED "attn_output_gate: true\n", {0}, 0, DENSE + 4 * QUERY},
    {GROUPED "attn_output_gate: true\n", {.fp8 = true}, 0, DENSE + 4 * QUERY - 2 * H - F - QUERY},
    {GROUPED "layer_pattern: [full/none]\n", {0}, 0, DENSE - 6 * F - 4 * H},
    {GROUPED "layer_pattern: [none/dense]\n", {0}, 0, 4 * H + 6 * F},
    /* Tensor parallelism: norms are whole without sequence parallelism; 4 ranks share 2 key-value heads. */
    {GROUPED, {.tp = 2}, 0, 8 * H + (DENSE - 8 * H) / 2.0},
    {GROUPED, {.tp = 2, .sp = true}, 0, DENSE / 2.0},
    {GROUPED, {.tp = 2, .sp = true}, PART_ALL, H},
    {GROUPED, {.tp = 4, .sp = true}, 0, (DENSE + 4 * KEY) / 4.0},
    /* Context parallelism: everything in parts; all-gather keeps all keys and values, Ulysses over 4 ranks copies 2. */
    {GROUPED, {.cp = 4}, 0, DENSE / 4.0},
    {GROUPED, {.cp = 4, .gathers = true}, 0, DENSE / 4.0 + 4 * KEY - KEY},
    {GROUPED, {.cp = 2, .ulysses = 2}, 0, DENSE / 2.0},
    {GROUPED, {.cp = 4, .ulysses = 4}, 0, DENSE / 4.0 + KEY},
    {GROUPED, {.cp = 4, .ulysses = 2}, 0, DENSE / 4.0},
    {GROUPED, {.tp = 2, .cp = 2, .ulysses = 2, .sp = true}, 0, DENSE / 4.0 + 4 * KEY / 4.0},
    /* Latent attention. */
    {LATENT, {0}, 0, MLA_LAYER},
    {LATENT, {0}, PART_MLA_UP, MLA_LAYER - MLA_UP},
    {LATENT, {0}, PART_NORM, MLA_LAYER - 4 * H - 2 * 96 - 2 * 64},
    {LATENT, {.fp8 = true}, 0, MLA_LAYER - 2 * H - 96 - 64 + 8 * 24 - F},
    {LATENT, {.tp = 2}, 0, 8 * H + MLA_LATENTS + (MLA_LAYER - 8 * H - MLA_LATENTS) / 2.0},
    {LATENT, {.tp = 2, .sp = true}, 0, MLA_LAYER / 2.0},
    {LATENT, {.cp = 2, .gathers = true}, 0, MLA_LAYER / 2.0 + 8 * (48 + 24)},
    {TEXT "intermediate_size: 1024\n" MLA,
     {0},
     0,
     8 * H + 2 * (64 + 16) + 2 * 64 + 2 * 2 * 8 * 48 + 2 * 2 * 8 * 32 + 4 * 8 + 6 * F},
    /* Experts: a rank's rows grow with its load, with the members of the experts' tensor parallelism, with capacity. */
    {EXPERTS "}\n", {0}, 0, BEFORE_EXPERTS + ROUTING + EXPERT},
    {EXPERTS "}\n", {0}, PART_MOE, BEFORE_EXPERTS},
    {EXPERTS "}\n", {0}, PART_ACTIVATION, BEFORE_EXPERTS + ROUTING + EXPERT - 3 * 2 * 40},
    {EXPERTS "}\n", {.load = 1.5}, 0, BEFORE_EXPERTS + ROUTING + 1.5 * EXPERT},
    {EXPERTS ", capacity_factor: 1.25}\n", {.load = 1.5}, 0, BEFORE_EXPERTS + ROUTING + 1.25 * EXPERT},
    {EXPERTS "}\n", {.etp = 2}, 0, BEFORE_EXPERTS + ROUTING + EXPERT + 3 * 2 * H},
    {EXPERTS "}\n", {.tp = 2, .sp = true}, 0, (BEFORE_EXPERTS + ROUTING + EXPERT) / 2.0},
    {EXPERTS "}\n", {.fp8 = true}, 0, BEFORE_EXPERTS - 2 * H + QUERY + ROUTING + EXPERT - 3 * (H + 40)},
    {EXPERTS ", shared_experts: 2}\n", {0}, 0, BEFORE_EXPERTS + ROUTING + EXPERT + 6 * 80},
    {EXPERTS ", shared_experts: 2}\n", {0}, PART_MOE, BEFORE_EXPERTS},
    {EXPERTS ", shared_experts: 1, shared_expert_gate: true}\n",
     {0},
     0,
     BEFORE_EXPERTS + ROUTING + EXPERT + 6 * 40 + 2 * H},
    {EXPERTS ", shared_experts: 1, shared_expert_gate: true}\n", {0}, PART_MOE, BEFORE_EXPERTS},
    {EXPERTS ", shared_experts: 1, shared_expert_gate: true}\n",
     {.tp = 2, .sp = true},
     0,
     (BEFORE_EXPERTS + ROUTING + EXPERT + 6 * 40 + 2 * H) / 2.0},
    {EXPERTS "}\nmlp: gelu\n", {0}, 0, BEFORE_EXPERTS + ROUTING + EXPERT - 3 * 2 * 40},
    /* Linear attention. */
    {DELTA "}\n", {0}, 0, LINEAR_LAYER},
    {DELTA "}\n", {0}, PART_CORE, LINEAR_LAYER - STATES},
    {DELTA ", gate: true}\n", {0}, 0, LINEAR_LAYER + 2 * VALUES},
    {DELTA ", output_norm: 32}\n", {0}, 0, LINEAR_LAYER + VALUES},
    {DELTA ", conv_kernel: 4}\n", {0}, 0, LINEAR_LAYER + STREAM},
    {DELTA ", head_gates: 2}\n", {0}, 0, LINEAR_LAYER + 2 * 2 * 8},
    {DELTA "}\n", {.tp = 2, .cp = 2, .sp = true}, 0, LINEAR_LAYER / 4.0},
    {DELTA "}\n", {.cp = 8}, 0, LINEAR_LAYER / 8.0 + STATES / 8.0},
    /* A decoder's layer reads 96 tokens of the encoder. */
    {GROUPED "encoder: {num_hidden_layers: 1, seq_len: 96}\n",
     {0},
     0,
     DENSE + 4 * H + 4 * QUERY + 4 * 8 + 4 * KEY * 96 / 128.0},
    {GROUPED "encoder: {num_hidden_layers: 1, seq_len: 96}\n",
     {.unfused = true},
     0,
     DENSE - 4 * 8 + 4 * H + 4 * QUERY + 4 * KEY * 96 / 128.0 + 2 * 8 * (128 + 96)},
    {GROUPED "encoder: {num_hidden_layers: 1, seq_len: 96}\n",
     {.cp = 4, .gathers = true},
     0,
     (DENSE + 4 * H + 4 * QUERY + 4 * 8) / 4.0 + 3 * KEY + 4 * KEY * 96 / 128.0},
    {GROUPED "encoder: {num_hidden_layers: 1, seq_len: 96}\n",
     {.tp = 4, .sp = true},
     0,
     (DENSE + 4 * KEY + 4 * H + 4 * QUERY + 4 * 8) / 4.0 + 4 * 64 * 96 / 128.0},
    {GROUPED "encoder: {num_hidden_layers: 1, seq_len: 96}\n",
     {.fp8 = true},
     0,
     DENSE - 2 * H + QUERY - F + 3 * H + 5 * QUERY + 4 * 8 + 4 * KEY * 96 / 128.0},
    {GROUPED "encoder: {num_hidden_layers: 1}\n", {0}, 0, DENSE + 4 * H + 4 * QUERY + 4 * 8 + 4 * KEY},
};

static struct shard shard_of(const struct shape *shape) {
    struct shard shard = whole(128);
    shard.micro_batch = 2;
    shard.tp = shape->tp > 0 ? shape->tp : 1;
    shard.cp = shape->cp > 0 ? shape->cp : 1;
    shard.etp = shape->etp > 0 ? shape->etp : 1;
    shard.ulysses = shape->ulysses > 0 ? shape->ulysses : 1;
    shard.sequence_parallel = shape->sp;
    shard.gathers_keys = shape->gathers;
    shard.fp8 = shape->fp8;
    shard.flash = !shape->unfused;
    shard.expert_load = shape->load > 0 ? shape->load : 1;
    shard.element = shape->element > 0 ? shape->element : 2;
    return shard;
}

Test(operation, bytes_written_out) {
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model model;
        struct diag diag;
        enum status status = load_text(arena, rows[i].text, &model, &diag);
        cr_assert_eq(status, OK, "%s: %s", rows[i].text, diag.count > 0 ? diag.entries[0].text : "");
        struct shard shard = shard_of(&rows[i].shape);
        const struct layer_kind *kind = &model.kinds[model.layers[model.layer_count - 1]];
        double bytes = layer_bytes(&model, kind, &shard, rows[i].parts) / 256;
        cr_expect_eq(bytes, rows[i].bytes, "row %zu %s: %.3f bytes a token, expected %.3f", i, rows[i].text, bytes,
                     rows[i].bytes);
    }
    arena_close(arena);
}

/* The encoder's layers have its own length; images as many tokens as patches, and DiT's gates keep both branches. */
Test(operation, tokens_of_other_stacks) {
    static const char image[] = HEAD "hidden_size: 512\nnum_hidden_layers: 1\nnum_attention_heads: 8\n"
                                     "intermediate_size: 1024\ncausal: false\n"
                                     "image: {image_size: 16, patch_size: 2, channels: 4, classes: 10";
    static const int64_t layer = 8 * H + 4 * QUERY + 4 * QUERY + 4 * 8 + 6 * F;
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    struct diag diag;
    struct shard shard = whole(128);
    cr_assert_eq(load_text(arena, GROUPED "encoder: {num_hidden_layers: 1, seq_len: 96}\n", &model, &diag), OK);
    cr_expect_eq(layer_bytes(&model, &model.kinds[model.layers[0]], &shard, 0), 96 * DENSE);
    cr_expect_eq(layer_bytes(&model, &model.kinds[model.layers[0]], &shard, PART_ALL), 96 * 2 * H);
    cr_assert_eq(load_text(arena, arena_format(arena, "%s}\n", image), &model, &diag), OK);
    cr_expect_eq(layer_bytes(&model, &model.kinds[0], &shard, 0), 64.0 * layer);
    cr_assert_eq(load_text(arena, arena_format(arena, "%s, adaln: true, out_channels: 4}\n", image), &model, &diag),
                 OK);
    cr_expect_eq(layer_bytes(&model, &model.kinds[0], &shard, 0), 64.0 * (layer + 4 * H));
    arena_close(arena);
}

/* Outside the layers: dropout's mask behind the embedding; the final norm's input and output and 32-bit logits, of
 * which a fused loss keeps the 16-bit ones. The loss comes last. Extra blocks bring their own. */
Test(operation, bytes_outside_the_layers) {
    static const char text[] =
        GROUPED "vocab_pad_multiple: 128\ndropout: 0.1\nextra_blocks: [{name: a, "
                "activation_bytes_per_token: 5}, {name: b, activation_bytes_per_token: 7, place: "
                "head}, {name: c, activation_bytes_per_token: 6}]\n";
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    struct diag diag;
    struct layer_work work;
    struct shard shard = whole(128);
    shard.tp = 2;
    shard.sequence_parallel = true;
    cr_assert_eq(load_text(arena, text, &model, &diag), OK);
    operation_embedding(&model, &shard, &work);
    cr_expect_eq(operation_saved_bytes(&work, 0), 64 * H + 128 * (5 + 6));
    for (int fused = 0; fused < 2; fused++) {
        operation_head(&model, &shard, fused == 1, &work);
        double logits = (fused == 1 ? 2 : 4) * 128.0 * 512; /* 1000 rows padded to 1024, half of them here */
        cr_expect_eq(operation_saved_bytes(&work, 0), 64 * 4 * H + logits + 128 * 7);
        cr_expect_eq(work.saved[work.saved_count - 1].bytes, logits);
    }
    arena_close(arena);
}
