/* What a role holds throughout the step, what it gathers before its first pass, and what follows its last:
 *
 *   [buckets] ─ tables held twice ─ norms and routers of tensor-parallel ranks ─ stages held twice
 *             ─ norm of the gradients ─ optimizer ─ [parameters]
 */
#include <math.h>

#include "plan/shard.h"
#include "program/data.h"
#include "schedule/async.h"
#include "schedule/schedule.h"

/* A job may ask for buckets of a few elements; more of them than this are made larger. */
enum { BUCKETS_MOST = 4096 };

static struct parameters held_by(const struct lowering *l) {
    struct parameters held = {0};
    for (int64_t i = 0; i < l->stages.held; i++) {
        int64_t stage = l->role * l->stages.held + i;
        for (int64_t block = 0; block < l->block_counts[stage] && round_updates(l, i); block++) {
            const struct parameters *part = &l->loads[stage][block].parameters;
            held.dense += part->dense;
            held.expert += part->expert;
            held.replicated += part->replicated;
        }
    }
    struct parameters vocabulary = vocabulary_parameters(l);
    held.dense += vocabulary.dense;
    held.replicated += vocabulary.replicated;
    return held;
}

double data_owned(const struct lowering *l) {
    const struct data *d = l->data;
    int64_t zero = l->plan->decision.parallel.zero;
    if (zero == 0) {
        return d->held.dense + d->held.expert;
    }
    return zero >= 3 ? d->held.dense / (double)d->dense.part + d->held.expert / (double)d->expert.part
                     : d->held.dense / (double)d->dense.size + d->held.expert / (double)d->expert.size;
}

static double weight_copies(const struct lowering *l) {
    const struct schedule *schedule = schedules[l->plan->decision.schedule];
    struct schedule_shape shape = {.ranks = l->stages.ranks,
                                   .micro_batches = l->micro_batches,
                                   .chunks = l->plan->decision.parallel.vpp};
    return schedule->stale != NULL ? (double)schedule->stale->copies(&shape, l->role) : 1;
}

static void hold(struct lowering *l, enum tensor_class class, double bytes) {
    if (bytes > 0) {
        tensor_add(l, class, bytes, NULL, NOTHING, NOTHING);
    }
}

/* One message each way is under way; ZeRO-2 collects a bucket of gradients. */
void tensors_hold(struct lowering *l) {
    const struct data *d = l->data;
    int64_t zero = l->plan->decision.parallel.zero;
    double all = d->held.dense + d->held.expert, owned = data_owned(l);
    if (l->stages.ranks > 1) {
        hold(l, TENSOR_COMMUNICATION, 2 * plan_message_bytes(l->model, &l->shard));
    }
    if (l->round != NULL) {
        return; /* the rest is in host memory */
    }
    hold(l, TENSOR_WEIGHTS, d->bytes.weight * (zero >= 3 ? owned : all) * weight_copies(l));
    hold(l, TENSOR_GRADIENTS, d->bytes.gradient * (zero >= 2 ? owned : all));
    hold(l, TENSOR_OPTIMIZER, d->bytes.optimizer * owned);
    if (zero == 2) {
        hold(l, TENSOR_COMMUNICATION, d->bytes.gradient * fmin(all, d->dense_bucket));
    }
}

static void gather_chunk(struct lowering *l, int64_t chunk) {
    int32_t stage = (int32_t)(l->role * l->stages.held + chunk);
    for (int64_t block = 0; block < l->block_counts[stage] && !l->data->chunks[chunk].gathered; block++) {
        l->data->first[chunk * l->blocks_most + block] =
            data_gather(l, &l->loads[stage][block].parameters, stage, l->blocks[stage][block].layer, NOTHING);
    }
    l->data->chunks[chunk].gathered = true;
}

/* Parameters that the update before this step left with their owners, in the order in which forward needs them; last
 * those of chunks that all micro-batches skip. */
static void gather_first(struct lowering *l) {
    const struct order *order = &l->order;
    for (int64_t i = order->first[l->role]; i < order->first[l->role + 1]; i++) {
        const struct pass *pass = &order->passes[i];
        if (pass->kind == PASS_FORWARD || pass->kind == PASS_PAIR) {
            gather_chunk(l, l->stages.items[visit_stage(l, &pass->visit, false)].chunk);
        }
    }
    for (int64_t chunk = 0; chunk < l->stages.held && l->round == NULL; chunk++) {
        gather_chunk(l, chunk);
    }
}

void data_begin(struct lowering *l) {
    struct data *d = l->data;
    d->held = held_by(l);
    d->dense_bucket = fmax(parameters_bucket(&l->plan->job, (double)d->dense.size), d->held.dense / BUCKETS_MOST);
    d->expert_bucket = fmax(parameters_bucket(&l->plan->job, (double)d->expert.size), d->held.expert / BUCKETS_MOST);
    d->wait = d->last = d->due.behind = NOTHING;
    for (int64_t i = 0; i < l->stages.held; i++) {
        d->chunks[i] = (struct chunk_data){.outer = {NOTHING, NOTHING}};
    }
    tensors_hold(l);
    int32_t vocabulary = NOTHING;
    if (d->gathers_first) {
        gather_first(l);
        struct parameters shard = vocabulary_parameters(l);
        vocabulary = data_gather(l, &shard, NOTHING, NOTHING, NOTHING);
    }
    vocabulary_begin(l, vocabulary);
}

/* Without overlap all buckets follow the last backward; with it those of chunks that all micro-batches skip. */
static void reduce_last(struct lowering *l) {
    const struct data *d = l->data;
    if (!d->shared || d->reduces_each) {
        return;
    }
    for (int64_t i = l->stages.held - 1; i >= 0; i--) {
        int32_t stage = (int32_t)(l->role * l->stages.held + i);
        bool left = round_updates(l, i) && !d->chunks[i].reduced;
        for (int64_t block = l->block_counts[stage] - 1; block >= 0 && left; block--) {
            data_fill(l, stage, block, l->last);
        }
    }
}

/* The last of a chain of collectives, each behind the one before and behind the last pass. */
struct chain {
    struct lowering *l;
    int32_t last;
};

static void chain_add(struct chain *chain, const struct share *share, enum stream stream) {
    if (share->bytes > 0) {
        int32_t added = share_add(chain->l, share, stream, chain->last);
        builder_wait(chain->l->builder, added, chain->l->last);
        chain->last = added;
    }
}

/* The meeting of several roles, made by the first that comes to it. */
static int32_t meeting_of(struct lowering *l, int32_t *known, int64_t size) {
    if (*known == NOTHING) {
        struct meeting meeting = {AXIS_PP, size, 0};
        *known = builder_meeting(l->builder, &meeting);
    }
    return *known;
}

static struct share all_reduce(enum axis axis, int64_t size, double bytes) {
    return (struct share){.kind = WORK_REDUCE,
                          .collective = COLLECTIVE_ALL_REDUCE,
                          .axis = axis,
                          .size = size,
                          .step = 1,
                          .bytes = bytes,
                          .meeting = NOTHING,
                          .stage = NOTHING,
                          .layer = NOTHING};
}

/* The table of tokens, where the first and the last rank both hold it: as a tied head, or for MTP blocks (Narayanan et
 * al. 2021, arXiv:2104.04473). What goes round is summed on the host. */
static void sum_tables(struct lowering *l, struct chain *chain) {
    bool embedding = false, head = false, mtp = false;
    for (int64_t i = 0; i < l->stages.count; i++) {
        const struct stage *stage = &l->stages.items[i];
        embedding = embedding || (stage->rank == l->role && stage->embedding);
        head = head || (stage->rank == l->role && stage->head);
        mtp = mtp || stage->mtp > 0;
    }
    if (embedding == head || l->round != NULL || l->model->image != NULL || !(l->model->tie_word_embeddings || mtp)) {
        return;
    }
    int64_t tp = l->plan->decision.parallel.tp;
    double rows = (double)(model_padded_vocab(l->model, tp) / tp);
    struct share share = all_reduce(AXIS_PP, 2, rows * (double)l->model->hidden_size * l->data->bytes.gradient);
    share.step = l->stages.ranks - 1;
    share.meeting = meeting_of(l, &l->data->table, 2);
    chain_add(chain, &share, STREAM_DATA);
}

/* What is whole on every tensor-parallel rank saw only a part of the tokens there (Korthikanti et al. 2022,
 * arXiv:2205.05198). */
static void sum_replicated(struct lowering *l, struct chain *chain) {
    const struct parallel *parallel = &l->plan->decision.parallel;
    if (parallel->sp && parallel->tp > 1) {
        struct share share =
            all_reduce(AXIS_TP, parallel->tp, l->data->held.replicated * l->data->bytes.gradient);
        chain_add(chain, &share, STREAM_TENSOR);
    }
}

/* Two-way schedules: ranks r and p - 1 - r hold the same two stages. */
static void sum_mirrors(struct lowering *l, struct chain *chain) {
    int64_t other = l->stages.ranks - 1 - l->role;
    if (schedules[l->plan->decision.schedule]->placement != PLACEMENT_TWO_WAY || other == l->role) {
        return;
    }
    double elements = l->data->held.dense + l->data->held.expert;
    struct share share = all_reduce(AXIS_PP, 2, elements * l->data->bytes.gradient);
    share.step = other > l->role ? other - l->role : l->role - other;
    share.meeting = meeting_of(l, &l->data->mirrors[other < l->role ? other : l->role], 2);
    chain_add(chain, &share, STREAM_DATA);
}

/* The norm of all gradients: one number over all ranks that hold different ones. Pipelines that never drain clip by
 * what each rank knows. */
static void sum_norm(struct lowering *l, struct chain *chain) {
    enum { NORM_BYTES = 4 };
    const struct parallel *parallel = &l->plan->decision.parallel;
    bool stale = schedules[l->plan->decision.schedule]->stale != NULL;
    if (!l->plan->job.clip_gradients) {
        return;
    }
    if (parallel->tp > 1) {
        struct share share = all_reduce(AXIS_TP, parallel->tp, NORM_BYTES);
        chain_add(chain, &share, STREAM_TENSOR);
    }
    if (parallel->zero > 0 && l->data->dense.size > 1) {
        struct share share = all_reduce(AXIS_DP_CP, l->data->dense.size, NORM_BYTES);
        chain_add(chain, &share, STREAM_DATA);
    }
    if (l->stages.ranks > 1 && !stale) {
        struct share share = all_reduce(AXIS_PP, l->stages.ranks, NORM_BYTES);
        share.meeting = meeting_of(l, &l->data->norm, l->stages.ranks);
        chain_add(chain, &share, STREAM_DATA);
    }
}

/* A shard of the vocabulary is complete behind the last pass. */
static void reduce_vocabulary(struct lowering *l) {
    struct parameters shard = vocabulary_parameters(l);
    if (l->data->shared && shard.dense > 0) {
        data_reduce(l, &shard, NOTHING, NOTHING, l->last);
    }
}

void data_end(struct lowering *l) {
    vocabulary_end(l);
    reduce_last(l);
    reduce_vocabulary(l);
    struct chain chain = {l, l->data->last};
    sum_tables(l, &chain);
    sum_replicated(l, &chain);
    sum_mirrors(l, &chain);
    sum_norm(l, &chain);
    struct work work = work_blank(WORK_UPDATE);
    work.parameters = data_owned(l);
    struct instruction instruction =
        instruction_blank(ACTION_OPTIMIZER, STREAM_COMPUTE, builder_work(l->builder, &work));
    l->last = builder_add(l->builder, &instruction);
    builder_wait(l->builder, l->last, chain.last);
    if (l->data->gathers_last) {
        data_gather(l, &l->data->held, NOTHING, NOTHING, l->last);
    }
}
