/* zb-auto and zb-v-auto over random shapes, caps and times: legal, within the cap, never slower than the schedules they
 * start from, estimates as far off as their files say; which caps are refused; the same order every time. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/random.h"
#include "rows.h"

static double between(struct random *random, double low, double high) {
    return low + (high - low) * random_unit(random);
}

static struct pass_times draw_times(struct random *random) {
    struct pass_times times = {.forward = 1, .backward = between(random, 0.8, 1.3), .weight = between(random, 0.4, 1)};
    times.hop = random_below(random, 3) == 0 ? 0 : between(random, 0, 0.1) * pass_full(&times);
    return times;
}

/* A legal shape; a cap in half of them. */
static struct schedule_shape draw_shape(struct random *random, const struct schedule *schedule, int64_t chunks) {
    struct schedule_shape shape;
    do {
        int64_t p = 2 + (int64_t)random_below(random, 9);
        shape = (struct schedule_shape){
            .ranks = p, .micro_batches = 1 + (int64_t)random_below(random, (uint32_t)(5 * p)), .chunks = chunks};
        if (random_below(random, 2) == 0) {
            shape.cap = 1 + (int64_t)random_below(random, (uint32_t)(2 * p * chunks));
        }
    } while (schedule->refuse(&shape) != NULL);
    return shape;
}

static double makespan_of(struct arena *arena, const struct schedule *schedule, const struct schedule_shape *shape,
                          const struct pass_times *times, struct execution *run) {
    struct order order;
    order_make(arena, schedule, shape, &order);
    const char *fault = order_refuse(arena, &order, schedule->placement);
    cr_assert(fault == NULL, "%s: %s", schedule->name, fault);
    cr_assert(rows_execute(arena, &order, times, run), "%s: deadlock", schedule->name);
    return run->makespan;
}

/* Schedules that are among the candidates, and the cap from which on they are. */
static void check_against(struct arena *arena, const struct schedule *ours, const struct schedule_shape *shape,
                          const struct pass_times *times, double makespan) {
    int64_t p = shape->ranks;
    const struct {
        enum schedule_name ours, theirs;
        int64_t chunks, cap;
    } rows[] = {{SCHEDULE_ZB_AUTO, SCHEDULE_ZB_H1, 1, p},
                {SCHEDULE_ZB_AUTO, SCHEDULE_ZB_H2, 1, 2 * p - 1},
                {SCHEDULE_ZB_V_AUTO, SCHEDULE_V_MIN, 2, 0},
                {SCHEDULE_ZB_V_AUTO, SCHEDULE_V_HALF, 2, p + 2},
                {SCHEDULE_ZB_V_AUTO, SCHEDULE_ZB_V, 2, 2 * p}};
    int64_t cap = shape->cap > 0 ? shape->cap : p * shape->chunks;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (ours == schedules[rows[i].ours] && shape->chunks == rows[i].chunks && cap >= rows[i].cap) {
            struct execution run;
            double theirs = makespan_of(arena, schedules[rows[i].theirs], shape, times, &run);
            bool exact = rows[i].theirs != SCHEDULE_ZB_H1 || cap == p; /* with more room more is done ahead */
            cr_expect(!exact || makespan <= theirs * (1 + 1e-9), "%s p=%ld m=%ld cap %ld: %g, %s %g", ours->name,
                      (long)p, (long)shape->micro_batches, (long)shape->cap, makespan, schedules[rows[i].theirs]->name,
                      theirs);
        }
    }
}

static const struct {
    enum schedule_name name;
    int64_t chunks;
    double mean, most; /* parts of the executed makespan by which the estimate is off */
} cases[] = {{SCHEDULE_ZB_AUTO, 1, 0.03, 0.27},
             {SCHEDULE_ZB_AUTO, 2, 0.015, 0.1},
             {SCHEDULE_ZB_AUTO, 4, 0.02, 0.12},
             {SCHEDULE_ZB_V_AUTO, 2, 0.03, 0.19}};

Test(zb_auto, keeps_its_cap) {
    struct arena *arena = support_arena();
    enum { ROUNDS = 400 };
    for (size_t i = 0; i < ROWS(cases); i++) {
        const struct schedule *schedule = schedules[cases[i].name];
        double sum = 0;
        for (uint64_t round = 0; round < ROUNDS; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            struct execution run;
            random_stream(&random, i, schedule->name, round);
            struct pass_times times = draw_times(&random);
            struct schedule_shape shape = draw_shape(&random, schedule, cases[i].chunks);
            shape.times = random_below(&random, 2) == 0 ? NULL : &times;
            double makespan = makespan_of(arena, schedule, &shape, &times, &run);
            for (int64_t rank = 0; rank < shape.ranks; rank++) {
                int64_t cap = shape.cap > 0 ? shape.cap : shape.ranks * shape.chunks;
                cr_expect(run.ranks[rank].held_to_weight <= cap &&
                              (double)run.ranks[rank].held_to_weight <= schedule->in_flight(&shape, rank),
                          "%s p=%ld m=%ld cap %ld: rank %ld holds %ld", schedule->name, (long)shape.ranks,
                          (long)shape.micro_batches, (long)shape.cap, (long)rank, (long)run.ranks[rank].held_to_weight);
            }
            if (shape.times != NULL) {
                check_against(arena, schedule, &shape, &times, makespan);
            }
            double off = fabs(schedule->makespan(&shape, &times) / makespan - 1);
            cr_expect(off <= cases[i].most, "%s p=%ld m=%ld cap %ld: estimate %.1f %% off", schedule->name,
                      (long)shape.ranks, (long)shape.micro_batches, (long)shape.cap, 100 * off);
            sum += off;
            arena_rewind(arena, place);
        }
        cr_expect(sum / ROUNDS <= cases[i].mean, "%s, %ld chunks: %.2f %% off on average", schedule->name,
                  (long)cases[i].chunks, 100 * sum / ROUNDS);
    }
    arena_close(arena);
}

Test(zb_auto, rules) {
    const struct {
        enum schedule_name name;
        struct schedule_shape shape;
        const char *broken; /* a part of the rule's text; NULL = legal */
    } rows[] = {
        {SCHEDULE_ZB_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 1}, NULL},
        {SCHEDULE_ZB_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 1, .cap = 1}, NULL},
        {SCHEDULE_ZB_AUTO, {.ranks = 1, .micro_batches = 8, .chunks = 1}, "at least 2 ranks"},
        {SCHEDULE_ZB_AUTO, {.ranks = 4, .micro_batches = 0, .chunks = 1}, "at least one micro-batch"},
        {SCHEDULE_ZB_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 0}, "at least one chunk"},
        {SCHEDULE_ZB_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 2}, NULL},
        {SCHEDULE_ZB_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 2, .cap = 6}, NULL},
        {SCHEDULE_ZB_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 2, .cap = 5}, "half the ranks"},
        {SCHEDULE_ZB_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 2, .cap = 2}, "half the ranks"},
        {SCHEDULE_ZB_AUTO, {.ranks = 4, .micro_batches = 1, .chunks = 2, .cap = 5}, NULL},
        {SCHEDULE_ZB_V_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 2}, NULL},
        {SCHEDULE_ZB_V_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 2, .cap = 4}, NULL},
        {SCHEDULE_ZB_V_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 2, .cap = 3}, "v-min"},
        {SCHEDULE_ZB_V_AUTO, {.ranks = 4, .micro_batches = 8, .chunks = 1}, "exactly 2 chunks"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *broken = schedules[rows[i].name]->refuse(&rows[i].shape);
        bool same = rows[i].broken == NULL ? broken == NULL : broken != NULL && strstr(broken, rows[i].broken) != NULL;
        cr_expect(same, "row %zu: %s", i, broken == NULL ? "legal" : broken);
    }
}

/* 17 passes for p = 3, m = 4 and two activations, which no order beats (ilp_zb.csv). */
Test(zb_auto, order_of_a_small_cap) {
    struct arena *arena = support_arena();
    struct schedule_shape shape = {.ranks = 3, .micro_batches = 4, .chunks = 1, .cap = 2};
    const char *const lines[] = {"F0.0 F0.1 B0.0 W0.0 B0.1 F0.2 W0.1 F0.3 B0.2 W0.2 B0.3 W0.3",
                                 "F1.0 F1.1 B1.0 W1.0 B1.1 W1.1 F1.2 F1.3 B1.2 W1.2 B1.3 W1.3",
                                 "F2.0 B2.0 F2.1 B2.1 W2.0 W2.1 F2.2 B2.2 F2.3 B2.3 W2.2 W2.3"};
    for (int again = 0; again < 2; again++) {
        struct order order;
        order_make(arena, schedules[SCHEDULE_ZB_AUTO], &shape, &order);
        for (int64_t rank = 0; rank < 3; rank++) {
            const char *line = order_line(arena, &order, rank);
            cr_expect(strcmp(line, lines[rank]) == 0, "rank %ld: %s", (long)rank, line);
        }
    }
    arena_close(arena);
}
