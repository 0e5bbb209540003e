/* Flows in time: results of an independent max-min simulator (SimGrid's scenarios without TCP), and cases by hand. */
#include <criterion/criterion.h>
#include <math.h>

#include "flows_csv.h"

Test(flow, oracle) {
    struct arena *arena = support_arena();
    char *text = arena_text(arena, support_file(arena, support_path(arena, "tests/oracle/flows_maxmin.csv")));
    struct flow_case *c = ARENA_NEW(arena, struct flow_case);
    int rows = 0, cases = 0;
    text = cut(text, '\n');
    for (; case_next(arena, &text, c); cases++) {
        flow_run(arena, c->flows, c->flow_count, c->capacities, c->link_count);
        for (int64_t i = 0; i < c->flow_count; i++, rows++) {
            cr_expect_float_eq(c->flows[i].end / c->expected[i], 1, 1e-9, "%s flow %d: %.15g, not %.15g", c->name,
                               (int)i, c->flows[i].end, c->expected[i]);
        }
    }
    cr_expect(rows == 326 && cases == 19, "%d rows of %d cases", rows, cases);
    arena_close(arena);
}

static const struct share_use LINK_0[] = {{0, 1}}, LINK_1[] = {{1, 1}}, BOTH[] = {{0, 1}, {1, 1}};

Test(flow, stagger) {
    struct arena *arena = support_arena();
    const double capacity[] = {10};
    struct flow flows[] = {{.bytes = 100, .weight = 1, .path = LINK_0, .hops = 1},
                           {.start = 2, .bytes = 30, .weight = 1, .path = LINK_0, .hops = 1}};
    flow_run(arena, flows, 2, capacity, 1);
    cr_expect_float_eq(flows[1].end, 8, 1e-12);
    cr_expect_float_eq(flows[0].end, 13, 1e-12);
    arena_close(arena);
}

Test(flow, incast_and_collision) {
    struct arena *arena = support_arena();
    const double capacities[] = {50e9, 50e9};
    struct flow flows[8];
    for (int i = 0; i < 8; i++) {
        flows[i] = (struct flow){.bytes = 1e9, .weight = 1, .path = LINK_0, .hops = 1};
    }
    flow_run(arena, flows, 8, capacities, 2);
    for (int i = 0; i < 8; i++) {
        cr_expect_float_eq(flows[i].end, 0.16, 1e-12);
        cr_expect(flows[i].end == flows[0].end, "symmetric flows end together, bit for bit");
    }
    flow_run(arena, flows, 2, capacities, 2);
    cr_expect_float_eq(flows[1].end, 0.04, 1e-12, "two flows on one of two uplinks");
    flows[1].path = LINK_1;
    flow_run(arena, flows, 2, capacities, 2);
    cr_expect_float_eq(flows[1].end, 0.02, 1e-12, "one on each");
    arena_close(arena);
}

/* Max-min is not the fastest: the load bound is 4. */
Test(flow, above_the_bound) {
    struct arena *arena = support_arena();
    const double capacities[] = {1, 1, 1};
    static const struct share_use paths[][2] = {{{0, 1}, {1, 1}}, {{0, 1}, {1, 1}}, {{0, 1}, {2, 1}}, {{1, 1}, {2, 1}}};
    static const double bytes[] = {1, 1, 2, 2}, ends[] = {3, 3, 5, 5};
    struct flow flows[4];
    for (int i = 0; i < 4; i++) {
        flows[i] = (struct flow){.bytes = bytes[i], .weight = 1, .path = paths[i], .hops = 2};
    }
    flow_run(arena, flows, 4, capacities, 3);
    for (int i = 0; i < 4; i++) {
        cr_expect_float_eq(flows[i].end, ends[i], 1e-12, "flow %d: %g", i, flows[i].end);
    }
    arena_close(arena);
}

Test(flow, edges) {
    struct arena *arena = support_arena();
    const double capacities[] = {10, 0};
    struct flow flows[] = {{.start = 1, .latency = 2, .weight = 1, .path = LINK_0, .hops = 1}, /* no bytes */
                           {.bytes = 5, .weight = 1, .path = LINK_1, .hops = 1}, /* no capacity */
                           {.latency = 1, .bytes = 5, .weight = 1}, /* no links */
                           {.bytes = 5, .weight = 1, .cap = 2}, /* only a cap */
                           {.start = 4, .bytes = 20, .weight = 3, .path = LINK_0, .hops = 1}, /* 7.5 of 10 */
                           {.start = 4, .bytes = 20, .weight = 1, .path = LINK_0, .hops = 1},
                           {.start = 4, .bytes = 5, .weight = 1, .path = BOTH, .hops = 2}};
    flow_run(arena, flows, 7, capacities, 2);
    cr_expect_float_eq(flows[0].end, 3, 1e-15);
    cr_expect(isinf(flows[1].end) && isinf(flows[6].end), "a link without capacity never ends");
    cr_expect_float_eq(flows[2].end, 1, 1e-15);
    cr_expect_float_eq(flows[3].end, 2.5, 1e-15);
    cr_expect_float_eq(flows[4].end, 4 + 20 / 7.5, 1e-12);
    cr_expect_float_eq(flows[5].end, 8, 1e-12, "20 left-overs of 40 bytes over 10: %g", flows[5].end);
    flow_run(arena, flows, 0, capacities, 2);
    arena_close(arena);
}

/* What the links carried in the end is what the flows brought, whatever order they came in. */
Test(flow, order_does_not_matter) {
    struct arena *arena = support_arena();
    char *text = arena_text(arena, support_file(arena, support_path(arena, "tests/oracle/flows_maxmin.csv")));
    struct flow_case *c = ARENA_NEW(arena, struct flow_case);
    text = cut(text, '\n');
    while (case_next(arena, &text, c)) {
        struct flow turned[FLOWS];
        for (int64_t i = 0; i < c->flow_count; i++) {
            turned[c->flow_count - 1 - i] = c->flows[i];
        }
        flow_run(arena, c->flows, c->flow_count, c->capacities, c->link_count);
        flow_run(arena, turned, c->flow_count, c->capacities, c->link_count);
        for (int64_t i = 0; i < c->flow_count; i++) {
            cr_expect_float_eq(turned[c->flow_count - 1 - i].end / c->flows[i].end, 1, 1e-12);
        }
    }
    arena_close(arena);
}
