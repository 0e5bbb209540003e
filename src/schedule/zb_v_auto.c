/* Zero bubble in V placement under a memory cap: no rank holds more than `cap` chunk activations to the end of their
 * weight gradients (0: 2p, as 1F1B). The forwards and input gradients of ZB-V, V-Half and V-Min, as far as their
 * activations are within the cap, with weight gradients put where a rank would idle at the times the order is made for
 * (fill.h), at the cost of no delay of the next pass or of up to three quarters of a weight gradient; the first to end
 * is taken (cf. the generator of Qi et al., NeurIPS 2024, arXiv 2405.15362; p = 2, m = 4, equal times):
 *
 *   rank 0   f0 f1 f2 F0 B0 W0 F1 B1 W1 f3 b0 w0 F2 B2 W2 b1 w1 F3 B3 W3 b2 w2 b3 w3
 *   rank 1   .. f0 F0 f1 F1 B0 W0 f2 b0 w0 F2 B1 W1 f3 b1 w1 F3 B2 W2 b2 B3 b3 w2 W3 w3
 *
 * makespan is an estimate: that of ZB-V, V-Half or V-Min, whichever the cap has room for: 3 % high on average,
 * up to 18 % for m < 2p. in_flight is what the cap allows, no rank holds more. */
#include "base/arena.h"
#include "schedule/building_block.h"
#include "schedule/contest.h"
#include "schedule/rule.h"

static int64_t cap_of(const struct schedule_shape *shape) {
    return shape->cap > 0 ? shape->cap : 2 * shape->ranks;
}

static const char *refuse(const struct schedule_shape *shape) {
    const char *broken = rule_refuse(shape, 2);
    if (broken == NULL && cap_of(shape) < block_v_min.cap(shape->ranks)) {
        return "zb-v-auto needs a cap of at least v-min's activations, 2 (floor((ranks + 1) / 3) + 1)";
    }
    return broken;
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    int64_t cap = cap_of(shape);
    if (cap >= 2 * shape->ranks) {
        return schedule_zb_v.makespan(shape, times);
    }
    bool half = cap >= block_v_half.cap(shape->ranks);
    return (half ? &schedule_v_half : &schedule_v_min)->makespan(shape, times);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)fewer(cap_of(shape), 2 * shape->micro_batches);
}

/* Forwards and input gradients of a schedule in V placement, with all variants of weight gradients. */
static void enter(struct contest *contest, const struct schedule *schedule, const struct schedule_shape *shape) {
    struct order order;
    struct pass_list *rows = contest_lists(contest);
    struct pass_list *whole = contest_lists(contest);
    order_make(contest->arena, schedule, shape, &order);
    for (int64_t rank = 0; rank < order.ranks; rank++) {
        for (int64_t i = order.first[rank]; i < order.first[rank + 1]; i++) {
            const struct pass *pass = &order.passes[i];
            list_add(&whole[rank], pass->kind, pass->visit);
            if (pass->kind != PASS_WEIGHT) {
                list_add(&rows[rank], pass->kind, pass->visit);
            }
        }
    }
    contest_enter(contest, whole);
    for (int quarters = 0; quarters < 4; quarters++) {
        contest->fill.late = quarters / 4.0;
        contest_fill(contest, rows);
    }
}

static void arrange(struct arena *arena, const struct schedule_shape *shape, struct order *order) {
    struct contest contest;
    int64_t cap = cap_of(shape);
    int64_t *caps = ARENA_ARRAY(arena, int64_t, (size_t)shape->ranks);
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        caps[rank] = cap;
    }
    contest_open(&contest, arena, shape, PLACEMENT_WAVE, order);
    contest.fill.caps = caps;
    if (cap >= 2 * shape->ranks) {
        enter(&contest, &schedule_zb_v, shape);
    }
    if (cap >= block_v_half.cap(shape->ranks)) {
        enter(&contest, &schedule_v_half, shape);
    }
    enter(&contest, &schedule_v_min, shape);
}

const struct schedule schedule_zb_v_auto = {
    .name = "zb-v-auto",
    .doc = "zero bubble in V placement under a memory cap: the best of several orders",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .arrange = arrange,
    .placement = PLACEMENT_WAVE,
    .ways = 1,
    .splits_backward = true,
    .chunked = true,
    .fixed_chunks = 2,
};
