/* A model's parameters and FLOPs.
 *
 * FLOPs of a token are forward and backward, 3 x forward, under three conventions that differ only in what they leave
 * out or add (model/count.h): ours counts the causal pairs that exist, s (s + 1) / 2, and the router; Megatron-LM's
 * num_floating_point_operations takes s^2 / 2 and omits the router; the full one counts s^2 as if nothing were
 * masked. */
#include "cli/show.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/view.h"
#include "model/count.h"
#include "model/model.h"

static const char *const ffn_names[] = {"dense", "moe", "none"};

static const struct {
    const char *key, *title;
    enum flops_convention convention;
} conventions[] = {
    {"flops_per_token", "ours: causal pairs counted exactly, router included", FLOPS_OURS},
    {"flops_per_token_megatron", "Megatron-LM: half the square, router left out", FLOPS_MEGATRON},
    {"flops_per_token_full", "unmasked: the whole square (12 L h s)", FLOPS_FULL},
};

static const char *attention_name(const struct layer_kind *kind) {
    return field_choice_name(field_find(model_fields, "attention"), (int)kind->attention);
}

static int64_t layers_of_kind(const struct model *model, int64_t kind) {
    int64_t count = 0;
    for (int64_t i = 0; i < model->layer_count; i++) {
        count += model->layers[i] == kind;
    }
    return count;
}

static int64_t layer_total(const struct layer_params *params) {
    return params->attention + params->mlp + params->experts + params->replicated;
}

static void add_integer(struct json *json, const char *key, int64_t value) {
    json_key(json, key);
    json_integer(json, value);
}

static void add_kind_json(struct json *json, const struct model *model, int64_t index) {
    const struct layer_kind *kind = &model->kinds[index];
    struct layer_params params = count_layer(model, kind);
    json_open_object(json);
    add_integer(json, "layers", layers_of_kind(model, index));
    json_key(json, "attention");
    json_string(json, attention_name(kind));
    json_key(json, "ffn");
    json_string(json, ffn_names[kind->ffn]);
    json_key(json, "encoder");
    json_bool(json, kind->encoder);
    add_integer(json, "window", kind->window);
    add_integer(json, "params", layer_total(&params));
    add_integer(json, "params_attention", params.attention);
    add_integer(json, "params_mlp", params.mlp);
    add_integer(json, "params_experts", params.experts);
    add_integer(json, "params_experts_active", params.active_experts);
    add_integer(json, "params_replicated", params.replicated);
    json_close_object(json);
}

static void add_outer_json(struct json *json, const struct outer_params *outer) {
    add_integer(json, "params_embedding", outer->embedding);
    add_integer(json, "params_head", outer->head);
    add_integer(json, "params_final_norm", outer->final_norm);
    add_integer(json, "params_extra", outer->extra);
}

static void write_json(const struct model *model, int64_t seq_len, struct text *text) {
    struct json json;
    struct outer_params outer = count_outer(model);
    json_init(&json, text, false);
    json_open_object(&json);
    json_key(&json, "name");
    json_string(&json, model->name);
    add_integer(&json, "params_total", count_total(model));
    add_integer(&json, "params_active", count_active(model));
    add_integer(&json, "params_mtp", count_mtp(model));
    add_outer_json(&json, &outer);
    add_integer(&json, "seq_len", seq_len);
    for (size_t i = 0; i < sizeof conventions / sizeof *conventions; i++) {
        json_key(&json, conventions[i].key);
        json_number(&json, count_flops_per_token(model, seq_len, conventions[i].convention, true));
        json_key(&json, arena_format(text->arena, "%s_without_mtp", conventions[i].key));
        json_number(&json, count_flops_per_token(model, seq_len, conventions[i].convention, false));
    }
    add_integer(&json, "layers", model->layer_count);
    json_key(&json, "kinds");
    json_open_array(&json);
    for (int64_t i = 0; i < model->kind_count; i++) {
        if (layers_of_kind(model, i)) {
            add_kind_json(&json, model, i);
        }
    }
    json_close_array(&json);
    json_key(&json, "model");
    json_fields(&json, model_fields, model);
    json_close_object(&json);
    text_add_char(text, '\n');
}

static void add_kinds(const struct model *model, struct text *text) {
    struct table table;
    table_init(&table, text->arena);
    table_column(&table, "layers", false, 0);
    table_column(&table, "attention", true, 0);
    table_column(&table, "feed-forward", true, 0);
    table_column(&table, "each", false, 0);
    table_column(&table, "attention", false, 1);
    table_column(&table, "mlp", false, 1);
    table_column(&table, "experts", false, 1);
    table_column(&table, "active", false, 2);
    table_column(&table, "replicated", false, 2);
    for (int64_t i = 0; i < model->kind_count; i++) {
        const struct layer_kind *kind = &model->kinds[i];
        if (layers_of_kind(model, i) == 0) {
            continue;
        }
        struct layer_params params = count_layer(model, kind);
        size_t row = table_row(&table);
        table_set(&table, row, 0, "%lld", (long long)layers_of_kind(model, i));
        table_set(&table, row, 1, "%s%s%s", attention_name(kind), kind->cross ? "+cross" : "",
                  kind->encoder ? " (encoder)" : "");
        table_set(&table, row, 2, "%s", ffn_names[kind->ffn]);
        const int64_t counts[] = {layer_total(&params), params.attention, params.mlp, params.experts,
                                  params.active_experts, params.replicated};
        for (size_t column = 0; column < sizeof counts / sizeof *counts; column++) {
            table_set(&table, row, 3 + column, "%s", view_amount(text->arena, (double)counts[column]));
        }
    }
    table_render(&table, terminal_width(), text);
}

static void add_flops(const struct model *model, int64_t seq_len, struct text *text) {
    text_add_format(text, "\nFLOPs per token, forward and backward, sequence length %lld%s:\n", (long long)seq_len,
                    count_mtp(model) ? ", with MTP" : "");
    for (size_t i = 0; i < sizeof conventions / sizeof *conventions; i++) {
        double flops = count_flops_per_token(model, seq_len, conventions[i].convention, true);
        text_pad(text, 2);
        text_add(text, units_human(text->arena, flops, UNIT_FLOPS, 4));
        text_pad(text, 16);
        text_add_format(text, "%s\n", conventions[i].title);
    }
}

static void write_text(const struct model *model, int64_t seq_len, struct text *text) {
    struct arena *arena = text->arena;
    struct outer_params outer = count_outer(model);
    text_add_format(text, "%s: %s parameters", model->name, view_amount(arena, (double)count_total(model)));
    if (count_active(model) != count_total(model)) {
        text_add_format(text, ", %s active per token", view_amount(arena, (double)count_active(model)));
    }
    if (count_mtp(model)) {
        text_add_format(text, ", and %s of MTP", view_amount(arena, (double)count_mtp(model)));
    }
    text_add_format(text, "\nhidden size %lld, %lld heads (%lld of keys and values), vocabulary %lld\n",
                    (long long)model->hidden_size, (long long)model->num_attention_heads,
                    (long long)model->num_key_value_heads, (long long)model->vocab_size);
    text_add_format(text, "embedding %s, head %s%s\n\n", view_amount(arena, (double)outer.embedding),
                    view_amount(arena, (double)outer.head), model->tie_word_embeddings ? " (tied)" : "");
    add_kinds(model, text);
    add_flops(model, seq_len, text);
    if (model->source) {
        text_add_format(text, "\nsource: %s\n", model->source);
    }
}

enum status show_model(struct context *context, const struct word *word) {
    const struct show_options *options = context->options;
    struct model *model = NULL;
    TRY(load_model(context, word, &model));
    struct text text;
    text_init(&text, context->arena);
    if (context->globals.format == FORMAT_JSON) {
        write_json(model, options->seq_len, &text);
    } else {
        write_text(model, options->seq_len, &text);
    }
    return output_result(context, &text);
}
