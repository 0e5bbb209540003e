/* Which replicas of a role meet: the groups of an axis of the mesh, or a part of them, in the numbers of replicas (tp
 * fastest, then cp, then dp, whatever the mesh's order). */
#ifndef PARPLAN_SIM_GROUPING_H
#define PARPLAN_SIM_GROUPING_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

struct arena;

struct grouping {
    enum axis axis; /* AXIS_COUNT: neighbours */
    int64_t part, step;
    const int32_t *group_of; /* of each replica */
    const int32_t *members;  /* of group g: members[g * part] and the part - 1 behind it */
};

/* Groups of `part` members along an axis, every `step`-th, as plan/mesh.h lays it out; false when part * step does not
 * divide the axis. */
bool grouping_of_axis(struct arena *arena, const struct parallel *parallel, enum axis axis, int64_t part, int64_t step,
                      struct grouping *ret);
/* Groups of `part` neighbours, which divides `replicas`. */
void grouping_of_neighbours(struct arena *arena, int64_t replicas, int64_t part, struct grouping *ret);

#endif
