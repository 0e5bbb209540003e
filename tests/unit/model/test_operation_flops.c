/* The products in the lists of operations are the model FLOPs that count.h gives, and a cut keeps their sum. */
#include "load.h"

#include <dirent.h>
#include <math.h>

#include "base/random.h"
#include "model/operation.h"

static double list_flops(const struct layer_work *work) {
    double flops = 0;
    for (int i = 0; i < work->operation_count; i++) {
        const struct operation *o = &work->operations[i];
        if (o->kind == OPERATION_ATTENTION) {
            flops += 2 * o->batch * o->heads * o->pairs * (o->key_dim + o->value_dim);
        } else if (o->kind == OPERATION_SCORES) {
            flops += 2 * o->m * o->n * o->k * o->batch;
        } else if (o->kind != OPERATION_MEMORY) {
            flops += 2 * o->m * o->n * o->k; /* a grouped GEMM's rows are those of all its experts */
        }
    }
    return flops;
}

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

static double model_flops(const struct model *model, const struct shard *shard) {
    struct layer_work work;
    operation_embedding(model, shard, &work);
    double flops = list_flops(&work);
    operation_head(model, shard, false, &work);
    flops += list_flops(&work);
    for (int64_t i = 0; i < model->layer_count; i++) {
        operation_layer(model, &model->kinds[model->layers[i]], shard, &work);
        flops += list_flops(&work);
    }
    return flops;
}

/* What is executed beyond the model's FLOPs, per token: the head's padding, and of every linear attention the masked
 * half of its chunks' products, less its convolution, which is no product of matrices. */
static double executed_beyond(const struct model *model) {
    double h = (double)model->hidden_size;
    double padding = 0;
    if (model->image == NULL) {
        padding = 2 * h * (double)(model_padded_vocab(model, 1) - model->vocab_size);
    }
    double linear = 0;
    for (int64_t i = 0; i < model->layer_count; i++) {
        const struct linear_attention *l = model->linear;
        if (model->kinds[model->layers[i]].attention == ATTENTION_LINEAR) {
            int64_t stream = 2 * l->key_heads * l->key_dim + l->value_heads * l->value_dim;
            linear += (double)(l->value_heads * l->chunk * (l->key_dim + l->value_dim)) -
                      2 * (double)(l->conv_kernel * stream);
        }
    }
    return padding + linear;
}

/* Every shipped model: 2mnk over all operations against count_flops_per_token, forward. */
Test(operation_flops, equal_model_flops_of_every_shipped_model) {
    struct arena *arena = arena_open(NULL, NULL);
    DIR *folder = opendir(arena_format(arena, "%s/models", source_dir()));
    cr_assert(folder != NULL, "models is missing");
    int models = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (!text_ends(entry->d_name, ".yaml")) {
            continue;
        }
        struct model model;
        load_shipped(arena, arena_copy(arena, entry->d_name, strlen(entry->d_name) - strlen(".yaml")), &model);
        int64_t seq_len = model.image != NULL ? model_image_tokens(&model) : 4096;
        struct shard shard = whole(seq_len);
        double executed = model_flops(&model, &shard) / (double)seq_len;
        double counted = count_flops_per_token(&model, seq_len, FLOPS_OURS, false) / 3;
        double expected = counted + executed_beyond(&model);
        cr_expect(fabs(executed / expected - 1) < 1e-12, "%s: %.6e executed, %.6e expected", entry->d_name, executed,
                  expected);
        bool exact = model.linear == NULL && (model.image != NULL || model.vocab_size % 128 == 0) &&
                     model.padded_vocab_size <= model.vocab_size;
        cr_expect(!exact || fabs(executed / counted - 1) < 1e-12, "%s: differs by more than padding", entry->d_name);
        models++;
    }
    cr_expect_geq(models, 49, "%d models", models);
    closedir(folder);
    arena_close(arena);
}

/* A list with every key that makes a product. */
Test(operation_flops, equal_model_flops_of_odd_documents) {
    static const struct {
        const char *keys;
        int64_t seq_len;
    } cases[] = {
        {BASE "attn_output_gate: true\nencoder: {num_hidden_layers: 2, seq_len: 40}\n", 100},
        {BASE "attn_output_gate: true\nnum_key_value_heads: 2\n" MOE, 100},
        {BASE "moe: {num_experts: 8, experts_per_token: 2, shared_experts: 2, shared_expert_gate: true}\n", 7},
        {BASE "extra_blocks: [{name: a, flops_per_token: 1e6}, {name: b, flops_per_token: 3e6, place: head}]\n", 33},
        {BASE "sliding_window: 10\ncausal: false\n", 64},
        {BASE "sliding_window: 11\ncausal: false\n", 5},
        {BASE "sliding_window: 10\nlayer_pattern: [sliding, full/none, none/dense]\n", 64},
        {BASE MLA, 12},
        {BASE "mlp: relu\nparallel_block: true\n", 1},
        {BASE "layer_pattern: [linear]\nlinear: {key_heads: 4, value_heads: 8, key_dim: 16, value_dim: 32, chunk: 1, "
              "gate: true, head_gates: 2, output_norm: 32}\n",
         64},
    };
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct model model;
        struct diag diag;
        enum status status = load_text(arena, cases[i].keys, &model, &diag);
        cr_assert_eq(status, OK, "%s: %s", cases[i].keys, diag.count > 0 ? diag.entries[0].text : "");
        struct shard shard = whole(cases[i].seq_len);
        shard.micro_batch = 3;
        double executed = model_flops(&model, &shard) / (double)(3 * cases[i].seq_len);
        double expected =
            count_flops_per_token(&model, cases[i].seq_len, FLOPS_OURS, false) / 3 + executed_beyond(&model);
        cr_expect(fabs(executed / expected - 1) < 1e-12, "%s: %.6e executed, %.6e expected", cases[i].keys, executed,
                  expected);
    }
    arena_close(arena);
}

/* Every rank does the same share: tensor, context and expert parallelism in whatever mixture leave the sum as it was.
 * (Heads divide, and sequence parallelism cuts what tensor parallelism leaves whole.) */
Test(operation_flops, cuts_keep_the_sum) {
    static const struct {
        const char *name;
        int64_t tp, cp;
    } limits[] = {{"llama3-70b", 8, 16},     {"deepseek-v3", 16, 8},    {"qwen3-30b-a3b", 4, 8},
                  {"gpt3-175b", 32, 3},      {"minimax-text-01", 8, 4}, {"qwen3-next-80b-a3b", 2, 8},
                  {"gemma3-27b-text", 8, 4}, {"flan-t5-xxl", 8, 4}};
    struct arena *arena = arena_open(NULL, NULL);
    struct random random;
    random_stream(&random, 1, "operation cuts", 0);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct model model;
        load_shipped(arena, limits[i].name, &model);
        for (int round = 0; round < 40; round++) {
            struct shard shard = whole(12288);
            shard.micro_batch = 1 + random_below(&random, 3);
            const struct layer_kind *kind = &model.kinds[random_below(&random, (uint32_t)model.kind_count)];
            struct layer_work one, part;
            operation_layer(&model, kind, &shard, &one);
            do {
                shard.tp = 1 + random_below(&random, (uint32_t)limits[i].tp);
            } while (limits[i].tp % shard.tp != 0);
            shard.sequence_parallel = shard.tp > 1;
            shard.cp = 1 + random_below(&random, (uint32_t)limits[i].cp);
            do {
                shard.ulysses = 1 + random_below(&random, (uint32_t)shard.cp);
            } while (shard.cp % shard.ulysses != 0 || model.num_attention_heads / shard.tp % shard.ulysses != 0);
            shard.ep = shard.etp = 1 + random_below(&random, 2);
            operation_layer(&model, kind, &shard, &part);
            double whole_flops = list_flops(&one), parts = list_flops(&part) * (double)(shard.tp * shard.cp);
            cr_expect(fabs(parts / whole_flops - 1) < 1e-12, "%s tp %lld cp %lld ulysses %lld etp %lld: %.6e of %.6e",
                      limits[i].name, (long long)shard.tp, (long long)shard.cp, (long long)shard.ulysses,
                      (long long)shard.etp, parts, whole_flops);
        }
    }
    arena_close(arena);
}
