/* The parallel loop: every index once, workers within range, the caller takes part. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "../support.h"
#include "base/threads.h"

enum { COUNT = 10000, WORKERS = 300 };

struct tally {
    atomic_int visits[COUNT];
    size_t results[COUNT];
    size_t per_worker[WORKERS]; /* plain: only its worker may touch an entry */
    atomic_size_t largest_worker;
    pthread_t caller;
    atomic_int not_the_caller; /* tasks of worker 0 on another thread */
};

static void count_visit(void *context, size_t index, size_t worker) {
    struct tally *tally = context;
    atomic_fetch_add(&tally->visits[index], 1);
    tally->results[index] = index * index;
    tally->per_worker[worker]++;
    size_t largest = atomic_load(&tally->largest_worker);
    while (worker > largest && !atomic_compare_exchange_weak(&tally->largest_worker, &largest, worker)) {
    }
    atomic_fetch_add(&tally->not_the_caller, worker == 0 && !pthread_equal(pthread_self(), tally->caller));
}

Test(threads, every_index_is_visited_once) {
    static const struct {
        size_t workers, count;
    } TABLE[] = {{0, COUNT}, {1, COUNT}, {2, COUNT}, {16, COUNT}, {300, COUNT}, {8, 3}, {4, 1}, {4, 0}, {1, 0}};
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        struct tally *tally = calloc(1, sizeof *tally);
        tally->caller = pthread_self();
        threads_for(TABLE[i].workers, TABLE[i].count, count_visit, tally);
        size_t visits = 0;
        for (size_t k = 0; k < COUNT; k++) {
            cr_assert_eq(tally->visits[k], k < TABLE[i].count, "row %zu: index %zu", i, k);
            cr_assert_eq(tally->results[k], k < TABLE[i].count ? k * k : 0, "row %zu: index %zu", i, k);
        }
        for (size_t k = 0; k < WORKERS; k++) {
            visits += tally->per_worker[k];
        }
        size_t limit = TABLE[i].workers == 0 ? threads_available() : TABLE[i].workers;
        cr_assert_eq(visits, TABLE[i].count, "row %zu: the workers' counts", i);
        cr_assert_lt(tally->largest_worker, limit, "row %zu", i);
        cr_assert_eq(tally->not_the_caller, 0, "row %zu: worker 0 is not the caller", i);
        free(tally);
    }
}

struct meeting {
    size_t wanted;
    atomic_size_t arrived, largest_worker;
};

/* Waits, at most five seconds, until as many tasks as wanted have begun. */
static void meet(void *context, size_t index, size_t worker) {
    struct meeting *meeting = context;
    (void)index;
    atomic_fetch_add(&meeting->arrived, 1);
    for (int i = 0; i < 5000 && atomic_load(&meeting->arrived) < meeting->wanted; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    size_t largest = atomic_load(&meeting->largest_worker);
    while (worker > largest && !atomic_compare_exchange_weak(&meeting->largest_worker, &largest, worker)) {
    }
}

/* Tasks that wait for one another end soon, each on a worker of its own, only if as many threads run them. */
Test(threads, tasks_run_at_the_same_time) {
    const size_t available = threads_available();
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    cr_assert_eq(available, processors < 1 ? 1 : processors > 256 ? 256 : (size_t)processors);
    const struct {
        size_t workers, count, threads;
    } table[] = {{4, 4, 4}, {8, 4, 4}, {4, 12, 4}, {0, available, available}, {1, 3, 1}, {300, 256, 256}};
    for (size_t i = 0; i < ROWS(table); i++) {
        struct meeting meeting = {.wanted = table[i].threads};
        threads_for(table[i].workers, table[i].count, meet, &meeting);
        cr_assert_eq(meeting.arrived, table[i].count, "row %zu: %zu tasks", i, (size_t)meeting.arrived);
        cr_assert_eq(meeting.largest_worker, table[i].threads - 1, "row %zu: worker %zu", i,
                     (size_t)meeting.largest_worker);
    }
}

static void nested(void *context, size_t index, size_t worker) {
    (void)index;
    (void)worker;
    threads_for(2, COUNT, count_visit, context);
}

Test(threads, loops_nest) {
    struct tally *tally = calloc(1, sizeof *tally);
    threads_for(1, 2, nested, tally);
    for (size_t k = 0; k < COUNT; k++) {
        cr_assert_eq(tally->visits[k], 2, "index %zu", k);
    }
    free(tally);
}
