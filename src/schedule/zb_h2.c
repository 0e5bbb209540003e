/* ZB-H2 (Qi et al., ICLR 2024, arXiv 2401.10241): ZB-H1 with twice the forwards ahead, 2 (p - 1 - i), and weight
 * gradients 2i backwards late: no rank idles between its first and its last pass when tF = tB = tW (p = 3, m = 6):
 *
 *   rank 0   F0 F1 F2 F3 F4 B0 W0 F5 B1 W1 B2 W2 B3 W3 B4 W4 B5 W5
 *   rank 1   .. F0 F1 F2 B0 F3 B1 F4 B2 W0 F5 B3 W1 B4 W2 B5 W3 W4 W5
 *   rank 2   .. .. F0 B0 F1 B1 F2 B2 F3 B3 F4 B4 W0 F5 B5 W1 W2 W3 W4 W5
 *
 * With k = p - 1 and m >= 2p the longest of
 *   m T + k max(tF + c, tF + tB - 2tW + 2c, tB - tF + 2c, 3c - tB, 4c - 2tW),
 *   round trips of 2p - 1 micro-batches, p (tF + tB) + tW + 2kc each:
 * exact for c <= T / 2, up to 4 % low above.
 * For m <= 2p - 1 with e = max(0, ceil((2k - m) / 2)), the longest of
 *   (m + k) tF + (m + e) tB + m tW + (k + e) c, for even m plus max(0, tB - tF + c, tB - tW + c),
 *   (m + k)(tF + tB) + tW + 2kc,   p tF + (m + k) tB + m tW + 2kc,
 *   and two round trips that stop half-way: exact for c <= T / 5, up to 2 % low above.
 * In the usual case, tB <= 2tW and c = 0, it is m T + (p - 1) tF: only the skew of the first forward is left.
 * Unequal ranks: the longest of the paths in zero_bubble.c, 0.3 % off on average where ranks differ by up to 30 %.
 */
#include "schedule/rule.h"
#include "schedule/zero_bubble.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

/* Latencies in round trips of 2p - 1 micro-batches that stop short of it. */
static double makespan_trips(int64_t micro_batches, double p, const struct pass_times *t) {
    double m = (double)micro_batches;
    double half = (double)(micro_batches / 2);
    double c = t->hop;
    double chain = (p + half) * pass_chain(t) + t->weight + 2 * (p + half - 2) * c;
    double weights = (p + half) * t->forward + p * t->backward + m * t->weight + (2 * p - 4 + half) * c;
    if (micro_batches % 2 == 0) {
        return larger(chain, weights + larger(0, t->backward - t->weight + c));
    }
    return larger(chain + t->backward + larger(t->forward, t->weight), weights + pass_chain(t));
}

static double makespan_short(int64_t micro_batches, double k, const struct pass_times *t) {
    double c = t->hop;
    double m = (double)micro_batches;
    double missing = 2 * k - m;
    bool even = micro_batches % 2 == 0;
    double extra = larger(0, even ? missing / 2 : (missing + 1) / 2);
    double turn = even ? larger(0, larger(t->backward - t->forward, t->backward - t->weight) + c) : 0;
    double forward = (m + k) * t->forward + (m + extra) * t->backward + m * t->weight + (k + extra) * c + turn;
    double chain = (m + k) * pass_chain(t) + t->weight + 2 * k * c;
    double backward = (k + 1) * t->forward + (m + k) * t->backward + m * t->weight + 2 * k * c;
    double longest = larger(forward, larger(chain, backward));
    return micro_batches < 4 ? longest : larger(longest, makespan_trips(micro_batches, k + 1, t));
}

/* Round trips of 2p - 1 micro-batches through all ranks, one of 2n - 1 through n of them, and what is left. */
static double round_trips(const struct schedule_shape *shape, const struct pass_times *t) {
    int64_t flight = 2 * shape->ranks - 1;
    int64_t trips = (shape->micro_batches - 1) / flight;
    int64_t rest = shape->micro_batches - 1 - trips * flight;
    int64_t reach = (rest + 1) / 2;
    double trip = (double)shape->ranks * pass_chain(t) + t->weight + 2 * (double)(shape->ranks - 1) * t->hop;
    double length = (double)(trips + 1) * trip;
    if (reach > 0) {
        length += (double)reach * pass_chain(t) + t->weight + 2 * (double)(reach - 1) * t->hop;
    }
    return rest > 0 && rest % 2 == 0 ? length + pass_full(t) : length;
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    int64_t flight = 2 * shape->ranks - 1;
    double m = (double)shape->micro_batches;
    double k = (double)(shape->ranks - 1);
    double c = times->hop;
    if (shape->micro_batches <= flight) {
        return makespan_short(shape->micro_batches, k, times);
    }
    double forward = times->forward + c;
    double chain = pass_chain(times) - 2 * times->weight + 2 * c;
    double backward = times->backward - times->forward + 2 * c;
    double hops = larger(3 * c - times->backward, 4 * c - 2 * times->weight);
    double longest = m * pass_full(times) + k * larger(larger(forward, chain), larger(backward, hops));
    return larger(longest, round_trips(shape, times));
}

static double through_rank(const struct schedule_shape *shape, const struct pipeline_load *load,
                           const struct spot *spot) {
    return zero_bubble_path(shape, load, spot, 2);
}

static double length(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return longest_path(shape, load, through_rank);
}

/* For m >= 2p and 2c <= T the paths are exact for equal ranks. */
static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    if (shape->micro_batches >= 2 * shape->ranks && 2 * load->hop <= pass_full(&load->heaviest)) {
        return length(shape, load);
    }
    return corrected_path(shape, load, makespan, length);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)fewer(2 * (shape->ranks - rank) - 1, shape->micro_batches);
}

static double in_flight_to_weight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)fewer(2 * shape->ranks - 1, shape->micro_batches);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    zero_bubble_generate(shape, rank, 2, list);
}

const struct schedule schedule_zb_h2 = {
    .name = "zb-h2",
    .doc = "zero bubble with up to twice the memory of 1f1b",
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
