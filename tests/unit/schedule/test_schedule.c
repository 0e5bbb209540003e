/* The table of schedules, their rules, and lower bounds by hand. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "../support.h"
#include "schedule/schedule.h"

static bool near(double a, double b) {
    return fabs(a - b) < 1e-9 * fmax(1, fabs(b));
}

Test(schedule, table_is_complete) {
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        const struct schedule *schedule = schedules[i];
        cr_assert(schedule != NULL && schedule_names[i] != NULL, "entry %zu", i);
        cr_expect(strcmp(schedule->name, schedule_names[i]) == 0, "%s and %s", schedule->name, schedule_names[i]);
        cr_expect(schedule_find(schedule_names[i]) == schedule, "find %s", schedule_names[i]);
        cr_expect(schedule->ways == 1 || schedule->ways == 2);
        cr_expect(schedule->fixed_chunks > 0 || schedule->chunked, "%s: any number of chunks", schedule->name);
        cr_expect((schedule->ways == 2) == (schedule->placement == PLACEMENT_TWO_WAY), "%s: each way has its weights",
                  schedule->name);
        cr_expect((schedule->generate == NULL) != (schedule->arrange == NULL), "%s: one way to an order",
                  schedule->name);
        cr_expect(schedule->searched == (i <= SCHEDULE_DUALPIPEV), "%s: searched", schedule->name);
        cr_expect(schedule->doc != NULL && schedule->makespan != NULL && schedule->in_flight != NULL &&
                      schedule->in_flight_to_weight != NULL,
                  "%s", schedule->name);
    }
    cr_expect(schedules[SCHEDULE_COUNT] == NULL && schedule_names[SCHEDULE_COUNT] == NULL);
    cr_expect(schedule_find("1F1B") == NULL && schedule_find("") == NULL && schedule_find("zb") == NULL);
    cr_expect(schedules[SCHEDULE_DUALPIPE]->placement == PLACEMENT_TWO_WAY);
    cr_expect(schedules[SCHEDULE_ZB_V]->placement == PLACEMENT_WAVE);
    cr_expect(schedules[SCHEDULE_1F1B]->placement == PLACEMENT_LINEAR);
}

Test(schedule, rules) {
    const struct {
        const char *name;
        struct schedule_shape shape;
        const char *broken; /* a part of the rule's text; NULL = legal */
    } rows[] = {
        {"none", {1, 1, 1}, NULL},
        {"none", {2, 4, 1}, "more than one rank"},
        {"none", {1, 4, 2}, "one chunk"},
        {"none", {1, 0, 1}, "at least one micro-batch"},
        {"gpipe", {4, 1, 1}, NULL},
        {"gpipe", {1, 4, 1}, "at least 2 ranks"},
        {"gpipe", {4, 4, 2}, "exactly 1 chunk"},
        {"gpipe", {4, 0, 1}, "at least one micro-batch"},
        {"1f1b", {2, 1, 1}, NULL},
        {"1f1b", {8, 3, 1}, NULL},
        {"1f1b", {1, 3, 1}, "at least 2 ranks"},
        {"1f1b", {4, 4, 2}, "exactly 1 chunk"},
        {"interleaved", {4, 8, 2}, NULL},
        {"interleaved", {4, 4, 3}, NULL},
        {"interleaved", {4, 8, 1}, "at least 2 chunks"},
        {"interleaved", {4, 9, 2}, "the last group of micro-batches must not be smaller than the ranks"},
        {"interleaved", {4, 3, 2}, "the last group"},
        {"interleaved", {4, 9, 2, .group = 5}, NULL},
        {"interleaved", {4, 10, 2, .group = 6}, NULL},
        {"interleaved", {4, 8, 2, .group = 5}, "the last group"},
        {"interleaved", {4, 6, 2, .group = 8}, NULL},
        {"interleaved", {4, 3, 2, .group = 8}, "the last group"},
        {"interleaved", {4, 12, 2, .group = 3}, "groups of micro-batches must not be smaller than the ranks"},
        {"interleaved", {1, 8, 2}, "at least 2 ranks"},
        {"interleaved", {4, 0, 2}, "at least one micro-batch"},
        {"zb-h1", {4, 1, 1}, NULL},
        {"zb-h1", {4, 4, 2}, "exactly 1 chunk"},
        {"zb-h2", {4, 1, 1}, NULL},
        {"zb-h2", {1, 4, 1}, "at least 2 ranks"},
        {"zb-v", {4, 1, 2}, NULL},
        {"zb-v", {4, 8, 1}, "exactly 2 chunks"},
        {"zb-v", {4, 8, 4}, "exactly 2 chunks"},
        {"zb-v", {1, 8, 2}, "at least 2 ranks"},
        {"dualpipe", {4, 8, 1}, NULL},
        {"dualpipe", {2, 4, 1}, NULL},
        {"dualpipe", {3, 8, 1}, "even number of ranks"},
        {"dualpipe", {4, 9, 1}, "even number of micro-batches"},
        {"dualpipe", {4, 6, 1}, "at least 2 for each rank"},
        {"dualpipe", {4, 8, 2}, "exactly 1 chunk"},
        {"dualpipev", {4, 8, 2}, NULL},
        {"dualpipev", {3, 7, 2}, NULL},
        {"dualpipev", {4, 7, 2}, "at least 2 micro-batches for each rank"},
        {"dualpipev", {4, 8, 1}, "exactly 2 chunks"},
        {"dualpipev", {1, 8, 2}, "at least 2 ranks"},
        {"gpipe-fifo", {4, 1, 1}, NULL},
        {"gpipe-fifo", {4, 4, 2}, "exactly 1 chunk"},
        {"eager-1f1b", {4, 1, 1}, NULL},
        {"eager-1f1b", {1, 4, 1}, "at least 2 ranks"},
        {"eager-1f1b", {4, 0, 1}, "at least one micro-batch"},
        {"interleaved-zb", {4, 8, 2}, NULL},
        {"interleaved-zb", {4, 3, 2}, NULL},
        {"interleaved-zb", {4, 10, 2}, NULL},
        {"interleaved-zb", {4, 9, 2}, "equal rounds"},
        {"interleaved-zb", {4, 8, 1}, "at least 2 chunks"},
        {"interleaved-zb", {1, 8, 2}, "at least 2 ranks"},
        {"interleaved-zb", {4, 0, 2}, "at least one micro-batch"},
        {"chimera", {4, 8, 1}, NULL},
        {"chimera", {4, 6, 1}, "divisible by the ranks"},
        {"chimera", {3, 6, 1}, "even number of ranks"},
        {"chimera", {4, 8, 2}, "exactly 1 chunk"},
        {"chimera", {4, 0, 1}, "at least one micro-batch"},
        {"wave", {4, 1, 2}, NULL},
        {"wave", {3, 7, 6}, NULL},
        {"wave", {4, 8, 3}, "even number of chunks"},
        {"wave", {4, 8, 1}, "even number of chunks"},
        {"wave", {4, 8, 0}, "even number of chunks"},
        {"wave", {1, 8, 2}, "at least 2 ranks"},
        {"wave", {4, 0, 2}, "at least one micro-batch"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *rule = schedule_find(rows[i].name)->refuse(&rows[i].shape);
        bool right = rows[i].broken == NULL ? rule == NULL : rule != NULL && strstr(rule, rows[i].broken) != NULL;
        cr_expect(right, "%s p=%ld m=%ld v=%ld: %s", rows[i].name, (long)rows[i].shape.ranks,
                  (long)rows[i].shape.micro_batches, (long)rows[i].shape.chunks, rule == NULL ? "legal" : rule);
    }
}

/* Published and well-known values, tF = tB = tW = 12 a stage, c = 0 or 1, p = 4, m = 8. */
Test(schedule, makespans) {
    const struct {
        const char *name;
        int64_t chunks;
        double pass, pair, without, with; /* time of a pass; makespan at c = 0 and c = 1 */
    } rows[] = {
        {"gpipe", 1, 12, 0, 396, 402},      {"1f1b", 1, 12, 0, 396, 412},      {"interleaved", 2, 6, 0, 342, 356},
        {"interleaved", 4, 3, 0, 315, 345}, {"zb-h1", 1, 12, 0, 324, 336},     {"zb-h2", 1, 12, 0, 324, 327},
        {"zb-v", 2, 6, 0, 306, 319},        {"dualpipe", 1, 12, 36, 312, 321}, {"dualpipe", 1, 12, 0, 312, 321},
        {"dualpipe", 1, 12, 27, 276, 285},  {"dualpipev", 2, 6, 18, 324, 340}, {"dualpipev", 2, 6, 13.5, 279, 295},
        {"gpipe-fifo", 1, 12, 0, 396, 402}, {"eager-1f1b", 1, 12, 0, 396, 402}, {"interleaved-zb", 2, 6, 0, 306, 322},
        {"chimera", 1, 12, 0, 360, 371},    {"wave", 2, 6, 0, 396, 422},       {"interleaved-zb", 4, 3, 0, 297, 321},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct schedule *schedule = schedule_find(rows[i].name);
        struct schedule_shape shape = {4, 8, rows[i].chunks};
        for (int hop = 0; hop <= 1; hop++) {
            struct pass_times times = {rows[i].pass, rows[i].pass, rows[i].pass, rows[i].pair, hop};
            double want = hop == 0 ? rows[i].without : rows[i].with;
            double got = schedule->makespan(&shape, &times);
            cr_expect(near(got, want), "%s v=%ld c=%d: %g, want %g", rows[i].name, (long)rows[i].chunks, hop, got,
                      want);
        }
    }
}

Test(schedule, bounds) {
    const struct {
        const char *name;
        struct schedule_shape shape;
        struct pass_times times;
        bool pairs;
        double want;
    } rows[] = {
        {"one rank: its work", {1, 5, 1}, {1, 2, 3, 0, 9}, false, 30},
        {"one micro-batch: the way there and back", {4, 1, 1}, {1, 2, 3, 0, 0.5}, false, 4 * 3 + 3 + 6 * 0.5},
        {"a rank in the middle, one from an end", {4, 100, 1}, {1, 2, 3, 0, 0.5}, false, 600 + 1.5},
        {"five ranks: two from an end", {5, 100, 2}, {1, 2, 3, 0, 0.5}, true, 1200 + 2 * 1.5},
        {"an overlapped pair", {4, 100, 1}, {1, 2, 3, 4, 0}, true, 400 + 1},
        {"no schedule of pairs", {4, 100, 1}, {1, 2, 3, 4, 0}, false, 600 + 1},
        {"a pair slower than its parts is no bound", {4, 100, 1}, {1, 2, 3, 9, 0}, true, 600 + 1},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        double got = schedule_bound(&rows[i].shape, &rows[i].times, rows[i].pairs);
        cr_expect(near(got, rows[i].want), "%s: %g, want %g", rows[i].name, got, rows[i].want);
    }
}

/* Rank 2 of 4 is the heaviest with 12 a micro-batch, one hop from the nearer end. */
Test(schedule, bound_of_unequal_ranks) {
    const struct pass_times each[] = {{1, 1, 1, 0, 0}, {2, 2, 2, 0, 0}, {4, 4, 4, 0, 0}, {0.5, 1, 1, 0, 0}};
    struct schedule_shape shape = {4, 10, 1};
    struct pipeline_load load;
    load_gather(&load, each, 4, 0.25);
    cr_expect(near(schedule_bound_unequal(&shape, &load, false), 120 + 0.25));
    shape.micro_batches = 1;
    cr_expect(near(schedule_bound_unequal(&shape, &load, false), 7.5 + 8 + 6 * 0.25), "%g",
              schedule_bound_unequal(&shape, &load, false));
}

Test(schedule, what_tapers) {
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        const struct schedule *schedule = schedules[i];
        for (int64_t m = 1; m <= 24 && schedule->tapers; m++) {
            struct schedule_shape shape = {6, m, schedule->fixed_chunks > 0 ? schedule->fixed_chunks : 3};
            for (int64_t rank = 1; rank < 6 && schedule->refuse(&shape) == NULL; rank++) {
                cr_expect(schedule->in_flight_to_weight(&shape, rank) <=
                              schedule->in_flight_to_weight(&shape, rank - 1),
                          "%s m=%ld: rank %ld", schedule->name, (long)m, (long)rank);
            }
        }
    }
}

/* ZB-V's estimate lies below the work of a heavy rank 3 here; no price does. Pairs bound only schedules that have them.
 */
Test(schedule, no_price_below_its_bound) {
    struct pass_times each[8];
    for (int i = 0; i < 8; i++) {
        each[i] = (struct pass_times){1, 1, 1, i == 3 ? 2 : 0, 0};
    }
    each[3].forward = each[3].backward = each[3].weight = 4;
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        const struct schedule *schedule = schedules[i];
        for (int64_t m = 1; m <= 32; m++) {
            struct schedule_shape shape = {8, m, schedule->fixed_chunks > 0 ? schedule->fixed_chunks : 2};
            if (schedule->refuse(&shape) != NULL) {
                continue;
            }
            double price = schedule_step(schedule, &shape, each, 0);
            double work = schedule->skips ? 0 : (double)(m * shape.chunks) * (schedule->pairs ? 2 : 12);
            cr_expect(price >= work, "%s m=%ld: %g, work %g", schedule->name, (long)m, price, work);
        }
    }
}
