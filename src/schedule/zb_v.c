/* ZB-V (Qi et al., NeurIPS 2024, arXiv 2405.15362; rank rule of PyTorch's ScheduleZBVZeroBubble): two chunks a rank
 * laid in a V, rank r holds stages r and 2p - 1 - r, so that the turn needs no message and rank 0 holds both the
 * embedding and the head. With f, b, w passes of the first and F, B, W of the second chunk (equal times, p = 2, m = 4):
 *
 *   rank 0   f0 f1 f2 F0 B0 W0 F1 B1 W1 f3 b0 w0 F2 B2 W2 b1 w1 F3 B3 W3 b2 w2 b3 w3
 *   rank 1   .. f0 F0 f1 F1 B0 W0 f2 b0 w0 F2 B1 W1 f3 b1 w1 F3 B2 W2 b2 B3 b3 w2 W3 w3
 *
 * Rule, n = max(2p - 1, m), micro-batches past m left out:
 *   1. 2(p-r)-1 x f   2. r x { F, f }   3. (p-r) x { F, B, W }
 *   4. while forwards are left: { f if left, b, w, F, B, W }
 *   5. r x { b, B }   6. (p-r) x { b, w }   7. the W left, then the w left
 *
 * makespan: the longest of a table of paths (below); exact for m >= 2p - 1 with c <= T / 4 and for m <= p with
 * c <= T / 20; between, the mean of two neighbours, 1 % off on average, up to 9 %. Per chunk with tF = tB = tW and
 * m >= 2p - 1 it is 2mT + (p - 1) tF + (5p - 7) c. At most 2p activations are alive on every rank.
 * Unequal ranks: 0.6 % off on average where ranks or end stages differ by up to 30 %. */
#include "schedule/order.h"
#include "schedule/rule.h"
#include "schedule/spot.h"

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 2);
}

/* How many more passes and hops than 2m of each a path has: constant + factor x k. */
struct excess {
    struct {
        double constant, factor;
    } forward, backward, weight, hop;
};

/* For m >= 2p - 1; found by differentiating executed makespans, see tests. */
static const struct excess long_paths[] = {
    {{-1, 2}, {1, -1}, {0, 0}, {-2, 3}}, {{0, 0}, {1, 0}, {-1, 1}, {0, 3}},  {{0, 0}, {0, 2}, {0, -2}, {-2, 6}},
    {{0, 0}, {0, 1}, {0, 0}, {-2, 5}},   {{0, 2}, {0, -1}, {-1, 0}, {0, 3}}, {{0, 2}, {0, 0}, {-1, -2}, {0, 4}},
    {{1, 0}, {0, 0}, {-1, 1}, {-2, 3}},  {{-1, 1}, {1, 0}, {0, 0}, {-2, 5}}, {{0, 0}, {0, 2}, {-1, -2}, {0, 6}},
    {{-1, 1}, {1, 1}, {0, -2}, {-2, 6}}, {{0, 1}, {0, 1}, {-1, -2}, {0, 6}}, {{-1, 2}, {1, 0}, {0, -2}, {-2, 4}},
    {{0, 1}, {0, 0}, {-1, 0}, {0, 5}},   {{0, 0}, {0, 1}, {-1, 0}, {0, 5}},
};

static double excess_of(const struct excess *path, double k, const struct pass_times *t) {
    return (path->forward.constant + path->forward.factor * k) * t->forward +
           (path->backward.constant + path->backward.factor * k) * t->backward +
           (path->weight.constant + path->weight.factor * k) * t->weight +
           (path->hop.constant + path->hop.factor * k) * t->hop;
}

/* Latencies beyond what weight gradients hide: x round trips of p micro-batches, 2 (p - 1) hops and 2 (tB + tW) or
 * 2 (tF + tW) each. */
static double round_trips(const struct schedule_shape *shape, double k, const struct pass_times *t) {
    double m = (double)shape->micro_batches;
    double trips = (double)((shape->micro_batches + shape->ranks - 2) / shape->ranks);
    double around = 2 * (trips + k);
    double forward = (2 * m + k) * t->forward;
    double hops = 2 * (m - trips) + 3 * k - 2;
    double a = forward + (around + k + 2) * t->backward + (2 * trips + 1) * t->weight + (hops + k) * t->hop;
    double b =
        (around + 2) * t->forward + 2 * (m + k) * t->backward + (2 * trips + 1) * t->weight + (hops + k) * t->hop;
    double d = forward + (around + 2) * t->backward + (around + 1) * t->weight + hops * t->hop;
    return larger(a, larger(b, d));
}

static double makespan_long(const struct schedule_shape *shape, double k, const struct pass_times *times) {
    double most = 0;
    for (size_t i = 0; i < sizeof(long_paths) / sizeof(long_paths[0]); i++) {
        most = larger(most, excess_of(&long_paths[i], k, times));
    }
    return larger(2 * (double)shape->micro_batches * pass_full(times) + most, round_trips(shape, k, times));
}

/* For m <= p: all forwards of the first chunk run ahead. */
static double makespan_short(double m, double k, const struct pass_times *t) {
    double p = k + 1;
    double n = m - 1;
    double c = t->hop;
    double forward = t->forward;
    double backward = t->backward;
    double weight = t->weight;
    double a = 2 * p * forward + 2 * (p + n) * backward + 2 * m * weight + 4 * k * c;
    double b = (2 * p + n) * (forward + backward) + 2 * m * weight + (4 * k - 2 * n) * c;
    double d = 2 * (p + n) * forward + 2 * p * backward + 2 * weight + 4 * k * c;
    double e = 2 * (p + n) * forward + (2 * p - n) * backward + (m + 1) * weight + (4 * k - 2 * n) * c;
    return larger(larger(a, b), larger(d, e));
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    int64_t p = shape->ranks;
    double m = (double)shape->micro_batches;
    double k = (double)(p - 1);
    if (shape->micro_batches >= 2 * p - 1) {
        return makespan_long(shape, k, times);
    }
    if (shape->micro_batches <= p) {
        return makespan_short(m, k, times);
    }
    struct schedule_shape end = {.ranks = p, .micro_batches = 2 * p - 1, .chunks = 2};
    double part = (m - k - 1) / k;
    double chord = (1 - part) * makespan_short(k + 1, k, times) + part * makespan_long(&end, k, times);
    return (chord + larger(makespan_long(shape, k, times), makespan_short(m, k, times))) / 2;
}

/* The rank waits for what went through the ranks behind it and came back, or through those before it and came back,
 * six times in all: before the first F, B and b, and before the last F, B and b. The path then stays for its late
 * weight gradients, or leaves: up with the last B to the last rank and its weight gradients, or down with b. */
static double through_rank(const struct schedule_shape *shape, const struct pipeline_load *load,
                           const struct spot *spot) {
    const struct pass_times *own = spot->own;
    double before = spot->before_count;
    double after = spot->after_count;
    double full = pass_full(own);
    double own_backward = pass_backward(own);
    double there_and_back = 2 * after * load->hop;
    double below = pass_chain(&spot->before) + 2 * before * load->hop;
    double forward = 2 * spot->after->forward + there_and_back;
    double backward = 2 * spot->after->backward + there_and_back;
    double length = spot->before.forward + before * load->hop + 2 * (double)shape->micro_batches * full;
    length += idle(forward, 2 * after * own->forward) + idle(below, 2 * before * own->forward);
    length += idle(backward, own->weight + own->forward + after * full);
    length += idle(forward, (after + 1) * own_backward + after * full);
    double turn = before > 0 ? 0 : own->weight; /* rank 0 meets its last B within a turn of step 4 */
    length += idle(below, 2 * before * own->backward + own->weight);
    double stay = idle(backward, after * own_backward + turn);
    double down =
        stay - (2 * before + 1) * own->weight + spot->before.backward + before * load->hop + load->first.weight;
    double up = 0;
    if (after > 0) {
        double late = (2 * (double)shape->ranks - 1) * load->last.weight;
        up = spot->after->backward + after * load->hop + load->last.backward + late - (after + 1) * own_backward -
             2 * before * own->weight - turn;
    }
    return length + larger(stay, larger(down, up));
}

static double length(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return longest_path(shape, load, through_rank);
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return corrected_path(shape, load, makespan, length);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    int64_t m = shape->micro_batches;
    return (double)fewer(2 * fewer(shape->ranks, m), m + rank + 1);
}

/* Next micro-batch of each kind of pass on both chunks of one rank. */
struct row {
    struct pass_list *list;
    int32_t stage[2];
    int32_t forwards[2], backwards[2], weights[2];
};

static void row_forward(struct row *row, int chunk) {
    list_add(row->list, PASS_FORWARD, (struct visit){row->stage[chunk], row->forwards[chunk]++, 0});
}

static void row_backward(struct row *row, int chunk) {
    list_add(row->list, PASS_BACKWARD, (struct visit){row->stage[chunk], row->backwards[chunk]++, 0});
}

static void row_weight(struct row *row, int chunk) {
    list_add(row->list, PASS_WEIGHT, (struct visit){row->stage[chunk], row->weights[chunk]++, 0});
}

static void row_turn(struct row *row) {
    row_forward(row, 1);
    row_backward(row, 1);
    row_weight(row, 1);
}

static void row_drain(struct row *row, int64_t rank, int64_t p, int32_t n) {
    for (int64_t i = 0; i < rank; i++) {
        row_backward(row, 0);
        row_backward(row, 1);
    }
    for (int64_t i = 0; i < p - rank; i++) {
        row_backward(row, 0);
        row_weight(row, 0);
    }
    while (row->weights[1] < n) {
        row_weight(row, 1);
    }
    while (row->weights[0] < n) {
        row_weight(row, 0);
    }
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int64_t p = shape->ranks;
    int32_t n = (int32_t)(2 * p - 1 > shape->micro_batches ? 2 * p - 1 : shape->micro_batches);
    struct row row = {.list = list, .stage = {(int32_t)rank, (int32_t)(2 * p - 1 - rank)}};
    for (int64_t i = 0; i < 2 * (p - rank) - 1; i++) {
        row_forward(&row, 0);
    }
    for (int64_t i = 0; i < rank; i++) {
        row_forward(&row, 1);
        row_forward(&row, 0);
    }
    for (int64_t i = 0; i < p - rank; i++) {
        row_turn(&row);
    }
    while (row.forwards[1] < row.forwards[0] || row.forwards[0] < n) {
        if (row.forwards[0] < n) {
            row_forward(&row, 0);
        }
        row_backward(&row, 0);
        row_weight(&row, 0);
        row_turn(&row);
    }
    row_drain(&row, rank, p, n);
}

const struct schedule schedule_zb_v = {
    .name = "zb-v",
    .doc = "zero bubble, two chunks a rank in V placement",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .placement = PLACEMENT_WAVE,
    .ways = 1,
    .splits_backward = true,
    .chunked = true,
    .fixed_chunks = 2,
    .searched = true,
};
