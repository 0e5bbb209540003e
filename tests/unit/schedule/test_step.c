/* Prices of unequal ranks: values worked out by hand, and what they must share with equal ranks. */
#include <criterion/criterion.h>
#include <math.h>

#include "../support.h"
#include "schedule/schedule.h"

static bool near(double a, double b) {
    return fabs(a - b) < 1e-9 * fmax(1, fabs(b));
}

static const struct pass_times usual = {1, 1.25, 0.75, 0, 0};

static struct pass_times times_scaled(double factor) {
    return (struct pass_times){usual.forward * factor, usual.backward * factor, usual.weight * factor, 0, 0};
}

/* T = 3 on a usual rank. GPipe: sum(T) + (m - 1)(max tF + max tD). 1F1B with a last rank twice as heavy: it is never
 * idle between its first and last pass, m * 6 + 3 * 3. With a first rank twice as heavy it waits for its first
 * backward, 9 - 3 * 2 = 3, and has enough to do before its last. */
Test(step, by_hand) {
    struct pass_times heavy = times_scaled(2);
    const struct {
        const char *name;
        enum schedule_name schedule;
        int64_t micro_batches;
        const struct pass_times *first, *last;
        double hop, want;
    } rows[] = {
        {"gpipe, last twice", SCHEDULE_GPIPE, 10, &usual, &heavy, 0, 15 + 9 * 6},
        {"gpipe, first twice", SCHEDULE_GPIPE, 10, &heavy, &usual, 0.5, 15 + 9 * 6 + 3},
        {"1f1b, last twice", SCHEDULE_1F1B, 10, &usual, &heavy, 0, 10 * 6 + 9},
        {"1f1b, last twice, latency once there and back", SCHEDULE_1F1B, 10, &usual, &heavy, 0.5, 10 * 6 + 9 + 3},
        {"1f1b, first twice", SCHEDULE_1F1B, 10, &heavy, &usual, 0, 10 * 6 + 3},
        {"zb-h1, last twice: its late weight gradients come last", SCHEDULE_ZB_H1, 10, &usual, &heavy, 0,
         3 * 1 + 10 * 6},
        {"zb-h2, last twice", SCHEDULE_ZB_H2, 10, &usual, &heavy, 0.5, 3 * 1.5 + 10 * 6},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct schedule_shape shape = {4, rows[i].micro_batches, 1};
        const struct pass_times each[] = {*rows[i].first, usual, usual, *rows[i].last};
        double got = schedule_step(schedules[rows[i].schedule], &shape, each, rows[i].hop);
        cr_expect(near(got, rows[i].want), "%s: %g, want %g", rows[i].name, got, rows[i].want);
    }
}

/* Equal ranks cost what the closed form says, however the load was made. */
Test(step, equal_ranks) {
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        const struct schedule *schedule = schedules[i];
        for (int64_t ranks = 1; ranks <= 8; ranks++) {
            for (int64_t m = 1; m <= 24; m++) {
                struct schedule_shape shape = {ranks, m, schedule->fixed_chunks > 0 ? schedule->fixed_chunks : 3};
                struct pass_times times = {1, 1.25, 0.75, 2.5, 0.125};
                struct pass_times each[8];
                if (schedule->refuse(&shape) != NULL) {
                    continue;
                }
                for (int64_t r = 0; r < ranks; r++) {
                    each[r] = times;
                }
                struct pipeline_load load;
                load_uniform(&load, &times, ranks);
                double want = schedule->makespan(&shape, &times);
                double price = schedule_price(schedule, &shape, &load);
                double step = schedule_step(schedule, &shape, each, times.hop);
                cr_expect(near(price, want) && near(step, want), "%s p=%ld m=%ld: price %g, step %g, want %g",
                          schedule->name, (long)ranks, (long)m, price, step, want);
            }
        }
    }
}
