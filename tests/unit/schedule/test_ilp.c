/* Optima of pipelines with split backward and one chunk a rank under a cap on activations, proven by an integer program
 * (ilp_zb.csv): no schedule of ours that keeps the cap is better, and zb-auto is nearly always as good. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "rows.h"

enum { ILP_ROWS = 150, ILP_MET = 146 };

struct optimum {
    int64_t cap; /* of the activations on a rank to the weight gradient; micro-batches where the row has "inf" */
    bool span;   /* of a rank, in place of the makespan */
    double value;
    double handcrafted[2]; /* what ZB-H1 and ZB-H2 reach with no cap */
};

static struct optimum optimum_of(const struct oracle *row) {
    const char *cap = oracle_field(row, "mem_limit_microbatches(held to W)");
    cr_assert(strcmp(oracle_field(row, "cbc_status"), "optimal") == 0);
    return (struct optimum){
        .cap = strcmp(cap, "inf") == 0 ? oracle_count(row, "m") : strtoll(cap, NULL, 10),
        .span = strcmp(oracle_field(row, "objective"), "span") == 0,
        .value = oracle_number(row, "optimum"),
        .handcrafted = {oracle_number(row, "handcrafted_zbh1"), oracle_number(row, "handcrafted_zbh2")}};
}

static bool within(const struct execution *run, int64_t ranks, int64_t cap) {
    for (int64_t rank = 0; rank < ranks; rank++) {
        if (run->ranks[rank].held_to_weight > cap) {
            return false;
        }
    }
    return true;
}

/* What the schedule reaches, -1 if it does not keep the cap. */
static double reach(struct arena *arena, const struct schedule *schedule, const struct oracle *row,
                    const struct optimum *optimum, bool *kept) {
    struct pass_times times = rows_times(row);
    struct schedule_shape shape = {.ranks = oracle_count(row, "p"),
                                   .micro_batches = oracle_count(row, "m"),
                                   .chunks = 1,
                                   .cap = optimum->cap,
                                   .times = &times};
    struct order order;
    struct execution run;
    cr_assert(schedule->refuse(&shape) == NULL);
    order_make(arena, schedule, &shape, &order);
    cr_assert(rows_execute(arena, &order, &times, &run));
    *kept = within(&run, shape.ranks, optimum->cap);
    return optimum->span ? run.span : run.makespan;
}

Test(ilp, no_schedule_is_better) {
    struct arena *arena = support_arena();
    struct oracle oracle;
    cr_assert(oracle_open(&oracle, arena, "ilp_zb.csv"));
    int rows = 0;
    int tried = 0;
    int met[2] = {0};
    while (oracle_next(&oracle)) {
        struct arena_place place = arena_mark(arena);
        struct optimum optimum = optimum_of(&oracle);
        for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
            const struct schedule *schedule = schedules[i];
            bool single = schedule->fixed_chunks == 1 || schedule == schedules[SCHEDULE_ZB_AUTO];
            if (!schedule->splits_backward || !single || schedule->ways != 1) {
                continue;
            }
            bool kept;
            double value = reach(arena, schedule, &oracle, &optimum, &kept);
            cr_expect(!kept || value >= optimum.value - 1e-9, "%s p=%s m=%s cap %ld: %g below the optimum %g",
                      schedule->name, oracle_field(&oracle, "p"), oracle_field(&oracle, "m"), (long)optimum.cap, value,
                      optimum.value);
            if (i == SCHEDULE_ZB_H1 || i == SCHEDULE_ZB_H2) {
                cr_expect(rows_near(value, optimum.handcrafted[i == SCHEDULE_ZB_H2]), "%s p=%s m=%s span %d: %g",
                          schedule->name, oracle_field(&oracle, "p"), oracle_field(&oracle, "m"), optimum.span, value);
            }
            if (i == SCHEDULE_ZB_AUTO) {
                cr_expect(kept, "zb-auto over its cap");
                met[optimum.span] += rows_near(value, optimum.value);
            }
            tried += kept;
        }
        rows++;
        arena_rewind(arena, place);
    }
    printf("%d rows, %d orders; zb-auto meets %d makespans and %d spans\n", rows, tried, met[0], met[1]);
    cr_expect(rows == ILP_ROWS, "%d rows", rows);
    cr_expect(met[0] + met[1] >= ILP_MET, "zb-auto meets %d of %d optima", met[0] + met[1], rows);
    arena_close(arena);
}
