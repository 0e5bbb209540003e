/* The eight steps of DualPipe's rank program (h = half, q = depth, n = micro-batches of each phase; [] = overlapped):
 *
 *   1. 2(h-q-1) x F0            5. (h-q-1) x { D1, [F1 & D0] }
 *   2. (q+1) x { F0, F1 }       6. (q+1) x { X1, X0 }: full backwards, from the middle on without weight gradients
 *   3. (h-q-1) x { B1, W1, F1 } 7. (h-q-1) x { W, B0 }
 *   4. (n-2h+q+1) x { [F0 & D1], [F1 & D0] }           8. (q+1) x W
 *
 * Postponed weight gradients run first in, first out. Where both phases are neighbours (q = h - 1) the first pair of
 * step 4 is taken apart: its backward waits for a forward that has only just left the rank. */
#include "schedule/dual.h"

struct progress {
    const struct dual_row *row;
    struct pass_list *list;
    int32_t forwards[2], backwards[2]; /* next micro-batch of each phase */
    int64_t weights;                   /* place in the list up to which backwards have their weight gradient */
};

static struct visit next_visit(const struct progress *progress, int phase, int32_t *counter) {
    return (struct visit){progress->row->stage[phase], (*counter)++, progress->row->way[phase]};
}

static void forward(struct progress *progress, int phase) {
    list_add(progress->list, PASS_FORWARD, next_visit(progress, phase, &progress->forwards[phase]));
}

static void backward(struct progress *progress, int phase, enum pass_kind kind) {
    list_add(progress->list, kind, next_visit(progress, phase, &progress->backwards[phase]));
}

static void pair(struct progress *progress, int forward_phase) {
    int other = 1 - forward_phase;
    struct visit ahead = next_visit(progress, forward_phase, &progress->forwards[forward_phase]);
    list_add_pair(progress->list, ahead, next_visit(progress, other, &progress->backwards[other]));
}

/* The weight gradient of the oldest input gradient that still waits for it. */
static void weight(struct progress *progress) {
    struct pass_list *list = progress->list;
    while (list->passes[progress->weights].kind != PASS_BACKWARD) {
        progress->weights++;
    }
    list_add(list, PASS_WEIGHT, list->passes[progress->weights++].visit);
}

static void fill(struct progress *progress) {
    int64_t depth = progress->row->depth;
    int64_t deeper = progress->row->half - depth - 1;
    for (int64_t i = 0; i < 2 * deeper; i++) {
        forward(progress, 0);
    }
    for (int64_t i = 0; i < depth + 1; i++) {
        forward(progress, 0);
        forward(progress, 1);
    }
    for (int64_t i = 0; i < deeper; i++) {
        backward(progress, 1, PASS_BACKWARD);
        weight(progress);
        forward(progress, 1);
    }
}

static void steady(struct progress *progress) {
    int64_t depth = progress->row->depth;
    int64_t deeper = progress->row->half - depth - 1;
    int64_t turns = progress->row->micro_batches - 2 * progress->row->half + depth + 1;
    for (int64_t i = 0; i < turns; i++) {
        if (i == 0 && deeper == 0) {
            forward(progress, 0);
            backward(progress, 1, PASS_FULL);
        } else {
            pair(progress, 0);
        }
        pair(progress, 1);
    }
    for (int64_t i = 0; i < deeper; i++) {
        backward(progress, 1, PASS_FULL);
        pair(progress, 1);
    }
}

static void drain(struct progress *progress) {
    int64_t depth = progress->row->depth;
    int64_t deeper = progress->row->half - depth - 1;
    int64_t middle = (depth + 1) / 2;
    bool odd = depth % 2 == 1;
    for (int64_t i = 0; i < depth + 1; i++) {
        bool split_first = odd ? i >= middle : i > middle;
        backward(progress, 1, split_first ? PASS_BACKWARD : PASS_FULL);
        backward(progress, 0, i >= middle ? PASS_BACKWARD : PASS_FULL);
    }
    for (int64_t i = 0; i < deeper; i++) {
        weight(progress);
        backward(progress, 0, PASS_BACKWARD);
    }
    for (int64_t i = 0; i < depth + 1; i++) {
        weight(progress);
    }
}

void dual_generate(const struct dual_row *row, struct pass_list *list) {
    struct progress progress = {.row = row, .list = list};
    fill(&progress);
    steady(&progress);
    drain(&progress);
}
