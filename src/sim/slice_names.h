/* What slices are called: few names, the same from step to step. Micro-batch, stage and layer stand beside them. */
#ifndef PARPLAN_SIM_SLICE_NAMES_H
#define PARPLAN_SIM_SLICE_NAMES_H

#include "cost/context.h"
#include "program/program.h"
#include "timeline/timeline.h"

struct arena;

struct slice_names {
    const char *const *names;
    int64_t count;
    const int32_t *of_work; /* names[of_work[w]] is that of program->works[w] */
};

/* In the arena. */
void slice_names_make(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                      const struct program *program, struct slice_names *ret);

enum sort slice_sort(const struct program *program, const struct instruction *instruction);

#endif
