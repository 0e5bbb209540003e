/* Backward kernels: recomputation, input gradients and weight gradients, with their exchanges. A projection's exchanges
 * run beside the gradient that does not need them (Korthikanti et al. 2022, arXiv:2205.05198, section 4.2.2):
 *
 *   compute   input gradient     │ weight gradient        │ input gradient of the operation before ...
 *   tensor    gather saved input │ reduce input gradient  │ */
#include "program/operations_draft.h"

static bool is_product(const struct draft *d, int operation) {
    enum operation_kind kind = d->sort->lists.work.operations[operation].kind;
    return kind == OPERATION_GEMM || kind == OPERATION_GROUPED;
}

/* Marks an operation and, of what it reads, all that has to run again first. */
static void mark(const struct draft *d, int operation, bool *marked) {
    const struct sort *s = d->sort;
    if (operation == NOTHING || !s->again[operation] || d->redone[operation] || marked[operation]) {
        return;
    }
    marked[operation] = true;
    for (int i = 0; i < SOURCES_MAX; i++) {
        mark(d, s->sources[operation][i], marked);
    }
}

/* Runs again what backward of the operation needs: its own output and what it reads; in full recomputation all. */
static void run_again(struct draft *d, int operation) {
    const struct sort *s = d->sort;
    bool marked[OPERATIONS_MAX] = {false};
    bool inside = d->inside;
    mark(d, operation, marked);
    for (int i = 0; i < SOURCES_MAX; i++) {
        mark(d, s->sources[operation][i], marked);
    }
    d->inside = false;
    for (int position = 0; position < s->lists.work.operation_count; position++) {
        int at = s->order[position];
        if (marked[at] || (s->all_again && s->again[at])) {
            draft_forward(d, position, ACTION_RECOMPUTE);
        }
    }
    d->inside = inside;
}

/* Exchanges before an input gradient, and beside it the gather for the weight gradient. */
static void exchanges_before(struct draft *d, int operation, int *ret_feed, int *ret_ring) {
    const struct exchange_list *list = &d->sort->lists.exchanges;
    bool fused = d->sort->lists.work.operations[operation].kind == OPERATION_ATTENTION;
    *ret_feed = *ret_ring = NOTHING;
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        if (!draft_takes(d, ACTION_BACKWARD, e) || e->last != operation || e->place == EXCHANGE_FOLLOWS ||
            e->beside == BESIDE_SHARED_EXPERTS) {
            continue;
        }
        if (e->place == EXCHANGE_FEEDS_WEIGHT) {
            if (d->pass == ACTION_FULL) {
                d->saved_input[operation] = draft_exchange(d, ACTION_BACKWARD, i, 1, d->last);
            }
        } else if (e->beside == BESIDE_GEMM) {
            *ret_feed = i;
        } else if (e->beside == BESIDE_ATTENTION && fused) {
            *ret_ring = i;
        } else {
            draft_repeat(d, ACTION_BACKWARD, i, d->pending);
        }
    }
}

static void exchanges_behind(struct draft *d, int operation) {
    const struct exchange_list *list = &d->sort->lists.exchanges;
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        if (draft_takes(d, ACTION_BACKWARD, e) && e->place == EXCHANGE_FOLLOWS && e->first == operation) {
            draft_repeat(d, ACTION_BACKWARD, i,
                         e->beside == BESIDE_SHARED_EXPERTS    ? d->away
                         : e->beside == BESIDE_WEIGHT_GRADIENT ? d->late
                                                               : d->pending);
        }
    }
}

/* Whether the operation before in the order belongs to the same reduction, so that both input gradients come first:
 * MLA's up-projections. */
static bool goes_on(const struct draft *d, int position) {
    const struct exchange_list *list = &d->sort->lists.exchanges;
    if (position == 0 || !is_product(d, d->sort->order[position - 1])) {
        return false;
    }
    int operation = d->sort->order[position], before = d->sort->order[position - 1];
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        if (e->phase == EXCHANGE_BACKWARD && e->beside == BESIDE_WEIGHT_GRADIENT && e->first <= before &&
            operation <= e->last) {
            return true;
        }
    }
    return false;
}

static void weight_kernel(struct draft *d, int operation) {
    int32_t step = draft_kernel(d, ACTION_WEIGHT, operation, 1);
    if (d->saved_input[operation] != NOTHING) {
        draft_wait(d, step, d->saved_input[operation]);
    }
}

static void write_weights(struct draft *d) {
    for (int i = 0; i < d->owed_count; i++) {
        weight_kernel(d, d->owed[i]);
    }
    d->owed_count = 0;
    draft_flush(d, d->late);
}

void draft_backward(struct draft *d, int position) {
    int operation = d->sort->order[position];
    int feed, ring;
    draft_turn(d, position, -1, ACTION_BACKWARD);
    run_again(d, operation);
    exchanges_before(d, operation, &feed, &ring);
    if (ring != NOTHING) {
        draft_ring(d, ACTION_BACKWARD, operation, ring);
    } else {
        draft_pieces(d, ACTION_BACKWARD, &operation, 1, feed, NOTHING);
    }
    exchanges_behind(d, operation);
    if (d->pass == ACTION_FULL && is_product(d, operation)) {
        d->owed[d->owed_count++] = operation;
    }
    if (!goes_on(d, position)) {
        write_weights(d);
    }
}

/* Weight gradients alone: the gather for one runs beside the one before it. */
void draft_weight(struct draft *d, int position) {
    const struct exchange_list *list = &d->sort->lists.exchanges;
    int operation = d->sort->order[position];
    if (!is_product(d, operation)) {
        return;
    }
    for (int i = 0; i < list->count; i++) {
        if (list->items[i].place == EXCHANGE_FEEDS_WEIGHT && list->items[i].last == operation) {
            d->saved_input[operation] = draft_exchange(d, ACTION_BACKWARD, i, 1, d->before);
        }
    }
    weight_kernel(d, operation);
}
