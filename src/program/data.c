/* Gradients and parameters beside the passes (Rajbhandari et al. 2020, arXiv:1910.02054; Zhao et al. 2023,
 * arXiv:2304.11277, section 4.3; Megatron-Core's distributed optimizer).
 *
 *   ZeRO-0, 1   compute  ... B3 B2 B1 B0             buckets of gradients follow the chunk's last backward
 *               data            r3  r2 r1 r0
 *   ZeRO-1, 2   compute  F0 F1 F2 ...                parameters that the last update left come before the first forward
 *               data  g0 g1 g2
 *   ZeRO-3      compute     F0 F1 ... B1 B0          each block's parameters are gathered while the block before runs
 *               data     g0 g1 g2   g1 g0 r1 r0      and dropped behind it, before forward and before backward
 *
 * What stands outside the layers is one unit of ZeRO-3 (FSDP's root): gathered first, kept for backward, reduced
 * last. */
#include "program/data.h"

#include <math.h>

#include "base/arena.h"

static struct sharers sharers_of(const struct lowering *l, enum axis axis, bool hybrid) {
    struct sharers sharers = {axis, l->mesh.axes[axis].size, l->mesh.axes[axis].size};
    if (hybrid) {
        struct span span = mesh_span(l->topology, &l->mesh, axis, sharers.size, 1);
        sharers.part = sharers.size % span.inner == 0 ? span.inner : sharers.size;
    }
    return sharers;
}

void data_open(struct lowering *l) {
    const struct job *job = &l->plan->job;
    int64_t zero = l->plan->decision.parallel.zero;
    struct data *d = l->data = ARENA_NEW(l->arena, struct data);
    d->bytes = job_state_bytes(job);
    d->hybrid = zero >= 3 && job->space.hybrid_shard;
    d->dense = sharers_of(l, AXIS_DP_CP, d->hybrid);
    d->expert = sharers_of(l, AXIS_EDP, d->hybrid);
    d->shared = d->dense.size > 1 || (l->model->moe != NULL && d->expert.size > 1);
    d->gathers_each = d->shared && zero >= 3;
    d->reduces_each = d->shared && zero >= 2;
    d->gathers_beside = job->overlap.parameters;
    d->reduces_beside = job->overlap.gradients;
    d->gathers_first = d->shared && (zero == 1 || zero == 2) && d->gathers_beside;
    d->gathers_last = d->shared && (zero == 1 || zero == 2) && !d->gathers_beside;
    d->table = d->norm = NOTHING;
    d->chunks = ARENA_ARRAY(l->arena, struct chunk_data, (size_t)l->stages.held);
    d->first = ARENA_ARRAY(l->arena, int32_t, (size_t)(l->stages.held * l->blocks_most));
    d->gathered = ARENA_ARRAY(l->arena, struct gathered, (size_t)(WAYS * l->blocks_most));
    d->mirrors = ARENA_ARRAY(l->arena, int32_t, (size_t)l->stages.ranks);
    for (int64_t i = 0; i < l->stages.ranks; i++) {
        d->mirrors[i] = NOTHING;
    }
}

int32_t share_add(struct lowering *l, const struct share *share, enum stream stream, int32_t wait) {
    struct work work = work_blank(share->kind);
    work.collective = share->collective;
    work.axis = share->axis;
    work.size = share->size;
    work.step = share->step;
    work.bytes = share->bytes;
    struct instruction instruction =
        instruction_blank(ACTION_COLLECTIVE, stream, builder_work(l->builder, &work));
    struct meeting meeting = {share->axis, share->size, 0};
    instruction.meeting = share->meeting != NOTHING ? share->meeting : builder_meeting(l->builder, &meeting);
    instruction.stage = share->stage;
    instruction.layer = share->layer;
    int32_t added = builder_add(l->builder, &instruction);
    builder_wait(l->builder, added, wait);
    l->data->last = stream == STREAM_DATA ? added : l->data->last;
    return added;
}

/* Hybrid shards are reduce-scattered in the node, and what is left all-reduced across nodes. */
static int32_t reduce_over(struct lowering *l, const struct sharers *sharers, struct share *share, double elements,
                           int32_t wait) {
    int32_t added = NOTHING;
    int64_t far = sharers->size / sharers->part;
    if (elements <= 0 || sharers->size == 1) {
        return NOTHING;
    }
    share->axis = sharers->axis;
    share->bytes = elements * l->data->bytes.gradient;
    if (sharers->part > 1) {
        bool whole = l->plan->decision.parallel.zero == 0;
        share->collective = whole ? COLLECTIVE_ALL_REDUCE : COLLECTIVE_REDUCE_SCATTER;
        share->size = sharers->part;
        share->step = 1;
        added = wait = share_add(l, share, STREAM_DATA, wait);
    }
    if (far > 1) {
        share->collective = COLLECTIVE_ALL_REDUCE;
        share->size = far;
        share->step = sharers->part;
        share->bytes /= (double)sharers->part;
        added = share_add(l, share, STREAM_DATA, wait);
    }
    return added;
}

int32_t data_reduce(struct lowering *l, const struct parameters *elements, int32_t stage, int32_t layer, int32_t wait) {
    struct share share = {.kind = WORK_REDUCE, .meeting = NOTHING, .stage = stage, .layer = layer};
    int32_t dense = reduce_over(l, &l->data->dense, &share, elements->dense, wait);
    int32_t expert = reduce_over(l, &l->data->expert, &share, elements->expert, wait);
    return expert != NOTHING ? expert : dense;
}

static int32_t gather_over(struct lowering *l, const struct sharers *sharers, struct share *share, double elements,
                           int32_t wait) {
    if (elements <= 0 || sharers->part == 1) {
        return NOTHING;
    }
    share->axis = sharers->axis;
    share->size = sharers->part;
    share->step = 1;
    share->bytes = elements * l->data->bytes.weight;
    return share_add(l, share, STREAM_DATA, wait);
}

int32_t data_gather(struct lowering *l, const struct parameters *elements, int32_t stage, int32_t layer, int32_t wait) {
    struct share share = {.kind = WORK_GATHER, .collective = COLLECTIVE_ALL_GATHER, .meeting = NOTHING, .stage = stage,
                          .layer = layer};
    int32_t dense = gather_over(l, &l->data->dense, &share, elements->dense, wait);
    int32_t expert = gather_over(l, &l->data->expert, &share, elements->expert, wait);
    return expert != NOTHING ? expert : dense;
}

bool data_needs_blocks(const struct lowering *l, const struct pass_site *site) {
    const struct data *d = l->data;
    bool first = d->gathers_first && site->action == ACTION_FORWARD && site->opens;
    bool last = d->shared && !d->reduces_each && d->reduces_beside && site->closes;
    return d->reduces_each || first || last;
}

static const struct parameters *parameters_of(const struct lowering *l, int32_t stage, int64_t block) {
    return &l->loads[stage][block].parameters;
}

static bool in_layers(const struct lowering *l, int32_t stage, int64_t block) {
    return l->blocks[stage][block].block == BLOCK_LAYER;
}

/* What stands outside the layers of a stage. */
static struct parameters outer_of(const struct lowering *l, int32_t stage) {
    struct parameters sum = {0};
    for (int64_t block = 0; block < l->block_counts[stage]; block++) {
        if (!in_layers(l, stage, block)) {
            sum.dense += parameters_of(l, stage, block)->dense;
            sum.expert += parameters_of(l, stage, block)->expert;
        }
    }
    return sum;
}

static struct gathered gather_unit(struct lowering *l, const struct pass_site *site,
                                   const struct parameters *elements, int32_t layer) {
    struct gathered unit = {NOTHING, NOTHING};
    struct parameters dense = {.dense = elements->dense}, expert = {.expert = elements->expert};
    int32_t first = data_gather(l, &dense, site->stage, layer, l->last);
    int32_t second = data_gather(l, &expert, site->stage, layer, l->last);
    unit.gather = second != NOTHING ? second : first;
    if (unit.gather != NOTHING) {
        double bytes = (elements->dense + elements->expert) * l->data->bytes.weight;
        unit.tensor = tensor_add(l, TENSOR_COMMUNICATION, bytes, site, first != NOTHING ? first : second, NOTHING);
    }
    return unit;
}

static struct gathered *gathered_at(const struct lowering *l, const struct pass_site *site, int64_t block) {
    int64_t way = site->action == ACTION_FORWARD ? 0 : 1;
    return &l->data->gathered[way * l->blocks_most + block];
}

static void gather_block(struct lowering *l, const struct pass_site *site, int64_t block) {
    struct gathered *unit = gathered_at(l, site, block);
    *unit = (struct gathered){NOTHING, NOTHING};
    if (in_layers(l, site->stage, block)) {
        *unit = gather_unit(l, site, parameters_of(l, site->stage, block), l->blocks[site->stage][block].layer);
    }
}

/* ZeRO-3: a block's parameters and, beside it, those of the block behind it. */
static int32_t gather_ahead(struct lowering *l, const struct pass_site *site, int64_t block) {
    struct chunk_data *chunk = &l->data->chunks[site_stage(l, site)->chunk];
    bool forward = site->action == ACTION_FORWARD;
    int64_t begin = forward ? 0 : l->block_counts[site->stage] - 1;
    int64_t end = forward ? l->block_counts[site->stage] - 1 : 0;
    if (block == begin && (forward || l->round != NULL) && chunk->outer_users++ == 0) {
        struct parameters outer = outer_of(l, site->stage);
        chunk->outer = gather_unit(l, site, &outer, NOTHING);
    }
    if (block == begin || !l->data->gathers_beside) {
        gather_block(l, site, block);
    }
    if (block != end && l->data->gathers_beside) {
        gather_block(l, site, block + (forward ? 1 : -1));
    }
    return in_layers(l, site->stage, block) ? gathered_at(l, site, block)->gather : chunk->outer.gather;
}

/* ZeRO-3 drops what the block needed, and behind the first block of a backward what stands outside the layers; where
 * stages go round, behind every pass. */
static void drop_gathered(struct lowering *l, const struct pass_site *site, int64_t block, int32_t last) {
    struct chunk_data *chunk = &l->data->chunks[site_stage(l, site)->chunk];
    struct gathered *unit = gathered_at(l, site, block);
    if (unit->tensor != NOTHING) {
        builder_free(l->builder, unit->tensor, last);
    }
    *unit = (struct gathered){NOTHING, NOTHING};
    bool forward = site->action == ACTION_FORWARD;
    bool over = forward ? l->round != NULL && block == l->block_counts[site->stage] - 1 : block == 0;
    if (over && --chunk->outer_users == 0) {
        if (chunk->outer.tensor != NOTHING) {
            builder_free(l->builder, chunk->outer.tensor, last);
        }
        chunk->outer = (struct gathered){NOTHING, NOTHING};
    }
}

/* Reduces the gradients of one unit. Under ZeRO-3 they are whole from the block's backward until then. */
static int32_t reduce_unit(struct lowering *l, const struct due *due) {
    int32_t reduce = data_reduce(l, &due->elements, due->site.stage, due->layer, due->behind);
    double bytes = (due->elements.dense + due->elements.expert) * l->data->bytes.gradient;
    if (reduce != NOTHING && l->data->gathers_each) {
        tensor_add(l, TENSOR_COMMUNICATION, bytes, &due->site, due->behind, reduce);
    }
    l->data->wait = reduce != NOTHING && !l->data->reduces_beside ? reduce : l->data->wait;
    return reduce;
}

static int32_t reduce_due(struct lowering *l) {
    int32_t reduce = l->data->due.behind != NOTHING ? reduce_unit(l, &l->data->due) : NOTHING;
    l->data->due.behind = NOTHING;
    return reduce;
}

/* The end of a backward waits for its last reduction. */
static void reduce_block(struct lowering *l, const struct pass_site *site, int64_t block, int32_t last) {
    struct data *d = l->data;
    (void)reduce_due(l);
    if (in_layers(l, site->stage, block)) {
        d->due = (struct due){*parameters_of(l, site->stage, block), *site, l->blocks[site->stage][block].layer, last};
    }
    bool now = block == 0 || !d->gathers_each || !d->gathers_beside || !d->reduces_beside;
    int32_t reduce = now ? reduce_due(l) : NOTHING;
    if (block == 0) {
        int32_t outer = reduce_unit(l, &(struct due){outer_of(l, site->stage), *site, NOTHING, last});
        d->wait = outer != NOTHING ? outer : reduce != NOTHING ? reduce : d->wait;
    }
}

void data_fill(struct lowering *l, int32_t stage, int64_t block, int32_t wait) {
    struct data *d = l->data;
    struct chunk_data *chunk = &d->chunks[l->stages.items[stage].chunk];
    chunk->dense += parameters_of(l, stage, block)->dense;
    chunk->expert += parameters_of(l, stage, block)->expert;
    chunk->reduced = block == 0;
    while (chunk->dense >= d->dense_bucket || chunk->expert >= d->expert_bucket || block == 0) {
        bool rest = chunk->dense < d->dense_bucket && chunk->expert < d->expert_bucket;
        struct parameters bucket = {0};
        if (rest || chunk->dense >= d->dense_bucket) {
            bucket.dense = fmin(chunk->dense, d->dense_bucket);
        }
        if (rest || chunk->expert >= d->expert_bucket) {
            bucket.expert = fmin(chunk->expert, d->expert_bucket);
        }
        data_reduce(l, &bucket, stage, NOTHING, wait);
        chunk->dense -= bucket.dense;
        chunk->expert -= bucket.expert;
        if (rest) {
            break;
        }
    }
}

int32_t block_begins(struct lowering *l, const struct pass_site *site, int64_t block) {
    struct data *d = l->data;
    int32_t wait = d->wait;
    d->wait = NOTHING;
    if (site->action == ACTION_WEIGHT) {
        return wait;
    }
    int32_t gather = NOTHING;
    if (d->gathers_each) {
        gather = gather_ahead(l, site, block);
        (void)reduce_due(l);
    } else if (d->gathers_first && site->action == ACTION_FORWARD && site->opens) {
        gather = d->first[site_stage(l, site)->chunk * l->blocks_most + block];
    }
    return gather > wait ? gather : wait; /* one stream: the later one ends later */
}

void block_ends(struct lowering *l, const struct pass_site *site, int64_t block, int32_t last) {
    struct data *d = l->data;
    l->last = last;
    if (d->gathers_each && site->action != ACTION_WEIGHT) {
        drop_gathered(l, site, block, last);
    }
    if (site->action != ACTION_WEIGHT && site->action != ACTION_FULL) {
        return;
    }
    if (d->reduces_each) {
        reduce_block(l, site, block, last);
    } else if (d->shared && d->reduces_beside && site->closes) {
        data_fill(l, site->stage, block, last);
    }
}
