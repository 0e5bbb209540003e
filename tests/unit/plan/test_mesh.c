/* Groups of ranks: Megatron-Core's own, and what must hold of any mesh. */
#include "setup.h"

#include "base/random.h"
#include "plan/mesh.h"

enum { WORLD_MOST = 4096 };

/* "0 2;1 3": every group once, by its lowest rank. `id[r]` names the group of rank r. */
static const char *spell_groups(struct arena *arena, const int64_t *id, int64_t world) {
    struct text text;
    text_init(&text, arena);
    for (int64_t rank = 0; rank < world; rank++) {
        bool first = true;
        for (int64_t before = 0; before < rank; before++) {
            first = first && id[before] != id[rank];
        }
        for (int64_t other = rank; first && other < world; other++) {
            if (id[other] == id[rank]) {
                text_add_format(&text, "%s%lld", other > rank ? " " : rank > 0 ? ";" : "", (long long)other);
            }
        }
    }
    return text.data;
}

/* Whether "tp-dp-cp" names the axis. */
static bool names_axis(const char *token, const char *axis) {
    size_t size = strlen(axis);
    for (const char *at = token; at != NULL; at = strchr(at, '-')) {
        at += *at == '-' ? 1 : 0;
        if (strncmp(at, axis, size) == 0 && (at[size] == '\0' || at[size] == '-')) {
            return true;
        }
    }
    return false;
}

/* The group of a product of axes, by the coordinates that its members share. */
static int64_t product_id(const struct mesh *mesh, const char *token, bool expert, int64_t rank) {
    struct coordinates at = mesh_coordinates(mesh, rank);
    int64_t tp = expert ? at.etp : at.tp, dp = expert ? at.edp : at.dp, middle = expert ? at.ep : at.cp;
    int64_t id = names_axis(token, "tp") ? 0 : tp;
    id = id * mesh->world + (names_axis(token, expert ? "ep" : "cp") ? 0 : middle);
    id = id * mesh->world + (names_axis(token, "dp") ? 0 : dp);
    return id * mesh->world + (names_axis(token, "pp") ? 0 : at.pp);
}

static enum axis token_axis(const char *token, bool expert) {
    static const struct {
        const char *token;
        enum axis dense, expert;
    } known[] = {
        {"tp", AXIS_TP, AXIS_ETP}, {"cp", AXIS_CP, AXIS_COUNT}, {"ep", AXIS_COUNT, AXIS_EP},
        {"dp", AXIS_DP, AXIS_EDP}, {"pp", AXIS_PP, AXIS_PP},    {"dp-cp", AXIS_DP_CP, AXIS_COUNT},
    };
    for (size_t i = 0; i < ROWS(known); i++) {
        if (text_equal(known[i].token, token)) {
            return expert ? known[i].expert : known[i].dense;
        }
    }
    return AXIS_COUNT;
}

/* Every row of Megatron-Core's RankGenerator: single axes by mesh_group, all tokens by coordinates. In the attention
 * grid ep is 1, in the expert grid tp is etp and dp is edp. */
Test(mesh, groups_equal_megatron) {
    struct arena *arena = support_arena();
    FILE *file = open_oracle(arena, "megatron_ranks.csv");
    char line[LINE];
    char *c[CELLS];
    int rows = 0, single = 0;
    cr_assert_eq(read_row(file, line, LINE, c, CELLS), 12);
    while (read_row(file, line, LINE, c, CELLS) == 12) {
        bool near = text_equal(c[8], "tp-cp-ep-pp-dp"), expert = text_equal(c[9], "expert");
        cr_assert(near || text_equal(c[8], "tp-cp-ep-dp-pp"), "%s", c[8]);
        struct mesh mesh =
            mesh_make(cell_number(c[1]), cell_number(c[2]), cell_number(c[3]), cell_number(c[4]), cell_number(c[5]),
                      cell_number(c[6]), near ? ORDER_TP_CP_PP_DP : ORDER_TP_CP_DP_PP);
        int64_t world = cell_number(c[0]), id[64], members[64];
        cr_assert(mesh.world == world && world <= 64);
        cr_expect_null(mesh_refuse(&mesh), "%s %s", c[8], c[10]);
        cr_expect_eq(mesh.axes[AXIS_EDP].size, cell_number(c[7]), "edp");
        for (int64_t rank = 0; rank < world; rank++) {
            id[rank] = product_id(&mesh, c[10], expert, rank);
        }
        const char *groups = spell_groups(arena, id, world);
        cr_expect_str_eq(groups, c[11], "%s %s %s: %s, Megatron %s", c[8], c[9], c[10], groups, c[11]);
        enum axis axis = token_axis(c[10], expert);
        for (int64_t rank = 0; axis != AXIS_COUNT && rank < world; rank++) {
            cr_assert_eq(mesh_group(&mesh, axis, rank, members), mesh.axes[axis].size);
            id[rank] = members[0];
        }
        groups = spell_groups(arena, id, world);
        cr_expect(axis == AXIS_COUNT || text_equal(groups, c[11]), "%s %s %s: mesh_group %s, Megatron %s", c[8], c[9],
                  c[10], groups, c[11]);
        single += axis != AXIS_COUNT ? 1 : 0;
        rows++;
    }
    cr_expect_eq(rows, 165, "%d rows", rows);
    cr_expect_eq(single, 11 * 9, "%d of them single axes", single);
    fclose(file);
    arena_close(arena);
}

/* A mesh of random degrees whose expert grid fits; false when the draw is too large or refused. */
static bool draw(struct random *random, struct mesh *ret) {
    int64_t tp = 1 + random_below(random, 6), cp = 1 + random_below(random, 5), dp = 1 + random_below(random, 8);
    int64_t pp = 1 + random_below(random, 5), ep = 1 + random_below(random, 8), etp = 1 + random_below(random, 4);
    if (tp * cp * dp * pp > 512 || tp * cp * dp % (ep * etp) != 0) {
        return false;
    }
    *ret = mesh_make(tp, cp, dp, pp, ep, etp, (enum mesh_order)random_below(random, ORDER_KINDS));
    return mesh_refuse(ret) == NULL;
}

Test(mesh, ranks_and_coordinates_are_one_to_one) {
    struct random random;
    random_stream(&random, 1, "mesh", 0);
    int meshes = 0;
    for (int round = 0; round < 2000; round++) {
        struct mesh mesh;
        if (!draw(&random, &mesh)) {
            continue;
        }
        meshes++;
        bool seen[512] = {false};
        for (int64_t rank = 0; rank < mesh.world; rank++) {
            struct coordinates at = mesh_coordinates(&mesh, rank);
            cr_assert_eq(mesh_rank(&mesh, &at), rank, "rank %lld", (long long)rank);
            const int64_t digits[][2] = {{at.tp, AXIS_TP},   {at.cp, AXIS_CP}, {at.dp, AXIS_DP},  {at.pp, AXIS_PP},
                                         {at.etp, AXIS_ETP}, {at.ep, AXIS_EP}, {at.edp, AXIS_EDP}};
            for (size_t i = 0; i < ROWS(digits); i++) {
                int64_t size = mesh.axes[digits[i][1]].size;
                cr_assert(digits[i][0] >= 0 && digits[i][0] < size, "%s", axis_names[digits[i][1]]);
            }
            /* The expert grid is one-to-one as well. */
            int64_t etp = mesh.axes[AXIS_ETP].size, ep = mesh.axes[AXIS_EP].size, edp = mesh.axes[AXIS_EDP].size;
            int64_t expert = at.etp + etp * (at.ep + ep * (at.edp + edp * at.pp));
            cr_assert(expert < mesh.world && !seen[expert], "expert coordinates of rank %lld", (long long)rank);
            seen[expert] = true;
        }
    }
    cr_expect_gt(meshes, 300, "%d meshes", meshes);
}

/* first + i stride + j outer_stride, the ranks whose coordinates agree, and mesh_group are the same, for every axis. */
Test(mesh, strides_enumerate_the_groups) {
    struct random random;
    random_stream(&random, 1, "mesh strides", 0);
    int meshes = 0, split = 0;
    while (meshes < 200) {
        struct mesh mesh;
        if (!draw(&random, &mesh)) {
            continue;
        }
        meshes++;
        for (int axis = 0; axis < AXIS_COUNT; axis++) {
            const struct mesh_axis *a = &mesh.axes[axis];
            split += a->inner < a->size ? 1 : 0;
            cr_assert_eq(a->size % a->inner, 0, "%s", axis_names[axis]);
            for (int64_t rank = 0; rank < mesh.world; rank++) {
                int64_t members[512];
                int64_t count = mesh_group(&mesh, (enum axis)axis, rank, members);
                cr_assert_eq(count, a->size, "%s: %lld members", axis_names[axis], (long long)count);
                bool own = false;
                for (int64_t i = 0; i < count; i++) {
                    int64_t expected = members[0] + i % a->inner * a->stride + i / a->inner * a->outer_stride;
                    cr_assert_eq(members[i], expected, "%s of %s: member %lld is %lld, stride %lld", axis_names[axis],
                                 mesh.dense_axes[0] == AXIS_TP ? "tp-" : "other", (long long)i, (long long)members[i],
                                 (long long)a->stride);
                    own = own || members[i] == rank;
                }
                cr_assert(own, "rank %lld is not in its own group", (long long)rank);
            }
        }
    }
    cr_expect_gt(split, 20, "%d axes of two runs", split);
}

/* Only an expert grid that crosses pp unevenly is refused. */
Test(mesh, refuses_experts_across_the_pipeline) {
    static const struct {
        int64_t tp, cp, dp, pp, ep, etp;
        enum mesh_order order;
        bool refused;
    } rows[] = {
        {2, 2, 4, 2, 8, 1, ORDER_TP_CP_PP_DP, true},  {2, 2, 4, 2, 4, 1, ORDER_TP_CP_PP_DP, false},
        {2, 2, 4, 2, 2, 4, ORDER_TP_CP_PP_DP, true},  {2, 2, 4, 2, 2, 2, ORDER_TP_CP_PP_DP, false},
        {2, 2, 4, 1, 8, 1, ORDER_TP_CP_PP_DP, false}, {2, 2, 4, 2, 8, 1, ORDER_TP_CP_DP_PP, false},
        {2, 2, 4, 2, 8, 1, ORDER_PP_TP_CP_DP, false}, {2, 2, 4, 2, 8, 2, ORDER_DP_TP_CP_PP, false},
        {3, 1, 4, 2, 2, 1, ORDER_TP_CP_PP_DP, true},  {2, 2, 4, 2, 1, 1, ORDER_TP_CP_PP_DP, false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct mesh mesh =
            mesh_make(rows[i].tp, rows[i].cp, rows[i].dp, rows[i].pp, rows[i].ep, rows[i].etp, rows[i].order);
        cr_expect_eq(mesh_refuse(&mesh) != NULL, rows[i].refused, "row %zu", i);
    }
}

/* Orders as their names say: each axis' stride is the product of the degrees before it. */
Test(mesh, orders_are_their_names) {
    struct arena *arena = support_arena();
    for (int order = 0; order < ORDER_KINDS; order++) {
        struct mesh mesh = mesh_make(2, 3, 5, 7, 1, 1, (enum mesh_order)order);
        int64_t stride = 1;
        for (int i = 0; i < 4; i++) {
            const char *name = arena_copy(arena, order_names[order] + 3 * i, 2);
            enum axis axis = token_axis(name, false);
            cr_expect_eq(mesh.axes[axis].stride, stride, "%s: %s", order_names[order], name);
            stride *= mesh.axes[axis].size;
        }
        cr_expect_eq(stride, 210);
        cr_expect_eq(strlen(order_names[order]), 11);
    }
    cr_expect_null(order_names[ORDER_KINDS]);
    cr_expect_null(axis_names[AXIS_COUNT]);
    arena_close(arena);
}

/* Where a whole axis, some of its members and every step-th one lie, against counting members by node of 8. Two runs
 * together are taken as if each lay at its worst. */
Test(mesh, spans_are_where_the_members_are) {
    struct arena *arena = support_arena();
    struct random random;
    random_stream(&random, 1, "mesh spans", 0);
    int checked = 0;
    for (int round = 0; round < 1200; round++) {
        struct mesh mesh;
        if (!draw(&random, &mesh) || mesh.world % 8 != 0 || mesh.world < 16) {
            continue;
        }
        struct arena_place place = arena_mark(arena);
        struct topology *topology = setup_topology(arena, "h100-sxm", mesh.world);
        enum axis axis = (enum axis)random_below(&random, AXIS_COUNT);
        const struct mesh_axis *a = &mesh.axes[axis];
        int64_t step = 1, size = a->size;
        if (a->inner < a->size && random_below(&random, 2) == 0) { /* one member a run, or some whole runs */
            bool across = random_below(&random, 2) == 0;
            step = across ? a->inner : 1;
            size = across ? a->size / a->inner : a->inner;
        }
        struct span span = mesh_span(topology, &mesh, axis, size, step);
        int64_t most = 0, nodes_most = 0, members[512];
        for (int64_t rank = 0; rank < mesh.world; rank++) {
            mesh_group(&mesh, axis, rank, members);
            int64_t nodes[64] = {0}, touched = 0, fullest = 0;
            for (int64_t i = 0; i < size; i++) {
                int64_t count = ++nodes[members[i * step] / 8];
                touched += count == 1 ? 1 : 0;
                fullest = count > fullest ? count : fullest;
            }
            most = fullest > most ? fullest : most;
            nodes_most = touched > nodes_most ? touched : nodes_most;
        }
        cr_expect_eq(span.size, size, "%s: %lld members", axis_names[axis], (long long)span.size);
        bool run = a->inner == a->size || size <= a->inner || step > 1;
        cr_expect(span.outer == nodes_most || (!run && span.outer > nodes_most),
                  "%s size %lld step %lld stride %lld: %lld nodes, counted %lld", axis_names[axis], (long long)size,
                  (long long)step, (long long)a->stride, (long long)span.outer, (long long)nodes_most);
        checked++;
        arena_rewind(arena, place);
    }
    cr_expect_gt(checked, 100, "%d checked", checked);
    arena_close(arena);
}

/* Parts of an axis of two runs: here cp of 2 in steps of 2, dp of 4 in steps of 8 behind a pipeline of 2. */
Test(mesh, spans_of_parts) {
    struct arena *arena = support_arena();
    struct topology *topology = setup_topology(arena, "h100-sxm", 32);
    struct mesh mesh = mesh_make(2, 2, 4, 2, 2, 1, ORDER_TP_CP_PP_DP);
    const struct {
        enum axis axis;
        int64_t size, step;
        struct span span;
    } rows[] = {
        {AXIS_DP_CP, 8, 1, route_span_product(topology, 2, 2, 8, 4)},
        {AXIS_DP_CP, 4, 1, route_span_product(topology, 2, 2, 8, 2)},
        {AXIS_DP_CP, 2, 1, route_span(topology, 2, 2)},
        {AXIS_DP_CP, 4, 2, route_span(topology, 8, 4)},
        {AXIS_DP_CP, 2, 4, route_span(topology, 16, 2)},
        {AXIS_DP_CP, 3, 1, route_span_product(topology, 2, 2, 8, 4)}, /* no part of it: the whole */
        {AXIS_EDP, 8, 1, route_span_product(topology, 2, 2, 8, 4)},
        {AXIS_EP, 2, 1, route_span(topology, 1, 2)},
        {AXIS_DP, 4, 1, route_span(topology, 8, 4)},
        {AXIS_DP, 2, 2, route_span(topology, 16, 2)},
        {AXIS_PP, 2, 1, route_span(topology, 4, 2)},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct span span = mesh_span(topology, &mesh, rows[i].axis, rows[i].size, rows[i].step);
        const struct span *e = &rows[i].span;
        cr_expect(span.size == e->size && span.inner == e->inner && span.outer == e->outer &&
                      span.inner_rate == e->inner_rate && span.outer_rate == e->outer_rate,
                  "row %zu: %lld ranks, %lld x %lld; expected %lld, %lld x %lld", i, (long long)span.size,
                  (long long)span.inner, (long long)span.outer, (long long)e->size, (long long)e->inner,
                  (long long)e->outer);
    }
    arena_close(arena);
}
