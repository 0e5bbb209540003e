/* 1F1B-V (Qi et al., NeurIPS 2024, arXiv 2405.15362): two chunks a rank in V placement, full backwards, and two thirds
 * of 1F1B's activations: 2 floor((2p + 3) / 3) chunks a rank. The block has slots of one forward, a full backward D
 * takes two, six slots a micro-batch. On rank i the forwards have slots i and 2p - 1 - i, which leaves two gaps of two
 * slots each: the second chunk's D, from rank 0 on, takes the first gap behind the rank before it, the first chunk's D
 * the other one on the way back (building_block.h). After moving (tD = 2 tF, p = 2, m = 4; f, d first chunk, F, D
 * second):
 *
 *   rank 0   f0 f1 f2 F0 D0 .. F1 D1 .. f3 d0 .. F2 D2 .. .. d1 .. F3 D3 .. .. d2 .. .. .. d3 ..
 *   rank 1   .. f0 F0 f1 F1 .. D0 .. d0 .. f2 F2 D1 .. d1 .. f3 F3 D2 .. d2 .. D3 .. d3 ..
 *
 * With tD = 2 tF, c = 0 and m >= 2p a rank idles 5p - 5 forwards for p = 1 mod 3, 5p - 7 for p = 2 mod 3, 5p - 8
 * for p = 0 mod 3 (4 for p = 2, 8 for p = 3, 36 for p = 9): makespan 2mT and as much, exact for p = 2 to 16. Shorter
 * backwards set no faster pace. Paths read off executed orders: for p = 2 to 16, tB 0.8 to 1.3 tF, tW 0.4 to 1 tF and c
 * up to T / 10, makespan is 0.7 % off on average, up to 6 %. */
#include "schedule/building_block.h"
#include "schedule/rule.h"

/* Two slots from `slot` on, as bits of the six of a period. */
static unsigned two_slots(int64_t slot) {
    return 1U << (slot % 6) | 1U << ((slot + 1) % 6);
}

static bool leaves_two(unsigned taken) {
    for (int64_t slot = 0; slot < 6; slot++) {
        if ((taken & two_slots(slot)) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned forwards(const struct block_row *row) {
    return 1U << (row->forward[0] % 6) | 1U << (row->forward[1] % 6);
}

static void place(int64_t ranks, struct block_row *rows) {
    int64_t slot = 2 * ranks;
    for (int64_t i = 0; i < ranks; i++) {
        rows[i] = (struct block_row){.forward = {i, 2 * ranks - 1 - i}};
        unsigned taken = forwards(&rows[i]);
        while ((taken & two_slots(slot)) != 0 || !leaves_two(taken | two_slots(slot))) {
            slot++;
        }
        rows[i].backward[1] = slot;
        slot += 2;
    }
    for (int64_t i = ranks - 1; i >= 0; i--) {
        unsigned taken = forwards(&rows[i]) | two_slots(rows[i].backward[1]);
        while ((taken & two_slots(slot)) != 0) {
            slot++;
        }
        rows[i].backward[0] = slot;
        slot += 2;
    }
}

static int64_t cap(int64_t ranks) {
    return 2 * ((2 * ranks + 3) / 3);
}

const struct building_block block_1f1b_v = {.place = place, .cap = cap, .fused = true};

static const char *refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 2);
}

/* Idle slots of a rank where tD = 2 tF. */
static double idle_slots(int64_t ranks) {
    static const double less[] = {8, 5, 7};
    if (ranks == 2 || ranks == 3 || ranks == 9) {
        return ranks == 9 ? 36 : 4 * (double)(ranks - 1);
    }
    return 5 * (double)ranks - less[ranks % 3];
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    double p = (double)shape->ranks;
    double m = (double)shape->micro_batches;
    bool dense = shape->ranks % 3 == 1 || (shape->ranks > 5 && shape->ranks % 3 == 2) || shape->ranks > 10;
    double pace = shape->ranks == 2 ? 0 : dense ? 2 : 1;
    double idle = idle_slots(shape->ranks);
    double back = (dense ? 3.5 : 2.5) * p;
    double hop = shape->ranks == 2 ? 4 : 2 * m + 3 * p - 3;
    const struct excess paths[] = {
        {idle - 4 * (p - 1), 2 * (p - 1), 2 * (p - 1), hop},
        {2 * (p - m), 2 * (p - 1), 2 * (p - 1), 4 * (p - 1)},
        {idle + 2 * (pace * m - back), back - pace * m, back - pace * m, (!dense ? 2 : p < 9 ? 4 : 5) * m},
    };
    return block_makespan(shape, times, paths, shape->ranks == 2 ? 2 : 3);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    return (double)block_in_flight(&block_1f1b_v, shape, rank);
}

static void arrange(struct arena *arena, const struct schedule_shape *shape, struct order *order) {
    block_arrange(arena, &block_1f1b_v, shape, order);
}

const struct schedule schedule_1f1b_v = {
    .name = "1f1b-v",
    .doc = "1f1b in V placement with two thirds of its activations",
    .refuse = refuse,
    .makespan = makespan,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .arrange = arrange,
    .placement = PLACEMENT_WAVE,
    .ways = 1,
    .chunked = true,
    .fixed_chunks = 2,
};
