/* Condensed loads: the same from any of the three ways to make one; values by hand. */
#include <criterion/criterion.h>
#include <math.h>

#include "../support.h"
#include "schedule/load.h"

static bool near(double a, double b) {
    return fabs(a - b) < 1e-12 * fmax(1, fabs(b));
}

static bool same_times(const struct pass_times *a, const struct pass_times *b) {
    return near(a->forward, b->forward) && near(a->backward, b->backward) && near(a->weight, b->weight) &&
           near(a->pair, b->pair);
}

static void expect_same(const char *row, const struct pipeline_load *a, const struct pipeline_load *b) {
    cr_expect(same_times(&a->total, &b->total), "%s: total", row);
    cr_expect(same_times(&a->heaviest, &b->heaviest), "%s: heaviest", row);
    cr_expect(same_times(&a->after, &b->after), "%s: after", row);
    cr_expect(same_times(&a->first, &b->first) && same_times(&a->last, &b->last), "%s: ends", row);
    cr_expect(near(a->most_forward, b->most_forward), "%s: most forward", row);
    cr_expect(near(a->most_backward, b->most_backward), "%s: most backward", row);
    cr_expect(near(a->hop, b->hop) && a->ranks == b->ranks, "%s: hop or ranks", row);
    cr_expect(a->heaviest_rank == b->heaviest_rank, "%s: heaviest %ld and %ld", row, (long)a->heaviest_rank,
              (long)b->heaviest_rank);
}

Test(load, three_ways) {
    const struct pass_times light = {1, 2, 0.5, 3, 0};
    const struct pass_times usual = {2, 2, 1, 0, 0};
    const struct pass_times heavy = {3, 3, 2, 7, 0};
    const struct {
        const char *name;
        const struct pass_times *first, *body, *last;
        int64_t heaviest[5]; /* for 2 to 5 ranks */
    } rows[] = {
        {"equal", &usual, &usual, &usual, {0, 0, 1, 2, 3}},
        {"first heavy", &heavy, &usual, &light, {0, 0, 0, 0, 0}},
        {"last heavy", &usual, &light, &heavy, {0, 0, 1, 2, 3}},
        {"body heavy", &light, &heavy, &usual, {0, 0, 1, 1, 2}},
        {"ends heavy", &heavy, &light, &heavy, {0, 0, 1, 2, 3}},
        {"ends light", &light, &usual, &light, {0, 0, 1, 1, 2}},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        for (int64_t ranks = 2; ranks <= 4; ranks++) {
            struct pass_times each[4] = {*rows[i].first, *rows[i].body, *rows[i].body, *rows[i].body};
            each[ranks - 1] = *rows[i].last;
            struct pipeline_load gathered;
            struct pipeline_load ends;
            load_gather(&gathered, each, ranks, 0.25);
            load_ends(&ends, rows[i].first, rows[i].body, rows[i].last, ranks, 0.25);
            expect_same(rows[i].name, &gathered, &ends);
            cr_expect(gathered.heaviest_rank == rows[i].heaviest[ranks], "%s, %ld ranks: heaviest %ld", rows[i].name,
                      (long)ranks, (long)gathered.heaviest_rank);
        }
    }
    struct pass_times times = usual;
    times.hop = 0.25;
    for (int64_t ranks = 1; ranks <= 4; ranks++) {
        const struct pass_times each[4] = {usual, usual, usual, usual};
        struct pipeline_load gathered;
        struct pipeline_load uniform;
        load_gather(&gathered, each, ranks, 0.25);
        load_uniform(&uniform, &times, ranks);
        expect_same("uniform", &gathered, &uniform);
        cr_expect(uniform.equal);
    }
}

Test(load, by_hand) {
    const struct pass_times each[] = {{1, 2, 3, 5, 9}, {4, 5, 6, 0, 9}, {2, 8, 1, 10, 9}, {3, 1, 1, 4, 9}};
    struct pipeline_load load;
    load_gather(&load, each, 4, 0.5);
    const struct {
        const char *name;
        double got, want;
    } rows[] = {
        {"total forward", load.total.forward, 10},
        {"total backward", load.total.backward, 16},
        {"total weight", load.total.weight, 11},
        {"total pair, one without a time of its own", load.total.pair, 5 + 15 + 10 + 4},
        {"heaviest pair", load.heaviest.pair, 15},
        {"after forward", load.after.forward, 5},
        {"after backward", load.after.backward, 9},
        {"after weight", load.after.weight, 2},
        {"after pair", load.after.pair, 14},
        {"most forward", load.most_forward, 4},
        {"most backward", load.most_backward, 11},
        {"hop is the argument", load.hop, 0.5},
        {"heaviest rank", (double)load.heaviest_rank, 1},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect(near(rows[i].got, rows[i].want), "%s: %g, want %g", rows[i].name, rows[i].got, rows[i].want);
    }
}
