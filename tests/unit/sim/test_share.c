/* Max-min shares by hand and from the literature. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "../support.h"
#include "sim/share.h"

/* Flows over links written as digits: "01" crosses links 0 and 1. */
struct row {
    const char *what;
    double capacities[4];
    int flows;
    const char *paths[4];
    double weights[4], caps[4], rates[4];
};

static const struct row rows[] = {
    {"two links, four flows", {10, 12}, 4, {"01", "0", "1", "1"}, {1, 1, 1, 1}, {0}, {4, 6, 4, 4}},
    {"parking lot", {1, 2, 3}, 4, {"012", "0", "1", "2"}, {1, 1, 1, 1}, {0}, {0.5, 0.5, 1.5, 2.5}},
    {"penalties 1, 2", {3}, 2, {"0", "0"}, {1, 0.5}, {0}, {2, 1}},
    {"penalty and cap", {20}, 2, {"0", "0"}, {1, 0.5}, {0, 5}, {15, 5}},
    {"a cap that binds", {10}, 3, {"0", "0", "0"}, {1, 1, 1}, {2, 0, 0}, {2, 4, 4}},
    {"a cap that does not", {9}, 3, {"0", "0", "0"}, {1, 1, 1}, {30, 0, 0}, {3, 3, 3}},
    {"above the load bound", {1, 1, 1}, 4, {"01", "01", "02", "12"}, {1, 1, 1, 1}, {0},
     {1. / 3, 1. / 3, 1. / 3, 1. / 3}},
    {"no capacity", {0, 5}, 3, {"0", "01", "1"}, {1, 1, 1}, {0}, {0, 0, 5}},
    {"one flow", {7}, 1, {"0"}, {1}, {0}, {7}},
};

static void solve_row(const struct row *row, struct share_flow flows[4]) {
    struct share_use uses[4][4];
    for (int i = 0; i < row->flows; i++) {
        flows[i] = (struct share_flow){.uses = uses[i], .use_count = (int32_t)strlen(row->paths[i]),
                                       .weight = row->weights[i], .cap = row->caps[i]};
        for (int u = 0; u < flows[i].use_count; u++) {
            uses[i][u] = (struct share_use){row->paths[i][u] - '0', 1};
        }
    }
    share_solve(flows, row->flows, row->capacities, 4, NULL);
}

Test(share, by_hand) {
    for (size_t r = 0; r < ROWS(rows); r++) {
        struct share_flow flows[4];
        solve_row(&rows[r], flows);
        for (int i = 0; i < rows[r].flows; i++) {
            cr_expect_float_eq(flows[i].rate, rows[r].rates[i], 1e-12, "%s: flow %d gets %g, not %g", rows[r].what, i,
                               flows[i].rate, rows[r].rates[i]);
        }
    }
}

/* A weight is a multiplicity and a coefficient multiplies the use: C = 3 with coefficients 1 and 2 gives both 1. */
Test(share, coefficients) {
    const struct share_use one[] = {{0, 1}}, two[] = {{0, 2}}, none[] = {{0, 0}};
    const double capacity[] = {3};
    struct share_flow flows[] = {{.uses = one, .use_count = 1, .weight = 1},
                                 {.uses = two, .use_count = 1, .weight = 1},
                                 {.uses = none, .use_count = 1, .weight = 1},
                                 {.weight = 2},
                                 {.weight = 2, .cap = 8}};
    share_solve(flows, 5, capacity, 1, NULL);
    cr_expect_float_eq(flows[0].rate, 1, 1e-15);
    cr_expect_float_eq(flows[1].rate, 1, 1e-15);
    cr_expect(isinf(flows[2].rate) && isinf(flows[3].rate), "nothing bounds them");
    cr_expect_float_eq(flows[4].rate, 8, 1e-15);
}

/* With penalties too (SimGrid's own tests): C = 20 gives 10 and 5; a second link of 60 leaves 40 to a third flow. */
Test(share, coefficients_and_penalties) {
    const struct share_use one[] = {{0, 1}, {1, 1}}, two[] = {{0, 2}, {1, 2}};
    const double capacities[] = {20, 60};
    struct share_flow flows[] = {{.uses = one, .use_count = 1, .weight = 1},
                                 {.uses = two, .use_count = 1, .weight = 0.5},
                                 {.uses = one + 1, .use_count = 1, .weight = 1}};
    share_solve(flows, 2, capacities, 1, NULL);
    cr_expect_float_eq(flows[0].rate, 10, 1e-12);
    cr_expect_float_eq(flows[1].rate, 5, 1e-12);
    flows[0].use_count = flows[1].use_count = 2;
    share_solve(flows, 3, capacities, 2, NULL);
    cr_expect_float_eq(flows[0].rate, 10, 1e-12);
    cr_expect_float_eq(flows[1].rate, 5, 1e-12);
    cr_expect_float_eq(flows[2].rate, 40, 1e-12);
}

Test(share, endless_link) {
    const struct share_use path[] = {{0, 1}, {1, 1}};
    const double capacities[] = {(double)INFINITY, 6};
    struct share_flow flows[] = {{.uses = path, .use_count = 2, .weight = 1},
                                 {.uses = path, .use_count = 2, .weight = 2}};
    share_solve(flows, 2, capacities, 2, NULL);
    cr_expect_float_eq(flows[0].rate, 2, 1e-15);
    cr_expect_float_eq(flows[1].rate, 4, 1e-15);
}

/* 64 hosts on 4 pods of 4 leaves, host links 50, leaves 1:1, pods 1:7, all pairs: two rates, each bit for bit one. */
enum { HOSTS = 64, TREE_LINKS = 2 * (64 + 16 + 4), PAIRS = HOSTS * (HOSTS - 1) };

struct tree_path { struct share_use uses[6]; };

static int32_t tree_path(int from, int to, struct share_use uses[6]) {
    int32_t count = 0;
    uses[count++] = (struct share_use){from, 1};
    uses[count++] = (struct share_use){HOSTS + to, 1};
    if (from / 4 != to / 4) {
        uses[count++] = (struct share_use){2 * HOSTS + from / 4, 1};
        uses[count++] = (struct share_use){2 * HOSTS + 16 + to / 4, 1};
    }
    if (from / 16 != to / 16) {
        uses[count++] = (struct share_use){2 * HOSTS + 32 + from / 16, 1};
        uses[count++] = (struct share_use){2 * HOSTS + 36 + to / 16, 1};
    }
    return count;
}

Test(share, fat_tree) {
    struct arena *arena = support_arena();
    struct tree_path *paths = ARENA_ARRAY(arena, struct tree_path, PAIRS);
    struct share_flow *flows = ARENA_ARRAY(arena, struct share_flow, PAIRS);
    double capacities[TREE_LINKS];
    for (int l = 0; l < TREE_LINKS; l++) {
        capacities[l] = l < 2 * HOSTS ? 50 : l < 2 * HOSTS + 32 ? 200 : 800. / 7;
    }
    int count = 0;
    for (int from = 0; from < HOSTS; from++) {
        for (int to = 0; to < HOSTS; to++) {
            if (from != to) {
                flows[count] = (struct share_flow){.uses = paths[count].uses, .weight = 1};
                flows[count].use_count = tree_path(from, to, paths[count].uses);
                count++;
            }
        }
    }
    share_solve(flows, PAIRS, capacities, TREE_LINKS, ARENA_ARRAY(arena, double, 3 * TREE_LINKS));
    double near = -1, far = -1;
    for (int i = 0; i < PAIRS; i++) {
        double *rate = flows[i].use_count == 6 ? &far : &near;
        *rate = *rate < 0 ? flows[i].rate : *rate;
        cr_assert(flows[i].rate == *rate, "flow %d: %.17g, others %.17g", i, flows[i].rate, *rate);
    }
    cr_expect_float_eq(far, 0.148810, 5e-7);
    cr_expect_float_eq(far, 800. / 7 / 768, 1e-12);
    cr_expect_float_eq(near, 2.857143, 5e-7);
    arena_close(arena);
}
