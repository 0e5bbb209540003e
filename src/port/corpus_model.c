/* The model of a row: a shipped one with the row's shape over it, or one from the shape alone. */
#include <string.h>

#include "base/arena.h"
#include "port/row.h"

/* Heads of the usual width: the one nearest to 128, in steps of 8, that gives every tensor-parallel rank as many. */
static int64_t usual_heads(int64_t hidden, int64_t tp) {
    for (int64_t away = 0; away <= 64; away += 8) {
        for (int64_t width = 128 - away; width <= 128 + away; width += away > 0 ? 2 * away : 1) {
            if (hidden % (width * tp) == 0) {
                return hidden / width;
            }
        }
    }
    return hidden >= 128 ? hidden / 128 : 1;
}

/* Architecture of a model known by its shape alone: gated feed-forward means Llama's block, else GPT's. */
static void shape_defaults(struct row *r, struct model *m) {
    bool gated = row_count(r, "gated_mlp", 0) == 1;
    field_defaults(r->arena, model_fields, m);
    m->name = row_cell(r, "model");
    m->hidden_size = row_needed(r, "hidden", 0);
    m->num_hidden_layers = row_needed(r, "layers", 0);
    int64_t tp = row_cell(r, "heads")[0] == '\0' ? row_count(r, "tp", 1) : 1;
    m->num_attention_heads = row_needed(r, "heads", usual_heads(m->hidden_size, tp > 0 ? tp : 1));
    m->vocab_size = row_needed(r, "vocab", 50257);
    m->mlp = gated ? MLP_SWIGLU : MLP_GELU;
    m->norm = gated ? NORM_RMS : NORM_LAYER;
    m->position = gated ? POSITION_ROPE : POSITION_LEARNED;
    m->tie_word_embeddings = !gated;
    m->bias = (struct bias){!gated, !gated, !gated, false, false};
    m->max_position_embeddings = row_count(r, "seq_len", 2048);
    m->intermediate_size = gated ? 0 : 4 * m->hidden_size;
    m->dropout = gated ? 0 : r->framework->dropout;
}

/* "1" counts experts of the routed ones' width, "1024 hidden" is the width of all of them. */
static void override_shared(struct row *r, struct moe *moe) {
    const char *shared = row_cell(r, "shared_experts");
    size_t digits = strspn(shared, "0123456789");
    long long width = 0;
    if (digits > 0 && text_equal(shared + digits, " hidden")) {
        if (!text_integer(shared, digits, &width) || width > 16777216) {
            row_refuse(r, arena_format(r->arena, "shared_experts: '%s' is too large", shared));
            return;
        }
        moe->shared_intermediate_size = width;
        moe->shared_experts = width > 0 ? 1 : 0;
    } else if (shared[0] != '\0') {
        int64_t number = row_count(r, "shared_experts", 0);
        if (number > 1024) {
            row_refuse(r, arena_format(r->arena, "shared_experts: '%s' is too large", shared));
        } else if (number != moe->shared_experts) {
            moe->shared_experts = number;
            moe->shared_intermediate_size = number * moe->expert_intermediate_size;
        }
    }
}

/* The loader's model is shared by all rows: its experts are copied before they are changed. */
static void override_moe(struct row *r, struct model *m) {
    if (row_count(r, "experts", 0) <= 1) {
        return;
    }
    const struct field *fields = field_find(model_fields, "moe")->fields;
    struct moe *moe = ARENA_NEW(r->arena, struct moe);
    *moe = m->moe != NULL ? *m->moe : (struct moe){.layer_freq = 1, .imbalance = 1};
    m->moe = moe;
    bool biased = moe->router_bias == moe->num_experts;
    row_override(r, "experts", fields, "num_experts", moe);
    moe->router_bias = biased ? moe->num_experts : moe->router_bias;
    row_override(r, "topk", fields, "experts_per_token", moe);
    row_override(r, "moe_ffn", fields, "expert_intermediate_size", moe);
    row_override(r, "moe_layer_freq", fields, "layer_freq", moe);
    row_override(r, "dense_first", fields, "first_dense_layers", moe);
    if (text_equal(row_cell(r, "dense_first"), "0")) {
        moe->first_dense_layers = 0;
    }
    override_shared(r, moe);
    if (moe->experts_per_token == 0) {
        row_refuse(r, "topk is not stated");
    }
    if (moe->expert_intermediate_size == 0) {
        moe->expert_intermediate_size = m->intermediate_size;
        row_fill(r, "moe_ffn", "ffn_hidden");
    }
}

/* Over a shipped model, depth and width where the row differs; derived widths are derived again. */
static void override_shape(struct row *r, struct model *m) {
    int64_t hidden = m->hidden_size, heads = m->num_attention_heads, vocabulary = m->vocab_size;
    row_override(r, "hidden", model_fields, "hidden_size", m);
    row_override(r, "layers", model_fields, "num_hidden_layers", m);
    row_override(r, "heads", model_fields, "num_attention_heads", m);
    if (m->num_key_value_heads == heads) {
        m->num_key_value_heads = 0;
    }
    if (m->mla == NULL) {
        if (m->hidden_size != hidden || m->num_attention_heads != heads) {
            m->head_dim = 0;
        }
        row_override(r, "kv_heads", model_fields, "num_key_value_heads", m);
        row_override(r, "head_dim", model_fields, "head_dim", m);
    }
    row_override(r, "ffn_hidden", model_fields, "intermediate_size", m);
    row_override(r, "vocab", model_fields, "vocab_size", m);
    if (m->vocab_size != vocabulary) {
        m->padded_vocab_size = 0;
    }
    override_moe(r, m);
}

/* What a row says beside its shape. */
static void refuse_unlike(struct row *r) {
    const char *note = row_cell(r, "note"), *name = row_cell(r, "model");
    if (strstr(note, "CPU-offload") != NULL || strstr(note, "CPU offload") != NULL) {
        row_refuse(r, "note: optimizer state or activations in host memory are not expressible");
    }
    if (strstr(name, "hybrid") != NULL || strstr(name, "(hy") != NULL) {
        row_refuse(r, "model: which of its layers are attention is not stated");
    }
    if (strstr(note, "deterministic-mode") != NULL) {
        r->ret->times = false; /* other kernels than anyone trains with; memory is the same */
    }
    if (text_equal(row_cell(r, "finetune"), "lora")) {
        row_refuse(r, "finetune: adapters on frozen weights are not expressible");
    }
}

void corpus_model(struct row *r, const struct corpus_loader *loader) {
    struct model *m = &r->ret->model;
    const char *reference = row_cell(r, "model_ref");
    if (reference[0] != '\0') {
        if (loader->model(loader->context, reference, m) != OK) {
            row_refuse(r, arena_format(r->arena, "model_ref: no shipped model '%s'", reference));
        }
    } else {
        shape_defaults(r, m);
    }
    if (r->ret->refusal == NULL) {
        override_shape(r, m);
        refuse_unlike(r);
    }
    if (r->ret->refusal != NULL) {
        return;
    }
    struct diag diag;
    diag_init(&diag, r->arena);
    m->kind_count = m->layer_count = 0;
    if (model_complete(r->arena, m, NULL, &diag) != OK) {
        row_refuse(r, arena_format(r->arena, "model: %s", diag.count > 0 ? diag.entries[0].text : "invalid"));
    }
}
