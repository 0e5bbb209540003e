/* V-Half (Qi et al., NeurIPS 2024, arXiv 2405.15362): two chunks a rank in V placement and about half of 1F1B's
 * activations, 2 (floor(p / 2) + 1) chunks a rank. Slots of micro-batch 0 on rank i, six slots a micro-batch, d = 3 for
 * even p, else 0 (building_block.h):
 *
 *   F of the first chunk 2i, of the second 3p - 2 - i; B of the second 3p + d + 2i - 1, of the first 6p + d - 2 - i
 *
 * after moving (equal times, p = 2, m = 4; f, b, w first chunk, F, B, W second):
 *
 *   rank 0   f0 f1 f2 F0 B0 W0 F1 B1 b0 W1 w0 F2 f3 B2 b1 W2 w1 F3 B3 b2 W3 b3 w2 w3
 *   rank 1   .. f0 F0 f1 F1 B0 b0 W0 f2 w0 F2 B1 b1 W1 f3 w1 F3 B2 b2 B3 b3 W2 w2 W3 w3
 *
 * With tF = tB = tW, c = 0 and m >= p a rank idles 3p - 7 passes for even, 3p - 4 for odd p (1 for p = 2): makespan 2mT
 * and as much, exact for p = 2 to 16. Otherwise the longest of the paths below, read off executed orders: for p = 2 to
 * 16 and m >= p, tB 0.8 to 1.3 tF, tW 0.4 to 1 tF and c up to T / 10, it is 0.4 % off on average, up to 6 %; up to 15 %
 * low for m < p. */
#include "schedule/building_block.h"
#include "schedule/rule.h"

static void place(int64_t ranks, struct block_row *rows) {
    int64_t shift = ranks % 2 == 0 ? 3 : 0;
    for (int64_t i = 0; i < ranks; i++) {
        rows[i] = (struct block_row){.forward = {2 * i, 3 * ranks - 2 - i},
                                     .backward = {6 * ranks + shift - 2 - i, 3 * ranks + shift + 2 * i - 1}};
    }
}

static int64_t cap(int64_t ranks) {
    return 2 * (ranks / 2 + 1);
}

const struct building_block block_v_half = {.place = place, .cap = cap};

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 2);
}

/* Where forwards are longer than input gradients, and more than four ranks, every micro-batch waits for the forwards'
 * way round. */
static struct excess forward_path(double p, double m, double idle_passes) {
    if (p < 5) {
        const struct excess few[] = {{2, -1, 0, 3}, {5, 3, -3, 2 * m + 4}, {7, 3, -5, 14}};
        return few[(int)p - 2];
    }
    return (struct excess){2 * m, idle_passes + p - 2 * m, -p, 2 * m + 3 * p - 1};
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double p = (double)shape->ranks;
    double m = (double)shape->micro_batches;
    if (shape->ranks % 2 != 0) {
        const struct excess odd[] = {{p - 1, 3 * p - 3, -p, 2 * m + 4 * p - 8}, forward_path(p, m, 3 * p - 4)};
        return block_makespan(shape, times, odd, 2);
    }
    if (shape->ranks == 2) {
        const struct excess two[] = {{0, 1, 0, 3}, {0, 2, -2, 4}, {2, 0, -2, 4}, forward_path(p, m, 1)};
        return block_makespan(shape, times, two, 4);
    }
    const struct excess even[] = {{p, 3 * p - 5, -p - 2, p < 8 ? 6 * p - 6 : m + 5 * p - 6},
                                  {p - 2, 3 * p - 4, -p - 1, 6 * p - 8},
                                  forward_path(p, m, 3 * p - 7)};
    return block_makespan(shape, times, even, 3);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)block_in_flight(&block_v_half, shape, rank);
}

static void arrange(struct arena *arena, const struct schedule_shape *shape, struct order *order) {
    block_arrange(arena, &block_v_half, shape, order);
}

const struct schedule schedule_v_half = {
    .name = "v-half",
    .doc = "zero bubble in V placement with half the activations of 1f1b",
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
