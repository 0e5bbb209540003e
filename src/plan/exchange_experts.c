/* What experts communicate: tokens on their way to the ranks that hold their experts, and back. */
#include <math.h>
#include <stddef.h>

#include "plan/exchange_internal.h"

static const struct layout REPLICATED = {LAYOUT_REPLICATED, DIM_NONE};
static const struct layout PARTIAL = {LAYOUT_PARTIAL, DIM_NONE};
static const struct layout BY_TOKENS = {LAYOUT_SPLIT, DIM_SEQUENCE};
static const struct layout BY_EXPERTS = {LAYOUT_SPLIT, DIM_EXPERT};

/* Expected number of `groups` equal groups of experts that the k experts of a token fall into, chosen uniformly:
 * G (1 - C(E - E/G, k) / C(E, k)). */
static double touched_groups(const struct moe *moe, double groups) {
    double experts = (double)moe->num_experts, missed = 1;
    for (int64_t i = 0; i < moe->experts_per_token; i++) {
        missed *= fmax(0, experts - experts / groups - (double)i) / (experts - (double)i);
    }
    return groups * (1 - missed);
}

/* One way of one phase: where it begins and what it has beside it. */
struct way {
    enum exchange_phase phase;
    enum exchange_place place;
    struct operations operations;
    enum exchange_beside beside;
    double own; /* tokens of the rank */
};

static void put(struct exchange *e, const struct way *way) {
    exchange_put(e, way->phase, way->place, way->operations);
    exchange_set_beside(e, way->beside, 0, 0);
    if (e != NULL) {
        e->parts |= PART_MOE;
    }
}

/* One copy of a token to each scale-up domain that holds one of its experts, over the rank's own rail; there one to
 * each rank (DeepSeek-V3, arXiv:2412.19437, section 3.2.2; DeepEP). */
static void flex(struct maker *m, const struct way *way) {
    const struct moe *moe = m->model->moe;
    int64_t domains = m->shard->ep_domains, inner = m->shard->ep / domains;
    double token = m->element * m->hidden * way->own * m->shard->expert_load;
    double nodes = touched_groups(moe, (double)domains);
    nodes = moe->node_limit > 0 ? fmin(nodes, (double)moe->node_limit) : nodes;
    if (domains > 1) {
        struct exchange *e =
            exchange_add(m, "tokens to nodes", AXIS_EP, domains, COLLECTIVE_ALL_TO_ALL, token * nodes);
        e->step = inner;
        put(e, way);
    }
    if (inner > 1) {
        double ranks = touched_groups(moe, (double)m->shard->ep);
        put(exchange_add(m, "tokens to ranks", AXIS_EP, inner, COLLECTIVE_ALL_TO_ALL, token * ranks), way);
    }
}

/* Tokens from split(sequence) to split(expert), gathered over the expert's tensor-parallel group. */
static void dispatch(struct maker *m, const struct way *way, double sent) {
    bool gather = m->job->dispatch == DISPATCH_ALL_GATHER;
    if (m->job->dispatch == DISPATCH_FLEX) {
        flex(m, way);
    } else {
        put(exchange_convert(m, "dispatch", AXIS_EP, BY_TOKENS, gather ? REPLICATED : BY_EXPERTS, sent), way);
    }
    put(exchange_convert(m, "gather rows", AXIS_ETP, BY_TOKENS, REPLICATED, sent * (double)m->shard->etp), way);
}

static void combine(struct maker *m, const struct way *way, double sent) {
    bool gather = m->job->dispatch == DISPATCH_ALL_GATHER;
    put(exchange_convert(m, "reduce rows", AXIS_ETP, PARTIAL, BY_TOKENS, sent * (double)m->shard->etp), way);
    if (m->job->dispatch == DISPATCH_FLEX) {
        flex(m, way);
    } else {
        put(exchange_convert(m, "combine", AXIS_EP, gather ? PARTIAL : BY_EXPERTS, BY_TOKENS, sent), way);
    }
}

/* Expert parallelism: tokens from split(sequence) to split(expert) and back (GShard, Lepikhin et al. 2020
 * arXiv:2006.16668). The all-gather dispatcher brings every token to every rank of both groups instead and reduces the
 * results. Backward does the same the other way round: gradients of the outputs go out, those of the inputs back. */
void exchange_experts(struct maker *m) {
    double own = m->shard->sequence_parallel ? m->tokens / (double)m->shard->tp : m->tokens;
    bool gather = m->job->dispatch == DISPATCH_ALL_GATHER;
    bool shared = m->model->moe->shared_intermediate_size > 0 && m->job->overlap.experts;
    double rows = gather ? own * (double)m->shard->ep : m->work->expert_rows / (double)m->shard->etp;
    double sent = m->element * m->hidden * rows;
    struct operations experts = exchange_between(m, "experts fc1", "experts fc2", 0);
    for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
        struct way way = {(enum exchange_phase)phase, EXCHANGE_FEEDS, experts,
                          shared ? BESIDE_SHARED_EXPERTS : BESIDE_NOTHING, own};
        dispatch(m, &way, sent);
        way.place = EXCHANGE_FOLLOWS;
        combine(m, &way, sent);
    }
}
