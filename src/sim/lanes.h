/* The instructions of a role by stream, in the order in which they run. */
#ifndef PARPLAN_SIM_LANES_H
#define PARPLAN_SIM_LANES_H

#include <stdint.h>

#include "program/program.h"

struct arena;

struct lane {
    int32_t *items; /* indices in the role */
    int64_t count, next; /* next: how far a walk has come */
};

void lanes_open(struct arena *arena, const struct program *program, int64_t role, struct lane ret[STREAM_COUNT]);

#endif
