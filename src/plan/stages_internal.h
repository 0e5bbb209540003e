/* What makes stages, by rule or from a layout. */
#ifndef PARPLAN_PLAN_STAGES_INTERNAL_H
#define PARPLAN_PLAN_STAGES_INTERNAL_H

#include "plan/stages.h"

/* Every (rank, chunk) with its index and way. Returns the same items, for layers and the rest to be filled in. */
struct stage *stages_open(struct arena *arena, const struct decision *decision, struct stages *ret);

#endif
