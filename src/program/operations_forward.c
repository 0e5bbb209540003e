/* Forward kernels with the exchanges that feed and follow them. What may overlap is what an exchange says may run
 * beside it (plan/exchange.h); all else waits:
 *
 *   nothing        gather ─► GEMM ─► reduce
 *   the GEMM       gather 1 │ gather 2 │ ...          tensor-parallel ranks pass pieces in a ring while they multiply
 *                           │ GEMM 1   │ GEMM 2 │ ... (Wang et al. 2023, "Overlap communication with dependent
 *                                                      computation via decomposition", section 3)
 *   attention      send 1   │ send 2   │ ...          keys and values go on while those that are here are used
 *                  block 0  │ block 1  │ ...          (Liu et al. 2023, arXiv:2310.01889, section 3) */
#include "program/operations_draft.h"

static bool is_product(const struct draft *d, int operation) {
    return d->sort->lists.work.operations[operation].kind == OPERATION_GEMM;
}

void draft_pieces(struct draft *d, enum action action, const int *operations, int count, int feed, int follow) {
    const struct exchange *items = d->sort->lists.exchanges.items;
    int32_t pieces = feed != NOTHING ? (int32_t)items[feed].size : follow != NOTHING ? (int32_t)items[follow].size : 1;
    int32_t after = d->last, out = NOTHING;
    for (int32_t piece = 0; piece < pieces; piece++) {
        if (feed != NOTHING) {
            int32_t in = draft_exchange(d, action, feed, pieces, piece == 0 ? after : FREELY);
            draft_remember(d, d->pending, in);
        }
        for (int i = 0; i < count; i++) {
            (void)draft_kernel(d, action, operations[i], pieces);
        }
        if (follow != NOTHING) {
            out = draft_exchange(d, action, follow, pieces, d->last);
        }
    }
    if (out != NOTHING) {
        draft_remember(d, d->pending, out);
    }
}

/* What arrives for one block lies where the block before the last one lay, so it sets out when that one is done: two
 * buffers. */
void draft_ring(struct draft *d, enum action action, int operation, int exchange) {
    int32_t blocks = (int32_t)d->sort->lists.exchanges.items[exchange].size;
    int32_t arriving = NOTHING;
    for (int32_t block = 0; block < blocks; block++) {
        if (arriving != NOTHING) {
            draft_remember(d, d->pending, arriving);
        }
        int32_t next = block + 1 < blocks ? draft_exchange(d, action, exchange, 1, d->last) : NOTHING;
        (void)draft_kernel(d, action, operation, blocks);
        arriving = next;
    }
}

/* Experts' exchanges that feed the operation go on their way. */
static void send_away(struct draft *d, int operation, enum action action) {
    const struct exchange_list *list = &d->sort->lists.exchanges;
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        int anchor = action == ACTION_BACKWARD ? e->last : e->first;
        if (draft_takes(d, action, e) && e->beside == BESIDE_SHARED_EXPERTS && e->place == EXCHANGE_FEEDS &&
            anchor == operation) {
            draft_repeat(d, action, i, d->away);
        }
    }
}

void draft_turn(struct draft *d, int position, int direction, enum action action) {
    const struct sort *s = d->sort;
    int operation = s->order[position];
    if (!d->inside) {
        int next = position;
        while (next > 0 && next < s->lists.work.operation_count - 1 && s->beside[s->order[next]]) {
            next += direction;
        }
        send_away(d, s->order[next], action);
    }
    d->inside = s->beside[operation];
    if (!d->inside) {
        draft_flush(d, d->away);
    }
}

/* The products that one exchange feeds in pieces: those right behind one another from `position` on. */
static int fed_group(struct draft *d, int position, const struct exchange *feed, enum action action, int *group) {
    const struct sort *s = d->sort;
    int count = 0;
    for (int i = position; i < s->lists.work.operation_count; i++) {
        int operation = s->order[i];
        bool fed = operation >= feed->first && operation <= feed->last && is_product(d, operation);
        if (!fed || (action == ACTION_RECOMPUTE && !s->again[operation])) {
            break;
        }
        group[count++] = operation;
    }
    return count;
}

/* What stands around one operation. */
struct around {
    int feed, ring, follow; /* exchanges; NOTHING */
};

static struct around exchanges_before(struct draft *d, int operation, enum action action) {
    const struct exchange_list *list = &d->sort->lists.exchanges;
    struct around around = {NOTHING, NOTHING, NOTHING};
    bool fused = d->sort->lists.work.operations[operation].kind == OPERATION_ATTENTION;
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        if (!draft_takes(d, action, e)) {
            continue;
        }
        if (e->place == EXCHANGE_FOLLOWS && e->last == operation && e->beside == BESIDE_GEMM) {
            around.follow = i;
        }
        if (e->place != EXCHANGE_FEEDS || e->first != operation || e->beside == BESIDE_SHARED_EXPERTS) {
            continue;
        }
        if (e->beside == BESIDE_GEMM) {
            around.feed = i;
        } else if (e->beside == BESIDE_ATTENTION && fused) {
            around.ring = i;
        } else {
            draft_repeat(d, action, i, d->pending);
        }
    }
    return around;
}

static void exchanges_behind(struct draft *d, int operation, enum action action) {
    const struct exchange_list *list = &d->sort->lists.exchanges;
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        if (draft_takes(d, action, e) && e->place == EXCHANGE_FOLLOWS && e->last == operation &&
            e->beside != BESIDE_GEMM) {
            draft_repeat(d, action, i, e->beside == BESIDE_SHARED_EXPERTS ? d->away : d->pending);
        }
    }
}

void draft_forward(struct draft *d, int position, enum action action) {
    const struct sort *s = d->sort;
    int operation = s->order[position];
    bool *done = action == ACTION_RECOMPUTE ? d->redone : d->done;
    int group[OPERATIONS_MAX] = {operation}, count = 1;
    if (done[operation]) {
        return;
    }
    draft_turn(d, position, 1, action);
    struct around around = exchanges_before(d, operation, action);
    if (around.ring != NOTHING) {
        draft_ring(d, action, operation, around.ring);
    } else {
        if (around.feed != NOTHING) {
            count = fed_group(d, position, &s->lists.exchanges.items[around.feed], action, group);
        }
        draft_pieces(d, action, group, count, around.feed, around.follow);
    }
    for (int i = 0; i < count; i++) {
        done[group[i]] = true;
        exchanges_behind(d, group[i], action);
    }
}
