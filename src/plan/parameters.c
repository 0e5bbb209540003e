/* Matrices are split over tensor-parallel ranks (Megatron-LM, arXiv:1909.08053, section 3), experts over
 * expert-parallel ones; norms, routers and learned positions are whole on each. */
#include "plan/parameters.h"

#include <math.h>

struct parameters parameters_layer(const struct layer_params *layer, const struct parallel *parallel) {
    return (struct parameters){
        .dense = (double)(layer->attention + layer->mlp) / (double)parallel->tp + (double)layer->replicated,
        .expert = (double)layer->experts / (double)(parallel->ep * parallel->etp),
        .replicated = (double)layer->replicated,
    };
}

/* A table of tokens, padded so that it can be split. */
static double table_of(const struct model *model, const struct parallel *parallel) {
    return (double)(model_padded_vocab(model, parallel->tp) * model->hidden_size);
}

struct parameters parameters_embedding(const struct model *model, const struct outer_params *outer,
                                       const struct parallel *parallel) {
    double split = model->image != NULL ? (double)(outer->embedding - outer->position) : table_of(model, parallel);
    return (struct parameters){.dense = split / (double)parallel->tp + (double)outer->position,
                               .replicated = (double)outer->position};
}

struct parameters parameters_head(const struct model *model, const struct outer_params *outer,
                                  const struct parallel *parallel, bool has_table) {
    double split = model->image != NULL ? (double)outer->head : table_of(model, parallel);
    double own = model->tie_word_embeddings && has_table ? 0 : split / (double)parallel->tp;
    return (struct parameters){.dense = own + (double)outer->final_norm, .replicated = (double)outer->final_norm};
}

struct parameters parameters_mtp(const struct model *model, const struct outer_params *outer,
                                 const struct layer_params *layer, const struct parallel *parallel) {
    struct parameters block = parameters_layer(layer, parallel);
    block.dense += (double)outer->mtp / (double)model->mtp_layers / (double)parallel->tp;
    block.replicated = 0;
    return block;
}

double parameters_extra(const struct model *model, int place) {
    const struct extra_block *blocks = model->extra_blocks.items;
    double sum = 0;
    for (size_t i = 0; i < model->extra_blocks.count; i++) {
        sum += blocks[i].place == place ? (double)blocks[i].params : 0;
    }
    return sum;
}

double parameters_bucket(const struct job *job, double ranks) {
    return job->bucket > 0 ? job->bucket : fmax(40e6, 1e6 * ranks);
}
