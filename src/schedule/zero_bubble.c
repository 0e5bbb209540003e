/* Forward, backward, and a weight gradient some backwards late: the row that ZB-H1 and ZB-H2 run on a rank. */
#include "schedule/zero_bubble.h"

#include "schedule/rule.h"

void zero_bubble_generate(const struct schedule_shape *shape, int64_t rank, int64_t warm_up, int64_t delay,
                          struct pass_list *list) {
    int32_t stage = (int32_t)rank;
    int32_t m = (int32_t)shape->micro_batches;
    int32_t ahead = (int32_t)fewer(warm_up, m);
    int32_t weights = 0;
    for (int32_t j = 0; j < ahead; j++) {
        list_add(list, PASS_FORWARD, (struct visit){stage, j, 0});
    }
    for (int32_t j = 0; j < m; j++) {
        if (ahead + j < m) {
            list_add(list, PASS_FORWARD, (struct visit){stage, ahead + j, 0});
        }
        list_add(list, PASS_BACKWARD, (struct visit){stage, j, 0});
        if (j + 1 > delay) {
            list_add(list, PASS_WEIGHT, (struct visit){stage, weights++, 0});
        }
    }
    while (weights < m) {
        list_add(list, PASS_WEIGHT, (struct visit){stage, weights++, 0});
    }
}
