/* Round numbers along a time axis: steps of 1, 2 or 5 times a power of ten, labels of one unit and so many decimals
 * that every step is told apart. Exact: all in integers. */
#ifndef PARPLAN_TIMELINE_AXIS_H
#define PARPLAN_TIMELINE_AXIS_H

#include <stdint.h>

struct axis {
    int64_t end, step; /* picoseconds */
    int64_t unit;      /* picoseconds of one */
    const char *name;  /* of the unit: "ms" */
    int decimals;
};

/* The finest axis of 0 .. end (at least 1) with at most `most` (at least 1) steps in it. */
struct axis axis_make(int64_t end, int64_t most);
/* The tick behind one of 0, step, 2 step ...; -1 behind the last. */
int64_t axis_next(const struct axis *axis, int64_t time);
/* The number at a multiple of the step: "0", "2.5". */
const char *axis_label(const struct axis *axis, int64_t time, char buffer[32]);

#endif
