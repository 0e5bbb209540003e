/* Two grids over the same ranks, as mixed-radix numbers. */
#include "plan/mesh.h"

#include <stdbool.h>
#include <stddef.h>

const char *const axis_names[] = {"tp", "cp", "dp", "pp", "ep", "etp", "edp", "dp-cp", NULL};
const char *const order_names[] = {"tp-cp-dp-pp", "tp-cp-pp-dp", "tp-dp-cp-pp", "dp-tp-cp-pp", "pp-tp-cp-dp", NULL};

static const enum axis orders[ORDER_KINDS][4] = {
    [ORDER_TP_CP_DP_PP] = {AXIS_TP, AXIS_CP, AXIS_DP, AXIS_PP},
    [ORDER_TP_CP_PP_DP] = {AXIS_TP, AXIS_CP, AXIS_PP, AXIS_DP},
    [ORDER_TP_DP_CP_PP] = {AXIS_TP, AXIS_DP, AXIS_CP, AXIS_PP},
    [ORDER_DP_TP_CP_PP] = {AXIS_DP, AXIS_TP, AXIS_CP, AXIS_PP},
    [ORDER_PP_TP_CP_DP] = {AXIS_PP, AXIS_TP, AXIS_CP, AXIS_DP},
};

/* Ranks of the axes before pp: what lies below pp is numbered alike in both grids. */
static int64_t before_pipeline(const struct mesh *mesh) {
    int64_t before = 1;
    for (int i = 0; i < 4 && mesh->dense_axes[i] != AXIS_PP; i++) {
        before *= mesh->dense[i];
    }
    return before;
}

/* Distance of the `index`-th rank of tp x cp x dp, pp left out, from the first; above pp the numbers jump over it. */
static int64_t folded_stride(const struct mesh *mesh, int64_t index) {
    return index < before_pipeline(mesh) ? index : index * mesh->axes[AXIS_PP].size;
}

/* Two runs joined when the second continues the first. */
static struct mesh_axis axis_product(struct mesh_axis inner, struct mesh_axis outer) {
    if (inner.size == 1) {
        return outer;
    }
    if (outer.size == 1) {
        return inner;
    }
    struct mesh_axis axis = {inner.size * outer.size, inner.stride, inner.size, outer.stride};
    if (outer.stride == inner.stride * inner.size) {
        axis.inner = axis.size;
    }
    return axis;
}

/* The folded ranks from `first`, `size` of them: one run, or two when pp lies inside. */
static struct mesh_axis folded_axis(const struct mesh *mesh, int64_t first, int64_t size) {
    int64_t before = before_pipeline(mesh);
    int64_t stride = size > 1 ? folded_stride(mesh, first) : 1;
    struct mesh_axis axis = {size, stride, size, stride * size};
    if (mesh->axes[AXIS_PP].size > 1 && first < before && first * size > before) {
        axis.inner = before / first;
        axis.outer_stride = folded_stride(mesh, before);
    }
    return axis;
}

struct mesh mesh_make(int64_t tp, int64_t cp, int64_t dp, int64_t pp, int64_t ep, int64_t etp, enum mesh_order order) {
    struct mesh mesh = {.world = tp * cp * dp * pp};
    const int64_t sizes[] = {[AXIS_TP] = tp, [AXIS_CP] = cp, [AXIS_DP] = dp, [AXIS_PP] = pp};
    int64_t stride = 1;
    for (int i = 0; i < 4; i++) {
        enum axis axis = orders[order][i];
        mesh.dense_axes[i] = axis;
        mesh.dense[i] = sizes[axis];
        mesh.axes[axis] = (struct mesh_axis){sizes[axis], stride, sizes[axis], stride * sizes[axis]};
        stride *= sizes[axis];
    }
    struct mesh_axis dp_axis = mesh.axes[AXIS_DP], cp_axis = mesh.axes[AXIS_CP];
    mesh.axes[AXIS_DP_CP] =
        dp_axis.stride < cp_axis.stride ? axis_product(dp_axis, cp_axis) : axis_product(cp_axis, dp_axis);
    mesh.axes[AXIS_ETP] = folded_axis(&mesh, 1, etp);
    mesh.axes[AXIS_EP] = folded_axis(&mesh, etp, ep);
    mesh.axes[AXIS_EDP] = folded_axis(&mesh, etp * ep, tp * cp * dp / (etp * ep));
    return mesh;
}

const char *mesh_refuse(const struct mesh *mesh) {
    int64_t experts = mesh->axes[AXIS_ETP].size * mesh->axes[AXIS_EP].size;
    int64_t before = before_pipeline(mesh);
    bool between = mesh->dense_axes[0] != AXIS_PP && mesh->dense_axes[3] != AXIS_PP;
    if (experts == 1 || !between || mesh->axes[AXIS_PP].size == 1) {
        return NULL;
    }
    return before % experts == 0 ? NULL : "with pp between the other axes, etp * ep must divide the degrees before pp";
}

struct coordinates mesh_coordinates(const struct mesh *mesh, int64_t rank) {
    int64_t at[AXIS_COUNT] = {0};
    int64_t folded = 0, before = 1;
    for (int i = 0; i < 4; i++) {
        int64_t digit = rank % mesh->dense[i];
        rank /= mesh->dense[i];
        at[mesh->dense_axes[i]] = digit;
        if (mesh->dense_axes[i] != AXIS_PP) {
            folded += digit * before;
            before *= mesh->dense[i];
        }
    }
    int64_t etp = mesh->axes[AXIS_ETP].size, ep = mesh->axes[AXIS_EP].size;
    return (struct coordinates){at[AXIS_TP],        at[AXIS_CP],           at[AXIS_DP],          at[AXIS_PP],
                                folded % etp, folded / etp % ep, folded / (etp * ep)};
}

int64_t mesh_rank(const struct mesh *mesh, const struct coordinates *at) {
    const int64_t digits[] = {[AXIS_TP] = at->tp, [AXIS_CP] = at->cp, [AXIS_DP] = at->dp, [AXIS_PP] = at->pp};
    int64_t rank = 0, stride = 1;
    for (int i = 0; i < 4; i++) {
        rank += digits[mesh->dense_axes[i]] * stride;
        stride *= mesh->dense[i];
    }
    return rank;
}

/* Whether two ranks differ only along `axis`: the coordinates that an axis holds fixed. */
static bool same_group(enum axis axis, const struct coordinates *a, const struct coordinates *b) {
    bool tp = a->tp == b->tp, cp = a->cp == b->cp, dp = a->dp == b->dp, pp = a->pp == b->pp;
    bool etp = a->etp == b->etp, ep = a->ep == b->ep, edp = a->edp == b->edp;
    const bool same[AXIS_COUNT] = {
        [AXIS_TP] = cp & dp & pp,    [AXIS_CP] = tp & dp & pp,   [AXIS_DP] = tp & cp & pp,   [AXIS_PP] = tp & cp & dp,
        [AXIS_DP_CP] = tp & pp,      [AXIS_ETP] = ep & edp & pp, [AXIS_EP] = etp & edp & pp, [AXIS_EDP] = etp & ep & pp,
    };
    return same[axis];
}

int64_t mesh_group(const struct mesh *mesh, enum axis axis, int64_t rank, int64_t *ret_members) {
    const struct coordinates own = mesh_coordinates(mesh, rank);
    int64_t count = 0;
    for (int64_t other = 0; other < mesh->world; other++) {
        struct coordinates at = mesh_coordinates(mesh, other);
        if (same_group(axis, &own, &at)) {
            ret_members[count++] = other;
        }
    }
    return count;
}

struct span mesh_span(const struct topology *topology, const struct mesh *mesh, enum axis axis, int64_t size,
                      int64_t step) {
    const struct mesh_axis *a = &mesh->axes[axis];
    if (a->inner == a->size || size * step <= a->inner) {
        return route_span(topology, a->stride * step, size);
    }
    if (step % a->inner == 0) { /* one member of every run, or of every so many runs */
        return route_span(topology, a->outer_stride * (step / a->inner), size);
    }
    if (step == 1 && size % a->inner == 0) {
        return route_span_product(topology, a->stride, a->inner, a->outer_stride, size / a->inner);
    }
    return route_span_product(topology, a->stride, a->inner, a->outer_stride, a->size / a->inner);
}
