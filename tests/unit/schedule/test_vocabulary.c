/* Vocabulary Parallelism: orders, times and memory equal vocab.csv and vocab_orders.csv; what the head on the last
 * stage alone would cost; closed forms and activations in flight over random times. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/random.h"
#include "rows.h"

enum { VOCAB_ROWS = 48, VOCAB_LINES = 224 };

static struct pass_times times_of(const struct oracle *row) {
    bool metrics = *oracle_field(row, "tS_per_rank") != '\0';
    return (struct pass_times){.forward = oracle_number(row, "tF"),
                               .backward = oracle_number(row, "tBW") / 2,
                               .weight = oracle_number(row, "tBW") / 2,
                               .hop = oracle_number(row, "tcomm"),
                               .shard = oracle_number(row, metrics ? "tS_per_rank" : "tS"),
                               .shard_end = oracle_number(row, metrics ? "tT_per_rank" : "tT"),
                               .barrier = oracle_number(row, "tallreduce")};
}

static const struct schedule *schedule_of(const struct oracle *row) {
    return schedules[oracle_count(row, "barriers") == 2 ? SCHEDULE_VOCAB_1 : SCHEDULE_VOCAB_2];
}

static struct schedule_shape shape_of(const struct oracle *row, const struct pass_times *times) {
    return (struct schedule_shape){
        .ranks = oracle_count(row, "p"), .micro_batches = oracle_count(row, "m"), .chunks = 1, .times = times};
}

/* 1F1B whose last stage has all of the head: p S and T of a shard each. */
static double naive(struct arena *arena, const struct schedule_shape *shape) {
    double forward[ROW_STAGES];
    double backward[ROW_STAGES];
    const double none[ROW_STAGES] = {0};
    const struct pass_times *times = shape->times;
    for (int64_t stage = 0; stage < shape->ranks; stage++) {
        bool last = stage + 1 == shape->ranks;
        forward[stage] = times->forward + (last ? (double)shape->ranks * times->shard : 0);
        backward[stage] = pass_backward(times) + (last ? (double)shape->ranks * times->shard_end : 0);
    }
    struct stage_costs costs = {.forward = forward, .backward = backward, .weight = none, .hop = times->hop};
    struct order order;
    struct execution run;
    order_make(arena, schedules[SCHEDULE_1F1B], shape, &order);
    cr_assert(order_execute(arena, &order, &costs, &run));
    return run.makespan;
}

static void check_row(struct arena *arena, const struct oracle *row) {
    struct pass_times times = times_of(row);
    struct schedule_shape shape = shape_of(row, &times);
    const struct schedule *schedule = schedule_of(row);
    struct order order;
    struct execution run;
    int64_t held[ROW_RANKS];
    rows_counts(oracle_field(row, "peak_inflight"), shape.ranks, held);
    const char *name = arena_format(arena, "%s p=%ld m=%ld S=%g all-reduce %g", schedule->name, (long)shape.ranks,
                                    (long)shape.micro_batches, times.shard, times.barrier);
    order_make(arena, schedule, &shape, &order);
    cr_assert(order_refuse(arena, &order, schedule->placement) == NULL, "%s: %s", name,
              order_refuse(arena, &order, schedule->placement));
    cr_assert(rows_execute(arena, &order, &times, &run), "%s: deadlock", name);
    cr_expect(rows_near(run.makespan, oracle_number(row, "makespan")), "%s: makespan %g", name, run.makespan);
    for (int64_t rank = 0; rank < shape.ranks; rank++) {
        const struct rank_run *at = &run.ranks[rank];
        cr_expect(rows_near(at->busy, oracle_number(row, "work_per_rank")), "%s: work %g", name, at->busy);
        cr_expect(rows_near(run.makespan - at->busy, oracle_number(row, "idle_per_rank")), "%s: idle", name);
        cr_expect(at->held_to_backward == held[rank] && at->held_to_weight == held[rank], "%s rank %ld: holds %ld",
                  name, (long)rank, (long)at->held_to_backward);
        cr_expect(schedule->in_flight(&shape, rank) >= (double)held[rank], "%s rank %ld: in flight", name, (long)rank);
    }
    cr_expect(rows_near(naive(arena, &shape), oracle_number(row, "naive_1f1b_makespan_head_on_last_stage")),
              "%s: head on the last stage %g", name, naive(arena, &shape));
}

Test(vocabulary, equals_the_oracle) {
    struct arena *arena = support_arena();
    struct oracle oracle;
    cr_assert(oracle_open(&oracle, arena, "vocab.csv"));
    int rows = 0;
    for (; oracle_next(&oracle); rows++) {
        struct arena_place place = arena_mark(arena);
        check_row(arena, &oracle);
        arena_rewind(arena, place);
    }
    cr_expect(rows == VOCAB_ROWS, "%d rows", rows);
    arena_close(arena);
}

/* The file writes "B2" for a full backward and leaves the stage out, which is the rank. */
static const char *line_of(struct arena *arena, const struct order *order, int64_t rank) {
    struct text text;
    text_init(&text, arena);
    for (int64_t i = order->first[rank]; i < order->first[rank + 1]; i++) {
        const struct pass *pass = &order->passes[i];
        cr_assert(pass->visit.stage == rank && pass->visit.way == 0);
        const char *letter = pass->kind == PASS_FORWARD     ? "F"
                             : pass->kind == PASS_SHARD     ? "S"
                             : pass->kind == PASS_SHARD_END ? "T"
                                                            : "B";
        text_add_format(&text, "%s%s%d", i > order->first[rank] ? " " : "", letter, (int)pass->visit.micro_batch);
    }
    return text.data;
}

Test(vocabulary, orders) {
    struct arena *arena = support_arena();
    struct oracle oracle;
    cr_assert(oracle_open(&oracle, arena, "vocab_orders.csv"));
    int lines = 0;
    for (; oracle_next(&oracle); lines++) {
        struct arena_place place = arena_mark(arena);
        struct pass_times times = times_of(&oracle);
        struct schedule_shape shape = shape_of(&oracle, &times);
        struct order order;
        order_make(arena, schedule_of(&oracle), &shape, &order);
        const char *line = line_of(arena, &order, oracle_count(&oracle, "rank"));
        cr_expect(strcmp(line, oracle_field(&oracle, "order")) == 0, "line %d: %s", lines, line);
        arena_rewind(arena, place);
    }
    cr_expect(lines == VOCAB_LINES, "%d lines", lines);
    arena_close(arena);
}

static double between(struct random *random, double low, double high) {
    return low + (high - low) * random_unit(random);
}

struct sample {
    struct pass_times times;
    struct schedule_shape shape;
    struct execution run;
};

/* Times as transformer layers have them; with latency up to T / 10 and all-reduces up to 0.3 tF. */
static void draw(struct arena *arena, struct random *random, const struct schedule *schedule, bool latency,
                 struct sample *sample) {
    struct order order;
    sample->times = (struct pass_times){.forward = 1,
                                        .backward = between(random, 0.8, 1.3),
                                        .weight = between(random, 0.4, 1),
                                        .shard = between(random, 0.05, 0.45),
                                        .shard_end = between(random, 0.05, 0.45)};
    if (latency) {
        sample->times.hop = between(random, 0, 0.1) * pass_full(&sample->times);
        sample->times.barrier = between(random, 0, 0.3);
    }
    int64_t ranks = 2 + (int64_t)random_below(random, 15);
    sample->shape = (struct schedule_shape){.ranks = ranks,
                                            .micro_batches = 1 + (int64_t)random_below(random, (uint32_t)(4 * ranks)),
                                            .chunks = 1,
                                            .times = &sample->times};
    order_make(arena, schedule, &sample->shape, &order);
    cr_assert(order_refuse(arena, &order, schedule->placement) == NULL);
    cr_assert(rows_execute(arena, &order, &sample->times, &sample->run));
}

/* Largest and mean part of the executed makespan by which closed forms are off, as the schedules' files say. */
static const struct {
    enum schedule_name name;
    bool latency;
    double mean, most;
} limits[] = {{SCHEDULE_VOCAB_2, false, 1e-9, 1e-9},
              {SCHEDULE_VOCAB_2, true, 0.012, 0.12},
              {SCHEDULE_VOCAB_1, false, 0.003, 0.07},
              {SCHEDULE_VOCAB_1, true, 0.014, 0.12}};

Test(vocabulary, closed_forms_and_memory) {
    struct arena *arena = support_arena();
    enum { ROUNDS = 600 };
    for (size_t i = 0; i < ROWS(limits); i++) {
        const struct schedule *schedule = schedules[limits[i].name];
        double sum = 0;
        for (uint64_t round = 0; round < ROUNDS; round++) {
            struct arena_place place = arena_mark(arena);
            struct random random;
            struct sample sample;
            random_stream(&random, 1 + i, schedule->name, round);
            draw(arena, &random, schedule, limits[i].latency, &sample);
            double closed = schedule->makespan(&sample.shape, &sample.times);
            double off = fabs(closed / sample.run.makespan - 1);
            cr_expect(off <= limits[i].most, "%s p=%ld m=%ld: %g, executed %g", schedule->name,
                      (long)sample.shape.ranks, (long)sample.shape.micro_batches, closed, sample.run.makespan);
            sum += off;
            for (int64_t rank = 0; rank < sample.shape.ranks; rank++) {
                int64_t held = sample.run.ranks[rank].held_to_backward;
                int64_t told = (int64_t)schedule->in_flight(&sample.shape, rank);
                cr_expect(limits[i].latency ? held <= told : held == told, "%s p=%ld m=%ld rank %ld: %ld, told %ld",
                          schedule->name, (long)sample.shape.ranks, (long)sample.shape.micro_batches, (long)rank,
                          (long)held, (long)told);
            }
            arena_rewind(arena, place);
        }
        cr_expect(sum / ROUNDS <= limits[i].mean, "%s: %.3f %% off on average", schedule->name, 100 * sum / ROUNDS);
    }
    arena_close(arena);
}

/* Without times an order is made for tF = tB = tW = 1 and tS = tT = 1/4. */
Test(vocabulary, usual_times_and_rules) {
    struct arena *arena = support_arena();
    struct pass_times usual = {.forward = 1, .backward = 1, .weight = 1, .shard = 0.25, .shard_end = 0.25};
    for (size_t name = SCHEDULE_VOCAB_1; name <= SCHEDULE_VOCAB_2; name++) {
        struct schedule_shape shape = {.ranks = 4, .micro_batches = 8, .chunks = 1};
        struct schedule_shape given = shape;
        struct order a;
        struct order b;
        given.times = &usual;
        order_make(arena, schedules[name], &shape, &a);
        order_make(arena, schedules[name], &given, &b);
        for (int64_t rank = 0; rank < 4; rank++) {
            cr_expect(strcmp(line_of(arena, &a, rank), line_of(arena, &b, rank)) == 0);
        }
        cr_expect(a.barriers == (name == SCHEDULE_VOCAB_1 ? 2 : 1));
        cr_expect(schedules[name]->refuse(&(struct schedule_shape){.ranks = 1, .micro_batches = 4, .chunks = 1}) !=
                  NULL);
        cr_expect(schedules[name]->refuse(&(struct schedule_shape){.ranks = 4, .micro_batches = 4, .chunks = 2}) !=
                  NULL);
        cr_expect(schedules[name]->refuse(&(struct schedule_shape){.ranks = 4, .micro_batches = 0, .chunks = 1}) !=
                  NULL);
        cr_expect(schedules[name]->refuse(&shape) == NULL);
    }
    arena_close(arena);
}
