/* What is kept of what is offered. */
#include <string.h>

#include <criterion/criterion.h>

#include "../support.h"
#include "base/random.h"
#include "search/best.h"

static struct candidate candidate(double value, int64_t serial, int64_t tp) {
    struct candidate c = {.values = {value}, .serial = {serial, 0}, .decision = {.parallel = {.tp = tp}}};
    return c;
}

Test(best, keeps_the_first_of_each_family) {
    static const struct {
        double value;
        int64_t serial, tp;
        const char *kept; /* tp of what is kept, best first */
    } rows[] = {
        {5, 1, 1, "1"},   {4, 2, 2, "21"},  {6, 3, 3, "213"}, {7, 4, 4, "213"}, {3, 5, 3, "321"},
        {3, 4, 4, "432"}, {9, 6, 4, "432"}, {3, 4, 5, "453"}, {3, 9, 4, "453"}, {3, 3, 3, "345"},
        {1, 9, 5, "534"}, {3, 2, 6, "563"}, {3, 2, 4, "564"},
    };
    struct arena *arena = support_arena();
    struct best best;
    best_init(&best, arena, 3, 1);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct candidate c = candidate(rows[i].value, rows[i].serial, rows[i].tp);
        best_offer(&best, &c);
        cr_expect(best.count == (int64_t)strlen(rows[i].kept), "row %zu: %lld kept", i, (long long)best.count);
        for (int64_t j = 0; j < best.count; j++) {
            cr_expect(best.items[j].decision.parallel.tp == rows[i].kept[j] - '0', "row %zu, place %lld: tp %lld", i,
                      (long long)j, (long long)best.items[j].decision.parallel.tp);
        }
    }
    arena_close(arena);
}

Test(best, families) {
    struct arena *arena = support_arena();
    const struct decision base = {.parallel = {.tp = 2, .pp = 2, .vpp = 2, .dp = 2, .cp = 2, .ep = 2, .etp = 2},
                                  .micro_batch = 2,
                                  .micro_batches = 2,
                                  .schedule = 3,
                                  .recompute = 1};
    struct decision same = base;
    same.parallel.order = 2;
    same.parallel.cp_kind = 3;
    same.parallel.ulysses = 2;
    same.parallel.sp = true;
    same.stages = 1;
    cr_expect(best_same_family(&base, &same));
    struct decision others[12];
    for (size_t i = 0; i < ROWS(others); i++) {
        others[i] = base;
    }
    others[0].parallel.tp = others[1].parallel.pp = others[2].parallel.vpp = others[3].parallel.dp = 3;
    others[4].parallel.cp = others[5].parallel.ep = others[6].parallel.etp = others[7].parallel.zero = 3;
    others[8].schedule = others[9].recompute = 2;
    others[10].micro_batch = others[11].micro_batch = 1;
    for (size_t i = 0; i < ROWS(others); i++) {
        cr_expect_not(best_same_family(&base, &others[i]), "other %zu", i);
    }
    arena_close(arena);
}

Test(best, rejects) {
    struct arena *arena = support_arena();
    struct best best;
    best_init(&best, arena, 2, 1);
    struct candidate c = candidate(5, 1, 1);
    double bound = 100;
    best_offer(&best, &c);
    cr_expect_not(best_rejects(&best, &bound), "there is room");
    c = candidate(6, 2, 2);
    best_offer(&best, &c);
    bound = 6;
    cr_expect_not(best_rejects(&best, &bound), "an equal may come earlier in the enumeration");
    bound = 6.0000001;
    cr_expect(best_rejects(&best, &bound));
    arena_close(arena);
}

/* A front against its definition, on random points with many ties; it grows past the room it begins with. */
Test(best, front) {
    enum { POINTS = 400 };
    for (uint64_t round = 0; round < 20; round++) {
        struct arena *arena = support_arena();
        struct random random;
        random_stream(&random, round, "front", 0);
        struct best best;
        best_init(&best, arena, 1, 2);
        struct candidate points[POINTS];
        uint32_t spread = round < 5 ? 6 : round < 10 ? 40 : 100000;
        for (int64_t i = 0; i < POINTS; i++) {
            points[i] = candidate(random_below(&random, spread), (i * 7) % POINTS, i); /* met out of turn */
            points[i].values[1] = random_below(&random, spread);
            if (round >= 15) { /* nothing dominates anything */
                points[i].values[0] = (double)i;
                points[i].values[1] = (double)-i;
            }
            best_offer(&best, &points[i]);
        }
        int64_t expected = 0;
        for (int64_t i = 0; i < POINTS; i++) {
            bool on_front = true;
            for (int64_t j = 0; j < POINTS && on_front; j++) {
                bool no_larger =
                    points[j].values[0] <= points[i].values[0] && points[j].values[1] <= points[i].values[1];
                bool equal = points[j].values[0] == points[i].values[0] && points[j].values[1] == points[i].values[1];
                on_front = i == j || !no_larger || (equal && points[j].serial.shape > points[i].serial.shape);
            }
            expected += on_front ? 1 : 0;
            bool found = false;
            for (int64_t k = 0; k < best.count; k++) {
                found = found || best.items[k].decision.parallel.tp == i;
            }
            cr_expect(found == on_front, "round %llu, point %lld", (unsigned long long)round, (long long)i);
            cr_expect(!on_front || !best_rejects(&best, points[i].values),
                      "round %llu: a point of the front is rejected", (unsigned long long)round);
        }
        cr_expect(expected == best.count, "round %llu: %lld kept, %lld on the front", (unsigned long long)round,
                  (long long)best.count, (long long)expected);
        const double under[] = {-1e9, -1e9}, beyond[] = {1e9, 1e9};
        cr_expect(!best_rejects(&best, under) && best_rejects(&best, beyond));
        arena_close(arena);
    }
}
