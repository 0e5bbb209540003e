/* The rules across keys of a model document. Each rule is one condition, one error at the key to change, and where it
 * helps, what to write. */
#include "model/internal.h"

#include <stddef.h>
#include <string.h>

struct check {
    const struct model *model;
    const struct node *root;
    struct diag *diag;
};

static long long whole(int64_t value) {
    return (long long)value;
}

static struct mark at(const struct check *check, const char *path) {
    return model_mark(check->root, path);
}

static void check_heads(const struct check *check) {
    const struct model *model = check->model;
    int64_t heads = model->num_attention_heads;
    int64_t groups = model->num_key_value_heads;
    if (groups > heads) {
        diag_error(check->diag, at(check, "num_key_value_heads"),
                   "num_key_value_heads: %lld exceeds num_attention_heads %lld", whole(groups), whole(heads));
    } else if (groups > 0 && heads % groups != 0) {
        diag_error(check->diag, at(check, "num_key_value_heads"),
                   "num_key_value_heads: %lld does not divide num_attention_heads %lld", whole(groups), whole(heads));
    }
    if (model->mla != NULL && groups > 0 && groups != heads) {
        diag_error(check->diag, at(check, "num_key_value_heads"),
                   "num_key_value_heads: %lld contradicts mla, where every head has its own keys and values",
                   whole(groups));
        diag_help(check->diag, "leave num_key_value_heads out");
    }
}

static void check_moe(const struct check *check) {
    const struct model *model = check->model;
    const struct moe *moe = model->moe;
    if (moe->experts_per_token > moe->num_experts) {
        diag_error(check->diag, at(check, "moe.experts_per_token"), "experts_per_token: %lld exceeds num_experts %lld",
                   whole(moe->experts_per_token), whole(moe->num_experts));
    }
    if (moe->expert_intermediate_size == 0 && model->intermediate_size == 0) {
        diag_error(check->diag, at(check, "moe"), "moe: expert_intermediate_size is missing");
        diag_help(check->diag, "give the width of one expert (moe_intermediate_size in Hugging Face configurations)");
    }
    if (moe->router_bias != 0 && moe->router_bias != moe->num_experts) {
        diag_error(check->diag, at(check, "moe.router_bias"),
                   "router_bias: %lld entries for num_experts %lld; it is one per expert, or 0",
                   whole(moe->router_bias), whole(moe->num_experts));
    }
    if (moe->shared_expert_gate && moe->shared_experts == 0 && moe->shared_intermediate_size == 0) {
        diag_error(check->diag, at(check, "moe.shared_expert_gate"), "shared_expert_gate: there are no shared experts");
    }
}

static void check_vocabulary(const struct check *check) {
    const struct model *model = check->model;
    if (model->image == NULL && model->vocab_size == 0) {
        diag_error(check->diag, at(check, "vocab_size"), "vocab_size is missing");
        diag_help(check->diag, "only a model with image has none");
    }
    if (model->padded_vocab_size > 0 && model->padded_vocab_size < model->vocab_size) {
        diag_error(check->diag, at(check, "padded_vocab_size"), "padded_vocab_size: %lld is less than vocab_size %lld",
                   whole(model->padded_vocab_size), whole(model->vocab_size));
    }
    if (model->position == POSITION_LEARNED && model->max_position_embeddings == 0 && model->image == NULL) {
        diag_error(check->diag, at(check, "position"), "position: learned needs max_position_embeddings");
        diag_help(check->diag, "give the rows of the table of positions (n_positions, n_ctx)");
    }
}

/* Keys of texts in a model of images. */
static void check_image(const struct check *check) {
    const struct model *model = check->model;
    const struct image *image = model->image;
    const struct {
        const char *key;
        bool given;
    } contradictions[] = {
        {"vocab_size", model->vocab_size > 0},     {"tie_word_embeddings", model->tie_word_embeddings},
        {"mtp_layers", model->mtp_layers > 0},     {"encoder", model->encoder != NULL},
        {"embedding_norm", model->embedding_norm},
    };
    for (size_t i = 0; i < sizeof contradictions / sizeof contradictions[0]; i++) {
        if (contradictions[i].given) {
            diag_error(check->diag, at(check, contradictions[i].key), "%s contradicts image", contradictions[i].key);
            diag_help(check->diag, "a model with image reads patches, not a vocabulary");
        }
    }
    if (image->image_size % image->patch_size != 0) {
        diag_error(check->diag, at(check, "image.patch_size"), "patch_size: %lld does not divide image_size %lld",
                   whole(image->patch_size), whole(image->image_size));
    }
    if (image->adaln && image->class_token) {
        diag_error(check->diag, at(check, "image.class_token"), "class_token contradicts adaln");
    }
}

void model_check_blocks(const struct model *model, const struct node *root, struct diag *diag) {
    struct check check = {.model = model, .root = root, .diag = diag};
    check_heads(&check);
    check_vocabulary(&check);
    if (model->moe != NULL) {
        check_moe(&check);
    }
    if (model->image != NULL) {
        check_image(&check);
    }
    if (model->linear != NULL && model->linear->value_heads % model->linear->key_heads != 0) {
        diag_error(diag, at(&check, "linear.key_heads"), "key_heads: %lld does not divide value_heads %lld",
                   whole(model->linear->key_heads), whole(model->linear->value_heads));
    }
    if (model->mtp_layers > 0 && model->encoder != NULL) {
        diag_error(diag, at(&check, "mtp_layers"), "mtp_layers contradicts encoder");
    }
}

/* A kind of layer and the block that describes it must come together. */
static void check_pair(const struct check *check, const char *word, bool used, const char *block, bool given) {
    if (used && !given) {
        diag_error(check->diag, at(check, check->model->layer_pattern.count > 0 ? "layer_pattern" : "attention"),
                   "%s layers need the key %s", word, block);
        diag_help(check->diag, "add %s, or name another kind of layer", block);
    } else if (given && !used) {
        diag_error(check->diag, at(check, block), "%s is given but no layer is %s", block, word);
        diag_help(check->diag, "remove %s, or name %s layers with attention or layer_pattern", block, word);
    }
}

static void check_moe_layers(const struct check *check) {
    const struct model *model = check->model;
    bool used = model_uses_ffn(model, FFN_MOE);
    if (used && model->moe == NULL) {
        diag_error(check->diag, at(check, "layer_pattern"), "moe layers need the key moe");
    } else if (!used && model->moe != NULL) {
        bool late = model->layer_pattern.count == 0 && model->moe->first_dense_layers > 0;
        diag_error(check->diag, at(check, late ? "moe.first_dense_layers" : "moe"),
                   "moe is given but none of the %lld layers has experts", whole(model->num_hidden_layers));
    }
}

/* A word of the pattern that names its feed-forward leaves the rule of moe nothing to say. */
static void check_pattern_ffn(const struct check *check) {
    const struct model *model = check->model;
    const char *const *words = model->layer_pattern.items;
    bool ruled = model->moe != NULL && (model->moe->first_dense_layers > 0 || model->moe->layer_freq > 1);
    for (size_t i = 0; ruled && i < model->layer_pattern.count; i++) {
        if (strchr(words[i], '/') != NULL) {
            const char *key = model->moe->layer_freq > 1 ? "moe.layer_freq" : "moe.first_dense_layers";
            diag_error(check->diag, at(check, key), "%s: layer_pattern names the feed-forwards", strchr(key, '.') + 1);
            diag_help(check->diag, "leave first_dense_layers and layer_freq out, or name attentions alone");
            return;
        }
    }
}

static void check_dense_width(const struct check *check) {
    const struct model *model = check->model;
    for (int64_t i = 0; i < model->kind_count; i++) {
        const struct layer_kind *kind = &model->kinds[i];
        if (kind->ffn == FFN_DENSE && kind->intermediate_size == 0) {
            diag_error(check->diag, at(check, "intermediate_size"), "intermediate_size is missing");
            diag_help(check->diag, "give the width of the %s feed-forward; a gated one has no customary default",
                      kind->encoder ? "encoder's" : "dense");
            return;
        }
    }
}

static void check_head_dim(const struct check *check) {
    const struct model *model = check->model;
    bool needed = model_uses_attention(model, ATTENTION_FULL) || model_uses_attention(model, ATTENTION_SLIDING) ||
                  model->encoder != NULL;
    if (needed && model->head_dim == 0) {
        diag_error(check->diag, at(check, "num_attention_heads"),
                   "num_attention_heads: %lld does not divide hidden_size %lld", whole(model->num_attention_heads),
                   whole(model->hidden_size));
        diag_help(check->diag, "give head_dim where heads * head_dim is not hidden_size");
    }
}

void model_check_layers(const struct model *model, const struct node *root, struct diag *diag) {
    struct check check = {.model = model, .root = root, .diag = diag};
    check_pair(&check, "mla", model_uses_attention(model, ATTENTION_MLA), "mla", model->mla != NULL);
    check_pair(&check, "linear", model_uses_attention(model, ATTENTION_LINEAR), "linear", model->linear != NULL);
    check_pair(&check, "sliding", model_uses_attention(model, ATTENTION_SLIDING), "sliding_window",
               model->sliding_window > 0);
    check_moe_layers(&check);
    check_pattern_ffn(&check);
    check_dense_width(&check);
    check_head_dim(&check);
    for (int64_t i = 0; i < model->kind_count; i++) {
        if (model->kinds[i].attention == ATTENTION_NONE && model->kinds[i].ffn == FFN_NONE) {
            diag_error(diag, at(&check, "layer_pattern"), "layer_pattern: none/none is a layer without any content");
        }
    }
}
