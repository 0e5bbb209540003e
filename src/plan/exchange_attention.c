/* What attention communicates: its projections over tensor-parallel ranks, tokens and heads over context-parallel
 * ones. */
#include <math.h>
#include <stddef.h>

#include "plan/exchange_internal.h"

static const struct layout REPLICATED = {LAYOUT_REPLICATED, DIM_NONE};
static const struct layout PARTIAL = {LAYOUT_PARTIAL, DIM_NONE};
static const struct layout BY_TOKENS = {LAYOUT_SPLIT, DIM_SEQUENCE};
static const struct layout BY_HEADS = {LAYOUT_SPLIT, DIM_HEAD};

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

/* The first operation of a core and its last: fused attention, scores to values, or the state of linear attention. */
static struct operations core_of(const struct maker *m, int from) {
    return m->shard->flash ? exchange_between(m, "attention", "attention", from)
                           : exchange_between(m, "scores", "values", from);
}

/* MLA's down projections are whole on every rank and work on its own tokens: what is gathered are the latents, and the
 * hidden states only where queries have no latent. */
static void latent_column(struct maker *m, const struct widths *w) {
    const struct mla *mla = m->model->mla;
    double from = mla->q_lora_rank > 0 ? (double)mla->q_lora_rank : m->hidden;
    double width = from + (double)(mla->kv_lora_rank + mla->qk_rope_head_dim);
    double up = from * w->query + (double)mla->kv_lora_rank * w->kv_heads * (double)mla->qk_nope_head_dim +
                (double)mla->kv_lora_rank * w->values;
    const char *query = mla->q_lora_rank > 0 ? "q up" : "q";
    /* one product of the work of both up projections */
    exchange_column(m, 0, m->tokens, width, up / width, exchange_between(m, query, "kv up", 0));
}

static void attention_projections(struct maker *m, const struct layer_kind *kind, const struct widths *w,
                                  bool shared) {
    const char *in = kind->attention == ATTENTION_LINEAR ? "qkvg" : "qkv", *out = "attention out";
    if (kind->attention == ATTENTION_MLA) {
        latent_column(m, w);
    } else {
        exchange_column(m, 0, m->tokens, m->hidden, w->query + w->keys + w->values + w->gates,
                        exchange_between(m, in, shared ? "fc1" : in, 0));
    }
    exchange_row(m, 0, w->out, exchange_between(m, out, shared ? "fc2" : out, 0));
}

/* Keys and values of fewer heads than ranks go to every rank that needs them. */
static double copies(const struct widths *w, int64_t degree) {
    return fmax(1, (double)degree / w->kv_heads);
}

/* Ulysses (Jacobs et al. 2023, arXiv:2309.14509): queries, keys, values from split(sequence) to split(head) and the
 * output back; backward sends the gradients the same ways. `source` tokens have keys and values. */
static void ulysses(struct maker *m, const struct widths *w, int64_t degree, double source, struct operations core) {
    double in = m->element * (m->tokens * w->query + source * copies(w, degree) * (w->keys + w->values));
    double out = m->element * m->tokens * w->out;
    for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
        bool forward = phase == EXCHANGE_FORWARD;
        struct exchange *e = exchange_convert(m, "heads to ranks", AXIS_CP, BY_TOKENS, BY_HEADS, in);
        exchange_put(e, (enum exchange_phase)phase, forward ? EXCHANGE_FEEDS : EXCHANGE_FOLLOWS, core);
        e->size = degree;
        e = exchange_convert(m, "heads back", AXIS_CP, BY_HEADS, BY_TOKENS, out);
        exchange_put(e, (enum exchange_phase)phase, forward ? EXCHANGE_FOLLOWS : EXCHANGE_FEEDS, core);
        e->size = degree;
    }
}

static struct exchange *pass_round(struct maker *m, const char *name, int64_t degree, int64_t step, double bytes) {
    struct exchange *e = exchange_add(m, name, AXIS_CP, degree, COLLECTIVE_SEND, bytes);
    e->count = (double)(degree - 1);
    e->step = step;
    e->beside = BESIDE_ATTENTION;
    return e;
}

/* Ring attention (Liu et al. 2023, arXiv:2310.01889): keys and values pass degree - 1 times in forward. In backward
 * they pass again, their fp32 gradients with them; once all blocks are done these make one more step, back to their
 * owner. */
static void ring(struct maker *m, const struct widths *w, int64_t degree, int64_t step, double source,
                 struct operations core) {
    double values = source * copies(w, step) * (w->keys + w->values);
    struct exchange *e = pass_round(m, "ring keys and values", degree, step, m->element * values);
    exchange_put(e, EXCHANGE_FORWARD, EXCHANGE_FEEDS, core);
    e->parts |= PART_CORE;
    e = pass_round(m, "ring gradients", degree, step, (m->element + 4) * values);
    exchange_put(e, EXCHANGE_BACKWARD, EXCHANGE_FEEDS, core);
    e = pass_round(m, "ring gradients home", degree, step, 4 * values);
    exchange_put(e, EXCHANGE_BACKWARD, EXCHANGE_FOLLOWS, core);
    exchange_set_beside(e, BESIDE_NOTHING, 0, 0);
    e->count = 1;
}

/* All-gather of keys and values before attention (Llama 3, arXiv:2407.21783, section 3.3.2), of their gradients' sums
 * after its backward. */
static void gather_keys(struct maker *m, const struct widths *w, double source, struct operations core) {
    double bytes = m->element * source * (double)m->shard->cp * (w->keys + w->values);
    exchange_put(exchange_convert(m, "gather keys and values", AXIS_CP, BY_TOKENS, REPLICATED, bytes),
                 EXCHANGE_FORWARD, EXCHANGE_FEEDS, core);
    exchange_put(exchange_convert(m, "reduce key and value gradients", AXIS_CP, PARTIAL, BY_TOKENS, bytes),
                 EXCHANGE_BACKWARD, EXCHANGE_FOLLOWS, core);
}

/* Linear attention passes states, not tokens: one all-gather of key_dim x value_dim a head each way, of the states
 * before they are read and of their gradients before they flow into what updated them (LASP-2, arXiv:2502.07563). */
static void gather_states(struct maker *m) {
    const struct linear_attention *linear = m->model->linear;
    double state = (double)(linear->key_dim * linear->value_dim) * (double)linear->value_heads / (double)m->shard->tp;
    double bytes = 4 * (double)m->shard->micro_batch * state * (double)m->shard->cp;
    for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
        const char *fed = phase == EXCHANGE_FORWARD ? "state read" : "state update";
        exchange_put(exchange_convert(m, "gather states", AXIS_CP, BY_TOKENS, REPLICATED, bytes),
                     (enum exchange_phase)phase, EXCHANGE_FEEDS, exchange_between(m, fed, fed, 0));
    }
}

static void context(struct maker *m, const struct widths *w, int cp_kind, double source, struct operations core) {
    int64_t cp = m->shard->cp, heads = m->shard->ulysses;
    if (cp == 1) {
        return;
    }
    if (heads > 1) {
        ulysses(m, w, heads, source, core);
    }
    if (cp_kind == CONTEXT_ALL_GATHER) {
        gather_keys(m, w, source, core);
    } else if (cp / heads > 1) {
        ring(m, w, cp / heads, heads, source, core);
    }
}

void exchange_attention(struct maker *m, const struct layer_kind *kind, int cp_kind, bool shared) {
    struct widths w = attention_widths(m->model, kind, (double)m->shard->tp);
    attention_projections(m, kind, &w, shared);
    if (kind->attention != ATTENTION_LINEAR) {
        context(m, &w, cp_kind, m->tokens, core_of(m, 0));
    } else if (m->shard->cp > 1) {
        gather_states(m);
    }
}

/* Queries from the decoder's tokens, keys and values from the encoder's. */
void exchange_cross_attention(struct maker *m, int cp_kind) {
    struct widths w = grouped_widths(m->model, (double)m->shard->tp);
    double source = (double)m->shard->micro_batch *
                    (double)model_encoder_tokens(m->model, m->shard->seq_len) / (double)m->shard->cp;
    const char *query = "cross query", *keys = "cross keys and values", *out = "attention out";
    int from = exchange_find(m, query, 0);
    exchange_column(m, 0, m->tokens, m->hidden, w.query + w.gates, exchange_between(m, query, query, 0));
    exchange_column(m, 0, source, m->hidden, w.keys + w.values, exchange_between(m, keys, keys, 0));
    context(m, &w, cp_kind, source, core_of(m, from));
    exchange_row(m, 0, w.out, exchange_between(m, out, out, from));
}
