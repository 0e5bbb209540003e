/* Chimera (Li and Hoefler, SC 2021, arXiv 2107.06925): half of the micro-batches enter at each end (way 1 marked '), so
 * that one way works where the other would idle; every rank holds two copies of weights, stage r of way 0 and stage
 * p - 1 - r of way 1 (tD = tF, p = 4, m = 4):
 *
 *   rank 0   F0  F1  ... F0' D0' F1' D1' D0  ... D1
 *   rank 1   ... F0  F0' F1  F1' D0' D0  D1' D1
 *   rank 2   ... F0' F0  F1' F1  D0  D0' D1  D1'
 *   rank 3   F0' F1' ... F0  D0  F1  D1  D0' ... D1'
 *
 * Rule: below, slots of a unit of p micro-batches; the next unit fills the gaps of the last. With K = m / p units,
 * L = max(tF, tD) and l = min(tF, tD):
 * makespan = m T + (p - 2) L + max(2, 3p - 5) c + (K - 1) max((p - 2)(L - l + 2c), 2 (p - 1) c), exact for any times.
 * With c = 0 and tD >= tF it is p tF + (2p - 2) tD + (K - 1)(2 tF + (2p - 2) tD). At the ends p / 2 + 1 activations are
 * alive, one more on each rank further in, at most p. Unequal ranks: mean_rank_step with 1 / p of the surplus, 0.4 %
 * off on average where they differ by up to 30 %. */
#include "schedule/order.h"
#include "schedule/rule.h"
#include "schedule/spot.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->ranks % 2 != 0) {
        return "chimera needs an even number of ranks";
    }
    if (shape->ranks > 0 && shape->micro_batches % shape->ranks != 0) {
        return "chimera needs micro-batches divisible by the ranks of the pipeline";
    }
    return rule_refuse(shape, 1);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double p = (double)shape->ranks;
    double m = (double)shape->micro_batches;
    double c = times->hop;
    double longer = larger(times->forward, pass_backward(times));
    double shorter = smaller(times->forward, pass_backward(times));
    double first = (p - 2) * longer + larger(2, 3 * p - 5) * c;
    double unit = larger((p - 2) * (longer - shorter + 2 * c), 2 * (p - 1) * c);
    return m * pass_full(times) + first + (m / p - 1) * unit;
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return mean_rank_step(shape, load, makespan, 1 / (double)shape->ranks);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    int64_t p = shape->ranks;
    int64_t depth = fewer(rank, p - 1 - rank);
    return (double)fewer(p, p / 2 + 1 + depth);
}

/* Slots of a unit of p micro-batches, p / 2 of each way: 2j + s for the forward of micro-batch j in stage s, and
 * 2j + 2p - 1 - s for its backward; the next unit 2p later. Slots of a rank differ: way 0 has its forwards in slots of
 * the rank's parity, way 1, whose stage is p - 1 - rank, in the others. */
static void add_slot(const struct schedule_shape *shape, int64_t rank, int64_t slot, struct pass_list *list) {
    int64_t p = shape->ranks;
    for (int32_t way = 0; way < 2; way++) {
        int64_t stage = way == 0 ? rank : p - 1 - rank;
        const int64_t starts[] = {stage, 2 * p - 1 - stage};
        for (int kind = 0; kind < 2; kind++) {
            int64_t since = slot - starts[kind];
            int64_t unit = since / (2 * p);
            int64_t j = since % (2 * p) / 2;
            if (since >= 0 && since % 2 == 0 && j < p / 2) {
                struct visit visit = {(int32_t)stage, (int32_t)(unit * p / 2 + j), way};
                list_add(list, kind == 0 ? PASS_FORWARD : PASS_FULL, visit);
            }
        }
    }
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int64_t slots = 2 * shape->micro_batches + 2 * shape->ranks;
    for (int64_t slot = 0; slot < slots; slot++) {
        add_slot(shape, rank, slot, list);
    }
}

const struct schedule schedule_chimera = {
    .name = "chimera",
    .doc = "micro-batches from both ends, weights twice",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .placement = PLACEMENT_TWO_WAY,
    .ways = 2,
    .fixed_chunks = 1,
};
