/* Interleaved 1F1B (Narayanan et al., SC 2021, arXiv 2104.04473): rank i holds the v stages i, p + i, 2p + i ..., and
 * groups of g micro-batches (p unless the shape says more) pass chunk after chunk, which cuts fill and drain to 1/v.
 * Virtual pass k of a rank takes micro-batch and chunk from one table (chunk_table.h); backwards go through the chunks
 * the other way (F2.1 = forward of stage 2 for micro-batch 1; tD = tF, p = 2, v = 2, m = 4):
 *
 *   table    micro-batch 0 1 0 1 2 3 2 3
 *            chunk       0 0 1 1 0 0 1 1
 *   rank 0   F0.0 F0.1 F2.0 F2.1 F0.2 D2.0 F0.3 D2.1 F2.2 D0.0 F2.3 D0.1 .... D2.2 .... D2.3 D0.2 D0.3
 *   rank 1   .... F1.0 F1.1 F3.0 D3.0 F3.1 D3.1 F1.2 D1.0 F1.3 D1.1 F3.2 D3.2 F3.3 D3.3 D1.2 D1.3
 *
 * Rank i runs w = 2 (p - 1 - i) + (v - 1) g forwards ahead and holds w + 1 chunk activations. All times per chunk:
 * makespan = (m v + p - 1) T + 2 (p - 1) c
 *            + (v - 1) (max(0, p c - (g' - p) tF) + max(0, p c - (g" - p) tD))
 * with g' micro-batches in the first and g" in the last group: exact for 2c <= T. Larger groups hide the latency of
 * coming round. For g = p, where the second line is 2 (v - 1) p c, it has a third,
 *            + (m - p) (v - 1) max(0, c - min(tF, tD)) + n max(0, 2c - T),
 * n = floor(m (p - 1) / 2p), for m = p floor(p / 2) - 1, and is exact for m <= 4p with any c too; for longer runs with
 * 2c > T it is up to 5 % low.
 * Unequal ranks: the longest of the paths below; 0.7 % off on average where ranks or end stages differ by 30 %. */
#include "schedule/chunk_table.h"
#include "schedule/rule.h"
#include "schedule/spot.h"

static int64_t group_of(const struct schedule_shape *shape) {
    return shape->group > 0 ? shape->group : shape->ranks;
}

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->chunks < 2) {
        return "interleaved needs at least 2 chunks a rank";
    }
    const char *reason = rule_refuse(shape, shape->chunks);
    return reason != NULL ? reason : chunk_table_refuse(shape, group_of(shape));
}

/* Micro-batches of the first and of the last group. */
static double first_group(const struct schedule_shape *shape) {
    return (double)fewer(group_of(shape), shape->micro_batches);
}

static double last_group(const struct schedule_shape *shape) {
    int64_t rest = shape->micro_batches % group_of(shape);
    return (double)(rest > 0 ? rest : group_of(shape));
}

/* Latency of groups of p that c <= min(tF, tD) and 2c <= T leave no trace of. */
static double exposed(const struct schedule_shape *shape, const struct pass_times *times, double hop) {
    int64_t p = shape->ranks;
    int64_t m = shape->micro_batches;
    double least = smaller(times->forward, pass_backward(times));
    if (hop <= least || group_of(shape) != p) {
        return 0;
    }
    double trips = m == p ? (double)(p / 2 - 1) : (double)(m * (p - 1) / (2 * p));
    return (double)((m - p) * (shape->chunks - 1)) * (hop - least) + trips * larger(0, 2 * hop - pass_full(times));
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double p = (double)shape->ranks;
    double passes = (double)(shape->micro_batches * shape->chunks) + p - 1;
    double forward = idle(p * times->hop, (first_group(shape) - p) * times->forward);
    double backward = idle(p * times->hop, (last_group(shape) - p) * pass_backward(times));
    return passes * pass_full(times) + 2 * (p - 1) * times->hop +
           (double)(shape->chunks - 1) * (forward + backward) + exposed(shape, times, times->hop);
}

/* Time of the first stage alone: what makes rank 0 unlike the ranks between the ends (the embedding, a layer less) is
 * in its first chunk. */
static double entry_time(double v, double p, double total, double first, double last) {
    if (p <= 2) {
        return last;
    }
    double inner = (total - first - last) / (p - 2);
    return inner + larger(0, v * (first - inner));
}

/* Time in which a group comes round through all chunks but one: it crosses the ranks once a chunk, while this rank
 * works on the group. */
static double rounds_time(double v, double group, double crossing, double own, double entry) {
    double usual = larger(crossing, group * own);
    return (v - 2) * usual + larger(usual, group * entry);
}

static double through_rank(const struct schedule_shape *shape, const struct pipeline_load *load,
                           const struct spot *spot) {
    double p = (double)shape->ranks;
    double v = (double)shape->chunks;
    double passes = (double)shape->micro_batches * v;
    double own_backward = pass_backward(spot->own);
    double total_backward = pass_backward(&load->total);
    double entry = entry_time(v, p, load->total.forward, load->first.forward, load->last.forward);
    double entry_backward = entry_time(v, p, total_backward, pass_backward(&load->first), pass_backward(&load->last));
    double around =
        rounds_time(v, first_group(shape), load->total.forward + p * load->hop, spot->own->forward, entry);
    double back = rounds_time(v, last_group(shape), total_backward + p * load->hop, own_backward, entry_backward);
    double journey = pass_full(spot->after) + 2 * spot->after_count * load->hop;
    double ahead = smaller(2 * spot->after_count + (v - 1) * (double)group_of(shape), passes);
    double behind = smaller(2 * spot->after_count + (v - 1) * last_group(shape), passes);
    double fill = idle(around + journey, smaller(ahead, passes - 1) * spot->own->forward);
    double drain = idle(back + journey, smaller(behind, passes - 1) * own_backward);
    double waits = ahead < passes ? fill + drain : larger(fill, drain);
    return pass_full(&spot->before) + 2 * spot->before_count * load->hop + passes * pass_full(spot->own) + waits;
}

static double length(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return longest_path(shape, load, through_rank);
}

/* For 2c <= T the paths are exact for equal ranks. */
static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    double heaviest = pass_full(&load->heaviest);
    if (2 * load->hop > heaviest) {
        return corrected_path(shape, load, makespan, length);
    }
    double mean = (pass_full(&load->total) - heaviest) / (double)(shape->ranks - 1);
    double hop = load->hop - larger(0, heaviest - mean); /* the others have as much time to spare */
    return length(shape, load) + exposed(shape, &load->heaviest, hop);
}

static int64_t warm_up_of(const struct schedule_shape *shape, int64_t rank) {
    return fewer(2 * (shape->ranks - 1 - rank) + (shape->chunks - 1) * group_of(shape),
                 shape->micro_batches * shape->chunks);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)fewer(warm_up_of(shape, rank) + 1, shape->micro_batches * shape->chunks);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int64_t passes = shape->micro_batches * shape->chunks;
    int64_t warm_up = warm_up_of(shape, rank);
    int64_t group = group_of(shape);
    for (int64_t k = 0; k < warm_up; k++) {
        list_add(list, PASS_FORWARD, chunk_table_visit(shape, group, rank, k, true));
    }
    for (int64_t k = 0; k < passes; k++) {
        if (warm_up + k < passes) {
            list_add(list, PASS_FORWARD, chunk_table_visit(shape, group, rank, warm_up + k, true));
        }
        list_add(list, PASS_FULL, chunk_table_visit(shape, group, rank, k, false));
    }
}

const struct schedule schedule_interleaved = {
    .name = "interleaved",
    .doc = "1f1b over several chunks a rank",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .placement = PLACEMENT_LINEAR,
    .ways = 1,
    .chunked = true,
    .tapers = true,
    .searched = true,
};
