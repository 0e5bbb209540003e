/* Scenario documents, and what they do to a step. */
#include <criterion/criterion.h>
#include <math.h>

#include "programs.h"
#include "sim/jitter.h"
#include "yaml/document.h"
#include "yaml/emit.h"

#define SCHEMA "schema: parplan/scenario/v1\n"

static enum status load(struct arena *arena, const char *text, struct scenario *ret, struct node **ret_root,
                        struct diag *diag) {
    diag_init(diag, arena);
    enum status status = document_parse(arena, "s.yaml", text, strlen(text), ret_root, diag);
    return status == OK ? scenario_load(arena, *ret_root, ret, diag) : status;
}

static struct scenario loaded(struct arena *arena, const char *text) {
    struct scenario scenario;
    struct node *root;
    struct diag diag;
    enum status status = load(arena, text, &scenario, &root, &diag);
    cr_assert(status == OK, "%s", diag.count > 0 ? diag.entries[0].text : "");
    return scenario;
}

Test(scenario, document) {
    struct arena *arena = support_arena();
    const char *text = SCHEMA "name: bad day\n"
                              "slow:\n  - {rank: 3, factor: 1.5}\n  - {factor: 2, from: 1s, until: 2s}\n"
                              "links:\n  - {rank: 0, last: 7, axis: dp, factor: 4}\n  - {rank: 9, down: true}\n"
                              "jitter:\n  - {kind: normal, of: all, mean: 0.01, deviation: 0.02}\n"
                              "pauses:\n  - {at: 5ms, duration: 1ms, every: 10ms}\n"
                              "failures:\n  - {rank: 2, at: 1s}\n";
    struct scenario s = loaded(arena, text);
    const struct slow_rank *slow = s.slow.items;
    const struct slow_link *links = s.links.items;
    cr_expect(s.slow.count == 2 && slow[0].rank == 3 && slow[0].last == -1 && slow[1].rank == -1);
    cr_expect(s.links.count == 2 && links[0].axis == AXIS_DP && links[0].last == 7 && !links[0].down);
    cr_expect(links[1].axis == LINK_ANY && links[1].down);
    struct text out;
    text_init(&out, arena);
    emit_document(&out, "scenario", scenario_fields, &s, true);
    struct scenario again = loaded(arena, out.data);
    cr_expect(again.pauses.count == 1 && ((const struct pause *)again.pauses.items)->every == 10e-3);
    cr_expect(again.failures.count == 1 && again.jitter.count == 1);
    arena_close(arena);
}

static const struct { const char *text, *wanted; } refused[] = {
    {"slow:\n  - {rank: 3}\n", "factor"},
    {"slow:\n  - {rank: 3, factor: 0}\n", "factor"},
    {"slow:\n  - {rank: 3, last: 2, factor: 2}\n", "last is rank 2, before rank 3"},
    {"slow:\n  - {last: 2, factor: 2}\n", "needs a rank to begin with"},
    {"slow:\n  - {rank: -2, factor: 2}\n", "rank"},
    {"slow:\n  - {factor: 2, from: 2s, until: 1s}\n", "until is not after from"},
    {"links:\n  - {factor: 2, axis: xx}\n", "axis"},
    {"links:\n  - {down: true}\n", "stops every step"},
    {"jitter:\n  - {deviation: -1}\n", "deviation"},
    {"pauses:\n  - {duration: 2ms, every: 1ms}\n", "nothing ever begins"},
    {"pauses:\n  - {duration: 5}\n", "duration"},
    {"failures:\n  - {at: 1s}\n", "rank"},
    {"bogus: 1\n", "bogus"},
};

Test(scenario, refused) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(refused); i++) {
        struct scenario scenario;
        struct node *root;
        struct diag diag;
        enum status status = load(arena, arena_format(arena, SCHEMA "%s", refused[i].text), &scenario, &root, &diag);
        cr_expect(status == STATUS_INVALID && diag.count > 0, "%s", refused[i].text);
        cr_expect(diag.count > 0 && strstr(diag.entries[0].text, refused[i].wanted), "%s: %s", refused[i].text,
                  diag.count > 0 ? diag.entries[0].text : "");
        cr_expect(diag.count > 0 && diag.entries[0].mark.line > 1, "%s has a place", refused[i].text);
    }
    arena_close(arena);
}

Test(scenario, too_many) {
    struct arena *arena = support_arena();
    struct text text;
    struct scenario scenario;
    struct node *root;
    struct diag diag;
    text_init(&text, arena);
    text_add(&text, SCHEMA "failures:\n");
    for (int i = 0; i <= SCENARIO_ENTRIES; i++) {
        text_add_format(&text, "  - {rank: %d}\n", i);
    }
    cr_expect(load(arena, text.data, &scenario, &root, &diag) == STATUS_INVALID);
    arena_close(arena);
}

Test(scenario, ranks_of_the_plan) {
    struct arena *arena = support_arena();
    struct scenario s;
    struct node *root;
    struct diag diag;
    cr_assert(load(arena, SCHEMA "slow:\n  - {rank: 0, last: 8, factor: 2}\nfailures:\n  - {rank: 12}\n", &s, &root,
                   &diag) == OK);
    cr_expect(scenario_check(&s, 13, root, &diag) == OK);
    cr_expect(scenario_check(&s, 12, root, &diag) == STATUS_INVALID && diag.errors == 1);
    diag_init(&diag, arena);
    cr_expect(scenario_check(&s, 8, root, &diag) == STATUS_INVALID);
    cr_expect(diag.errors == 2 && diag.entries[0].mark.line == 3 && strstr(diag.entries[0].text, "rank 8"), "%s",
              diag.entries[0].text);
    cr_expect(scenario_check(&s, 8, NULL, &diag) == STATUS_INVALID, "also without a document");
    arena_close(arena);
}

Test(scenario, uneven) {
    static const struct { const char *text; bool uneven; } rows[] = {
        {"name: quiet\n", false},
        {"slow:\n  - {factor: 2}\n", false},
        {"slow:\n  - {rank: 0, factor: 2}\n", true},
        {"links:\n  - {factor: 2}\n", false},
        {"links:\n  - {rank: 1, factor: 2}\n", true},
        {"jitter:\n  - {deviation: 0.1}\n", true},
        {"pauses:\n  - {duration: 1s}\n", false},
        {"pauses:\n  - {rank: 1, duration: 1s}\n", true},
        {"failures:\n  - {rank: 1}\n", true},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct scenario s = loaded(arena, arena_format(arena, SCHEMA "%s", rows[i].text));
        cr_expect(scenario_is_uneven(&s) == rows[i].uneven, "%s", rows[i].text);
    }
    arena_close(arena);
}

/* Two ranks of one role, and a collective of both behind 100 us of compute. Times in microseconds. */
enum { MICROSECOND = 1000000 };

struct pair {
    struct making *m;
    int32_t compute, collective, tail;
};

static struct pair make_pair(struct arena *arena) {
    struct pair p = {.m = making_open(arena)};
    p.m->program.parallel.dp = 2;
    p.m->program.replicas = 2;
    making_role(p.m);
    p.compute = making_compute(p.m, 100 * MICROSECOND, NOTHING);
    p.collective = making_add(p.m, ACTION_COLLECTIVE, STREAM_DATA, 40 * MICROSECOND, p.compute);
    making_meet(p.m, p.collective, making_meeting(p.m, AXIS_DP, 2));
    p.tail = making_compute(p.m, 10 * MICROSECOND, p.collective);
    return p;
}

static struct engine_result play_pair(struct arena *arena, const struct pair *p, const char *text,
                                      enum contention_level level) {
    struct scenario *scenario = ARENA_NEW(arena, struct scenario);
    *scenario = loaded(arena, arena_format(arena, SCHEMA "%s", text));
    struct engine_input input = making_input(p->m);
    input.scenario = scenario;
    input.every_rank = true;
    input.contention = (struct contention){level, 0.999999, 0.999999, 0};
    return play(arena, &input);
}

/* Where one step of both replicas begins and ends, in microseconds. */
struct disturbed { const char *text; double compute[2][2], collective[2]; };

static const struct disturbed disturbed[] = {
    {"name: quiet\n", {{0, 100}, {0, 100}}, {100, 140}},
    {"slow:\n  - {rank: 1, factor: 2}\n", {{0, 100}, {0, 200}}, {200, 240}},
    {"slow:\n  - {rank: 1, factor: 2, from: 40us, until: 60us}\n", {{0, 100}, {0, 110}}, {110, 150}},
    {"slow:\n  - {rank: 1, factor: 2}\n  - {factor: 1.5, until: 30us}\n", {{0, 110}, {0, 210}}, {210, 250}},
    {"links:\n  - {rank: 0, axis: dp, factor: 3}\n", {{0, 100}, {0, 100}}, {100, 220}},
    {"links:\n  - {rank: 0, axis: tp, factor: 3}\n", {{0, 100}, {0, 100}}, {100, 140}},
    {"links:\n  - {rank: 1, down: true, from: 110us, until: 1ms}\n", {{0, 100}, {0, 100}}, {100, 1030}},
    {"pauses:\n  - {rank: 1, at: 0s, duration: 5us}\n", {{0, 100}, {5, 105}}, {105, 145}},
    {"pauses:\n  - {rank: 0, at: 90us, duration: 20us}\n", {{0, 100}, {0, 100}}, {110, 150}},
    {"pauses:\n  - {rank: 0, at: 90us, duration: 20us}\n  - {rank: 1, at: 105us, duration: 10us}\n",
     {{0, 100}, {0, 100}}, {115, 155}},
    {"pauses:\n  - {at: 3us, duration: 4us, every: 20us}\n", {{0, 100}, {0, 100}}, {100, 140}},
    {"pauses:\n  - {at: 0us, duration: 4us, every: 20us}\n", {{4, 104}, {4, 104}}, {104, 144}},
    {"failures:\n  - {rank: 1, at: 1s}\n", {{0, 100}, {0, 100}}, {100, 140}},
};

/* Which axes of collectives an entry speaks of. */
Test(scenario, axes) {
    static const struct { const char *axis; const char *slow; } rows[] = {
        {"tp", "tp"}, {"cp", "cp dp-cp"}, {"dp", "dp edp dp-cp"}, {"ep", "ep"}, {"edp", "edp"}, {"dp-cp", "dp-cp"},
        {"pp", "pp"}, {"any", "tp cp dp pp ep etp edp dp-cp"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct making *m = making_open(arena);
        making_role(m);
        struct text slow;
        text_init(&slow, arena);
        for (int axis = 0; axis < AXIS_COUNT; axis++) {
            int32_t collective = making_add(m, ACTION_COLLECTIVE, STREAM_DATA, 10, NOTHING);
            m->works[collective].axis = (enum axis)axis;
        }
        const char *text = arena_format(arena, SCHEMA "links:\n  - {axis: %s, factor: 2}\n", rows[i].axis);
        struct scenario s = loaded(arena, text);
        struct engine_input input = making_input(m);
        input.scenario = &s;
        struct engine_result result = play(arena, &input);
        for (int axis = 0; axis < AXIS_COUNT; axis++) {
            if (result.ends[axis] - result.starts[axis] == 20) {
                text_add_format(&slow, "%s%s", slow.size > 0 ? " " : "", axis_names[axis]);
            }
        }
        cr_expect(text_equal(slow.data, rows[i].slow), "%s: %s", rows[i].axis, slow.data);
    }
    arena_close(arena);
}

static bool near(int64_t time, double microseconds) {
    return fabs((double)time - microseconds * MICROSECOND) <= 1;
}

static void check_disturbed(struct arena *arena, const struct pair *p, const struct disturbed *row,
                            enum contention_level level) {
    struct engine_result result = play_pair(arena, p, row->text, level);
    cr_assert(result.finished && result.replicas == 2, "%s: %s", row->text, result.stuck);
    for (int replica = 0; replica < 2; replica++) {
        int64_t at = replica * p->m->program.count;
        cr_expect(near(result.starts[at + p->compute], row->compute[replica][0]) &&
                      near(result.ends[at + p->compute], row->compute[replica][1]),
                  "%s compute of rank %d: %lld to %lld", row->text, replica,
                  (long long)result.starts[at + p->compute], (long long)result.ends[at + p->compute]);
        cr_expect(near(result.starts[at + p->collective], row->collective[0]) &&
                      near(result.ends[at + p->collective], row->collective[1]),
                  "%s collective: %lld to %lld", row->text, (long long)result.starts[at + p->collective],
                  (long long)result.ends[at + p->collective]);
    }
}

Test(scenario, disturbs) {
    struct arena *arena = support_arena();
    struct pair p = make_pair(arena);
    for (size_t i = 0; i < ROWS(disturbed); i++) {
        check_disturbed(arena, &p, &disturbed[i], CONTENTION_NONE);
        check_disturbed(arena, &p, &disturbed[i], CONTENTION_SCALAR);
    }
    arena_close(arena);
}

/* A message is slow when either end is. */
Test(scenario, messages) {
    static const struct { const char *text; double end; } rows[] = {
        {"name: quiet\n", 55},
        {"links:\n  - {rank: 0, axis: pp, factor: 2}\n", 105},
        {"links:\n  - {rank: 1, axis: pp, factor: 2}\n", 105},
        {"links:\n  - {rank: 1, factor: 2, from: 25us}\n", 80},
        {"links:\n  - {rank: 0, axis: dp, factor: 2}\n", 55},
        {"links:\n  - {rank: 0, down: true, from: 10us, until: 30us}\n"
         "  - {rank: 1, down: true, from: 20us, until: 40us}\n",
         85},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < 2 * ROWS(rows); i++) {
        struct making *m = making_open(arena);
        making_role(m);
        int32_t send = making_add(m, ACTION_SEND, STREAM_SEND_NEXT, 50 * MICROSECOND, NOTHING);
        making_role(m);
        int32_t receive = making_add(m, ACTION_RECEIVE, STREAM_RECEIVE_PREVIOUS, 0, NOTHING);
        making_link(m, send, receive, 5 * MICROSECOND);
        int32_t compute = making_compute(m, 1, NOTHING);
        making_add(m, ACTION_COLLECTIVE, STREAM_DATA, 1, compute);
        struct scenario s = loaded(arena, arena_format(arena, SCHEMA "%s", rows[i / 2].text));
        struct engine_input input = making_input(m);
        input.scenario = &s;
        input.contention = (struct contention){i % 2 == 0 ? CONTENTION_NONE : CONTENTION_SCALAR, 0.5, 1, 0};
        struct engine_result result = play(arena, &input);
        cr_expect(near(result.ends[receive], rows[i / 2].end), "%s: %lld", rows[i / 2].text,
                  (long long)result.ends[receive]);
    }
    arena_close(arena);
}

/* What stops progress ends with who waits for whom. */
Test(scenario, stops) {
    static const struct { const char *text; const char *wanted[3]; } rows[] = {
        {"failures:\n  - {rank: 1, at: 0s}\n",
         {"rank 1 failed at 0", "rank 0 waits for rank 1 in ", NULL}},
        {"failures:\n  - {rank: 1, at: 50us}\n", {"rank 1 failed at 50us, before ", NULL}},
        {"failures:\n  - {rank: 1, at: 150us}\nslow:\n  - {rank: 0, factor: 2}\n",
         {"rank 1 failed at 150us, before ", NULL}},
        {"links:\n  - {rank: 1, axis: dp, down: true, from: 105us}\n", {"stands still", NULL}},
        {"pauses:\n  - {rank: 0, at: 0us, duration: 1us, every: 2us}\n"
         "  - {rank: 0, at: 1us, duration: 1us, every: 2us}\n",
         {"pauses leave rank 0 no moment", NULL}},
        {"pauses:\n  - {rank: 0, at: 200us, duration: 51us, every: 100us}\n"
         "  - {rank: 1, at: 250us, duration: 51us, every: 100us}\nslow:\n  - {rank: 1, factor: 3}\n",
         {"pauses leave no moment to begin ", NULL}},
    };
    struct arena *arena = support_arena();
    struct pair p = make_pair(arena);
    for (size_t i = 0; i < ROWS(rows); i++) {
        for (int level = CONTENTION_NONE; level <= CONTENTION_SCALAR; level++) {
            struct engine_result result = play_pair(arena, &p, rows[i].text, (enum contention_level)level);
            cr_assert(!result.finished && result.stuck != NULL, "%s", rows[i].text);
            for (int w = 0; rows[i].wanted[w] != NULL; w++) {
                cr_expect(strstr(result.stuck, rows[i].wanted[w]), "%s: %s", rows[i].text, result.stuck);
            }
        }
    }
    arena_close(arena);
}

/* A failed sender: the receiver is named, with the message. */
Test(scenario, failed_sender) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    making_compute(m, 10, NOTHING);
    int32_t send = making_add(m, ACTION_SEND, STREAM_SEND_NEXT, 50, 0);
    making_role(m);
    int32_t receive = making_add(m, ACTION_RECEIVE, STREAM_RECEIVE_PREVIOUS, 0, NOTHING);
    making_link(m, send, receive, 5);
    struct scenario s = loaded(arena, SCHEMA "failures:\n  - {rank: 0, at: 5ps}\n");
    struct engine_input input = making_input(m);
    input.scenario = &s;
    struct engine_result result = play(arena, &input);
    cr_expect(!result.finished && result.events == 1);
    cr_expect(strstr(result.stuck, "rank 1 waits for a message of rank 0: "), "%s", result.stuck);
    arena_close(arena);
}

Test(scenario, jitter_moments) {
    enum { DRAWS = 40000 };
    for (int kind = JITTER_NORMAL; kind <= JITTER_EXPONENTIAL; kind++) {
        struct jitter jitter = {kind, JITTER_ALL, 0.1, 0.2};
        struct scenario scenario = {.jitter = {&jitter, 1}};
        double sum = 0, squares = 0, least = 10;
        for (uint64_t key = 0; key < DRAWS; key++) {
            double factor = jitter_factor(&scenario, 7, key, key % 2 == 0);
            sum += factor;
            squares += factor * factor;
            least = factor < least ? factor : least;
        }
        double mean = sum / DRAWS, deviation = sqrt(squares / DRAWS - mean * mean);
        cr_expect_float_eq(mean, 1.1, 0.005, "kind %d: mean %g", kind, mean);
        cr_expect_float_eq(deviation, 0.2, 0.005, "kind %d: deviation %g", kind, deviation);
        cr_expect(least >= (kind == JITTER_EXPONENTIAL ? 0.9 : 0));
    }
}

/* The same seed gives the same step, whatever else a scenario holds; another seed another; only what it is of. */
Test(scenario, jitter_is_the_seeds) {
    struct arena *arena = support_arena();
    struct pair p = make_pair(arena);
    const char *text = "jitter:\n  - {deviation: 0.1, of: all}\n";
    struct engine_result first = play_pair(arena, &p, text, CONTENTION_NONE);
    struct engine_result again = play_pair(arena, &p, text, CONTENTION_NONE);
    int64_t count = 2 * p.m->program.count;
    cr_expect(memcmp(first.ends, again.ends, (size_t)count * sizeof(int64_t)) == 0);
    cr_expect(first.ends[0] != first.ends[p.m->program.count], "ranks draw their own");
    cr_expect(first.ends[0] != 100 * MICROSECOND);
    const char *pauses = arena_format(arena, "%spauses:\n  - {rank: 0, duration: 7us}\n", text);
    struct engine_result paused = play_pair(arena, &p, pauses, CONTENTION_NONE);
    cr_expect(paused.ends[0] == first.ends[0] + 7 * MICROSECOND);
    cr_expect(paused.ends[p.m->program.count] == first.ends[p.m->program.count]);
    struct engine_result wires = play_pair(arena, &p, "jitter:\n  - {deviation: 0.1, of: communication}\n",
                                           CONTENTION_NONE);
    cr_expect(wires.ends[0] == 100 * MICROSECOND && wires.ends[p.collective] != 140 * MICROSECOND);
    arena_close(arena);
}
