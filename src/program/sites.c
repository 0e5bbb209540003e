/* Stages as blocks: embedding, layers, MTP blocks, head; what each keeps for backward, how many parameters it has. */
#include <string.h>

#include "base/arena.h"
#include "model/count.h"
#include "plan/shard.h"
#include "program/lower_parts.h"

/* What the blocks of each sort take, computed once. */
struct sorts {
    struct block_load kinds[MODEL_KINDS], embedding, head, head_with_table, mtp, mtp_with_table;
};

static double element_of(const struct lowering *l) {
    return l->shard.element;
}

static struct holding layer_holding(const struct lowering *l, int64_t kind) {
    struct layer_work work;
    operation_layer(l->model, &l->model->kinds[kind], &l->shard, &work);
    return holding_of(&work, l->recomputed, element_of(l));
}

static void ends_make(const struct lowering *l, const struct outer_params *outer, struct sorts *sorts) {
    const struct parallel *parallel = &l->plan->decision.parallel;
    struct layer_work work;
    operation_embedding(l->model, &l->shard, &work);
    sorts->embedding.holding = holding_of(&work, 0, element_of(l));
    sorts->embedding.parameters = parameters_embedding(l->model, outer, parallel);
    sorts->embedding.parameters.dense += parameters_extra(l->model, 0);
    bool fused = l->plan->job.kernels.fused_cross_entropy;
    operation_head(l->model, &l->shard, fused, &work);
    sorts->head.holding = sorts->head_with_table.holding = holding_head(&work, fused);
    sorts->head.parameters = parameters_head(l->model, outer, parallel, false);
    sorts->head_with_table.parameters = parameters_head(l->model, outer, parallel, true);
    sorts->head.parameters.dense += parameters_extra(l->model, 1);
    sorts->head_with_table.parameters.dense += parameters_extra(l->model, 1);
}

/* MTP blocks share one embedding table; where the rank has none of its own the first block brings it. */
static void mtp_make(const struct lowering *l, const struct outer_params *outer, const struct layer_params *layer,
                     struct sorts *sorts) {
    const struct parallel *parallel = &l->plan->decision.parallel;
    double tokens = (double)l->shard.micro_batch * (double)l->shard.seq_len / (double)l->shard.cp;
    double own = l->shard.sequence_parallel ? tokens / (double)l->shard.tp : tokens;
    double input = element_of(l) * own * (double)l->model->hidden_size;
    struct holding kind = layer_holding(l, l->model->mtp_kind);
    sorts->mtp.holding = holding_mtp(&kind, &sorts->head.holding, input);
    sorts->mtp.parameters = parameters_mtp(l->model, outer, layer, parallel);
    sorts->mtp_with_table = sorts->mtp;
    sorts->mtp_with_table.parameters.dense += parameters_embedding(l->model, outer, parallel).dense;
}

static void sorts_make(const struct lowering *l, struct sorts *sorts) {
    struct outer_params outer = count_outer(l->model);
    const struct parallel *parallel = &l->plan->decision.parallel;
    *sorts = (struct sorts){0};
    for (int64_t kind = 0; kind < l->model->kind_count; kind++) {
        struct layer_params layer = count_layer(l->model, &l->model->kinds[kind]);
        sorts->kinds[kind].holding = layer_holding(l, kind);
        sorts->kinds[kind].parameters = parameters_layer(&layer, parallel);
    }
    ends_make(l, &outer, sorts);
    if (l->model->mtp_layers > 0) {
        struct layer_params layer = count_layer(l->model, &l->model->kinds[l->model->mtp_kind]);
        mtp_make(l, &outer, &layer, sorts);
    }
}

static bool rank_has_embedding(const struct lowering *l, int64_t rank) {
    bool has = l->order.barriers > 0; /* a shard of it */
    for (int64_t i = 0; i < l->stages.held; i++) {
        has = has || l->stages.items[rank * l->stages.held + i].embedding;
    }
    return has;
}

static int32_t block_count(const struct stage *stage) {
    return (int32_t)(stage->layers + stage->mtp + (stage->embedding ? 1 : 0) + (stage->head ? 1 : 0));
}

struct stage_blocks {
    struct block_site *sites;
    struct block_load *loads;
    int32_t count;
};

static void block_add(struct stage_blocks *blocks, enum block block, int64_t layer, int64_t kind,
                      const struct block_load *load) {
    blocks->sites[blocks->count] =
        (struct block_site){.block = block, .layer = (int32_t)layer, .layer_kind = (uint8_t)kind};
    blocks->loads[blocks->count++] = *load;
}

static void stage_fill(const struct lowering *l, const struct stage *stage, const struct sorts *sorts,
                       struct stage_blocks *blocks) {
    const struct model *model = l->model;
    bool has_table = rank_has_embedding(l, stage->rank);
    if (stage->embedding) {
        block_add(blocks, BLOCK_EMBEDDING, NOTHING, 0, &sorts->embedding);
    }
    for (int64_t layer = stage->first; layer < stage->first + stage->layers; layer++) {
        block_add(blocks, BLOCK_LAYER, layer, model->layers[layer], &sorts->kinds[model->layers[layer]]);
    }
    for (int64_t i = 0; i < stage->mtp; i++) {
        block_add(blocks, BLOCK_MTP, NOTHING, model->mtp_kind,
                  i == 0 && !has_table ? &sorts->mtp_with_table : &sorts->mtp);
    }
    if (stage->head) {
        block_add(blocks, BLOCK_HEAD, NOTHING, 0, has_table ? &sorts->head_with_table : &sorts->head);
    }
}

void sites_make(struct lowering *l) {
    size_t stages = (size_t)l->stages.count;
    struct sorts *sorts = ARENA_NEW(l->arena, struct sorts);
    const struct block_site **sites = ARENA_ARRAY(l->arena, const struct block_site *, stages);
    const struct block_load **loads = ARENA_ARRAY(l->arena, const struct block_load *, stages);
    int32_t *counts = ARENA_ARRAY(l->arena, int32_t, stages);
    sorts_make(l, sorts);
    for (size_t i = 0; i < stages; i++) {
        const struct stage *stage = &l->stages.items[i];
        struct stage_blocks blocks = {.count = 0};
        counts[i] = block_count(stage);
        blocks.sites = ARENA_ARRAY(l->arena, struct block_site, (size_t)counts[i]);
        blocks.loads = ARENA_ARRAY(l->arena, struct block_load, (size_t)counts[i]);
        stage_fill(l, stage, sorts, &blocks);
        sites[i] = blocks.sites;
        loads[i] = blocks.loads;
        l->blocks_most = counts[i] > l->blocks_most ? counts[i] : l->blocks_most;
    }
    size_t slots = (size_t)(l->stages.held * l->micro_batches * l->blocks_most);
    l->blocks = sites;
    l->loads = loads;
    l->block_counts = counts;
    vocabulary_open(l, &sorts->embedding, &sorts->head_with_table);
    l->kept = ARENA_ARRAY(l->arena, struct kept, slots);
    l->kept_for_weight = ARENA_ARRAY(l->arena, struct kept, slots);
}
