/* SkipPipe-style paths (github.com/gensyn-ai/skippipe): every micro-batch leaves out k of the inner stages, other ones
 * each time, so that all stages work equally often and the pipeline is p - k stages deep. Stages are crossed in
 * ascending order; at most 3 neighbouring stages are left out (their limit on a jump is 4 stages); first and last stage
 * hold embedding and head and are never left out. n = p - 2 inner stages, micro-batch j leaves out
 *
 *   1 + (j + floor(i n / k)) mod n,   i = 0 .. k - 1                 p = 6, k = 1:
 *
 *   micro-batch 0   0 - 2 3 4 5                                      rank 1 skips micro-batches 0, 4, 8 ...
 *   micro-batch 1   0 1 - 3 4 5
 *   micro-batch 2   0 1 2 - 4 5
 *
 * The order is 1F1B's with the passes left out, so it cannot deadlock: what a pass waits for stands before it there.
 * It trains another model than the plain pipeline: each micro-batch has its own subset of layers.
 * makespan = (m + p - k - 1) T + c [2 (p - k - 1) m / (p - k) + 2 (p - k - 2)], as 1F1B of p - k ranks, for the first
 * and the last rank run every micro-batch: exact for c = 0 and m >= p; with c = T / 16 up to 9 % high. */
#include <stddef.h>

#include "base/arena.h"
#include "schedule/order.h"
#include "schedule/rule.h"

enum { SKIP_RUN = 3 };

/* Unless the shape says how many: a quarter of the inner stages. */
static int64_t skipped_stages(const struct schedule_shape *shape) {
    int64_t quarter = (shape->ranks - 2) / 4;
    return shape->skip > 0 ? shape->skip : quarter > 1 ? quarter : 1;
}

static bool skips(int64_t ranks, int64_t skipped, int64_t stage, int64_t micro_batch) {
    int64_t inner = ranks - 2;
    if (stage < 1 || stage > inner) {
        return false;
    }
    for (int64_t i = 0; i < skipped; i++) {
        if ((micro_batch + i * inner / skipped) % inner == stage - 1) {
            return true;
        }
    }
    return false;
}

/* Whether more than SKIP_RUN neighbours are left out by some micro-batch: from any of the stages left out the next but
 * SKIP_RUN is floor(SKIP_RUN n / k) away or one more. */
static bool runs_long(int64_t inner, int64_t skipped) {
    return skipped > SKIP_RUN && inner - skipped <= (skipped - 1) / SKIP_RUN;
}

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->ranks >= 2 && shape->ranks < 4) {
        return "skippipe needs at least 4 ranks: the first and the last are never left out";
    }
    const char *broken = rule_refuse(shape, 1);
    if (broken != NULL) {
        return broken;
    }
    int64_t skipped = skipped_stages(shape);
    if (skipped >= shape->ranks - 2) {
        return "skippipe leaves out fewer than all inner stages";
    }
    return runs_long(shape->ranks - 2, skipped) ? "skippipe leaves out at most 3 neighbouring stages" : NULL;
}

static struct schedule_shape shorter(const struct schedule_shape *shape) {
    struct schedule_shape short_shape = *shape;
    short_shape.ranks -= skipped_stages(shape);
    return short_shape;
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    struct schedule_shape short_shape = shorter(shape);
    return schedule_1f1b.makespan(&short_shape, times);
}

/* A rank holds what 1F1B lets it run ahead, of the micro-batches that visit it. */
static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    int64_t skipped = skipped_stages(shape), m = shape->micro_batches;
    int64_t window = fewer(shape->ranks - rank, m), held = 0, most = 0;
    for (int64_t j = 0; j < m; j++) {
        held += skips(shape->ranks, skipped, rank, j) ? 0 : 1;
        if (j >= window) {
            held -= skips(shape->ranks, skipped, rank, j - window) ? 0 : 1;
        }
        most = held > most ? held : most;
    }
    return (double)most;
}

static void fill_paths(struct arena *arena, const struct schedule_shape *shape, struct order *order) {
    int64_t p = shape->ranks, skipped = skipped_stages(shape);
    int32_t *before = ARENA_ARRAY(arena, int32_t, (size_t)(p * shape->micro_batches));
    int32_t *behind = ARENA_ARRAY(arena, int32_t, (size_t)(p * shape->micro_batches));
    for (int64_t j = 0; j < shape->micro_batches; j++) {
        int32_t last = -1;
        for (int32_t stage = 0; stage < p; stage++) {
            bool left_out = skips(p, skipped, stage, j);
            before[j * p + stage] = left_out ? ORDER_SKIPPED : last;
            behind[j * p + stage] = left_out ? ORDER_SKIPPED : -1;
            if (!left_out) {
                if (last >= 0) {
                    behind[j * p + last] = stage;
                }
                last = stage;
            }
        }
    }
    order->before = before;
    order->behind = behind;
}

static void arrange(struct arena *arena, const struct schedule_shape *shape, struct order *order) {
    int64_t m = shape->micro_batches, skipped = skipped_stages(shape);
    struct pass_list *lists = lists_open(arena, shape->ranks, 2 * m, m);
    struct pass_list *whole = lists_open(arena, 1, 2 * m, m);
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        whole->count = 0;
        schedule_1f1b.generate(shape, rank, whole);
        for (int64_t i = 0; i < whole->count; i++) {
            const struct pass *pass = &whole->passes[i];
            if (!skips(shape->ranks, skipped, rank, pass->visit.micro_batch)) {
                list_add(&lists[rank], pass->kind, pass->visit);
            }
        }
    }
    lists_join(arena, lists, order);
    fill_paths(arena, shape, order);
}

const struct schedule schedule_skippipe = {
    .name = "skippipe",
    .doc = "1F1B where each micro-batch leaves out some stages, others each time",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .arrange = arrange,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .skips = true,
    .fixed_chunks = 1,
};
