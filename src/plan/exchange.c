/* Exchanges from layouts.
 *
 *   region   the residual stream: split(sequence) over tp with sequence parallelism, else replicated
 *   column   a projection whose weight is split by output: takes replicated, gives split(feature)
 *   row      a projection whose weight is split by input: takes split(feature), gives partial
 *
 * Forward converts region → replicated before a column and partial → region after a row; backward converts the
 * gradients, whose layouts are the conjugates. Sequence parallelism saves the sharded input of a column and gathers it
 * once more for the weight gradient (Korthikanti et al. 2022, arXiv:2205.05198, section 4.2). */
#include "plan/exchange.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "plan/layout.h"

static const struct layout REPLICATED = {LAYOUT_REPLICATED, DIM_NONE};
static const struct layout PARTIAL = {LAYOUT_PARTIAL, DIM_NONE};

struct maker {
    struct exchange_list *list;
    const struct model *model;
    const struct shard *shard;
    const struct job *job;
    double tokens, element, hidden;
    struct layout region;
};

static struct exchange *add(struct maker *m, const char *name, enum axis axis, int64_t size, enum collective kind,
                            double bytes) {
    assert(m->list->count < EXCHANGES_MAX);
    struct exchange *exchange = &m->list->items[m->list->count++];
    *exchange = (struct exchange){.name = name, .axis = axis, .size = size, .step = 1, .kind = kind, .bytes = bytes,
                                  .count = 1, .parts = PART_ALL};
    return exchange;
}

/* Adds what turns `from` into `to` on a whole axis, if anything; NULL when nothing is communicated. */
static struct exchange *convert(struct maker *m, const char *name, enum axis axis, struct layout from,
                                struct layout to, double bytes) {
    const int64_t sizes[] = {[AXIS_TP] = m->shard->tp, [AXIS_CP] = m->shard->cp, [AXIS_EP] = m->shard->ep,
                             [AXIS_ETP] = m->shard->etp};
    struct conversion conversion;
    if (sizes[axis] == 1 || !layout_convert(from, to, &conversion) || !conversion.needed) {
        return NULL;
    }
    return add(m, name, axis, sizes[axis], conversion.kind, bytes);
}

static void set_beside(struct exchange *exchange, enum exchange_phase phase, enum exchange_beside beside, double n,
                       double k) {
    if (exchange != NULL) {
        exchange->phase = phase;
        exchange->beside = beside;
        exchange->beside_n = n;
        exchange->beside_k = k;
    }
}

/* A column-parallel projection from `width` values a token of `tokens` to `n` outputs on this rank. */
static void column(struct maker *m, unsigned parts, double tokens, double width, double n) {
    double bytes = m->element * tokens * width;
    struct exchange *e = convert(m, "gather input", AXIS_TP, m->region, REPLICATED, bytes);
    set_beside(e, EXCHANGE_FORWARD, m->job->overlap.tensor ? BESIDE_GEMM : BESIDE_NOTHING, n, width);
    if (e != NULL) {
        e->parts |= parts;
    }
    /* Backward: its gradient's reduction runs beside the weight gradient. */
    e = convert(m, "reduce input gradient", AXIS_TP, layout_gradient(REPLICATED), m->region, bytes);
    set_beside(e, EXCHANGE_BACKWARD, BESIDE_WEIGHT_GRADIENT, n, width);
    if (m->shard->sequence_parallel) {
        e = convert(m, "gather saved input", AXIS_TP, m->region, REPLICATED, bytes);
        set_beside(e, EXCHANGE_BACKWARD, BESIDE_INPUT_GRADIENT, n, width);
    }
}

/* A row-parallel projection from `k` inputs on this rank back to the residual stream. */
static void row(struct maker *m, unsigned parts, double k) {
    double bytes = m->element * m->tokens * m->hidden;
    enum exchange_beside beside = m->job->overlap.tensor ? BESIDE_GEMM : BESIDE_NOTHING;
    struct exchange *e = convert(m, "reduce output", AXIS_TP, PARTIAL, m->region, bytes);
    set_beside(e, EXCHANGE_FORWARD, beside, m->hidden, k);
    if (e != NULL) {
        e->parts |= parts;
    }
    e = convert(m, "gather output gradient", AXIS_TP, m->region, layout_gradient(PARTIAL), bytes);
    set_beside(e, EXCHANGE_BACKWARD, beside, m->hidden, k);
}

/* One block (column ... row) of the tensor-parallel group: `n_in` outputs of the column and `k_out` inputs of the row
 * on this rank. */
static void block(struct maker *m, unsigned parts, double n_in, double k_out) {
    column(m, parts, m->tokens, m->hidden, n_in);
    row(m, parts, k_out);
}

/* Widths of queries, keys and values on one tensor-parallel rank; `kv_heads` carry the keys and values, `gates` come
 * out of the same projection. */
struct widths { double query, keys, values, out, gates, kv_heads; };

static struct widths grouped_widths(const struct model *model, double tp) {
    double head = (double)model->head_dim, heads = fmax(1, (double)model->num_key_value_heads / tp);
    double query = (double)model->num_attention_heads * head / tp;
    return (struct widths){query, heads * head, heads * head, query, model->attn_output_gate ? query : 0, heads};
}

static struct widths attention_widths(const struct model *model, const struct layer_kind *kind, double tp) {
    if (kind->attention == ATTENTION_MLA) {
        double heads = (double)model->num_attention_heads / tp;
        double key = heads * (double)(model->mla->qk_nope_head_dim + model->mla->qk_rope_head_dim);
        double value = heads * (double)model->mla->v_head_dim;
        return (struct widths){key, key, value, value, 0, heads};
    }
    if (kind->attention == ATTENTION_LINEAR) {
        double heads = fmax(1, (double)model->linear->value_heads / tp);
        double value = heads * (double)model->linear->value_dim;
        double key = fmax(1, (double)model->linear->key_heads / tp) * (double)model->linear->key_dim;
        double gates = (model->linear->gate ? value : 0) + heads * (double)model->linear->head_gates;
        return (struct widths){key, key, value, value, gates, heads};
    }
    return grouped_widths(model, tp);
}

/* MLA's down projections are whole on every rank and work on its own tokens: what is gathered are the latents, and the
 * hidden states only where queries have no latent. */
static void attention_block(struct maker *m, const struct layer_kind *kind, const struct widths *w) {
    const struct mla *mla = m->model->mla;
    if (kind->attention != ATTENTION_MLA) {
        block(m, 0, w->query + w->keys + w->values + w->gates, w->out);
        return;
    }
    double from = mla->q_lora_rank > 0 ? (double)mla->q_lora_rank : m->hidden;
    double width = from + (double)(mla->kv_lora_rank + mla->qk_rope_head_dim);
    double up = from * w->query + (double)mla->kv_lora_rank * w->kv_heads * (double)mla->qk_nope_head_dim +
                (double)mla->kv_lora_rank * w->values;
    column(m, 0, m->tokens, width, up / width); /* one product of the work of both up projections */
    row(m, 0, w->out);
}

/* Keys and values of fewer heads than ranks go to every rank that needs them. */
static double copies(const struct widths *w, int64_t degree) {
    return fmax(1, (double)degree / w->kv_heads);
}

/* Ulysses (Jacobs et al. 2023, arXiv:2309.14509): queries, keys, values from split(sequence) to split(head) and the
 * output back. `source` tokens have keys and values. */
static void ulysses(struct maker *m, const struct widths *w, int64_t degree, double source) {
    const struct layout by_tokens = {LAYOUT_SPLIT, DIM_SEQUENCE}, by_heads = {LAYOUT_SPLIT, DIM_HEAD};
    double in = m->element * (m->tokens * w->query + source * copies(w, degree) * (w->keys + w->values));
    double out = m->element * m->tokens * w->out;
    for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
        struct exchange *e = convert(m, "heads to ranks", AXIS_CP, by_tokens, by_heads, in);
        e->phase = (enum exchange_phase)phase;
        e->size = degree;
        e = convert(m, "heads back", AXIS_CP, by_heads, by_tokens, out);
        e->phase = (enum exchange_phase)phase;
        e->size = degree;
    }
}

static struct exchange *pass_round(struct maker *m, const char *name, int64_t degree, int64_t step, double bytes) {
    struct exchange *e = add(m, name, AXIS_CP, degree, COLLECTIVE_SEND, bytes);
    e->count = (double)(degree - 1);
    e->step = step;
    e->beside = BESIDE_ATTENTION;
    return e;
}

/* Ring attention (Liu et al. 2023, arXiv:2310.01889): keys and values pass degree - 1 times in forward. In backward
 * they pass again, their fp32 gradients with them; once all blocks are done these make one more step, back to their
 * owner. */
static void ring(struct maker *m, const struct widths *w, int64_t degree, int64_t step, double source) {
    double values = source * copies(w, step) * (w->keys + w->values);
    struct exchange *e = pass_round(m, "ring keys and values", degree, step, m->element * values);
    e->parts |= PART_CORE;
    e = pass_round(m, "ring gradients", degree, step, (m->element + 4) * values);
    e->phase = EXCHANGE_BACKWARD;
    e = pass_round(m, "ring gradients home", degree, step, 4 * values);
    set_beside(e, EXCHANGE_BACKWARD, BESIDE_NOTHING, 0, 0);
    e->count = 1;
}

/* All-gather of keys and values before attention (Llama 3, arXiv:2407.21783, section 3.3.2), of their gradients' sums
 * after its backward. */
static void gather_keys(struct maker *m, const struct widths *w, double source) {
    const struct layout by_tokens = {LAYOUT_SPLIT, DIM_SEQUENCE};
    double bytes = m->element * source * (double)m->shard->cp * (w->keys + w->values);
    convert(m, "gather keys and values", AXIS_CP, by_tokens, REPLICATED, bytes)->phase = EXCHANGE_FORWARD;
    convert(m, "reduce key and value gradients", AXIS_CP, PARTIAL, by_tokens, bytes)->phase = EXCHANGE_BACKWARD;
}

/* Linear attention passes states, not tokens: one all-gather of key_dim x value_dim a head each way (LASP-2,
 * arXiv:2502.07563). */
static void gather_states(struct maker *m) {
    const struct linear_attention *linear = m->model->linear;
    double state = (double)(linear->key_dim * linear->value_dim) * (double)linear->value_heads / (double)m->shard->tp;
    double bytes = 4 * (double)m->shard->micro_batch * state * (double)m->shard->cp;
    for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
        struct layout split = {LAYOUT_SPLIT, DIM_SEQUENCE};
        convert(m, "gather states", AXIS_CP, split, REPLICATED, bytes)->phase = (enum exchange_phase)phase;
    }
}

static void context(struct maker *m, const struct layer_kind *kind, const struct widths *w, int cp_kind,
                    double source) {
    int64_t cp = m->shard->cp, heads = m->shard->ulysses;
    if (cp == 1) {
        return;
    }
    if (kind->attention == ATTENTION_LINEAR) {
        gather_states(m);
        return;
    }
    if (heads > 1) {
        ulysses(m, w, heads, source);
    }
    if (cp_kind == CONTEXT_ALL_GATHER) {
        gather_keys(m, w, source);
    } else if (cp / heads > 1) {
        ring(m, w, cp / heads, heads, source);
    }
}

/* Cross-attention projects its queries from the decoder's tokens, keys and values from the encoder's. */
static void cross(struct maker *m, int cp_kind) {
    static const struct layer_kind full = {.attention = ATTENTION_FULL};
    struct widths w = grouped_widths(m->model, (double)m->shard->tp);
    double source = (double)m->shard->micro_batch *
                    (double)model_encoder_tokens(m->model, m->shard->seq_len) / (double)m->shard->cp;
    column(m, 0, m->tokens, m->hidden, w.query + w.gates);
    column(m, 0, source, m->hidden, w.keys + w.values);
    context(m, &full, &w, cp_kind, source);
    row(m, 0, w.out);
}

/* Expected number of `groups` equal groups of experts that the k experts of a token fall into, chosen uniformly:
 * G (1 - C(E - E/G, k) / C(E, k)). */
static double touched_groups(const struct moe *moe, double groups) {
    double experts = (double)moe->num_experts, missed = 1;
    for (int64_t i = 0; i < moe->experts_per_token; i++) {
        missed *= fmax(0, experts - experts / groups - (double)i) / (experts - (double)i);
    }
    return groups * (1 - missed);
}

/* One copy of a token to each scale-up domain that holds one of its experts, over the rank's own rail; there one to
 * each rank (DeepSeek-V3, arXiv:2412.19437, section 3.2.2; DeepEP). */
static void flex(struct maker *m, double own, enum exchange_beside beside) {
    const struct moe *moe = m->model->moe;
    int64_t domains = m->shard->ep_domains, inner = m->shard->ep / domains;
    double token = m->element * m->hidden * own * m->shard->expert_load;
    double nodes = touched_groups(moe, (double)domains);
    nodes = moe->node_limit > 0 ? fmin(nodes, (double)moe->node_limit) : nodes;
    double ranks = touched_groups(moe, (double)m->shard->ep);
    for (int step = 0; step < 4; step++) { /* dispatch and combine, forward and backward */
        enum exchange_phase phase = step < 2 ? EXCHANGE_FORWARD : EXCHANGE_BACKWARD;
        if (domains > 1) {
            struct exchange *e = add(m, "tokens to nodes", AXIS_EP, domains, COLLECTIVE_ALL_TO_ALL, token * nodes);
            e->step = inner;
            e->parts |= PART_MOE;
            set_beside(e, phase, beside, 0, 0);
        }
        if (inner > 1) {
            struct exchange *e = add(m, "tokens to ranks", AXIS_EP, inner, COLLECTIVE_ALL_TO_ALL, token * ranks);
            e->parts |= PART_MOE;
            set_beside(e, phase, beside, 0, 0);
        }
    }
}

/* Expert parallelism: tokens from split(sequence) to split(expert) and back (GShard, Lepikhin et al. 2020
 * arXiv:2006.16668), gathered over the expert's tensor-parallel group. The all-gather dispatcher brings every token to
 * every rank of both groups instead and reduces the results. Backward does the same the other way round. */
static void experts(struct maker *m, const struct layer_work *work) {
    const struct layout by_tokens = {LAYOUT_SPLIT, DIM_SEQUENCE}, by_experts = {LAYOUT_SPLIT, DIM_EXPERT};
    double own = m->shard->sequence_parallel ? m->tokens / (double)m->shard->tp : m->tokens;
    bool gather = m->job->dispatch == DISPATCH_ALL_GATHER;
    bool shared = m->model->moe->shared_intermediate_size > 0 && m->job->overlap.experts;
    enum exchange_beside beside = shared ? BESIDE_SHARED_EXPERTS : BESIDE_NOTHING;
    double etp = (double)m->shard->etp;
    double sent = m->element * m->hidden * (gather ? own * (double)m->shard->ep : work->expert_rows / etp);
    if (m->job->dispatch == DISPATCH_FLEX) {
        flex(m, own, beside);
    }
    for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
        bool routed = m->job->dispatch != DISPATCH_FLEX;
        struct exchange *pair[4] = {
            routed ? convert(m, "dispatch", AXIS_EP, by_tokens, gather ? REPLICATED : by_experts, sent) : NULL,
            convert(m, "gather rows", AXIS_ETP, by_tokens, REPLICATED, sent * etp),
            convert(m, "reduce rows", AXIS_ETP, PARTIAL, by_tokens, sent * etp),
            routed ? convert(m, "combine", AXIS_EP, gather ? PARTIAL : by_experts, by_tokens, sent) : NULL,
        };
        for (int i = 0; i < 4; i++) {
            set_beside(pair[i], (enum exchange_phase)phase, beside, 0, 0);
            if (pair[i] != NULL) {
                pair[i]->parts |= PART_MOE;
            }
        }
    }
}

static struct maker maker_make(const struct model *model, const struct shard *shard, const struct job *job,
                               const struct layer_work *work, struct exchange_list *list) {
    list->count = 0;
    return (struct maker){
        .list = list,
        .model = model,
        .shard = shard,
        .job = job,
        .tokens = work->tokens,
        .element = shard->element,
        .hidden = (double)model->hidden_size,
        .region = shard->sequence_parallel ? (struct layout){LAYOUT_SPLIT, DIM_SEQUENCE} : REPLICATED,
    };
}

void exchange_layer(const struct model *model, const struct layer_kind *kind, const struct shard *shard, int cp_kind,
                    const struct job *job, const struct layer_work *work, struct exchange_list *ret) {
    struct maker m = maker_make(model, shard, job, work, ret);
    double tp = (double)shard->tp;
    if (kind->attention != ATTENTION_NONE) {
        struct widths w = attention_widths(model, kind, tp);
        attention_block(&m, kind, &w);
        context(&m, kind, &w, cp_kind, m.tokens);
    }
    if (kind->cross) {
        cross(&m, cp_kind);
    }
    double up = model->mlp == MLP_SWIGLU || model->mlp == MLP_GEGLU ? 2 : 1;
    if (kind->ffn == FFN_DENSE) {
        if (!model->parallel_block) { /* a parallel block shares attention's gather and reduction */
            block(&m, PART_MLP, up * (double)kind->intermediate_size / tp, (double)kind->intermediate_size / tp);
        }
    } else if (kind->ffn == FFN_MOE) {
        experts(&m, work);
        if (model->moe->shared_intermediate_size > 0) {
            double width = (double)model->moe->shared_intermediate_size / tp;
            block(&m, PART_MOE, up * width, width);
        }
    }
}

void exchange_embedding(const struct model *model, const struct shard *shard, const struct layer_work *work,
                        struct exchange_list *ret) {
    struct maker m = maker_make(model, shard, NULL, work, ret);
    double bytes = m.element * m.tokens * m.hidden;
    if (model->image != NULL) {
        return; /* patches are projected by every rank for its own tokens */
    }
    set_beside(convert(&m, "reduce embedding", AXIS_TP, PARTIAL, m.region, bytes), EXCHANGE_FORWARD, BESIDE_NOTHING, 0,
               0);
    set_beside(convert(&m, "gather embedding gradient", AXIS_TP, m.region, layout_gradient(PARTIAL), bytes),
               EXCHANGE_BACKWARD, BESIDE_NOTHING, 0, 0);
}

void exchange_head(const struct model *model, const struct shard *shard, const struct layer_work *work,
                   struct exchange_list *ret) {
    struct maker m = maker_make(model, shard, NULL, work, ret);
    double bytes = m.element * m.tokens * m.hidden;
    set_beside(convert(&m, "gather head input", AXIS_TP, m.region, REPLICATED, bytes), EXCHANGE_FORWARD,
               BESIDE_NOTHING, 0, 0);
    double outputs = (double)model_padded_vocab(model, shard->tp) / (double)shard->tp;
    /* Maximum, predicted logit and sum of exponentials of every token, in fp32. */
    struct exchange *e = convert(&m, "loss statistics", AXIS_TP, PARTIAL, REPLICATED, 4 * m.tokens);
    if (e != NULL) {
        e->count = 3;
    }
    set_beside(convert(&m, "reduce head input gradient", AXIS_TP, layout_gradient(REPLICATED), m.region, bytes),
               EXCHANGE_BACKWARD, BESIDE_WEIGHT_GRADIENT, outputs, m.hidden);
    if (shard->sequence_parallel) {
        set_beside(convert(&m, "gather saved head input", AXIS_TP, m.region, REPLICATED, bytes), EXCHANGE_BACKWARD,
                   BESIDE_INPUT_GRADIENT, outputs, m.hidden);
    }
}
