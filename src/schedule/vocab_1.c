/* Vocab-1 (Yeung et al., arXiv 2411.05288, algorithm 1): 1F1B with the vocabulary spread over all ranks and two
 * barriers: all-reduces of maximum, predicted logit and sum behind S, of the input gradient behind T. The last stage's
 * backward D waits for the second (tF = 1, tD = 2, tS = tT = 1/4, p = 2, m = 4):
 *
 *   rank 0   F0 F1 S0 T0 F2 S1 T1 D0 F3 S2 T2 D1 S3 T3 D2 D3
 *   rank 1   F0 S0 F1 S1 T0 D0 F2 S2 T1 D1 F3 S3 T2 D2 T3 D3
 *
 * p - i + 2 activations on rank i, two more than 1F1B (one more for p = 2). Made for the times it runs at
 * (vocabulary.h), makespan with P = T + tS + tT and an all-reduce r is m P + (p - 1)(tF + tD + 2c) + r and, for m >= 3
 * and p >= 3, further 2 tF - tS - tT + (p - 1) c (tF in place of 2 tF for p = 3): 0.2 % off on average for c = r = 0,
 * up to 6 %; 1 % for c up to T / 10 and r up to 0.3 tF, up to 11 %. */
#include "schedule/rule.h"
#include "schedule/vocabulary.h"

enum { BARRIERS = 2 };

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

const struct schedule schedule_vocab_1 = {
    .name = "vocab-1",
    .doc = "1f1b, the vocabulary spread over all ranks, two barriers",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .arrange = arrange,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .fixed_chunks = 1,
};
