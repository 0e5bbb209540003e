/* The critical path of a played program: from the last end back along what each instruction waited for last. */
#ifndef PARPLAN_SIM_PATH_H
#define PARPLAN_SIM_PATH_H

#include "sim/engine.h"

struct path_step {
    int64_t instance;
    int32_t instruction;
    int64_t start, end; /* the part of it that is on the path; gaps between steps are waits for a message or a pause */
};

struct critical_path {
    const struct path_step *steps; /* from the first to the last */
    int64_t count;
    int64_t of_action[ACTION_COUNT]; /* picoseconds */
    int64_t of_axis[AXIS_COUNT];     /* of ACTION_COLLECTIVE, by axis */
    int64_t waiting;                 /* latency and pauses; all add up to the end */
};

/* `result` must have times and causes. */
void critical_path(struct arena *arena, const struct program *program, const struct engine_result *result,
                   struct critical_path *ret);

#endif
