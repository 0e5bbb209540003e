/* Programs whose times can be worked out by hand. Times are small numbers of picoseconds. */
#include <criterion/criterion.h>

#include "programs.h"
#include "sim/contention.h"

#define EXPECT_SPAN(result, index, start, end)                                                                         \
    cr_expect((result).starts[index] == (start) && (result).ends[index] == (end),                                      \
              "instruction %d: %lld to %lld, not %lld to %lld", (int)(index), (long long)(result).starts[index],       \
              (long long)(result).ends[index], (long long)(start), (long long)(end))

/* Streams run side by side, waits join them; the cause is what ended last. */
Test(engine, streams_and_waits) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    int32_t a = making_compute(m, 10, NOTHING);
    int32_t load = making_add(m, ACTION_LOAD, STREAM_COPY_IN, 25, NOTHING);
    int32_t b = making_compute(m, 5, NOTHING);
    int32_t c = making_compute(m, 1, load);
    int32_t store = making_add(m, ACTION_STORE, STREAM_COPY_OUT, 3, b);
    struct engine_input input = making_input(m);
    struct engine_result result = play(arena, &input);
    EXPECT_SPAN(result, a, 0, 10);
    EXPECT_SPAN(result, load, 0, 25);
    EXPECT_SPAN(result, b, 10, 15);
    EXPECT_SPAN(result, c, 25, 26);
    EXPECT_SPAN(result, store, 15, 18);
    cr_expect(result.finished && result.end == 26 && result.events == 5 && result.replicas == 1);
    cr_expect(result.causes[a].instance == -1 && result.causes[b].instruction == a &&
              result.causes[c].instruction == load && result.causes[store].instruction == b);
    cr_expect(result.busy[STREAM_COMPUTE] == 16 && result.busy[STREAM_COPY_IN] == 25 &&
              result.busy[STREAM_COPY_OUT] == 3);
    input.times = input.causes = false;
    result = play(arena, &input);
    cr_expect(result.end == 26 && result.starts == NULL && result.causes == NULL);
    arena_close(arena);
}

Test(engine, nothing_and_one) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    struct engine_input input = making_input(m);
    struct engine_result result = play(arena, &input);
    cr_expect(result.finished && result.end == 0 && result.events == 0);
    making_role(m);
    making_role(m);
    int32_t one = making_compute(m, 0, NOTHING);
    input = making_input(m);
    result = play(arena, &input);
    cr_expect(result.finished && result.end == 0 && result.events == 1);
    EXPECT_SPAN(result, one, 0, 0);
    arena_close(arena);
}

/* A receive is shown as the message's flight: from a latency after the send began, behind its lane's last, to a latency
 * after the send's end. */
static void make_messages(struct making *m, int32_t at[6]) {
    making_role(m);
    at[0] = making_add(m, ACTION_SEND, STREAM_SEND_NEXT, 10, NOTHING);
    at[1] = making_add(m, ACTION_SEND, STREAM_SEND_NEXT, 10, NOTHING);
    making_role(m);
    at[2] = making_add(m, ACTION_RECEIVE, STREAM_RECEIVE_PREVIOUS, 7, NOTHING);
    at[3] = making_add(m, ACTION_RECEIVE, STREAM_RECEIVE_PREVIOUS, 7, NOTHING);
    at[4] = making_compute(m, 100, at[2]);
    at[5] = making_compute(m, 1, at[3]);
    making_link(m, at[0], at[2], 4);
    making_link(m, at[1], at[3], 3);
}

Test(engine, messages) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    int32_t at[6];
    make_messages(m, at);
    struct engine_input input = making_input(m);
    struct engine_result result = play(arena, &input);
    EXPECT_SPAN(result, at[1], 10, 20);
    EXPECT_SPAN(result, at[2], 4, 14);
    EXPECT_SPAN(result, at[3], 14, 23);
    EXPECT_SPAN(result, at[4], 14, 114);
    EXPECT_SPAN(result, at[5], 114, 115);
    cr_expect(result.causes[at[2]].instance == 0 && result.causes[at[2]].instruction == 0);
    cr_expect(result.causes[at[3]].instance == 0 && result.causes[at[3]].instruction == 1);
    cr_expect(result.causes[at[5]].instance == 1 && result.causes[at[5]].instruction == 2);
    arena_close(arena);
}

/* A receive that is not asked for in time ends when it is: the message lies there. */
Test(engine, late_receive) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    int32_t send = making_add(m, ACTION_SEND, STREAM_SEND_NEXT, 10, NOTHING);
    making_role(m);
    int32_t busy = making_compute(m, 50, NOTHING);
    int32_t receive = making_add(m, ACTION_RECEIVE, STREAM_RECEIVE_PREVIOUS, 0, busy);
    making_link(m, send, receive, 4);
    struct engine_input input = making_input(m);
    struct engine_result result = play(arena, &input);
    EXPECT_SPAN(result, receive, 50, 50);
    cr_expect(result.causes[receive].instance == 1 && result.causes[receive].instruction == 0);
    arena_close(arena);
}

/* Members of a collective of several roles begin when the last has come, for its cause. */
Test(engine, meeting_of_roles) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    int32_t compute[3], collective[3];
    int32_t meeting = making_meeting(m, AXIS_PP, 3);
    for (int r = 0; r < 3; r++) {
        making_role(m);
        compute[r] = making_compute(m, 10 * (r + 1), NOTHING);
        collective[r] = making_add(m, ACTION_COLLECTIVE, STREAM_TENSOR, 7, compute[r]);
        making_meet(m, collective[r], meeting);
    }
    struct engine_input input = making_input(m);
    struct engine_result result = play(arena, &input);
    for (int r = 0; r < 3; r++) {
        EXPECT_SPAN(result, collective[r], 30, 37);
        cr_expect(result.causes[collective[r]].instance == 2 && result.causes[collective[r]].instruction == 0);
    }
    arena_close(arena);
}

static struct engine_input with(struct making *m, enum contention_level level, double compute, double communication) {
    struct engine_input input = making_input(m);
    input.contention = (struct contention){level, compute, communication, 132};
    return input;
}

/* Galvatron: 20 of compute beside 10 of communication, both slowed 1.1256 times: 21.256 (units of a million). */
Test(engine, scalar_contention) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    int32_t compute = making_compute(m, 20000000, NOTHING);
    int32_t collective = making_add(m, ACTION_COLLECTIVE, STREAM_DATA, 10000000, NOTHING);
    struct engine_input input = with(m, CONTENTION_SCALAR, 1 / 1.1256, 1 / 1.1256);
    struct engine_result result = play(arena, &input);
    EXPECT_SPAN(result, collective, 0, 11256000);
    EXPECT_SPAN(result, compute, 0, 21256000);
    m->instructions[collective].action = ACTION_SEND; /* messages do not count */
    result = play(arena, &input);
    EXPECT_SPAN(result, compute, 0, 20000000);
    m->instructions[collective].action = ACTION_LOAD; /* copies slow, and are not slowed */
    result = play(arena, &input);
    EXPECT_SPAN(result, collective, 0, 10000000);
    EXPECT_SPAN(result, compute, 0, 21115849);
    arena_close(arena);
}

/* Compute alone runs at full rate; a second collective changes nothing more. */
Test(engine, scalar_contention_windows) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    int32_t head = making_compute(m, 100, NOTHING);
    int32_t first = making_add(m, ACTION_COLLECTIVE, STREAM_DATA, 100, head);
    int32_t second = making_add(m, ACTION_COLLECTIVE, STREAM_TENSOR, 50, head);
    int32_t tail = making_compute(m, 200, NOTHING);
    struct engine_input input = with(m, CONTENTION_SCALAR, 0.5, 1);
    struct engine_result result = play(arena, &input);
    EXPECT_SPAN(result, head, 0, 100);
    EXPECT_SPAN(result, first, 100, 200);
    EXPECT_SPAN(result, second, 100, 150);
    EXPECT_SPAN(result, tail, 100, 350);
    arena_close(arena);
}

Test(engine, waves) {
    static const struct { double tiles, held, waves; } rows[] = {
        {132, 0, 1},    {132, 4, 2},    {132, 16, 2},   {132, 24, 2},   {1320, 0, 10},
        {1320, 4, 11},  {1320, 16, 12}, {1320, 24, 13}, {140, 4, 2},    {140, 63, 3},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        double alone = rows[i].tiles <= 132 ? 1 : rows[i].tiles <= 264 ? 2 : 10;
        cr_expect_float_eq(contention_waves(rows[i].tiles, 132, rows[i].held), alone / rows[i].waves, 1e-12,
                           "%g tiles, %g held", rows[i].tiles, rows[i].held);
    }
    cr_expect_float_eq(contention_waves(132, 132, 132), 0, 0);
}

/* A GEMM of one wave beside a collective on 24 of 132 multiprocessors takes two waves' time as long as that runs. */
Test(engine, resources_multiprocessors) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    int32_t gemm = making_compute(m, 1000, NOTHING);
    int32_t collective = making_add(m, ACTION_COLLECTIVE, STREAM_DATA, 400, NOTHING);
    m->prices[gemm].tiles = 132;
    m->prices[collective].sms = 24. / 132;
    m->prices[collective].port = PORT_NETWORK;
    m->prices[collective].use = 1;
    struct engine_input input = with(m, CONTENTION_RESOURCES, 0, 0);
    struct engine_result result = play(arena, &input);
    EXPECT_SPAN(result, collective, 0, 400);
    EXPECT_SPAN(result, gemm, 0, 1200);
    m->prices[gemm].tiles = 0; /* scales with what is left: 108 of 132 */
    result = play(arena, &input);
    EXPECT_SPAN(result, gemm, 0, 1000 + 73);
    m->prices[gemm].memory_bound = true;
    m->prices[gemm].memory = 0.9;
    m->prices[collective].memory = 0.4; /* 0.6 left of 0.9 */
    result = play(arena, &input);
    EXPECT_SPAN(result, gemm, 0, 1000 + 133);
    m->prices[gemm].memory = 0.6; /* enough is left, and multiprocessors do not matter */
    m->prices[collective].sms = 0.9;
    result = play(arena, &input);
    EXPECT_SPAN(result, gemm, 0, 1000);
    arena_close(arena);
}

/* Two messages over one port share it; over two they do not. */
Test(engine, resources_ports) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    int32_t a = making_add(m, ACTION_SEND, STREAM_SEND_NEXT, 100, NOTHING);
    int32_t b = making_add(m, ACTION_SEND, STREAM_SEND_PREVIOUS, 300, NOTHING);
    making_role(m);
    int32_t c = making_add(m, ACTION_RECEIVE, STREAM_RECEIVE_PREVIOUS, 0, NOTHING);
    int32_t d = making_add(m, ACTION_RECEIVE, STREAM_RECEIVE_NEXT, 0, NOTHING);
    making_link(m, a, c, 5);
    making_link(m, b, d, 5);
    m->prices[a].port = m->prices[b].port = PORT_NETWORK;
    m->prices[a].use = m->prices[b].use = 1;
    struct engine_input input = with(m, CONTENTION_RESOURCES, 0, 0);
    struct engine_result result = play(arena, &input);
    EXPECT_SPAN(result, a, 0, 200);
    EXPECT_SPAN(result, b, 0, 400);
    EXPECT_SPAN(result, c, 5, 205);
    EXPECT_SPAN(result, d, 5, 405);
    m->prices[b].port = PORT_DOMAIN;
    result = play(arena, &input);
    EXPECT_SPAN(result, a, 0, 100);
    EXPECT_SPAN(result, b, 0, 300);
    m->prices[b].port = PORT_NETWORK;
    m->prices[a].use = m->prices[b].use = 0.75; /* both at 2 / 3 until a is through */
    result = play(arena, &input);
    EXPECT_SPAN(result, a, 0, 150);
    EXPECT_SPAN(result, b, 0, 350);
    arena_close(arena);
}

/* A collective that waits for a slower member still holds its multiprocessors, but no port. */
Test(engine, held_until_the_end) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    int32_t collective[2], compute[2], beside = NOTHING, late = NOTHING;
    int32_t meeting = making_meeting(m, AXIS_PP, 2);
    for (int r = 0; r < 2; r++) {
        making_role(m);
        collective[r] = making_add(m, ACTION_COLLECTIVE, STREAM_TENSOR, 100, NOTHING);
        making_meet(m, collective[r], meeting);
        m->prices[collective[r]].sms = 0.5;
        m->prices[collective[r]].port = PORT_NETWORK;
        m->prices[collective[r]].use = 1;
        compute[r] = making_compute(m, 150, NOTHING);
        if (r == 1) {
            beside = making_add(m, ACTION_COLLECTIVE, STREAM_DATA, 100, NOTHING);
            m->prices[beside].port = PORT_NETWORK;
            m->prices[beside].use = 1;
        } else {
            int32_t copy = making_add(m, ACTION_LOAD, STREAM_COPY_IN, 120, NOTHING);
            late = making_add(m, ACTION_COLLECTIVE, STREAM_DATA, 60, copy);
            m->prices[late] = m->prices[collective[r]];
            m->prices[late].picoseconds = 60;
            m->prices[late].sms = 0;
        }
    }
    struct engine_input input = with(m, CONTENTION_RESOURCES, 0, 0);
    struct engine_result result = play(arena, &input);
    EXPECT_SPAN(result, beside, 0, 200);
    EXPECT_SPAN(result, late, 120, 180);
    EXPECT_SPAN(result, collective[0], 0, 200);
    EXPECT_SPAN(result, collective[1], 0, 200);
    EXPECT_SPAN(result, compute[0], 0, 250);
    EXPECT_SPAN(result, compute[1], 0, 250);
    arena_close(arena);
}

/* Times beyond what 64 bits hold stop with a diagnosis instead of turning negative. */
Test(engine, endless) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    making_compute(m, INT64_MAX / 2, NOTHING);
    making_compute(m, INT64_MAX / 2 + 2, NOTHING);
    struct engine_input input = making_input(m);
    struct engine_result result = play(arena, &input);
    cr_expect(!result.finished && result.events == 1 && result.stuck != NULL);
    arena_close(arena);
}
