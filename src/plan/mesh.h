/* The mesh: rank ↔ coordinates. An axis's groups are {first + i*stride}; the order string lists axes fastest first
 * (Megatron's default tp-cp-ep-dp-pp; parallelism.md 5.1, 7.1). The expert grid (etp, ep, edp) folds over (tp, cp, dp). */
#ifndef PARPLAN_PLAN_MESH_H
#define PARPLAN_PLAN_MESH_H

#include <stdint.h>

#include "plan/job.h"

enum axis { AXIS_TP, AXIS_CP, AXIS_DP, AXIS_PP, AXIS_EP, AXIS_ETP, AXIS_EDP, AXIS_DP_CP, AXIS_COUNT };
extern const char *const axis_names[];
extern const char *const order_names[]; /* "tp-cp-dp-pp", ... indexed by enum mesh_order; NULL-terminated */

struct mesh {
    int64_t size[AXIS_COUNT];
    int64_t stride[AXIS_COUNT]; /* of dp_cp and edp: of the innermost part; they may be products of non-adjacent axes */
    int64_t world;
};

/* Degrees tp, cp, dp, pp make the world; ep * etp must divide tp * cp * dp. */
struct mesh mesh_make(int64_t tp, int64_t cp, int64_t dp, int64_t pp, int64_t ep, int64_t etp, enum mesh_order order);

/* Coordinates of `rank` on the dense grid {tp, cp, dp, pp}, and on the expert grid {etp, ep, edp}. */
struct coordinates { int64_t tp, cp, dp, pp, etp, ep, edp; };
struct coordinates mesh_coordinates(const struct mesh *mesh, enum mesh_order order, int64_t rank);
int64_t mesh_rank(const struct mesh *mesh, enum mesh_order order, const struct coordinates *at);

/* Members of the group of `axis` that `rank` belongs to, ascending; returns their number (= mesh->size[axis]). */
int64_t mesh_group(const struct mesh *mesh, enum mesh_order order, enum axis axis, int64_t rank, int64_t *ret_members);

#endif
