/* What follows from the keys of a model document, and that every shipped document loads and comes back. */
#include "load.h"

#include <dirent.h>

#include "yaml/emit.h"

/* Keys that follow from others, as Hugging Face's configurations leave them out. */
Test(model, defaults_follow_from_other_keys) {
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    struct diag diag;
    cr_assert_eq(load_text(arena, TEXT "mlp: gelu\n", &model, &diag), OK);
    cr_expect_eq(model.num_key_value_heads, 8);
    cr_expect_eq(model.head_dim, 64);
    cr_expect_eq(model.intermediate_size, 2048);
    cr_expect_eq(model.causal, true);
    cr_expect_eq(model.norms_per_layer, 2);
    cr_assert_eq(load_text(arena, TEXT "mlp: gelu\n" MOE, &model, &diag), OK);
    cr_expect_eq(model.intermediate_size, 0, "no layer has a dense feed-forward");
    cr_assert_eq(load_text(arena, TEXT "mlp: gelu\n" MOE "layer_pattern: [full/dense, full/moe]\n", &model, &diag), OK);
    cr_expect_eq(model.intermediate_size, 2048);
    cr_assert_eq(load_text(arena, BASE MLA, &model, &diag), OK);
    cr_expect_eq(model.head_dim, 32);
    cr_expect_eq(model.attention, ATTENTION_MLA);
    cr_assert_eq(load_text(arena, BASE "head_dim: 40\nmoe: {shared_experts: 2}\n", &model, &diag), OK);
    cr_expect_eq(model.head_dim, 40);
    cr_expect_eq(model.moe->expert_intermediate_size, 1024);
    cr_expect_eq(model.moe->shared_intermediate_size, 2048);
    cr_assert_eq(load_text(arena, BASE "moe: {shared_intermediate_size: 96}\n", &model, &diag), OK);
    cr_expect_eq(model.moe->shared_experts, 1);
    cr_expect_eq(model.moe->shared_intermediate_size, 96);
    cr_assert_eq(load_text(arena, "schema: parplan/model/v1\n" SIZES "vocab_size: 9\nmlp: relu\n", &model, &diag), OK);
    cr_expect_str_eq(model.name, "test");
    cr_assert_eq(load_text(arena, BASE "padded_vocab_size: 1000\n", &model, &diag), OK);
    arena_close(arena);
}

Test(model, a_document_without_name_has_its_files) {
    static const char *const rows[][2] = {
        {"models/llama3-8b.yaml", "llama3-8b"},
        {"x.json", "x"},
        {"/a.b/c/noend", "noend"},
        {"a/.hidden", ".hidden"},
        {"v3.1.yaml", "v3.1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const char text[] = "schema: parplan/model/v1\n" SIZES "vocab_size: 9\nmlp: relu\n";
        struct arena *arena = arena_open(NULL, NULL);
        struct model model;
        struct diag diag;
        struct node *root = NULL;
        diag_init(&diag, arena);
        cr_assert_eq(document_parse(arena, rows[i][0], text, strlen(text), &root, &diag), OK);
        cr_assert_eq(model_load(arena, root, &model, &diag), OK);
        cr_expect_str_eq(model.name, rows[i][1], "%s: %s", rows[i][0], model.name);
        arena_close(arena);
    }
}

/* Completing a second time changes nothing: a plan completes a model that was completed before. */
Test(model, completing_twice_is_completing_once) {
    static const char *const names[] = {"deepseek-v3", "gemma2-27b", "mixtral-8x7b", "t5-11b", "dit-xl-2", "gpt2-xl"};
    struct arena *arena = arena_open(NULL, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct model once;
        struct diag diag;
        load_shipped(arena, names[i], &once);
        struct model twice = once;
        diag_init(&diag, arena);
        cr_assert_eq(model_complete(arena, &twice, NULL, &diag), OK, "%s", names[i]);
        cr_expect_eq(count_total(&twice), count_total(&once), "%s", names[i]);
        cr_expect_str_eq(spell(arena, &twice), spell(arena, &once), "%s", names[i]);
        cr_expect_eq(twice.head_dim, once.head_dim, "%s", names[i]);
    }
    arena_close(arena);
}

Test(model, vocabulary_is_padded_like_megatron) {
    static const struct {
        int64_t vocab, multiple, padded, tp, expected;
    } rows[] = {
        {50257, 128, 0, 1, 50304},      {50257, 128, 0, 8, 51200},      {50257, 128, 51200, 1, 51200},
        {50257, 128, 51200, 16, 51200}, {50257, 128, 51200, 32, 53248}, {32000, 128, 0, 8, 32768},
        {32000, 1, 0, 8, 32000},        {128256, 128, 0, 3, 128256},    {1, 128, 0, 1, 128},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model model = {
            .vocab_size = rows[i].vocab, .vocab_pad_multiple = rows[i].multiple, .padded_vocab_size = rows[i].padded};
        int64_t padded = model_padded_vocab(&model, rows[i].tp);
        cr_expect_eq(padded, rows[i].expected, "row %zu: %lld", i, (long long)padded);
    }
}

/* What emit writes of a completed model loads to the same model, and to the same bytes again. */
static void check_round_trip(struct arena *arena, const struct model *model) {
    for (int only_changes = 0; only_changes < 2; only_changes++) {
        struct text first;
        struct text second;
        struct model again;
        struct diag diag;
        text_init(&first, arena);
        text_init(&second, arena);
        emit_document(&first, "model", model_fields, model, only_changes == 1);
        enum status status = load_text(arena, first.data, &again, &diag);
        cr_assert(status == OK && diag.count == 0, "%s: %s in\n%s", model->name,
                  diag.count > 0 ? diag.entries[0].text : "", first.data);
        emit_document(&second, "model", model_fields, &again, only_changes == 1);
        cr_expect_str_eq(second.data, first.data, "%s", model->name);
        cr_expect_eq(count_total(&again), count_total(model), "%s", model->name);
        cr_expect_eq(count_active(&again), count_active(model), "%s", model->name);
        cr_expect_str_eq(spell(arena, &again), spell(arena, model), "%s", model->name);
    }
}

/* Every file in models/ loads without a diagnostic, is called by its own name and says where its numbers come from. */
Test(model, every_shipped_model_loads) {
    struct arena *arena = arena_open(NULL, NULL);
    DIR *dir = opendir(arena_format(arena, "%s/models", source_dir()));
    int files = 0;
    cr_assert(dir != NULL);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (text_ends(entry->d_name, ".yaml")) {
            const char *name = arena_copy(arena, entry->d_name, strlen(entry->d_name) - strlen(".yaml"));
            struct model model;
            load_shipped(arena, name, &model);
            cr_expect_str_eq(model.name, name);
            cr_expect(model.source != NULL && strlen(model.source) > 8, "%s: no source", name);
            check_round_trip(arena, &model);
            struct outer_params outer = count_outer(&model);
            int64_t sum = outer.embedding + outer.head + outer.final_norm + outer.extra;
            for (int64_t i = 0; i < model.layer_count; i++) {
                struct layer_params layer = count_layer(&model, &model.kinds[model.layers[i]]);
                sum += layer.attention + layer.mlp + layer.experts + layer.replicated;
                cr_expect(layer.latent <= layer.replicated && layer.active_experts <= layer.experts, "%s", name);
            }
            cr_expect_eq(sum, count_total(&model), "%s: parts add up to %lld", name, (long long)sum);
            files++;
        }
    }
    cr_expect_eq(files, 50, "%d files", files);
    closedir(dir);
    arena_close(arena);
}

/* The table is what man page and help print: every row says what it is, in one sentence, and has a way back. */
static void check_rows(const struct field *fields) {
    for (const struct field *field = fields; field->key != NULL; field++) {
        cr_expect(field->doc != NULL && strlen(field->doc) > 8, "%s: no doc", field->key);
        cr_expect(field->doc == NULL || !text_ends(field->doc, "."), "%s: doc ends with a full stop", field->key);
        cr_expect_eq(field_find(fields, field->key), field, "%s: twice", field->key);
        if (field->fields != NULL) {
            cr_expect(field->size > 0, "%s: no size", field->key);
            check_rows(field->fields);
        }
    }
}

Test(model, field_table_is_complete) {
    check_rows(model_fields);
}
