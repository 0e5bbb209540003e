/* Zero bubble under a memory cap: no rank holds more than `cap` chunk activations to the end of their weight gradients
 * (0: those of p stages, as 1F1B). Several orders are made and run, the first to end is taken:
 *
 *   one chunk a rank   forwards ahead as ZB-H1 (p - 1 - i), as ZB-H2 (twice that) and one more, cut to cap - 1, then
 *                      forward and input gradient in turn; weight gradients where the rank would idle (fill.h), or as
 *                      late as ZB-H2's; and two orders of free choice, which win where the cap is below p
 *   v chunks a rank    interleaved (chunk_table.h) in groups of g micro-batches, the largest g that keeps (v - 1) g + p
 *                      within the cap and runs; rank i runs (v - 1) g + p - 1 - i forwards ahead
 *
 * p = 3, m = 4, cap 2 (equal times; 17 passes are the proven optimum):
 *
 *   rank 0   F0 F1 .. .. .. B0 W0 B1 F2 W1 F3 .. .. B2 W2 B3 W3
 *   rank 1   .. F0 F1 .. B0 W0 B1 W1 .. F2 .. F3 B2 W2 B3 W3
 *   rank 2   .. .. F0 B0 F1 B1 W0 W1 .. .. F2 B2 F3 B3 W2 W3
 *
 * Such generators are those of the zero-bubble papers (Qi et al., ICLR 2024, arXiv 2401.10241, section 3, and NeurIPS
 * 2024, arXiv 2405.15362); the candidates here are fewer and simpler.
 * makespan is an estimate; for one chunk the longer of ZB-H1's or ZB-H2's, or what lies between for caps between p and
 * 2p - 1, and of round trips: micro-batch j + cap starts after j has left, p (tF + tB) + tW + 2 (p - 1) c later. Over
 * usual times it is 0.6 % off on average for the cap of 1F1B, up to 13 % (m < p); 4 % for any cap, up to 26 % below p;
 * several chunks: 2 % on average, up to 12 %. in_flight is what the cap allows, no rank holds more. */
#include "base/arena.h"
#include "schedule/chunk_table.h"
#include "schedule/contest.h"
#include "schedule/rule.h"

static int64_t cap_of(const struct schedule_shape *shape) {
    return shape->cap > 0 ? shape->cap : shape->ranks * shape->chunks;
}

/* Groups, the last one too, of at least half the ranks' micro-batches, or a single one: smaller ones come round to a
 * rank while it waits for their backwards, and all ranks wait for one another. */
static bool group_runs(const struct schedule_shape *shape, int64_t group) {
    int64_t half = (shape->ranks + 1) / 2;
    int64_t last = shape->micro_batches % group;
    return group == shape->micro_batches || (group >= half && (last == 0 || last >= half));
}

/* The largest group that the cap has room for; 0 if there is none. */
static int64_t group_of(const struct schedule_shape *shape) {
    int64_t group = fewer((cap_of(shape) - shape->ranks) / (shape->chunks - 1), shape->micro_batches);
    while (group > 0 && !group_runs(shape, group)) {
        group--;
    }
    return group > 0 ? group : 0;
}

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->chunks < 1) {
        return "zb-auto needs at least one chunk a rank";
    }
    const char *broken = rule_refuse(shape, shape->chunks);
    if (broken == NULL && shape->chunks > 1 && group_of(shape) < 1) {
        return "zb-auto with v chunks a rank needs groups of at least half the ranks' micro-batches, the last one too, "
               "and "
               "a cap of at least ranks + (v - 1) x group activations";
    }
    return broken;
}

static double between(double low, double high, double part) {
    return low + (high - low) * smaller(1, larger(0, part));
}

static double makespan_single(const struct schedule_shape *shape, const struct pass_times *times) {
    double p = (double)shape->ranks;
    double cap = (double)cap_of(shape);
    double trip = p * (times->forward + times->backward) + times->weight + 2 * (p - 1) * times->hop;
    double trips = (double)((shape->micro_batches - 1) / cap_of(shape) + 1) * trip;
    double tight = schedule_zb_h1.makespan(shape, times);
    double loose = schedule_zb_h2.makespan(shape, times);
    return larger(trips, between(tight, smaller(tight, loose), (cap - p) / (p - 1)));
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    if (shape->chunks == 1) {
        return makespan_single(shape, times);
    }
    double p = (double)shape->ranks;
    double chain = times->forward + times->backward - times->weight;
    double group = (double)group_of(shape);
    double around = larger(0, p - group) * (double)(shape->chunks - 1) * (times->forward + times->backward);
    double work = (double)(shape->micro_batches * shape->chunks) * pass_full(times);
    return larger(work + (p - 1) * larger(chain, times->forward) + around, schedule_bound(shape, times, false)) +
           2 * (p * (double)shape->chunks - 1) * times->hop;
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)fewer(cap_of(shape), shape->micro_batches * shape->chunks);
}

enum { NO_WEIGHTS = -1 };

/* `ahead` forwards, then forward and input gradient in turn, and a weight gradient as soon as more than `limit` are
 * owed; or none. */
static void list_single(struct pass_list *list, int64_t rank, int64_t ahead, int64_t limit) {
    int32_t m = (int32_t)list->micro_batches;
    int32_t stage = (int32_t)rank;
    int32_t weights = limit == NO_WEIGHTS ? m : 0;
    for (int32_t j = 0; j < m + (int32_t)ahead; j++) {
        list_add(list, PASS_FORWARD, (struct visit){stage, j, 0});
        int32_t backward = j - (int32_t)ahead;
        if (backward >= 0) {
            list_add(list, PASS_BACKWARD, (struct visit){stage, backward, 0});
        }
        if (backward >= limit) {
            list_add(list, PASS_WEIGHT, (struct visit){stage, weights++, 0});
        }
    }
    while (weights < m) {
        list_add(list, PASS_WEIGHT, (struct visit){stage, weights++, 0});
    }
}

static void enter_single(struct contest *contest, int64_t cap) {
    int64_t p = contest->fill.ranks;
    int64_t m = contest->fill.micro_batches;
    for (int64_t depth = 1; depth <= 2; depth++) {
        for (int64_t more = 0; more < depth; more++) {
            struct pass_list *rows = contest_lists(contest);
            struct pass_list *late = contest_lists(contest);
            for (int64_t rank = 0; rank < p; rank++) {
                int64_t ahead = depth * (p - 1 - rank) + (rank < p - 1 ? more : 0);
                ahead = fewer(fewer(ahead, cap - 1), m);
                list_single(&rows[rank], rank, ahead, NO_WEIGHTS);
                list_single(&late[rank], rank, ahead, cap - 1 - ahead);
            }
            contest_fill(contest, rows);
            contest_enter(contest, late);
        }
    }
    contest->fill.choice = FILL_BACKWARD_FIRST;
    contest_fill(contest, NULL);
    contest->fill.choice = FILL_FORWARD_FIRST;
    contest_fill(contest, NULL);
}

static int64_t ahead_chunks(const struct schedule_shape *shape, int64_t rank) {
    int64_t passes = shape->micro_batches * shape->chunks;
    return fewer((shape->chunks - 1) * group_of(shape) + shape->ranks - 1 - rank, passes);
}

static void enter_chunks(struct contest *contest, const struct schedule_shape *shape, int64_t *caps) {
    int64_t group = group_of(shape);
    int64_t passes = shape->micro_batches * shape->chunks;
    struct pass_list *rows = contest_lists(contest);
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        int64_t ahead = ahead_chunks(shape, rank);
        for (int64_t k = 0; k < passes + ahead; k++) {
            if (k < passes) {
                list_add(&rows[rank], PASS_FORWARD, chunk_table_visit(shape, group, rank, k, true));
            }
            if (k >= ahead) {
                list_add(&rows[rank], PASS_BACKWARD, chunk_table_visit(shape, group, rank, k - ahead, false));
            }
        }
    }
    contest_fill(contest, rows);
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        caps[rank] = fewer(caps[rank], ahead_chunks(shape, rank) + 1); /* no more than forwards ahead need */
    }
    contest_fill(contest, rows);
}

static void arrange(struct arena *arena, const struct schedule_shape *shape, struct order *order) {
    struct contest contest;
    int64_t *caps = ARENA_ARRAY(arena, int64_t, (size_t)shape->ranks);
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        caps[rank] = cap_of(shape);
    }
    contest_open(&contest, arena, shape, PLACEMENT_LINEAR, order);
    contest.fill.caps = caps;
    if (shape->chunks == 1) {
        enter_single(&contest, cap_of(shape));
    } else {
        enter_chunks(&contest, shape, caps);
    }
}

const struct schedule schedule_zb_auto = {
    .name = "zb-auto",
    .doc = "zero bubble under a memory cap: the best of several orders",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .arrange = arrange,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .splits_backward = true,
    .chunked = true,
};
