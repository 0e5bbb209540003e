/* V-Min (Qi et al., NeurIPS 2024, arXiv 2405.15362): two chunks a rank in V placement and about a third of 1F1B's
 * activations, 2 (floor((p + 1) / 3) + 1) chunks a rank. Slots of micro-batch 0 on rank i, six slots a micro-batch,
 * d = 2 if 3 divides p, else 0 (building_block.h):
 *
 *   F of the first chunk i, of the second 2p - 1 - i; B of the second 2p + d + i, of the first 4p + d - 1 - i
 *
 * after moving (equal times, p = 3, m = 4; f, b, w first chunk, F, B, W second):
 *
 *   rank 0   f0 f1 f2 .. .. F0 B0 W0 F1 B1 W1 b0 f3 w0 .. F2 B2 b1 W2 w1 .. F3 B3 b2 W3 w2 .. b3 w3
 *   rank 1   .. f0 f1 .. F0 .. F1 B0 W0 f2 b0 B1 w0 W1 F2 f3 b1 B2 w1 W2 F3 .. b2 B3 w2 W3 b3 w3
 *   rank 2   .. .. f0 F0 f1 F1 .. .. B0 b0 W0 f2 w0 F2 B1 b1 W1 f3 w1 F3 B2 b2 W2 w2 B3 b3 W3 w3
 *
 * With tF = tB = tW, c = 0 and m >= 2p a rank idles 4p - 5 passes for p = 1 mod 3, 4p - 6 for p = 2 mod 3, 4p - 7 for
 * p = 0 mod 3 (1 for p = 2): makespan 2mT and as much, exact for p = 2 to 16. Micro-batches follow one another so
 * closely that the longest pass sets the pace: up to 6 max(tF, tB) a micro-batch in place of 2T. Paths
 * read off executed orders: for p = 2 to 16 and m >= p, tB 0.8 to 1.3 tF, tW 0.4 to 1 tF and c up to T / 10, makespan
 * is 0.5 % off on average, up to 6 %; up to 21 % high for fewer micro-batches. */
#include "schedule/building_block.h"
#include "schedule/rule.h"

static void place(int64_t ranks, struct block_row *rows) {
    int64_t shift = ranks % 3 == 0 ? 2 : 0;
    for (int64_t i = 0; i < ranks; i++) {
        rows[i] = (struct block_row){.forward = {i, 2 * ranks - 1 - i},
                                     .backward = {4 * ranks + shift - 1 - i, 2 * ranks + shift + i}};
    }
}

static int64_t cap(int64_t ranks) {
    return 2 * ((ranks + 1) / 3 + 1);
}

const struct building_block block_v_min = {.place = place, .cap = cap};

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 2);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double p = (double)shape->ranks;
    double m = (double)shape->micro_batches;
    double hop = (shape->ranks < 7 ? 4 : 5) * m + 3 * p - 6;
    if (shape->ranks == 2) {
        const struct excess two[] = {
            {2 - m, 2 * m, -1 - m, 2 * m + 2}, {1, m + 1, -m - 1, 2 * m}, {1, 0, 0, 1}, {2, m - 1, -m, 2 * m - 2}};
        return block_makespan(shape, times, two, 4);
    }
    if (shape->ranks == 3) {
        const struct excess three[] = {{2, 6, -3, 2 * m + 6}, {5, 3, -3, 2 * m + 4}, {5, 1, -1, 2 * m + 2}};
        return block_makespan(shape, times, three, 3);
    }
    static const double less[] = {7, 5, 6};
    double idle_passes = 4 * p - less[shape->ranks % 3];
    double weight = shape->ranks % 3 == 0 ? 1 : 3;
    double forward = shape->ranks == 5 ? 1 : 4;
    const struct excess paths[] = {
        {2 * p + 2 - 2 * m, 4 * m + idle_passes - 2 * p - 2 - weight, weight - 2 * m, hop},
        {forward * m - 6, idle_passes + 6 - weight + (2 - forward) * m, weight - 2 * m, hop},
    };
    return block_makespan(shape, times, paths, 2);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)block_in_flight(&block_v_min, shape, rank);
}

static void arrange(struct arena *arena, const struct schedule_shape *shape, struct order *order) {
    block_arrange(arena, &block_v_min, shape, order);
}

const struct schedule schedule_v_min = {
    .name = "v-min",
    .doc = "zero bubble in V placement with a third of the activations of 1f1b",
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
