/* ZB-H1 (Qi et al., ICLR 2024, arXiv 2401.10241): 1F1B whose backward is split. The input gradient B goes on to the
 * previous rank at once, the weight gradient W fills what would be idle: rank i starts them i backwards late
 * (tF = tB = tW, p = 3, m = 4):
 *
 *   rank 0   F0 F1 F2 .. .. B0 W0 F3 B1 W1 B2 W2 B3 W3
 *   rank 1   .. F0 F1 .. B0 F2 B1 W0 F3 B2 W1 B3 W2 W3
 *   rank 2   .. .. F0 B0 F1 B1 F2 B2 W0 F3 B3 W1 W2 W3
 *
 * With k = p - 1, exact for any times, for m > p
 *   makespan = m T + max(k (tF + tB - tW) + 4kc, k tF + 3kc, k tB + 2kc) + n max(0, 2c - tW),
 *   n = m - k - ceil((m + k) / p): the weight gradients that can hide a latency in the round trips of p micro-batches;
 * for 1 < m <= p the longest of
 *   (m + k)(tF + tB) + tW + 2 (m + k - 2) c,   p tF + (m + k) tB + m tW + 2kc,
 *   (m + k) tF + p tB + m tW + (2k + m - 3) c.
 * With c = 0 and tW <= tF, tB this is the paper's m T + (p - 1)(tF + tB - tW).
 * Unequal ranks: the longest of the paths in zero_bubble.c, 0.3 % off on average where ranks differ by up to 30 %.
 */
#include "schedule/rule.h"
#include "schedule/zero_bubble.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

static double makespan_short(double m, double k, const struct pass_times *t) {
    double c = t->hop;
    double chain = m > 1 ? m + k - 2 : k;
    double first = (m + k) * pass_chain(t) + t->weight + 2 * chain * c;
    double second = (m + k) * t->forward + (k + 1) * t->backward + m * t->weight + (2 * k + larger(m - 3, -1)) * c;
    double third = (k + 1) * t->forward + (m + k) * t->backward + m * t->weight + 2 * k * c;
    return larger(first, larger(second, third));
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    int64_t p = shape->ranks;
    double m = (double)shape->micro_batches;
    double k = (double)(p - 1);
    double c = times->hop;
    if (shape->micro_batches <= p) {
        return makespan_short(m, k, times);
    }
    double chain = k * (pass_chain(times) - times->weight + 4 * c);
    double forward = k * (times->forward + 3 * c);
    double backward = k * (times->backward + 2 * c);
    int64_t rounds = (shape->micro_batches + 2 * p - 2) / p;
    double hiding = m - k - (double)rounds;
    return m * pass_full(times) + larger(chain, larger(forward, backward)) + hiding * larger(0, 2 * c - times->weight);
}

static double through_rank(const struct schedule_shape *shape, const struct pipeline_load *load,
                           const struct spot *spot) {
    return zero_bubble_path(shape, load, spot, 1);
}

static double length(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return longest_path(shape, load, through_rank);
}

/* For m > p the paths are exact for equal ranks. Latencies that weight gradients cannot hide are added, as far as the
 * heaviest rank has no time to spare for them. */
static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    int64_t p = shape->ranks;
    int64_t m = shape->micro_batches;
    if (m <= p) {
        return corrected_path(shape, load, makespan, length);
    }
    double longest = length(shape, load);
    double open = 2 * load->hop - load->heaviest.weight;
    if (open > 0) {
        double chain = pass_chain(&load->heaviest);
        double mean = (pass_chain(&load->total) - chain) / (double)(p - 1);
        longest += (double)(m - p + 1 - (m + 2 * p - 2) / p) * larger(0, open - larger(0, chain - mean));
    }
    return longest;
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)fewer(shape->ranks - rank, shape->micro_batches);
}

static double in_flight_to_weight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)fewer(shape->ranks, shape->micro_batches);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    zero_bubble_generate(shape, rank, 1, list);
}

const struct schedule schedule_zb_h1 = {
    .name = "zb-h1",
    .doc = "zero bubble with the memory of 1f1b",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight_to_weight,
    .generate = generate,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .splits_backward = true,
    .fixed_chunks = 1,
    .tapers = true,
    .searched = true,
};
