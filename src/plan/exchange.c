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
#include <stddef.h>
#include <string.h>

#include "plan/exchange_internal.h"

static const struct layout REPLICATED = {LAYOUT_REPLICATED, DIM_NONE};
static const struct layout PARTIAL = {LAYOUT_PARTIAL, DIM_NONE};

int exchange_find(const struct maker *m, const char *name, int from) {
    for (int i = from; i < m->work->operation_count; i++) {
        if (strcmp(m->work->operations[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

struct operations exchange_between(const struct maker *m, const char *first, const char *last, int from) {
    int begin = exchange_find(m, first, from);
    return (struct operations){begin, begin < 0 ? -1 : exchange_find(m, last, begin)};
}

struct exchange *exchange_add(struct maker *m, const char *name, enum axis axis, int64_t size, enum collective kind,
                              double bytes) {
    assert(m->list->count < EXCHANGES_MAX);
    struct exchange *exchange = &m->list->items[m->list->count++];
    *exchange = (struct exchange){.name = name, .axis = axis, .size = size, .step = 1, .kind = kind, .bytes = bytes,
                                  .count = 1, .parts = PART_ALL};
    return exchange;
}

struct exchange *exchange_convert(struct maker *m, const char *name, enum axis axis, struct layout from,
                                  struct layout to, double bytes) {
    const int64_t sizes[] = {[AXIS_TP] = m->shard->tp, [AXIS_CP] = m->shard->cp, [AXIS_EP] = m->shard->ep,
                             [AXIS_ETP] = m->shard->etp};
    struct conversion conversion;
    if (sizes[axis] == 1 || !layout_convert(from, to, &conversion) || !conversion.needed) {
        return NULL;
    }
    return exchange_add(m, name, axis, sizes[axis], conversion.kind, bytes);
}

void exchange_put(struct exchange *exchange, enum exchange_phase phase, enum exchange_place place,
                  struct operations operations) {
    if (exchange != NULL) {
        exchange->phase = phase;
        exchange->place = place;
        exchange->first = operations.first;
        exchange->last = operations.last;
    }
}

void exchange_set_beside(struct exchange *exchange, enum exchange_beside beside, double n, double k) {
    if (exchange != NULL) {
        exchange->beside = beside;
        exchange->beside_n = n;
        exchange->beside_k = k;
    }
}

/* Backward: the input gradient's reduction runs beside the weight gradient, for which the saved input is gathered
 * beside the input gradient. */
void exchange_column(struct maker *m, unsigned parts, double tokens, double width, double n,
                     struct operations operations) {
    double bytes = m->element * tokens * width;
    struct exchange *e = exchange_convert(m, "gather input", AXIS_TP, m->region, REPLICATED, bytes);
    exchange_put(e, EXCHANGE_FORWARD, EXCHANGE_FEEDS, operations);
    exchange_set_beside(e, m->job->overlap.tensor ? BESIDE_GEMM : BESIDE_NOTHING, n, width);
    if (e != NULL) {
        e->parts |= parts;
    }
    e = exchange_convert(m, "reduce input gradient", AXIS_TP, layout_gradient(REPLICATED), m->region, bytes);
    exchange_put(e, EXCHANGE_BACKWARD, EXCHANGE_FOLLOWS, operations);
    exchange_set_beside(e, BESIDE_WEIGHT_GRADIENT, n, width);
    if (m->shard->sequence_parallel) {
        e = exchange_convert(m, "gather saved input", AXIS_TP, m->region, REPLICATED, bytes);
        exchange_put(e, EXCHANGE_BACKWARD, EXCHANGE_FEEDS_WEIGHT, operations);
        exchange_set_beside(e, BESIDE_INPUT_GRADIENT, n, width);
    }
}

void exchange_row(struct maker *m, unsigned parts, double k, struct operations operations) {
    double bytes = m->element * m->tokens * m->hidden;
    enum exchange_beside beside = m->job->overlap.tensor ? BESIDE_GEMM : BESIDE_NOTHING;
    struct exchange *e = exchange_convert(m, "reduce output", AXIS_TP, PARTIAL, m->region, bytes);
    exchange_put(e, EXCHANGE_FORWARD, EXCHANGE_FOLLOWS, operations);
    exchange_set_beside(e, beside, m->hidden, k);
    if (e != NULL) {
        e->parts |= parts;
    }
    e = exchange_convert(m, "gather output gradient", AXIS_TP, m->region, layout_gradient(PARTIAL), bytes);
    exchange_put(e, EXCHANGE_BACKWARD, EXCHANGE_FEEDS, operations);
    exchange_set_beside(e, beside, m->hidden, k);
}

/* A dense feed-forward, or the shared experts, the first from operation `from` on: a column and a row. */
static void feed_forward(struct maker *m, unsigned parts, int64_t intermediate, int from) {
    bool gated = m->model->mlp == MLP_SWIGLU || m->model->mlp == MLP_GEGLU;
    double width = (double)intermediate / (double)m->shard->tp;
    exchange_column(m, parts, m->tokens, m->hidden, (gated ? 2 : 1) * width, exchange_between(m, "fc1", "fc1", from));
    exchange_row(m, parts, width, exchange_between(m, "fc2", "fc2", from));
}

static struct maker maker_make(const struct model *model, const struct shard *shard, const struct job *job,
                               const struct layer_work *work, struct exchange_list *list) {
    list->count = 0;
    return (struct maker){
        .list = list,
        .model = model,
        .shard = shard,
        .job = job,
        .work = work,
        .tokens = work->tokens,
        .element = shard->element,
        .hidden = (double)model->hidden_size,
        .region = shard->sequence_parallel ? (struct layout){LAYOUT_SPLIT, DIM_SEQUENCE} : REPLICATED,
    };
}

void exchange_layer(const struct model *model, const struct layer_kind *kind, const struct shard *shard, int cp_kind,
                    const struct job *job, const struct layer_work *work, struct exchange_list *ret) {
    struct maker m = maker_make(model, shard, job, work, ret);
    bool shared = model->parallel_block && kind->ffn == FFN_DENSE;
    if (kind->attention != ATTENTION_NONE) {
        exchange_attention(&m, kind, cp_kind, shared);
    }
    if (kind->cross) {
        exchange_cross_attention(&m, cp_kind);
    }
    if (kind->ffn == FFN_DENSE && !shared) {
        feed_forward(&m, PART_MLP, kind->intermediate_size, 0);
    } else if (kind->ffn == FFN_MOE) {
        exchange_experts(&m);
        if (model->moe->shared_intermediate_size > 0) {
            feed_forward(&m, PART_MOE, model->moe->shared_intermediate_size, exchange_find(&m, "unpermute", 0));
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
    struct operations table = {0, 0};
    exchange_put(exchange_convert(&m, "reduce embedding", AXIS_TP, PARTIAL, m.region, bytes), EXCHANGE_FORWARD,
                 EXCHANGE_FOLLOWS, table);
    exchange_put(exchange_convert(&m, "gather embedding gradient", AXIS_TP, m.region, layout_gradient(PARTIAL), bytes),
                 EXCHANGE_BACKWARD, EXCHANGE_FEEDS, table);
}

void exchange_head(const struct model *model, const struct shard *shard, const struct layer_work *work,
                   struct exchange_list *ret) {
    struct maker m = maker_make(model, shard, NULL, work, ret);
    double bytes = m.element * m.tokens * m.hidden;
    struct operations head = exchange_between(&m, "head", "head", 0);
    exchange_put(exchange_convert(&m, "gather head input", AXIS_TP, m.region, REPLICATED, bytes), EXCHANGE_FORWARD,
                 EXCHANGE_FEEDS, head);
    double outputs = (double)model_padded_vocab(model, shard->tp) / (double)shard->tp;
    /* Maximum, predicted logit and sum of exponentials of every token, in fp32. */
    struct exchange *e = exchange_convert(&m, "loss statistics", AXIS_TP, PARTIAL, REPLICATED, 4 * m.tokens);
    exchange_put(e, EXCHANGE_FORWARD, EXCHANGE_FEEDS, exchange_between(&m, "loss", "loss", 0));
    if (e != NULL) {
        e->count = 3;
    }
    e = exchange_convert(&m, "reduce head input gradient", AXIS_TP, layout_gradient(REPLICATED), m.region, bytes);
    exchange_put(e, EXCHANGE_BACKWARD, EXCHANGE_FOLLOWS, head);
    exchange_set_beside(e, BESIDE_WEIGHT_GRADIENT, outputs, m.hidden);
    if (shard->sequence_parallel) {
        e = exchange_convert(&m, "gather saved head input", AXIS_TP, m.region, REPLICATED, bytes);
        exchange_put(e, EXCHANGE_BACKWARD, EXCHANGE_FEEDS_WEIGHT, head);
        exchange_set_beside(e, BESIDE_INPUT_GRADIENT, outputs, m.hidden);
    }
}

void exchange_projection(const struct model *model, const struct shard *shard, const struct layer_work *work,
                         struct exchange_list *ret) {
    struct maker m = maker_make(model, shard, NULL, work, ret);
    const struct layout by_features = {LAYOUT_SPLIT, DIM_FEATURE};
    double bytes = m.element * m.tokens * m.hidden;
    struct operations projection = {0, 0};
    exchange_put(exchange_convert(&m, "gather projection inputs", AXIS_TP, m.region, REPLICATED, 2 * bytes),
                 EXCHANGE_FORWARD, EXCHANGE_FEEDS, projection);
    exchange_put(exchange_convert(&m, "gather projection", AXIS_TP, by_features, REPLICATED, bytes), EXCHANGE_FORWARD,
                 EXCHANGE_FOLLOWS, projection);
    exchange_put(exchange_convert(&m, "reduce projection gradient", AXIS_TP, layout_gradient(REPLICATED), m.region,
                                  2 * bytes),
                 EXCHANGE_BACKWARD, EXCHANGE_FOLLOWS, projection);
}
