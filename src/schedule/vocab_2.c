/* Vocab-2 (Yeung et al., arXiv 2411.05288, algorithm 2): 1F1B with the vocabulary spread over all ranks and one
 * barrier: a single all-reduce behind S carries maximum, sum and the rescaled input gradient; T, the weight gradient
 * of the shard, may come any time later (tF = 1, tD = 2, tS = tT = 1/4, p = 2, m = 4):
 *
 *   rank 0   F0 F1 S0 T0 F2 S1 D0 T1 F3 S2 D1 T2 S3 D2 T3 D3
 *   rank 1   F0 S0 F1 S1 D0 T0 F2 S2 D1 T1 F3 S3 D2 T2 D3 T3
 *
 * p - i + 1 activations on rank i, one more than 1F1B. Made for the times it runs at (vocabulary.h), makespan is
 * m (T + tS + tT) + (p - 1)(tF + tD + 2c) - tT: exact without latency and all-reduce time, up to 12 % low with
 * c up to T / 10 and all-reduces up to 0.3 tF (1 % on average). */
#include "schedule/rule.h"
#include "schedule/vocabulary.h"

enum { BARRIERS = 1 };

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    return vocabulary_makespan(shape, times, BARRIERS);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return vocabulary_in_flight(shape, BARRIERS, rank);
}

static void arrange(struct arena *arena, const struct schedule_shape *shape, struct order *order) {
    vocabulary_arrange(arena, shape, BARRIERS, order);
}

const struct schedule schedule_vocab_2 = {
    .name = "vocab-2",
    .doc = "1f1b, the vocabulary spread over all ranks, one barrier",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .arrange = arrange,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .fixed_chunks = 1,
};
