/* Sorted insertion; a front drops what the new candidate dominates. */
#include "search/best.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

void best_init(struct best *best, struct arena *arena, int64_t room, int objectives) {
    best->room = objectives > 1 ? BEST_FRONT : room;
    best->items = ARENA_ARRAY(arena, struct candidate, (size_t)best->room + 1);
    best->count = 0;
    best->objectives = objectives;
}

static bool before(const struct candidate *a, const struct candidate *b) {
    if (a->values[0] < b->values[0] || a->values[0] > b->values[0]) {
        return a->values[0] < b->values[0];
    }
    if (a->serial.shape != b->serial.shape) {
        return a->serial.shape < b->serial.shape;
    }
    return a->serial.inner < b->serial.inner;
}

/* No value is larger, and one is smaller or the serial is earlier. */
static bool dominates(const struct best *best, const struct candidate *a, const struct candidate *b) {
    bool smaller = false;
    for (int i = 0; i < best->objectives; i++) {
        if (a->values[i] > b->values[i]) {
            return false;
        }
        smaller = smaller || a->values[i] < b->values[i];
    }
    return smaller || before(a, b);
}

/* False when an item dominates the candidate; else removes the items that it dominates. */
static bool make_way(struct best *best, const struct candidate *candidate) {
    for (int64_t i = 0; i < best->count; i++) {
        if (dominates(best, &best->items[i], candidate)) {
            return false;
        }
    }
    int64_t kept = 0;
    for (int64_t i = 0; i < best->count; i++) {
        if (!dominates(best, candidate, &best->items[i])) {
            best->items[kept++] = best->items[i];
        }
    }
    best->count = kept;
    return true;
}

void best_offer(struct best *best, const struct candidate *candidate) {
    if (best->objectives > 1) {
        if (!make_way(best, candidate)) {
            return;
        }
    } else if (best->count == best->room && !before(candidate, &best->items[best->count - 1])) {
        return;
    }
    int64_t at = best->count;
    while (at > 0 && before(candidate, &best->items[at - 1])) {
        best->items[at] = best->items[at - 1];
        at--;
    }
    best->items[at] = *candidate;
    best->count += best->count < best->room ? 1 : 0;
}

double best_threshold(const struct best *best) {
    return best->objectives > 1 || best->count < best->room ? (double)INFINITY : best->items[best->count - 1].values[0];
}
