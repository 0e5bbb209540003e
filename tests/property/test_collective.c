/* Laws of prices over every algorithm, kind, group shape and size from 8 B to 8 GiB: none is below the bound; they grow
 * with bytes, latencies and the inverse of every rate; the choice is the least. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/units.h"
#include "collective_spans.h"

static const int64_t sizes[] = {2, 3, 4, 5, 6, 7, 8, 16, 24};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
static const int64_t domains[] = {1, 2, 3, 4, 16, 37};
enum { DOMAINS = sizeof(domains) / sizeof(domains[0]) };

/* Runs `law` over all kinds of domain, shapes and libraries. */
static void sweep(void (*law)(const struct span *span, const struct algorithm *algorithm, enum collective kind)) {
    for (int scaleup = SCALEUP_SWITCH; scaleup <= SCALEUP_PAIRS; scaleup++) {
        for (size_t i = 0; i < SIZES * DOMAINS; i++) {
            struct span span = span_make((enum scaleup_kind)scaleup, sizes[i % SIZES], domains[i / SIZES], LIBRARY_ANY);
            struct span flat = span_make((enum scaleup_kind)scaleup, 1, sizes[i % SIZES], (int)(i % 4));
            for (size_t a = 0; algorithms[a] != NULL; a++) {
                for (enum collective kind = 0; kind < COLLECTIVE_KINDS; kind++) {
                    if (algorithm_offers(algorithms[a], &span, kind)) {
                        law(&span, algorithms[a], kind);
                    }
                    if (algorithm_offers(algorithms[a], &flat, kind)) {
                        law(&flat, algorithms[a], kind);
                    }
                }
            }
        }
    }
}

#define NAME(span, algorithm, kind)                                                                                    \
    (algorithm)->name, collective_names[kind], (long long)(span)->outer, (long long)(span)->inner

static void above_bound(const struct span *span, const struct algorithm *algorithm, enum collective kind) {
    double before = 0;
    for (double bytes = 8; bytes <= 8.0 * 1024 * 1024 * 1024; bytes *= 2) {
        double seconds = algorithm->seconds(span, kind, bytes);
        double bound = collective_bound(span, kind, bytes);
        cr_assert(isfinite(seconds) && seconds > 0, "%s %s %lldx%lld: %g s", NAME(span, algorithm, kind), seconds);
        cr_assert(seconds >= bound * (1 - 1e-12), "%s %s %lldx%lld, %g B: %g s below the bound %g",
                  NAME(span, algorithm, kind), bytes, seconds, bound);
        cr_assert(seconds > before, "%s %s %lldx%lld: %g B faster than half of it", NAME(span, algorithm, kind), bytes);
        before = seconds;
    }
}

Test(collective, above_bound) {
    sweep(above_bound);
}

static void monotone(const struct span *span, const struct algorithm *algorithm, enum collective kind) {
    struct span slow[6] = {*span, *span, *span, *span, *span, *span};
    const char *const names[] = {"inner rates", "outer rates", "inner latency", "outer latency", "multicast", "all"};
    slow[0].inner_rate *= 0.7;
    slow[0].inner_exchange *= 0.7;
    slow[0].pair_rate *= 0.7;
    slow[1].outer_rate *= 0.7;
    slow[1].outer_exchange *= 0.7;
    slow[2].inner_latency *= 1.7;
    slow[3].outer_latency *= 1.7;
    slow[4].multicast_rate *= 0.7;
    slow[5] = slow[0];
    slow[5].outer_rate *= 0.7;
    slow[5].outer_exchange *= 0.7;
    slow[5].multicast_rate *= 0.7;
    for (double bytes = 8; bytes <= 8.0 * 1024 * 1024 * 1024; bytes *= 16) {
        double seconds = algorithm->seconds(span, kind, bytes);
        for (size_t i = 0; i < 6; i++) {
            double slower = algorithm->seconds(&slow[i], kind, bytes);
            bool strictly = i == 5; /* something carries the bytes */
            cr_assert(slower >= seconds * (1 - 1e-15) && (!strictly || slower > seconds),
                      "%s %s %lldx%lld, %g B: worse %s give %g after %g", NAME(span, algorithm, kind), bytes, names[i],
                      slower, seconds);
        }
    }
}

Test(collective, monotone) {
    sweep(monotone);
}

Test(collective, choice_is_least) {
    for (int library = LIBRARY_NCCL; library <= LIBRARY_ANY; library++) {
        for (size_t i = 0; i < SIZES * DOMAINS; i++) {
            struct span span = span_make(SCALEUP_SWITCH, sizes[i % SIZES], domains[i / SIZES], library);
            for (enum collective kind = 0; kind < COLLECTIVE_KINDS; kind++) {
                for (double bytes = 8; bytes <= 8.0 * 1024 * 1024 * 1024; bytes *= 8) {
                    const struct algorithm *choice = NULL;
                    double seconds = collective_seconds(&span, kind, bytes, &choice);
                    cr_assert(choice != NULL, "library %d has no %s for %lldx%lld", library, collective_names[kind],
                              (long long)span.outer, (long long)span.inner);
                    cr_assert(seconds == span.base_latency + choice->seconds(&span, kind, bytes));
                    for (size_t a = 0; algorithms[a] != NULL; a++) {
                        if (algorithm_offers(algorithms[a], &span, kind)) {
                            double other = span.base_latency + algorithms[a]->seconds(&span, kind, bytes);
                            cr_assert(seconds <= other, "%s beats %s", algorithms[a]->name, choice->name);
                        }
                    }
                }
            }
        }
    }
}

/* Every library on every kind of domain has an answer to every collective, also for groups of one. */
Test(collective, always_an_answer) {
    for (int scaleup = SCALEUP_SWITCH; scaleup <= SCALEUP_PAIRS; scaleup++) {
        for (int library = LIBRARY_NCCL; library <= LIBRARY_ANY; library++) {
            for (int64_t inner = 1; inner <= 9; inner++) {
                for (int64_t outer = 1; outer <= 3; outer++) {
                    struct span span = span_make((enum scaleup_kind)scaleup, inner, outer, library);
                    span.size -= outer > 1 && inner > 1; /* ragged */
                    for (enum collective kind = 0; kind < COLLECTIVE_KINDS; kind++) {
                        double seconds = collective_seconds(&span, kind, 1e6, NULL);
                        bool alone = span.size == 1;
                        cr_assert(isfinite(seconds) && (alone ? seconds == 0 : seconds > 0), "%s: %g s",
                                  collective_names[kind], seconds);
                        cr_assert(collective_seconds(&span, kind, 0, NULL) == 0);
                        cr_assert(alone ? collective_bound(&span, kind, 1e6) == 0
                                        : collective_bound(&span, kind, 1e6) <= seconds);
                    }
                }
            }
        }
    }
}

/* In closed form, a ring over twice the ranks takes more; a flat ring is never slower than its slowest level alone. */
Test(collective, more_ranks_take_longer) {
    for (enum collective kind = COLLECTIVE_ALL_REDUCE; kind <= COLLECTIVE_REDUCE_SCATTER; kind++) {
        double before = 0;
        for (int64_t outer = 1; outer <= 4096; outer *= 2) {
            struct span span = span_make(SCALEUP_SWITCH, 1, outer, LIBRARY_NCCL);
            double seconds = collective_seconds(&span, kind, 1e9, NULL);
            cr_assert(seconds > before || outer == 1, "%s: %lld ranks", collective_names[kind], (long long)outer);
            before = seconds;
        }
    }
}
