/* Loading a model: fields from the document, then what one key implies for another (Hugging Face's defaults), then the
 * layers, then the rules. */
#include "model/model.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "model/count.h"
#include "model/internal.h"
#include "yaml/bind.h"
#include "yaml/document.h"

struct mark model_mark(const struct node *root, const char *path) {
    return root == NULL ? NO_MARK : bind_mark(root, path);
}

static bool is_given(const struct node *root, const char *key) {
    const struct node *node = root == NULL ? NULL : node_find(root, key);
    return node != NULL && !node_is_null(node);
}

/* A document that gives the block of one attention and no pattern means that attention everywhere (Mistral's
 * sliding_window, DeepSeek's MLA). */
static void complete_attention(struct model *model, const struct node *root) {
    if (model->attention == ATTENTION_FULL && model->layer_pattern.count == 0 && !is_given(root, "attention")) {
        if (model->mla != NULL) {
            model->attention = ATTENTION_MLA;
        } else if (model->sliding_window > 0) {
            model->attention = ATTENTION_SLIDING;
        } else if (model->linear != NULL) {
            model->attention = ATTENTION_LINEAR;
        }
    }
}

/* num_key_value_heads as query heads; head_dim from MLA's values, else hidden_size / num_attention_heads. A head_dim
 * that is not whole stays 0, which model_check_layers reports if an attention needs it. */
static void complete_heads(struct model *model) {
    if (model->num_key_value_heads == 0) {
        model->num_key_value_heads = model->num_attention_heads;
    }
    if (model->head_dim == 0 && model->attention == ATTENTION_MLA && model->mla != NULL) {
        model->head_dim = model->mla->v_head_dim;
    }
    if (model->head_dim == 0 && model->hidden_size % model->num_attention_heads == 0) {
        model->head_dim = model->hidden_size / model->num_attention_heads;
    }
}

/* Mixtral's configuration has the experts' width in intermediate_size, Qwen2-MoE's names the shared width alone. */
static void complete_ffn(struct model *model) {
    struct moe *moe = model->moe;
    if (moe != NULL) {
        if (moe->expert_intermediate_size == 0) {
            moe->expert_intermediate_size = model->intermediate_size;
        }
        if (moe->shared_intermediate_size == 0) {
            moe->shared_intermediate_size = moe->shared_experts * moe->expert_intermediate_size;
        } else if (moe->shared_experts == 0) {
            moe->shared_experts = 1;
        }
    }
    bool all_moe =
        moe != NULL && moe->first_dense_layers == 0 && moe->layer_freq == 1 && model->layer_pattern.count == 0;
    if (model->intermediate_size == 0 && !model_gated(model) && !all_moe) {
        model->intermediate_size = 4 * model->hidden_size;
    }
}

/* int64_t holds the parameters of one layer within the bounds of the field table; a network of many such layers is
 * refused here before anything adds them up. */
static void check_size(const struct model *model, const struct node *root, struct diag *diag) {
    double total = 0;
    double limit = 1e17;
    for (int64_t i = 0; i < model->layer_count; i++) {
        struct layer_params layer = count_layer(model, &model->kinds[model->layers[i]]);
        total += (double)layer.attention + (double)layer.mlp + (double)layer.experts + (double)layer.replicated;
    }
    struct outer_params outer = count_outer(model);
    total += (double)outer.embedding + (double)outer.head + (double)outer.extra;
    if (total > limit) {
        diag_error(diag, model_mark(root, "num_hidden_layers"), "the model has %.3g parameters, more than %g", total,
                   limit);
        diag_help(diag, "check the widths, num_experts and num_hidden_layers for misplaced digits");
    }
}

enum status model_complete(struct arena *arena, struct model *model, const struct node *root, struct diag *diag) {
    size_t errors = diag->errors;
    complete_attention(model, root);
    model_check_blocks(model, root, diag);
    complete_heads(model);
    complete_ffn(model);
    size_t before_layers = diag->errors;
    model_build_layers(arena, model, root, diag);
    if (diag->errors == before_layers) {
        model_check_layers(model, root, diag);
    }
    if (diag->errors == errors) {
        check_size(model, root, diag);
    }
    return diag->errors == errors ? OK : STATUS_INVALID;
}

/* "models/llama3-8b.yaml" is called llama3-8b. */
static const char *file_name(struct arena *arena, const struct node *root) {
    const char *path = root->mark.source == NULL || root->mark.source->name == NULL ? "model" : root->mark.source->name;
    const char *slash = strrchr(path, '/');
    const char *start = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(start, '.');
    size_t size = dot == NULL || dot == start ? strlen(start) : (size_t)(dot - start);
    return arena_copy(arena, start, size);
}

enum status model_load(struct arena *arena, struct node *root, struct model *ret_model, struct diag *diag) {
    *ret_model = (struct model){0};
    TRY(bind_schema(root, "model", diag));
    TRY(bind_fields(arena, root, "model", model_fields, ret_model, diag));
    if (ret_model->name == NULL) {
        ret_model->name = file_name(arena, root);
    }
    return model_complete(arena, ret_model, root, diag);
}

static int64_t round_up(int64_t value, int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

int64_t model_padded_vocab(const struct model *model, int64_t tp) {
    int64_t rows = model->padded_vocab_size > model->vocab_size ? model->padded_vocab_size : model->vocab_size;
    return round_up(rows, model->vocab_pad_multiple * tp);
}

int64_t model_image_tokens(const struct model *model) {
    const struct image *image = model->image;
    if (image == NULL) {
        return 0;
    }
    int64_t side = image->image_size / image->patch_size;
    return side * side + (image->class_token ? 1 : 0);
}

int64_t model_encoder_tokens(const struct model *model, int64_t seq_len) {
    return model->encoder != NULL && model->encoder->seq_len > 0 ? model->encoder->seq_len : seq_len;
}
