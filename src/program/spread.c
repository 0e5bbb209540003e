/* Passes of a spread vocabulary put into an order that has none: each rank computes its shard of the logits (S), and
 * the shard's gradients (T), as soon as the last stage's forward is through, were every pass as long as any other.
 *
 *   rank 0       F0 F1 F2 S0 T0 B0 ...
 *   rank 1       F0 F1 S0 T0 F2 B0 ...
 *   last rank    F0 S0 T0 B0 F1 ...             two barriers (arXiv:2411.05288, section 5)
 *
 * No rank can wait for ever: S and T stand before all passes that begin when the forward ends or later, and all that
 * they wait for has begun before. */
#include <stdlib.h>

#include "base/arena.h"
#include "program/lower_parts.h"
#include "schedule/execute.h"

/* A forward of the last stage. */
struct through {
    double end;
    struct visit visit;
};

static int through_before(const void *a, const void *b) {
    const struct through *x = a, *y = b;
    if (x->end < y->end || y->end < x->end) {
        return x->end < y->end ? -1 : 1;
    }
    if (x->visit.way != y->visit.way) {
        return x->visit.way < y->visit.way ? -1 : 1;
    }
    return x->visit.micro_batch < y->visit.micro_batch ? -1 : 1;
}

static int64_t find_through(const struct order *order, const struct execution *execution, struct through *ret) {
    int64_t count = 0;
    for (int64_t i = 0; i < order->first[order->ranks]; i++) {
        const struct pass *pass = &order->passes[i];
        bool forward = pass->kind == PASS_FORWARD || pass->kind == PASS_PAIR;
        if (forward && pass->visit.stage == order->stages - 1) {
            ret[count++] = (struct through){execution->ends[i], pass->visit};
        }
    }
    return count;
}

bool order_times(struct arena *arena, const struct order *order, struct execution *ret) {
    int64_t stages = order->stages > order->ranks ? order->stages : order->ranks;
    double *one = ARENA_ARRAY(arena, double, (size_t)stages);
    for (int64_t i = 0; i < stages; i++) {
        one[i] = 1;
    }
    struct stage_costs costs = {.forward = one, .backward = one, .weight = one, .shard = 1, .shard_end = 1};
    return order_execute(arena, order, &costs, ret);
}

void order_spread(struct arena *arena, struct order *order) {
    struct execution execution;
    int64_t micro_batches = order->ways * order->micro_batches, total = order->first[order->ranks];
    if (!order_times(arena, order, &execution)) {
        return;
    }
    struct through *through = ARENA_ARRAY(arena, struct through, (size_t)micro_batches);
    int64_t count = find_through(order, &execution, through);
    struct pass *passes = ARENA_ARRAY(arena, struct pass, (size_t)(total + 2 * micro_batches * order->ranks));
    int64_t *first = ARENA_ARRAY(arena, int64_t, (size_t)(order->ranks + 1));
    qsort(through, (size_t)count, sizeof *through, through_before);
    int64_t added = 0;
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        int64_t next = 0;
        for (int64_t i = order->first[rank]; i <= order->first[rank + 1]; i++) {
            bool end = i == order->first[rank + 1];
            for (; next < count && (end || through[next].end <= execution.starts[i]); next++) {
                struct visit visit = through[next].visit;
                visit.stage = (int32_t)rank;
                passes[added++] = (struct pass){.kind = PASS_SHARD, .visit = visit};
                passes[added++] = (struct pass){.kind = PASS_SHARD_END, .visit = visit};
            }
            if (!end) {
                passes[added++] = order->passes[i];
            }
        }
        first[rank + 1] = added;
    }
    order->passes = passes;
    order->first = first;
    order->barriers = 2;
}
