/* Weight versions of schedules that never drain: the oracle's counts, and a run that counts its own updates. */
#include <criterion/criterion.h>
#include <math.h>

#include "oracle.h"
#include "schedule/async.h"
#include "schedule/order.h"
#include "schedule/schedule.h"

Test(async, crossed_updates_equal_the_oracle) {
    struct arena *arena = support_arena();
    struct oracle oracle;
    cr_assert(oracle_open(&oracle, arena, "async_versions.csv"));
    int rows = 0;
    while (oracle_next(&oracle)) {
        struct schedule_shape shape = {.ranks = oracle_count(&oracle, "p"), .micro_batches = 64, .chunks = 1};
        int64_t stage = oracle_count(&oracle, "stage"), k = oracle_count(&oracle, "K_accum");
        int64_t least = INT64_MAX, most = 0, crossing = 0, counted = 0;
        for (int64_t j = 64 * k; j < 128 * k; j++) { /* far from the start, whole periods */
            int64_t crossed = async_crossed(&shape, stage, j, k);
            least = crossed < least ? crossed : least;
            most = crossed > most ? crossed : most;
            crossing += crossed > 0;
            counted++;
        }
        cr_expect_eq(async_delay(&shape, stage), oracle_count(&oracle, "delay_microbatches"));
        cr_expect_eq(least, oracle_count(&oracle, "min_updates_crossed"));
        cr_expect_eq(most, oracle_count(&oracle, "max_updates_crossed"));
        double fraction = (double)crossing / (double)counted;
        cr_expect(fabs(fraction - oracle_number(&oracle, "fraction_microbatches_crossing>=1")) < 1e-6,
                  "p %lld stage %lld K %lld: %g, want %g", (long long)shape.ranks,
                  (long long)stage, (long long)k, fraction, oracle_number(&oracle, "fraction_microbatches_crossing>=1"));
        rows++;
    }
    cr_expect_eq(rows, 70, "%d rows", rows);
    arena_close(arena);
}

/* A rank that updates after every K backwards of its own order is at the version the rule says, pass by pass. */
Test(async, newest_version_is_the_number_of_updates_made) {
    struct arena *arena = support_arena();
    for (int64_t p = 2; p <= 8; p++) {
        for (int64_t k = 1; k <= 9; k++) {
            struct schedule_shape shape = {.ranks = p, .micro_batches = 40, .chunks = 1};
            struct order order;
            order_make(arena, schedules[SCHEDULE_PACI], &shape, &order);
            for (int64_t rank = 0; rank < p; rank++) {
                int64_t backwards = 0;
                for (int64_t i = order.first[rank]; i < order.first[rank + 1]; i++) {
                    const struct pass *pass = &order.passes[i];
                    bool backward = pass->kind == PASS_FULL;
                    const struct staleness *stale = schedules[SCHEDULE_PACI]->stale;
                    int64_t version = stale->version(&shape, rank, pass->visit.micro_batch, k, backward);
                    cr_expect_eq(version, backwards / k, "p %lld K %lld rank %lld pass %lld", (long long)p,
                                 (long long)k, (long long)rank, (long long)(i - order.first[rank]));
                    backwards += backward;
                }
            }
        }
    }
    arena_close(arena);
}

/* Versions that some micro-batch in flight still needs, the newest included: never more than the copies that are kept,
 * and as many at some time. */
static int64_t most_alive(const struct schedule *schedule, const struct schedule_shape *shape, int64_t rank) {
    int64_t k = schedule->stale->accumulate(shape) > 0 ? schedule->stale->accumulate(shape) : 1, most = 0;
    int64_t delay = async_delay(shape, rank);
    for (int64_t j = 3 * k; j < 9 * k + 2 * shape->ranks; j++) { /* when forward j begins; j - delay is next backward */
        int64_t oldest = schedule->stale->version(shape, rank, j - delay, k, true);
        int64_t newest = async_newest(shape, rank, j, k, false);
        int64_t alive = newest - oldest + 1;
        most = alive > most ? alive : most;
    }
    return most;
}

Test(async, copies_hold_every_version_in_use) {
    for (int64_t p = 2; p <= 8; p++) {
        struct schedule_shape shape = {.ranks = p, .micro_batches = 2 * p, .chunks = 1};
        for (int64_t rank = 0; rank < p; rank++) {
            const struct schedule *stash = schedules[SCHEDULE_PIPEDREAM], *two = schedules[SCHEDULE_PIPEDREAM_2BW];
            cr_expect_eq(most_alive(stash, &shape, rank), stash->stale->copies(&shape, rank));
            cr_expect_eq(stash->stale->copies(&shape, rank), p - rank);
            cr_expect(most_alive(two, &shape, rank) <= 2, "rank %lld of %lld", (long long)rank, (long long)p);
            cr_expect_eq(two->stale->copies(&shape, rank), 2);
            cr_expect_eq(schedules[SCHEDULE_PACI]->stale->copies(&shape, rank), 1);
        }
    }
}

Test(async, a_stash_never_mixes_versions_and_two_buffers_lag_one_batch) {
    struct schedule_shape shape = {.ranks = 4, .micro_batches = 6, .chunks = 1};
    const struct staleness *stash = schedules[SCHEDULE_PIPEDREAM]->stale;
    const struct staleness *two = schedules[SCHEDULE_PIPEDREAM_2BW]->stale;
    for (int64_t rank = 0; rank < 4; rank++) {
        for (int64_t j = 0; j < 60; j++) {
            cr_expect_eq(stash->version(&shape, rank, j, 1, false), stash->version(&shape, rank, j, 1, true));
            cr_expect_eq(stash->version(&shape, rank, j, 1, false), j > 3 - rank ? j - (3 - rank) : 0);
            int64_t batch = j / 6;
            cr_expect_eq(two->version(&shape, rank, j, 6, false), batch > 0 ? batch - 1 : 0);
            cr_expect_eq(two->version(&shape, rank, j, 6, true), batch > 0 ? batch - 1 : 0);
        }
    }
}

Test(async, rules_and_periods) {
    struct schedule_shape few = {.ranks = 4, .micro_batches = 3, .chunks = 1};
    cr_expect(strstr(schedules[SCHEDULE_PIPEDREAM_2BW]->refuse(&few), "as many micro-batches") != NULL);
    cr_expect(schedules[SCHEDULE_PIPEDREAM]->refuse(&few) == NULL);
    cr_expect(schedules[SCHEDULE_PACI]->refuse(&few) == NULL);
    struct schedule_shape shape = {.ranks = 4, .micro_batches = 8, .chunks = 1};
    struct pass_times times = {.forward = 12, .backward = 12, .weight = 12};
    struct pipeline_load load;
    load_uniform(&load, &times, 4);
    cr_expect(fabs(async_period(&shape, &load) - 8 * 36) < 1e-9); /* no fill, no drain */
    times.hop = 6; /* T + 2 (p - 1) c / p = 36 + 9 */
    load_uniform(&load, &times, 4);
    cr_expect(fabs(async_period(&shape, &load) - 8 * 45) < 1e-9);
    struct pass_times uneven[4] = {{12, 12, 12}, {12, 12, 12}, {20, 20, 20}, {12, 12, 12}};
    load_gather(&load, uneven, 4, 0);
    cr_expect(fabs(async_period(&shape, &load) - 8 * 60) < 1e-9);
}

/* Two runs that differ by a step differ by a period. */
Test(async, longer_runs_take_a_period_more) {
    struct schedule_shape shape = {.ranks = 4, .micro_batches = 8, .chunks = 1};
    struct schedule_shape twice = {.ranks = 4, .micro_batches = 16, .chunks = 1};
    for (int hop = 0; hop <= 4; hop++) {
        struct pass_times times = {.forward = 10, .backward = 11, .weight = 9, .hop = hop};
        struct pipeline_load load;
        load_uniform(&load, &times, 4);
        double more = schedules[SCHEDULE_PACI]->makespan(&twice, &times) -
                      schedules[SCHEDULE_PACI]->makespan(&shape, &times);
        cr_expect(fabs(more - async_period(&shape, &load)) < 1e-9, "hop %d: %g and %g", hop, more,
                  async_period(&shape, &load));
    }
}
