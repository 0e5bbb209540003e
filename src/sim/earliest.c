#include "sim/earliest.h"

#include "base/arena.h"

void earliest_open(struct arena *arena, int64_t count, struct earliest *ret) {
    int64_t leaves = 1;
    while (leaves < count) {
        leaves *= 2;
    }
    ret->leaves = leaves;
    ret->times = ARENA_ARRAY(arena, int64_t, (size_t)leaves);
    ret->winners = ARENA_ARRAY(arena, int32_t, 2 * (size_t)leaves);
    for (int64_t i = 0; i < leaves; i++) {
        ret->times[i] = INT64_MAX;
        ret->winners[leaves + i] = (int32_t)i;
    }
    for (int64_t n = leaves - 1; n >= 1; n--) {
        ret->winners[n] = ret->winners[2 * n];
    }
}

void earliest_set(struct earliest *earliest, int64_t index, int64_t time) {
    const int64_t *times = earliest->times;
    int32_t *winners = earliest->winners;
    if (times[index] == time) {
        return;
    }
    earliest->times[index] = time;
    for (int64_t n = (earliest->leaves + index) / 2; n >= 1; n /= 2) {
        int32_t left = winners[2 * n], right = winners[2 * n + 1];
        int32_t winner = times[right] < times[left] ? right : left;
        if (winner == winners[n] && winner != (int32_t)index) {
            return; /* nothing that anyone above compares has changed */
        }
        winners[n] = winner;
    }
}
