/* The earliest of many times that change: a winner tree (Knuth, The Art of Computer Programming 3, section 5.4.1). A
 * time changes in log2(count) comparisons; nothing is ever inserted twice, so nothing stale has to be skipped. Equal
 * times: the lowest index. */
#ifndef PARPLAN_SIM_EARLIEST_H
#define PARPLAN_SIM_EARLIEST_H

#include <stdint.h>

struct arena;

struct earliest {
    int64_t *times;   /* of each index, INT64_MAX: none */
    int32_t *winners; /* winners[1] is the earliest; below n the winners at 2n and 2n + 1 */
    int64_t leaves;   /* a power of two; leaf of index i is leaves + i */
};

void earliest_open(struct arena *arena, int64_t count, struct earliest *ret);
void earliest_set(struct earliest *earliest, int64_t index, int64_t time);

static inline int64_t earliest_first(const struct earliest *earliest) {
    return earliest->winners[1];
}

#endif
