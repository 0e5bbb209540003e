/* The mesh without its pipeline axis numbers the replicas of a role in its own order. There an axis is one run of ranks
 * a stride apart, or two:
 *
 *   rank = rest + i * stride + j * outer_stride        along the axis: i + inner * j
 *
 * and a group of a part of it is what agrees in `rest`, along / (part * step) and along % step. */
#include "sim/grouping.h"

#include <stddef.h>

#include "base/arena.h"

/* Where a rank lies on an axis: its place along it, and the rank at place 0. */
struct place { int64_t along, origin; };

static struct place place_on(const struct mesh_axis *axis, int64_t rank) {
    int64_t inner = rank / axis->stride % axis->inner, outer = 0;
    if (axis->inner < axis->size) {
        outer = rank / axis->outer_stride % (axis->size / axis->inner);
    }
    return (struct place){inner + axis->inner * outer, rank - inner * axis->stride - outer * axis->outer_stride};
}

static int64_t rank_at(const struct mesh_axis *axis, int64_t origin, int64_t along) {
    return origin + along % axis->inner * axis->stride + along / axis->inner * axis->outer_stride;
}

static int64_t mesh_number(const struct mesh *mesh, const struct parallel *p, int64_t replica) {
    struct coordinates at = {.tp = replica % p->tp, .cp = replica / p->tp % p->cp, .dp = replica / (p->tp * p->cp)};
    return mesh_rank(mesh, &at);
}

bool grouping_of_axis(struct arena *arena, const struct parallel *parallel, enum axis axis, int64_t part, int64_t step,
                      struct grouping *ret) {
    const struct parallel *p = parallel;
    struct mesh mesh = mesh_make(p->tp, p->cp, p->dp, 1, p->ep, p->etp, (enum mesh_order)p->order);
    const struct mesh_axis *a = &mesh.axes[axis];
    if (part < 1 || step < 1 || a->size % (part * step) != 0) {
        return false;
    }
    int32_t *group_of = ARENA_ARRAY(arena, int32_t, (size_t)mesh.world);
    int32_t *members = ARENA_ARRAY(arena, int32_t, (size_t)mesh.world);
    int32_t *groups = ARENA_ARRAY(arena, int32_t, (size_t)mesh.world); /* by the group's first rank, one more */
    int32_t count = 0;
    for (int64_t replica = 0; replica < mesh.world; replica++) {
        struct place place = place_on(a, mesh_number(&mesh, p, replica));
        int64_t run = part * step;
        int32_t *group = &groups[rank_at(a, place.origin, place.along / run * run + place.along % step)];
        *group = *group > 0 ? *group : ++count;
        group_of[replica] = *group - 1;
        members[(*group - 1) * part + place.along % run / step] = (int32_t)replica;
    }
    *ret = (struct grouping){axis, part, step, group_of, members};
    return true;
}

void grouping_of_neighbours(struct arena *arena, int64_t replicas, int64_t part, struct grouping *ret) {
    int32_t *group_of = ARENA_ARRAY(arena, int32_t, (size_t)replicas);
    int32_t *members = ARENA_ARRAY(arena, int32_t, (size_t)replicas);
    for (int64_t replica = 0; replica < replicas; replica++) {
        group_of[replica] = (int32_t)(replica / part);
        members[replica] = (int32_t)replica;
    }
    *ret = (struct grouping){AXIS_COUNT, part, 1, group_of, members};
}
