/* SkipPipe-style paths: every path legal, stages loaded alike, orders run, closed form as close as it says. */
#include <criterion/criterion.h>

#include "../support.h"
#include "schedule/execute.h"
#include "schedule/order.h"
#include "schedule/schedule.h"

static const struct schedule *skippipe(void) {
    return schedules[SCHEDULE_SKIPPIPE];
}

/* Stages of a path from the first on; checks both directions of the links. */
static int64_t walk(const struct order *order, int64_t j, int64_t ret_stages[64]) {
    int64_t count = 0, stage = 0, from = -1;
    while (stage >= 0) {
        struct visit visit = {(int32_t)stage, (int32_t)j, 0};
        cr_assert_eq(order_before(order, &visit), from);
        ret_stages[count++] = stage;
        from = stage;
        stage = order_behind(order, &visit);
        cr_assert(stage < 0 || stage > from, "stages ascend");
    }
    return count;
}

Test(skippipe, paths_are_legal_and_loads_even) {
    struct arena *arena = support_arena();
    int shapes = 0;
    for (int64_t p = 4; p <= 16; p++) {
        for (int64_t k = 1; k < p - 2; k++) {
            int64_t m = 3 * (p - 2);
            struct schedule_shape shape = {.ranks = p, .micro_batches = m, .chunks = 1, .skip = k};
            if (skippipe()->refuse(&shape) != NULL) {
                continue;
            }
            struct order order;
            order_make(arena, skippipe(), &shape, &order);
            int64_t visits[16] = {0};
            for (int64_t j = 0; j < m; j++) {
                int64_t path[64], count = walk(&order, j, path);
                cr_assert_eq(count, p - k);
                cr_assert(path[0] == 0 && path[count - 1] == p - 1);
                for (int64_t i = 0; i < count; i++) {
                    cr_assert(i == 0 || path[i] - path[i - 1] <= 4, "a jump of %lld", (long long)(path[i] - path[i - 1]));
                    visits[path[i]]++;
                }
            }
            for (int64_t stage = 1; stage < p - 1; stage++) {
                cr_expect_eq(visits[stage], m - 3 * k, "p %lld k %lld stage %lld", (long long)p, (long long)k,
                             (long long)stage);
                cr_expect_eq(order.first[stage + 1] - order.first[stage], 2 * visits[stage]);
            }
            cr_expect(order_refuse(arena, &order, PLACEMENT_LINEAR) == NULL, "%s",
                      order_refuse(arena, &order, PLACEMENT_LINEAR));
            shapes++;
        }
    }
    cr_expect(shapes >= 70, "%d shapes", shapes);
    arena_close(arena);
}

/* Executed makespan over the closed form. */
static double ratio_of(struct arena *arena, const struct schedule_shape *shape, const struct pass_times *times) {
    double costs_of[3][64];
    for (int i = 0; i < 64; i++) {
        costs_of[0][i] = times->forward;
        costs_of[1][i] = times->backward;
        costs_of[2][i] = times->weight;
    }
    struct order order;
    struct execution run;
    struct stage_costs costs = {costs_of[0], costs_of[1], costs_of[2], NULL, times->hop};
    order_make(arena, skippipe(), shape, &order);
    cr_assert(order_execute(arena, &order, &costs, &run));
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        cr_expect_eq(run.ranks[rank].held_to_backward, (int64_t)skippipe()->in_flight(shape, rank));
    }
    return run.makespan / skippipe()->makespan(shape, times);
}

Test(skippipe, closed_form_is_exact_without_latency_and_close_with_it) {
    struct arena *arena = support_arena();
    double least = 2, most = 0;
    int count = 0;
    for (int64_t p = 4; p <= 16; p++) {
        for (int64_t k = 1; k < p - 2; k++) {
            for (int64_t m = p; m <= 8 * p; m += p - 1) {
                struct schedule_shape shape = {.ranks = p, .micro_batches = m, .chunks = 1, .skip = k};
                struct pass_times times = {.forward = 10, .backward = 13, .weight = 9};
                if (skippipe()->refuse(&shape) != NULL) {
                    continue;
                }
                double exact = ratio_of(arena, &shape, &times);
                cr_expect(exact > 1 - 1e-9 && exact < 1 + 1e-9, "p %lld k %lld m %lld: %.4f", (long long)p,
                          (long long)k, (long long)m, exact);
                times.hop = 2;
                double ratio = ratio_of(arena, &shape, &times);
                least = ratio < least ? ratio : least;
                most = ratio > most ? ratio : most;
                count++;
            }
        }
    }
    cr_expect(least >= 0.91 && most <= 1, "%d runs, between %.4f and %.4f", count, least, most);
    arena_close(arena);
}

Test(skippipe, rules) {
    const struct {
        struct schedule_shape shape;
        const char *piece;
    } rows[] = {
        {{.ranks = 3, .micro_batches = 4, .chunks = 1}, "at least 4 ranks"},
        {{.ranks = 8, .micro_batches = 4, .chunks = 2}, "1 chunk"},
        {{.ranks = 8, .micro_batches = 4, .chunks = 1, .skip = 6}, "fewer than all"},
        {{.ranks = 12, .micro_batches = 4, .chunks = 1, .skip = 9}, "3 neighbouring"},
        {{.ranks = 8, .micro_batches = 0, .chunks = 1}, "micro-batch"},
        {{.ranks = 8, .micro_batches = 4, .chunks = 1}, NULL},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *why = skippipe()->refuse(&rows[i].shape);
        cr_expect(rows[i].piece == NULL ? why == NULL : why != NULL && strstr(why, rows[i].piece) != NULL, "%zu: %s", i,
                  why == NULL ? "legal" : why);
    }
}
