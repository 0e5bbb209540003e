/* ZB-H1 and ZB-H2: the row of a rank and the critical paths through it. */
#include "schedule/zero_bubble.h"

#include "schedule/rule.h"

/* A path comes to the rank with the first forward, stays there, waits for its first and its last backward to return,
 * and ends in one of three ways: with the rank's own late weight gradients; down with the last input gradient to
 * rank 0; or up with the last forward to the last rank and its late weight gradients. */
double zero_bubble_path(const struct schedule_shape *shape, const struct pipeline_load *load, const struct spot *spot,
                        double depth) {
    double m = (double)shape->micro_batches;
    double hop = load->hop;
    double own_backward = pass_backward(spot->own);
    double ahead = depth * spot->after_count;
    double late = smaller(depth * spot->before_count, m - 1) * spot->own->weight;
    double journey = pass_chain(spot->after) + 2 * spot->after_count * hop;
    double fill = idle(journey, smaller(ahead, m - 1) * spot->own->forward);
    double drain = idle(journey, smaller(ahead, m - 1) * own_backward);
    bool apart = m - 1 > ahead; /* the last forward comes after the first backward: both waits are met */
    double work = spot->before.forward + spot->before_count * hop + m * pass_full(spot->own);
    double waited = work + (apart ? fill + drain : larger(fill, drain));
    double down = waited + spot->before.backward + spot->before_count * hop - late;
    double up = 0;
    if (spot->after_count > 0) {
        double left = smaller(ahead + 1, m) * own_backward + (m - 1 >= ahead ? late : 0);
        double last_late = smaller(depth * (double)(shape->ranks - 1) + 1, m) * load->last.weight;
        up = work + (apart ? fill : 0) - left + spot->after->forward + spot->after_count * hop + load->last.backward +
             last_late;
    }
    return larger(waited, larger(down, up));
}

void zero_bubble_generate(const struct schedule_shape *shape, int64_t rank, int64_t depth, struct pass_list *list) {
    int32_t stage = (int32_t)rank;
    int32_t m = (int32_t)shape->micro_batches;
    int32_t ahead = (int32_t)fewer(depth * (shape->ranks - 1 - rank), m);
    int32_t weights = 0;
    for (int32_t j = 0; j < ahead; j++) {
        list_add(list, PASS_FORWARD, (struct visit){stage, j, 0});
    }
    for (int32_t j = 0; j < m; j++) {
        if (ahead + j < m) {
            list_add(list, PASS_FORWARD, (struct visit){stage, ahead + j, 0});
        }
        list_add(list, PASS_BACKWARD, (struct visit){stage, j, 0});
        if (j + 1 > depth * rank) {
            list_add(list, PASS_WEIGHT, (struct visit){stage, weights++, 0});
        }
    }
    while (weights < m) {
        list_add(list, PASS_WEIGHT, (struct visit){stage, weights++, 0});
    }
}
