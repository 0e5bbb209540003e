/* Time is cut into quanta. A slice of at least one quantum stands by itself; shorter ones that begin in the same
 * quantum, with none of the others between them, make one block.
 *
 *   slices   |--F--||-|-|| ||------B------|
 *   quanta   .         .         .         .
 *   blocks   |--F--||------||------B------|  */
#include "timeline/blocks.h"

/* One block of the slices first .. last - 1. */
static struct block join(const struct slice *slices, int64_t first, int64_t last) {
    int64_t cover[SORT_COUNT] = {0}, longest[SORT_COUNT];
    int most = slices[first].sort;
    struct block block = {.start = slices[first].start, .end = slices[last - 1].end, .count = last - first};
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        longest[sort] = -1;
    }
    for (int64_t i = first; i < last; i++) {
        const struct slice *slice = &slices[i];
        int64_t best = longest[slice->sort], length = slice->end - slice->start;
        longest[slice->sort] = best < 0 || length > slices[best].end - slices[best].start ? i : best;
        cover[slice->sort] += length;
        most = cover[slice->sort] > cover[most] ? slice->sort : most;
        block.busy += length;
        block.critical |= slice->critical;
    }
    block.slice = longest[most];
    return block;
}

/* The quantum that a short slice begins in; -1 for a long one. */
static int64_t quantum_of(const struct slice *slice, int64_t quantum) {
    return slice->end - slice->start < quantum ? slice->start / quantum : -1;
}

int64_t blocks_make(const struct view *view, int64_t lane, int64_t quantum, struct block *ret) {
    const struct slice *slices = view->timeline->slices;
    int64_t count = 0;
    for (int64_t first = view->first[lane], last; first < view->first[lane + 1]; first = last) {
        int64_t number = quantum_of(&slices[first], quantum);
        for (last = first + 1; last < view->first[lane + 1]; last++) {
            if (number < 0 || quantum_of(&slices[last], quantum) != number) {
                break;
            }
        }
        ret[count++] = join(slices, first, last);
    }
    return count;
}
