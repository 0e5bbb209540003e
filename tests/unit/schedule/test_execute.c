/* Executed times, spans, bubbles and peaks equal the oracle's; closed forms and in-flight counts equal them too; orders
 * worked out by hand on unequal stages; orders that cannot run. */
#include <criterion/criterion.h>
#include <math.h>

#include "oracle.h"
#include "schedule/execute.h"
#include "schedule/schedule.h"

enum { STAGES = 64 };

struct equal_stages {
    double forward[STAGES], backward[STAGES], weight[STAGES], pair[STAGES];
};

static void fill(double *values, double value) {
    for (int i = 0; i < STAGES; i++) {
        values[i] = value;
    }
}

static struct stage_costs equal_costs(struct equal_stages *stages, const struct pass_times *times) {
    fill(stages->forward, times->forward);
    fill(stages->backward, times->backward);
    fill(stages->weight, times->weight);
    fill(stages->pair, times->pair);
    return (struct stage_costs){.forward = stages->forward,
                                .backward = stages->backward,
                                .weight = stages->weight,
                                .pair = times->pair > 0 ? stages->pair : NULL,
                                .hop = times->hop};
}

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

/* "4 3 2 1": one count a rank. */
static int64_t count_at(const char *list, int64_t rank) {
    char *end;
    int64_t count = 0;
    for (int64_t i = 0; i <= rank; i++) {
        count = strtoll(list, &end, 10);
        list = end;
    }
    return count;
}

static void check_row(struct arena *arena, const struct oracle *oracle) {
    const struct schedule *schedule = oracle_schedule(oracle);
    struct schedule_shape shape = {oracle_count(oracle, "p"), oracle_count(oracle, "m"),
                                   oracle_count(oracle, "chunks_per_rank")};
    struct pass_times times = {oracle_number(oracle, "tF"), oracle_number(oracle, "tB"), oracle_number(oracle, "tW"),
                               oracle_number(oracle, "tFB"), oracle_number(oracle, "tcomm")};
    const char *row = arena_format(arena, "%s p=%ld m=%ld v=%ld tF=%g tFB=%g c=%g", schedule->name, (long)shape.ranks,
                                   (long)shape.micro_batches, (long)shape.chunks, times.forward, times.pair, times.hop);
    struct equal_stages stages;
    struct stage_costs costs = equal_costs(&stages, &times);
    struct order order;
    struct execution execution;
    order_make(arena, schedule, &shape, &order);
    cr_assert(order_execute(arena, &order, &costs, &execution), "%s: deadlock", row);
    double makespan = oracle_number(oracle, "makespan");
    cr_expect(near(execution.makespan, makespan), "%s: makespan %g, want %g", row, execution.makespan, makespan);
    double closed = schedule->makespan(&shape, &times);
    cr_expect(near(closed, makespan), "%s: closed form %.12g, want %g", row, closed, makespan);
    double span = oracle_number(oracle, "max_rank_span");
    cr_expect(near(execution.span, span), "%s: span %g, want %g", row, execution.span, span);
    double bubble = execution_bubble(&execution, shape.ranks);
    cr_expect(fabs(bubble - oracle_number(oracle, "bubble_total")) < 1e-6, "%s: bubble %g", row, bubble);
    double idle = execution_span_bubble(&execution, shape.ranks);
    cr_expect(fabs(idle - oracle_number(oracle, "bubble_span")) < 1e-6, "%s: bubble of the span %g", row, idle);
    for (int64_t rank = 0; rank < shape.ranks; rank++) {
        const struct rank_run *run = &execution.ranks[rank];
        int64_t to_backward = count_at(oracle_field(oracle, "peak_chunkacts_heldtoB_per_rank"), rank);
        int64_t to_weight = count_at(oracle_field(oracle, "peak_chunkacts_heldtoW_per_rank"), rank);
        cr_expect(run->held_to_backward == to_backward && run->held_to_weight == to_weight,
                  "%s rank %ld: holds %ld and %ld, want %ld and %ld", row, (long)rank, (long)run->held_to_backward,
                  (long)run->held_to_weight, (long)to_backward, (long)to_weight);
        cr_expect(near(schedule->in_flight(&shape, rank), (double)to_backward), "%s rank %ld: in flight", row,
                  (long)rank);
        cr_expect(near(schedule->in_flight_to_weight(&shape, rank), (double)to_weight),
                  "%s rank %ld: in flight to weight", row, (long)rank);
    }
}

Test(execute, equals_the_oracle) {
    struct arena *arena = support_arena();
    struct oracle oracle;
    cr_assert(oracle_open(&oracle, arena, "pp_metrics.csv"));
    int rows[SCHEDULE_COUNT] = {0};
    while (oracle_next(&oracle)) {
        if (oracle_schedule(&oracle) != NULL) {
            struct arena_place place = arena_mark(arena);
            check_row(arena, &oracle);
            arena_rewind(arena, place);
            rows[oracle_index(oracle_schedule(&oracle))]++;
        }
    }
    const struct oracle_rows want[] = {
        {SCHEDULE_GPIPE, 48},    {SCHEDULE_1F1B, 40},   {SCHEDULE_EAGER_1F1B, 48}, {SCHEDULE_INTERLEAVED, 72},
        {SCHEDULE_ZB_H1, 40},    {SCHEDULE_ZB_H2, 40},  {SCHEDULE_ZB_V, 40},       {SCHEDULE_INTERLEAVED_ZB, 76},
        {SCHEDULE_DUALPIPE, 64}, {SCHEDULE_CHIMERA, 32}, {SCHEDULE_DUALPIPEV, 64},  {SCHEDULE_WAVE, 52 + 40}};
    for (size_t i = 0; i < ROWS(want); i++) {
        enum schedule_name name = want[i].schedule;
        cr_expect(rows[name] == want[i].rows, "%s: %d rows, want %d", schedule_names[name], rows[name], want[i].rows);
    }
    arena_close(arena);
}

/* p = 2, m = 2, 1F1B: rank 0 F0 F1 D0 D1, rank 1 F0 D0 F1 D1; stage 0 takes 2 + 1 + 1, stage 1 3 + 4 + 2, hop 0.5:
 *   rank 0   F0 0-2, F1 2-4, D0 12-14, D1 21-23       rank 1   F0 2.5-5.5, D0 5.5-11.5, F1 11.5-14.5, D1 14.5-20.5 */
Test(execute, unequal_stages_by_hand) {
    struct arena *arena = support_arena();
    const double forward[] = {2, 3};
    const double backward[] = {1, 4};
    const double weight[] = {1, 2};
    struct stage_costs costs = {forward, backward, weight, NULL, 0.5};
    struct schedule_shape shape = {2, 2, 1};
    struct order order;
    struct execution run;
    order_make(arena, schedules[SCHEDULE_1F1B], &shape, &order);
    cr_assert(order_execute(arena, &order, &costs, &run));
    const double starts[] = {0, 2, 12, 21, 2.5, 5.5, 11.5, 14.5};
    const double ends[] = {2, 4, 14, 23, 5.5, 11.5, 14.5, 20.5};
    for (size_t i = 0; i < ROWS(starts); i++) {
        cr_expect(near(run.starts[i], starts[i]) && near(run.ends[i], ends[i]), "pass %zu: %g-%g, want %g-%g", i,
                  run.starts[i], run.ends[i], starts[i], ends[i]);
    }
    cr_expect(near(run.makespan, 23) && near(run.span, 23), "makespan %g span %g", run.makespan, run.span);
    cr_expect(near(run.ranks[0].busy, 8) && near(run.ranks[1].busy, 18));
    cr_expect(near(run.ranks[1].start, 2.5) && near(run.ranks[1].end, 20.5));
    cr_expect(near(execution_bubble(&run, 2), 1 - 26.0 / 46));
    cr_expect(near(execution_span_bubble(&run, 2), 15.0 / 23));
    arena_close(arena);
}

/* A pair without a time of its own takes what its parts take: the forward of one stage, the backward of another. */
Test(execute, pair_of_unequal_stages) {
    struct arena *arena = support_arena();
    const double forward[] = {1, 10};
    const double backward[] = {100, 1000};
    const double weight[] = {10000, 100000};
    const double pair[] = {7};
    const struct pass passes[] = {
        {PASS_FORWARD, {0, 0, 0}, {0, 0, 0}}, {PASS_FORWARD, {1, 0, 0}, {0, 0, 0}}, {PASS_PAIR, {0, 1, 0}, {1, 0, 0}}};
    const int64_t first[] = {0, 3};
    struct order order = {passes, first, 1, 2, 2, 1};
    struct stage_costs costs = {forward, backward, weight, NULL, 0};
    struct execution run;
    cr_assert(order_execute(arena, &order, &costs, &run));
    cr_expect(near(run.makespan, 1 + 10 + 1 + 1000 + 100000), "makespan %g", run.makespan);
    costs.pair = pair;
    cr_assert(order_execute(arena, &order, &costs, &run));
    cr_expect(near(run.makespan, 1 + 10 + 7), "makespan %g", run.makespan);
    arena_close(arena);
}

/* p = 2, m = 2, the vocabulary on both ranks: S(r, j) waits for F1.j (a hop away for rank 0), its all-reduce for both
 * S, T for the all-reduce, BW1.j for the first all-reduce or for that behind T (F 1, BW 2, S 0.5, T 0.25, all-reduce
 * 0.125, hop 0.0625). */
Test(execute, vocabulary_on_all_ranks) {
    struct arena *arena = support_arena();
    const double one[] = {1, 1};
    const struct stage_costs costs = {.forward = one, .backward = one, .weight = one, .hop = 0.0625,
                                      .shard = 0.5, .shard_end = 0.25, .barrier = 0.125};
    const struct pass passes[] = {{PASS_FORWARD, {0, 0, 0}}, {PASS_SHARD, {0, 0, 0}}, {PASS_SHARD_END, {0, 0, 0}},
                                  {PASS_FULL, {0, 0, 0}},    {PASS_FORWARD, {1, 0, 0}}, {PASS_SHARD, {1, 0, 0}},
                                  {PASS_SHARD_END, {1, 0, 0}}, {PASS_FULL, {1, 0, 0}}};
    const int64_t first[] = {0, 4, 8};
    struct order order = {.passes = passes, .first = first, .ranks = 2, .stages = 2, .micro_batches = 1, .ways = 1};
    struct execution run;
    cr_expect(!order_execute(arena, &order, &costs, &run), "no shards without barriers");
    cr_expect(run.reached[0] == 1 && run.reached[1] == 5);
    const struct {
        int64_t barriers;
        double starts[8];
    } rows[] = {
        /* F1.0 ends at 2.0625, S0.0 runs 2.125-2.625: its all-reduce ends at 2.75 */
        {1, {0, 2.125, 2.75, 5.0625, 1.0625, 2.0625, 2.75, 3}},
        /* both T end at 3, the all-reduce behind them at 3.125 */
        {2, {0, 2.125, 2.75, 5.1875, 1.0625, 2.0625, 2.75, 3.125}},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        order.barriers = rows[i].barriers;
        cr_assert(order_execute(arena, &order, &costs, &run));
        for (size_t j = 0; j < ROWS(rows[i].starts); j++) {
            cr_expect(near(run.starts[j], rows[i].starts[j]), "%ld barriers, pass %zu: %g, want %g",
                      (long)order.barriers, j, run.starts[j], rows[i].starts[j]);
        }
        cr_expect(near(run.ranks[0].busy, 3.75) && run.ranks[0].held_to_backward == 1);
    }
    /* with one barrier the backward need not wait for T */
    const struct pass late[] = {{PASS_FORWARD, {0, 0, 0}}, {PASS_SHARD, {0, 0, 0}}, {PASS_FULL, {0, 0, 0}},
                                {PASS_SHARD_END, {0, 0, 0}}};
    const int64_t alone[] = {0, 4};
    order = (struct order){.passes = late, .first = alone, .ranks = 1, .stages = 1, .micro_batches = 1, .ways = 1,
                           .barriers = 1};
    cr_assert(order_execute(arena, &order, &costs, &run));
    cr_expect(near(run.starts[2], 1.625) && near(run.starts[3], 3.625));
    order.barriers = 2;
    cr_expect(!order_execute(arena, &order, &costs, &run) && run.reached[0] == 2);
    arena_close(arena);
}

/* Micro-batch 0 leaves out stage 1: from stage 0 straight to stage 2 and back. */
Test(execute, paths) {
    struct arena *arena = support_arena();
    const double one[] = {1, 1, 1};
    const struct stage_costs costs = {.forward = one, .backward = one, .weight = one, .hop = 0.5};
    const int32_t before[] = {-1, ORDER_SKIPPED, 0};
    const int32_t behind[] = {2, ORDER_SKIPPED, -1};
    const struct pass passes[] = {{PASS_FORWARD, {0, 0, 0}}, {PASS_FULL, {0, 0, 0}}, {PASS_FORWARD, {2, 0, 0}},
                                  {PASS_FULL, {2, 0, 0}}};
    const int64_t first[] = {0, 2, 2, 4};
    struct order order = {.passes = passes, .first = first, .ranks = 3, .stages = 3, .micro_batches = 1, .ways = 1,
                          .before = before, .behind = behind};
    struct execution run;
    cr_assert(order_execute(arena, &order, &costs, &run));
    const double starts[] = {0, 5, 1.5, 2.5};
    for (size_t i = 0; i < ROWS(starts); i++) {
        cr_expect(near(run.starts[i], starts[i]), "pass %zu: %g, want %g", i, run.starts[i], starts[i]);
    }
    cr_expect(near(run.makespan, 7) && near(run.ranks[1].end, 0));
    /* what a micro-batch leaves out is never ready, neither forward nor backward */
    const struct pass left_out[] = {{PASS_FORWARD, {0, 0, 0}}, {PASS_FORWARD, {1, 0, 0}}, {PASS_FULL, {1, 0, 0}}};
    const int64_t split[] = {0, 1, 3, 3};
    struct order wrong = order;
    wrong.passes = left_out;
    wrong.first = split;
    cr_expect(!order_execute(arena, &wrong, &costs, &run) && run.reached[1] == 1);
    order.before = order.behind = NULL; /* all stages: nobody runs stage 1 */
    cr_expect(!order_execute(arena, &order, &costs, &run) && run.reached[0] == 1 && run.reached[2] == 2);
    arena_close(arena);
}

/* What cannot run is told with the pass at which each rank stands. */
Test(execute, deadlock) {
    struct arena *arena = support_arena();
    const double one[] = {1, 1};
    struct stage_costs costs = {one, one, one, NULL, 0};
    struct execution run;
    /* Rank 0 wants its backward before its second forward, rank 1 both forwards first. */
    const struct pass cycle[] = {{PASS_FORWARD, {0, 0, 0}, {0, 0, 0}}, {PASS_FULL, {0, 0, 0}, {0, 0, 0}},
                                 {PASS_FORWARD, {0, 1, 0}, {0, 0, 0}}, {PASS_FORWARD, {1, 0, 0}, {0, 0, 0}},
                                 {PASS_FORWARD, {1, 1, 0}, {0, 0, 0}}, {PASS_FULL, {1, 0, 0}, {0, 0, 0}}};
    const int64_t first[] = {0, 3, 6};
    struct order order = {cycle, first, 2, 2, 2, 1};
    cr_expect(!order_execute(arena, &order, &costs, &run));
    cr_expect(run.reached[0] == 1 && run.reached[1] == 4, "stands at %ld and %ld", (long)run.reached[0],
              (long)run.reached[1]);
    cr_expect(near(run.makespan, 2), "makespan so far %g", run.makespan);
    /* One rank that wants a weight gradient before the input gradient. */
    const struct pass early[] = {{PASS_FORWARD, {0, 0, 0}, {0, 0, 0}},
                                 {PASS_WEIGHT, {0, 0, 0}, {0, 0, 0}},
                                 {PASS_BACKWARD, {0, 0, 0}, {0, 0, 0}}};
    const int64_t alone[] = {0, 3};
    struct order wrong = {early, alone, 1, 1, 1, 1};
    cr_expect(!order_execute(arena, &wrong, &costs, &run));
    cr_expect(run.reached[0] == 1);
    /* A backward before its own forward. */
    const struct pass upside[] = {{PASS_FULL, {0, 0, 0}, {0, 0, 0}}, {PASS_FORWARD, {0, 0, 0}, {0, 0, 0}}};
    const int64_t two[] = {0, 2};
    struct order down = {upside, two, 1, 1, 1, 1};
    cr_expect(!order_execute(arena, &down, &costs, &run));
    cr_expect(run.reached[0] == 0 && near(run.makespan, 0));
    arena_close(arena);
}
