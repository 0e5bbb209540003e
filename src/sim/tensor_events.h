/* What comes into memory and goes, in time: effects of one role in the order in which a played step has them. */
#ifndef PARPLAN_SIM_TENSOR_EVENTS_H
#define PARPLAN_SIM_TENSOR_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "program/program.h"

struct arena;

struct tensor_event {
    int64_t time;
    int32_t tensor, instruction;
    bool frees;
};

/* At one moment frees come first, then by instruction. A tensor that would go when it comes does not come at all. */
struct tensor_events {
    const struct tensor_event *items;
    int64_t count;
    const bool *held; /* of each tensor of the role: throughout the step, no event */
};

/* `starts` and `ends` point to those of the role's first instruction; on a stream they grow. */
void tensor_events_make(struct arena *arena, const struct program *program, int64_t role, const int64_t *starts,
                        const int64_t *ends, struct tensor_events *ret);

#endif
