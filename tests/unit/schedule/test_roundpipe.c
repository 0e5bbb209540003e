/* RoundPipe: the slot model's oracle, the recurrence against micro-batches played one by one, cuts against all cuts. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/random.h"
#include "oracle.h"
#include "schedule/execute.h"
#include "schedule/order.h"
#include "schedule/roundpipe.h"
#include "schedule/schedule.h"

static bool near(double a, double b) {
    return fabs(a - b) < 1e-9 * fmax(1, fabs(b));
}

/* Every micro-batch of every slot in turn. */
static double played(int64_t ranks, int64_t micro_batches, const double *seconds, int64_t count, double hop) {
    static double end[200][40];
    double last = 0;
    for (int64_t k = 0; k < count; k++) {
        double now = k >= ranks ? end[k - ranks][micro_batches - 1] : 0;
        for (int64_t j = 0; j < micro_batches; j++) {
            now = fmax(now, k > 0 ? end[k - 1][j] + hop : 0) + seconds[k];
            end[k][j] = now;
        }
        last = now;
    }
    return last;
}

Test(roundpipe, equals_the_oracle) {
    struct arena *arena = support_arena();
    struct oracle oracle;
    cr_assert(oracle_open(&oracle, arena, "roundpipe.csv"));
    int rows = 0, formulas = 0;
    while (oracle_next(&oracle)) {
        int64_t ranks = oracle_count(&oracle, "N_gpus"), m = oracle_count(&oracle, "M_microbatches");
        int64_t slots = oracle_count(&oracle, "slots") * oracle_count(&oracle, "iters_chained");
        double t = oracle_number(&oracle, "slot_time");
        double makespan = roundpipe_makespan(ranks, m, &t, 1, slots, 0);
        cr_expect(near(makespan, oracle_number(&oracle, "makespan")), "N %lld M %lld Q %lld: %g", (long long)ranks,
                  (long long)m, (long long)slots, makespan);
        double bubble = 1 - (double)(slots * m) * t / ((double)ranks * makespan);
        cr_expect(fabs(bubble - oracle_number(&oracle, "bubble")) < 1e-6, "bubble %g", bubble);
        if (*oracle_field(&oracle, "formula_single_iter") != '\0') {
            cr_expect(near(makespan, oracle_number(&oracle, "formula_single_iter")));
            formulas++;
        }
        rows++;
    }
    cr_expect_eq(rows, 72, "%d rows", rows);
    cr_expect_eq(formulas, 36, "%d rows with a formula", formulas);
    arena_close(arena);
}

Test(roundpipe, recurrence_is_exact_for_unlike_slots) {
    struct random random;
    random_stream(&random, 1, "roundpipe", 0);
    for (int round = 0; round < 3000; round++) {
        double seconds[60];
        int64_t ranks = 1 + random_below(&random, 9), m = 1 + random_below(&random, 20);
        int64_t count = 1 + random_below(&random, 60);
        for (int64_t k = 0; k < count; k++) {
            seconds[k] = 0.1 + random_unit(&random) * 3;
        }
        double hop = random_below(&random, 2) ? random_unit(&random) : 0;
        double got = roundpipe_makespan(ranks, m, seconds, count, count, hop);
        cr_assert(near(got, played(ranks, m, seconds, count, hop)), "%lld ranks, %lld micro-batches, %lld slots",
                  (long long)ranks, (long long)m, (long long)count);
    }
}

/* The order of passes, executed, takes what the chain of slots takes. */
Test(roundpipe, order_takes_what_the_slots_take) {
    struct arena *arena = support_arena();
    for (int64_t p = 2; p <= 6; p++) {
        for (int64_t v = 1; v <= 3; v++) {
            for (int64_t m = 1; m <= 12; m++) {
                struct schedule_shape shape = {.ranks = p, .micro_batches = m, .chunks = v};
                const struct schedule *schedule = schedules[SCHEDULE_ROUNDPIPE];
                struct pass_times times = {.forward = 3, .backward = 4, .weight = 2, .hop = m % 3};
                double stage[3][64];
                struct order order;
                struct execution run;
                order_make(arena, schedule, &shape, &order);
                for (int64_t s = 0; s < order.stages; s++) {
                    stage[0][s] = 3;
                    stage[1][s] = 4;
                    stage[2][s] = 2;
                }
                struct stage_costs costs = {stage[0], stage[1], stage[2], NULL, times.hop};
                cr_assert(order_execute(arena, &order, &costs, &run));
                cr_expect(near(run.makespan, schedule->makespan(&shape, &times)), "p %lld v %lld m %lld: %g, not %g",
                          (long long)p, (long long)v, (long long)m, run.makespan, schedule->makespan(&shape, &times));
            }
        }
    }
    arena_close(arena);
}

/* The least max(slots, ranks) x longest slot over all cuts with the fused slot first, both sides cut anywhere. */
static double best_of_all(int64_t layers, const double *forward, const double *backward, int64_t ranks) {
    double least = INFINITY;
    for (unsigned cuts = 0; cuts < 1U << (2 * (layers - 1)); cuts++) {
        unsigned f = cuts & ((1U << (layers - 1)) - 1), b = cuts >> (layers - 1);
        int64_t from = layers - 1; /* the fused slot is the last piece of backward */
        while (from > 0 && (b >> (from - 1) & 1) == 0) {
            from--;
        }
        double longest = 0, sum = 0;
        int64_t slots = 1;
        for (int64_t i = 0; i < layers; i++) { /* pieces of backward */
            sum = i > 0 && (b >> (i - 1) & 1) ? backward[i] : sum + backward[i];
            slots += i > 0 && (b >> (i - 1) & 1);
            longest = fmax(longest, sum);
        }
        sum = 0;
        slots += from > 0;
        for (int64_t i = 0; i < from; i++) {
            sum = i > 0 && (f >> (i - 1) & 1) ? forward[i] : sum + forward[i];
            slots += i > 0 && (f >> (i - 1) & 1);
            longest = fmax(longest, sum);
        }
        least = fmin(least, (double)(slots > ranks ? slots : ranks) * longest);
    }
    return least;
}

Test(roundpipe, cuts_are_sound_and_near_the_best) {
    struct arena *arena = support_arena();
    struct random random;
    random_stream(&random, 2, "roundpipe-cut", 0);
    double worst = 0, sum = 0;
    int rounds = 200;
    for (int round = 0; round < rounds; round++) {
        double forward[7], backward[7], bytes[7];
        int64_t layers = 2 + random_below(&random, 6), ranks = 1 + random_below(&random, 6);
        for (int64_t i = 0; i < layers; i++) {
            forward[i] = 1 + (random_below(&random, 4) == 0 ? random_unit(&random) : 0);
            backward[i] = 3 * forward[i];
            bytes[i] = 1;
        }
        struct roundpipe_cut cut;
        cr_assert(roundpipe_cut_layers(arena, layers, forward, backward, bytes, 100, ranks, &cut));
        int64_t front = 0, back = 0;
        for (int64_t i = 0; i < cut.forward; i++) {
            front += cut.forward_layers[i];
        }
        for (int64_t i = 0; i < cut.slots - cut.forward; i++) {
            back += cut.backward_layers[i];
        }
        cr_expect_eq(back, layers, "backward covers all layers");
        cr_expect_eq(front, layers - cut.backward_layers[0], "forward covers all but the fused slot's");
        double cost = (double)(cut.slots > ranks ? cut.slots : ranks) * cut.slot;
        double best = best_of_all(layers, forward, backward, ranks);
        cr_expect(cost >= best * (1 - 1e-9), "better than the best: a slot is longer than it says");
        worst = fmax(worst, cost / best);
        sum += cost / best;
    }
    cr_expect(worst <= 1.45 && sum / rounds <= 1.10, "worst %g, mean %g of the best", worst, sum / rounds);
    double one = 1, heavy = 5;
    struct roundpipe_cut cut;
    cr_expect(!roundpipe_cut_layers(arena, 1, &one, &one, &heavy, 4, 2, &cut), "a layer that does not fit");
    arena_close(arena);
}
