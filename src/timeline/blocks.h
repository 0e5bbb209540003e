/* Slices as far as an eye tells them apart: those shorter than a quantum are joined with their short neighbours. */
#ifndef PARPLAN_TIMELINE_BLOCKS_H
#define PARPLAN_TIMELINE_BLOCKS_H

#include "timeline/view.h"

/* One slice, or several that lie in the same quantum. */
struct block {
    int64_t start, end, busy; /* busy: without gaps */
    int64_t slice;            /* the longest one of the sort that takes most of it */
    int64_t count;
    bool critical;            /* one of them is */
};

/* The blocks of a lane in order, at most as many as it has slices; returns how many. Quantum 0: each slice a block. */
int64_t blocks_make(const struct view *view, int64_t lane, int64_t quantum, struct block *ret);

#endif
