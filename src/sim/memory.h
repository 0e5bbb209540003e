/* Memory over time: what a role's tensors take at every moment of a played program, and what a caching allocator
 * reserves for it. */
#ifndef PARPLAN_SIM_MEMORY_H
#define PARPLAN_SIM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "program/program.h"

struct arena;

struct memory_point { int64_t time; double bytes; };

struct memory_curve {
    const struct memory_point *points; /* from points[i].time on; total of all classes; the first at 0 */
    int64_t count;
    double peak;
    int64_t peak_time;                 /* the first moment */
    int32_t peak_instruction;          /* whose begin allocated it; NOTHING: held throughout */
    double at_peak[TENSOR_CLASSES];    /* they add up to the peak */
    double class_peak[TENSOR_CLASSES]; /* each at its own moment */
    double held;                       /* throughout the step */
};

/* Of one role, from the starts and ends of its instructions (engine.h; pointers to the role's first). At one moment
 * frees come before allocations. */
void memory_curve(struct arena *arena, const struct program *program, int64_t role, const int64_t *starts,
                  const int64_t *ends, struct memory_curve *ret);

/* The caching allocator of PyTorch (c10/cuda/CUDACachingAllocator.cpp): sizes are rounded to 512 B; up to 1 MiB come
 * from 2 MiB segments, up to 10 MiB from 20 MiB segments, larger ones from segments of their size rounded to 2 MiB;
 * the best fitting free block is split; neighbours that are free merge; segments are kept. `expandable`: one growing
 * segment instead, in 20 MiB pages (2 MiB for the small). */
struct allocator_report {
    double allocated, reserved; /* peaks: of what was asked for; of what the device's memory shows */
    double at_allocated;        /* reserved when allocated peaks */
    int64_t segments;
};
void allocator_replay(struct arena *arena, const struct program *program, int64_t role, const int64_t *starts,
                      const int64_t *ends, bool expandable, struct allocator_report *ret);

#endif
