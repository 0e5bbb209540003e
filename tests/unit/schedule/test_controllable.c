/* V-Half, V-Min and 1F1B-V: the repeated building blocks equal the oracle's "pattern" rows; moved, they are never
 * slower, hold what they say on every rank, and idle as their files say; zb-auto and zb-v-auto keep their caps. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/random.h"
#include "rows.h"
#include "schedule/building_block.h"
#include "schedule/rule.h"

enum { PATTERN_LINES = 80, PATTERN_ROWS = 76, MOST_RANKS = 16 };

static const struct controllable {
    enum schedule_name name;
    const struct building_block *block;
    const char *pattern; /* the rows of the block as it is; NULL: none */
} blocks[] = {{SCHEDULE_V_HALF, &block_v_half, "v-half(pattern)"},
              {SCHEDULE_V_MIN, &block_v_min, "v-min(pattern)"},
              {SCHEDULE_1F1B_V, &block_1f1b_v, NULL}};

static const struct building_block *block_of(const struct oracle *row) {
    for (size_t i = 0; i < ROWS(blocks); i++) {
        if (blocks[i].pattern != NULL && strcmp(oracle_field(row, "schedule"), blocks[i].pattern) == 0) {
            return blocks[i].block;
        }
    }
    return NULL;
}

static void repeat(struct arena *arena, const struct building_block *block, const struct schedule_shape *shape,
                   struct order *order) {
    *order = (struct order){
        .ranks = shape->ranks, .stages = 2 * shape->ranks, .micro_batches = shape->micro_batches, .ways = 1};
    block_repeat(arena, block, order);
    const char *fault = order_refuse(arena, order, PLACEMENT_WAVE);
    cr_assert(fault == NULL, "%s", fault);
}

Test(controllable, patterns_equal_the_oracle) {
    struct arena *arena = support_arena();
    struct oracle oracle;
    int lines = 0;
    int rows = 0;
    cr_assert(oracle_open(&oracle, arena, "pp_orders.csv"));
    while (oracle_next(&oracle)) {
        if (block_of(&oracle) != NULL) {
            struct schedule_shape shape = rows_shape(&oracle);
            struct order order;
            repeat(arena, block_of(&oracle), &shape, &order);
            const char *line = order_line(arena, &order, oracle_count(&oracle, "rank"));
            cr_expect(strcmp(line, oracle_field(&oracle, "order")) == 0, "%s: %s", rows_name(arena, &oracle), line);
            lines++;
        }
    }
    cr_assert(oracle_open(&oracle, arena, "pp_metrics.csv"));
    while (oracle_next(&oracle)) {
        if (block_of(&oracle) != NULL) {
            struct schedule_shape shape = rows_shape(&oracle);
            struct order order;
            repeat(arena, block_of(&oracle), &shape, &order);
            rows_check(arena, &oracle, &order);
            rows++;
        }
    }
    cr_expect(lines == PATTERN_LINES && rows == PATTERN_ROWS, "%d lines, %d rows", lines, rows);
    arena_close(arena);
}

static const struct pass_times unit = {.forward = 1, .backward = 1, .weight = 1};

/* A run in passes of equal length. */
static struct execution run_of(struct arena *arena, const struct order *order) {
    struct execution run;
    cr_assert(rows_execute(arena, order, &unit, &run));
    return run;
}

/* Of a long run: peaks of Qi et al., NeurIPS 2024; idle passes as the files say. */
static int64_t cap_of(enum schedule_name name, int64_t p) {
    return 2 * (name == SCHEDULE_V_HALF ? p / 2 + 1 : name == SCHEDULE_V_MIN ? (p + 1) / 3 + 1 : (2 * p + 3) / 3);
}

static int64_t idle_of(enum schedule_name name, int64_t p) {
    const int64_t half[] = {7, 4};
    const int64_t min[] = {7, 5, 6};
    const int64_t fused[] = {8, 5, 7};
    if (name == SCHEDULE_V_HALF) {
        return p == 2 ? 1 : 3 * p - half[p % 2];
    }
    if (name == SCHEDULE_V_MIN) {
        return p == 2 ? 1 : 4 * p - min[p % 3];
    }
    return p == 2 ? 4 : p == 3 ? 8 : p == 9 ? 36 : 5 * p - fused[p % 3];
}

static void check_block(struct arena *arena, const struct controllable *of, int64_t p, int64_t m) {
    const struct schedule *schedule = schedules[of->name];
    struct schedule_shape shape = {.ranks = p, .micro_batches = m, .chunks = 2};
    struct order plain;
    struct order order;
    repeat(arena, of->block, &shape, &plain);
    order_make(arena, schedule, &shape, &order);
    const char *fault = order_refuse(arena, &order, schedule->placement);
    cr_assert(fault == NULL, "%s p=%ld m=%ld: %s", schedule->name, (long)p, (long)m, fault);
    struct execution before = run_of(arena, &plain);
    struct execution run = run_of(arena, &order);
    cr_expect(run.makespan <= before.makespan, "%s p=%ld m=%ld: moved %g, in place %g", schedule->name, (long)p,
              (long)m, run.makespan, before.makespan);
    for (int64_t rank = 0; rank < p; rank++) {
        double held = schedule->in_flight(&shape, rank);
        const struct rank_run *at = &run.ranks[rank];
        cr_expect((double)at->held_to_backward == held && (double)at->held_to_weight == held,
                  "%s p=%ld m=%ld rank %ld: holds %ld and %ld, told %g", schedule->name, (long)p, (long)m, (long)rank,
                  (long)at->held_to_backward, (long)at->held_to_weight, held);
        cr_expect(at->held_to_weight <= cap_of(of->name, p));
    }
    if (m >= 2 * p) {
        double idle = run.makespan - 6 * (double)m;
        cr_expect(idle == (double)idle_of(of->name, p), "%s p=%ld m=%ld: %g idle", schedule->name, (long)p, (long)m,
                  idle);
        cr_expect(rows_near(schedule->makespan(&shape, &unit), run.makespan), "%s p=%ld m=%ld: closed form %g",
                  schedule->name, (long)p, (long)m, schedule->makespan(&shape, &unit));
        cr_expect(schedule->in_flight(&shape, p - 1) == (double)cap_of(of->name, p));
    }
}

Test(controllable, peaks_and_idle_time) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(blocks); i++) {
        for (int64_t p = 2; p <= MOST_RANKS; p++) {
            for (int64_t m = 1; m <= 4 * p; m = m < p + 2 ? m + 1 : m + 5) {
                struct arena_place place = arena_mark(arena);
                check_block(arena, &blocks[i], p, m);
                arena_rewind(arena, place);
            }
        }
    }
    arena_close(arena);
}

/* The diagrams of the files. */
Test(controllable, short_runs) {
    const struct {
        const char *name;
        int64_t ranks;
        const char *lines[3];
    } rows[] = {
        {"v-half",
         2,
         {"F0.0 F0.1 F0.2 F3.0 B3.0 W3.0 F3.1 B3.1 B0.0 W3.1 W0.0 F3.2 F0.3 B3.2 B0.1 W3.2 W0.1 F3.3 B3.3 B0.2 W3.3 "
          "B0.3 W0.2 W0.3",
          "F1.0 F2.0 F1.1 F2.1 B2.0 B1.0 W2.0 F1.2 W1.0 F2.2 B2.1 B1.1 W2.1 F1.3 W1.1 F2.3 B2.2 B1.2 B2.3 B1.3 W2.2 "
          "W1.2 W2.3 W1.3"}},
        {"v-min",
         3,
         {"F0.0 F0.1 F0.2 F5.0 B5.0 W5.0 F5.1 B5.1 W5.1 B0.0 F0.3 W0.0 F5.2 B5.2 B0.1 W5.2 W0.1 F5.3 B5.3 B0.2 W5.3 "
          "W0.2 B0.3 W0.3",
          "F1.0 F1.1 F4.0 F4.1 B4.0 W4.0 F1.2 B1.0 B4.1 W1.0 W4.1 F4.2 F1.3 B1.1 B4.2 W1.1 W4.2 F4.3 B1.2 B4.3 W1.2 "
          "W4.3 B1.3 W1.3",
          "F2.0 F3.0 F2.1 F3.1 B3.0 B2.0 W3.0 F2.2 W2.0 F3.2 B3.1 B2.1 W3.1 F2.3 W2.1 F3.3 B3.2 B2.2 W3.2 W2.2 B3.3 "
          "B2.3 W3.3 W2.3"}},
        {"1f1b-v",
         2,
         {"F0.0 F0.1 F0.2 F3.0 BW3.0 F3.1 BW3.1 F0.3 BW0.0 F3.2 BW3.2 BW0.1 F3.3 BW3.3 BW0.2 BW0.3",
          "F1.0 F2.0 F1.1 F2.1 BW2.0 BW1.0 F1.2 F2.2 BW2.1 BW1.1 F1.3 F2.3 BW2.2 BW1.2 BW2.3 BW1.3"}},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct schedule_shape shape = {.ranks = rows[i].ranks, .micro_batches = 4, .chunks = 2};
        struct order order;
        order_make(arena, schedule_find(rows[i].name), &shape, &order);
        for (int64_t rank = 0; rank < shape.ranks; rank++) {
            const char *line = order_line(arena, &order, rank);
            cr_expect(strcmp(line, rows[i].lines[rank]) == 0, "%s rank %ld: %s", rows[i].name, (long)rank, line);
        }
    }
    arena_close(arena);
}

static double between(struct random *random, double low, double high) {
    return low + (high - low) * random_unit(random);
}

/* How far closed forms are off where passes are as transformer layers have them and latency is up to T / 10. */
Test(controllable, closed_forms) {
    static const struct {
        enum schedule_name name;
        int64_t cap; /* for each rank; 0: as ruled */
        double mean, most;
    } limits[] = {
        {SCHEDULE_V_HALF, 0, 0.005, 0.065}, {SCHEDULE_V_MIN, 0, 0.006, 0.065}, {SCHEDULE_1F1B_V, 0, 0.008, 0.065}};
    struct arena *arena = support_arena();
    enum { ROUNDS = 400 };
    for (size_t i = 0; i < ROWS(limits); i++) {
        const struct schedule *schedule = schedules[limits[i].name];
        double sum = 0;
        for (uint64_t round = 0; round < ROUNDS; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            random_stream(&random, i, schedule->name, round);
            struct pass_times times = {
                .forward = 1, .backward = between(&random, 0.8, 1.3), .weight = between(&random, 0.4, 1)};
            times.hop = random_below(&random, 3) == 0 ? 0 : between(&random, 0, 0.1) * pass_full(&times);
            int64_t p = 2 + (int64_t)random_below(&random, 15);
            struct schedule_shape shape = {
                .ranks = p, .micro_batches = p + (int64_t)random_below(&random, (uint32_t)(4 * p)), .chunks = 2};
            struct order order;
            struct execution run;
            order_make(arena, schedule, &shape, &order);
            cr_assert(rows_execute(arena, &order, &times, &run));
            double off = fabs(schedule->makespan(&shape, &times) / run.makespan - 1);
            cr_expect(off <= limits[i].most, "%s p=%ld m=%ld tB=%g tW=%g c=%g: %.2f %%", schedule->name, (long)p,
                      (long)shape.micro_batches, times.backward, times.weight, times.hop, 100 * off);
            sum += off;
            arena_rewind(arena, place);
        }
        cr_expect(sum / ROUNDS <= limits[i].mean, "%s: %.3f %% on average", schedule->name, 100 * sum / ROUNDS);
    }
    arena_close(arena);
}
