/* Sorted insertion; a front drops what the new candidate dominates. */
#include "search/best.h"

#include <string.h>

#include "base/arena.h"

void best_init(struct best *best, struct arena *arena, int64_t room, int objectives) {
    *best = (struct best){.room = objectives > 1 ? 64 : room, .objectives = objectives, .arena = arena};
    best->items = ARENA_ARRAY(arena, struct candidate, (size_t)best->room + 1);
}

bool best_same_family(const struct decision *a, const struct decision *b) {
    const struct parallel *p = &a->parallel, *q = &b->parallel;
    return p->tp == q->tp && p->pp == q->pp && p->vpp == q->vpp && p->dp == q->dp && p->cp == q->cp && p->ep == q->ep &&
           p->etp == q->etp && p->zero == q->zero && a->schedule == b->schedule && a->recompute == b->recompute &&
           a->micro_batch == b->micro_batch;
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

/* No value is larger; of all equal ones the earlier dominates. */
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

static void drop(struct best *best, int64_t index) {
    best->count--;
    memmove(&best->items[index], &best->items[index + 1], (size_t)(best->count - index) * sizeof *best->items);
}

static void insert(struct best *best, const struct candidate *candidate) {
    int64_t at = best->count;
    while (at > 0 && before(candidate, &best->items[at - 1])) {
        best->items[at] = best->items[at - 1];
        at--;
    }
    best->items[at] = *candidate;
    best->count++;
}

static void offer_to_front(struct best *best, const struct candidate *candidate) {
    for (int64_t i = 0; i < best->count; i++) {
        if (dominates(best, &best->items[i], candidate)) {
            return;
        }
    }
    for (int64_t i = best->count - 1; i >= 0; i--) {
        if (dominates(best, candidate, &best->items[i])) {
            drop(best, i);
        }
    }
    if (best->count == best->room) {
        struct candidate *items = ARENA_ARRAY(best->arena, struct candidate, 2 * (size_t)best->room + 1);
        memcpy(items, best->items, (size_t)best->count * sizeof *items);
        best->items = items;
        best->room *= 2;
    }
    insert(best, candidate);
}

void best_offer(struct best *best, const struct candidate *candidate) {
    if (best->objectives > 1) {
        offer_to_front(best, candidate);
        return;
    }
    if (best->count == best->room && !before(candidate, &best->items[best->count - 1])) {
        return;
    }
    for (int64_t i = 0; i < best->count; i++) {
        if (best_same_family(&best->items[i].decision, &candidate->decision)) {
            if (before(candidate, &best->items[i])) {
                drop(best, i);
                insert(best, candidate);
            }
            return;
        }
    }
    insert(best, candidate);
    best->count = best->count > best->room ? best->room : best->count;
}

bool best_rejects(const struct best *best, const double bounds[]) {
    if (best->objectives == 1) {
        return best->count == best->room && bounds[0] > best->items[best->count - 1].values[0];
    }
    for (int64_t i = 0; i < best->count && best->items[i].values[0] <= bounds[0]; i++) {
        bool smaller = false, larger = false;
        for (int j = 0; j < best->objectives; j++) {
            smaller = smaller || best->items[i].values[j] < bounds[j];
            larger = larger || best->items[i].values[j] > bounds[j];
        }
        if (smaller && !larger) {
            return true;
        }
    }
    return false;
}
