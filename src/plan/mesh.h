/* The mesh: rank ↔ coordinates. The order lists axes fastest first (Megatron's default tp-cp-ep-dp-pp, Narayanan et al.
 * 2021 arXiv:2104.04473, section 3). Two grids lie over the same ranks: the dense one (tp, cp, dp, pp) and the expert
 * one (etp, ep, edp, pp), which numbers the ranks of tp x cp x dp in their order (Megatron-Core's parallel folding,
 * arXiv:2504.14960):
 *
 *   dense   tp_r + tp (cp_r + cp dp_r)      expert   etp_r + etp (ep_r + ep edp_r)      the same number */
#ifndef PARPLAN_PLAN_MESH_H
#define PARPLAN_PLAN_MESH_H

#include <stdint.h>

#include "topology/route.h"

enum axis { AXIS_TP, AXIS_CP, AXIS_DP, AXIS_PP, AXIS_EP, AXIS_ETP, AXIS_EDP, AXIS_DP_CP, AXIS_COUNT };
extern const char *const axis_names[];

enum mesh_order {
    ORDER_TP_CP_DP_PP, /* Megatron's default */
    ORDER_TP_CP_PP_DP, /* pipeline neighbours near, data parallelism far */
    ORDER_TP_DP_CP_PP, /* data parallelism before context parallelism */
    ORDER_DP_TP_CP_PP, /* data parallelism in the node (ZeRO-3, experts) */
    ORDER_PP_TP_CP_DP, /* pipeline in the node */
    ORDER_KINDS
};
extern const char *const order_names[]; /* "tp-cp-dp-pp", ... indexed by enum mesh_order; NULL-terminated */

/* A group of one axis: members first + i*stride + j*outer_stride, i < inner, j < size / inner. Most axes are one run
 * (inner == size); dp_cp and edp may be two. */
struct mesh_axis {
    int64_t size, stride, inner, outer_stride;
};

struct mesh {
    struct mesh_axis axes[AXIS_COUNT];
    int64_t dense[4]; /* sizes of the dense axes, fastest first, as the order has them */
    enum axis dense_axes[4];
    int64_t world;
};

/* Degrees tp, cp, dp, pp make the world; etp * ep must divide tp * cp * dp. */
struct mesh mesh_make(int64_t tp, int64_t cp, int64_t dp, int64_t pp, int64_t ep, int64_t etp, enum mesh_order order);

/* Why the expert grid cannot be laid over this order, or NULL: when pp lies between tp, cp and dp, etp * ep must fit in
 * the axes before pp (Megatron asserts the same). */
const char *mesh_refuse(const struct mesh *mesh);

/* Coordinates of `rank` on both grids, and the rank at dense coordinates. */
struct coordinates { int64_t tp, cp, dp, pp, etp, ep, edp; };
struct coordinates mesh_coordinates(const struct mesh *mesh, int64_t rank);
int64_t mesh_rank(const struct mesh *mesh, const struct coordinates *at);

/* Members of the group of `axis` that `rank` belongs to, ascending, into `ret_members` (room for the axis' size);
 * returns their number. */
int64_t mesh_group(const struct mesh *mesh, enum axis axis, int64_t rank, int64_t *ret_members);

/* Where the groups of an axis lie on the machine; `part` of them: `size` members, every `step`-th (1 and the whole size
 * for all). */
struct span mesh_span(const struct topology *topology, const struct mesh *mesh, enum axis axis, int64_t size,
                      int64_t step);

#endif
