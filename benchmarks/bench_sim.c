/* The event engine: events a second on one core, memory, and growth, over programs in the shape that lowering makes. */
#include "bench.h"

#include "sim/engine.h"

/* What is played: 1F1B over `ranks` pipeline ranks; each pass whole, or as layers of two GEMMs with a collective behind
 * each, every `reduce_every`-th backward layer followed by a reduction of gradients beside it. */
struct shape {
    const char *what;
    int64_t ranks, micro_batches, layers; /* layers 0: passes as a whole */
    int64_t tp, dp;
    bool every_rank, jitter;
    enum contention_level contention;
};

enum { PASS_FORWARD_WORK, PASS_FULL_WORK, MESSAGE_WORK, KERNEL_WORK, EXCHANGE_WORK, REDUCE_WORK, WORKS };

static const struct work works[WORKS] = {
    [PASS_FORWARD_WORK] = {.kind = WORK_PASS, .action = ACTION_FORWARD},
    [PASS_FULL_WORK] = {.kind = WORK_PASS, .action = ACTION_FULL},
    [MESSAGE_WORK] = {.kind = WORK_MESSAGE, .axis = AXIS_PP},
    [KERNEL_WORK] = {.kind = WORK_KERNEL},
    [EXCHANGE_WORK] = {.kind = WORK_EXCHANGE, .axis = AXIS_TP},
    [REDUCE_WORK] = {.kind = WORK_REDUCE, .axis = AXIS_DP},
};
static const struct work_price prices[WORKS] = {
    [PASS_FORWARD_WORK] = {.picoseconds = 9700000000, .tiles = 1e6},
    [PASS_FULL_WORK] = {.picoseconds = 20300000000, .tiles = 2e6},
    [MESSAGE_WORK] = {.picoseconds = 310000000, .latency = 5000000, .port = PORT_NETWORK, .use = 0.45, .sms = 0.01},
    [KERNEL_WORK] = {.picoseconds = 410000000, .tiles = 2000, .memory = 0.2},
    [EXCHANGE_WORK] = {.picoseconds = 170000000, .port = PORT_DOMAIN, .use = 1, .sms = 0.12, .memory = 0.3},
    [REDUCE_WORK] = {.picoseconds = 530000000, .port = PORT_NETWORK, .use = 1, .sms = 0.06, .memory = 0.1},
};

struct making {
    const struct shape *shape;
    struct instruction *instructions;
    int32_t *waits;
    struct role *roles;
    int64_t count, wait_count;
    int32_t *ends[4]; /* of rank * micro_batches + micro-batch: receive F, send F, receive B, send B */
    int32_t meetings;
};
enum { RECEIVE_FORWARD, SEND_FORWARD, RECEIVE_BACKWARD, SEND_BACKWARD };

static int32_t add(struct making *m, struct role *role, int work, int action, int stream, int32_t wait) {
    m->instructions[m->count] = (struct instruction){.work = work, .action = (uint8_t)action,
                                                     .stream = (uint8_t)stream, .partner = NOTHING, .meeting = NOTHING,
                                                     .micro_batch = NOTHING, .stage = NOTHING, .layer = NOTHING,
                                                     .first_wait = (int32_t)m->wait_count};
    if (wait != NOTHING) {
        m->waits[m->wait_count++] = wait;
    }
    m->count++;
    return (int32_t)role->count++;
}

/* One pass; returns what its output waits for. */
static int32_t add_pass(struct making *m, struct role *role, bool backward, int32_t wait) {
    const struct shape *s = m->shape;
    if (s->layers == 0) {
        return add(m, role, backward ? PASS_FULL_WORK : PASS_FORWARD_WORK, backward ? ACTION_FULL : ACTION_FORWARD,
                   STREAM_COMPUTE, wait);
    }
    for (int64_t i = 0; i < (backward ? 4 : 2) * s->layers; i++) {
        int32_t kernel = add(m, role, KERNEL_WORK, backward ? ACTION_FULL : ACTION_FORWARD, STREAM_COMPUTE, wait);
        wait = add(m, role, EXCHANGE_WORK, ACTION_COLLECTIVE, STREAM_TENSOR, kernel);
        if (backward && i % 8 == 7) {
            add(m, role, REDUCE_WORK, ACTION_COLLECTIVE, STREAM_DATA, kernel);
        }
    }
    return wait;
}

static void link_ends(struct making *m, int64_t rank, int64_t micro_batch, int own, int other, int64_t peer) {
    int64_t here = rank * m->shape->micro_batches + micro_batch;
    struct instruction *message = &m->instructions[m->roles[rank].first + m->ends[own][here]];
    message->peer = (uint16_t)peer;
    message->partner = m->ends[other][peer * m->shape->micro_batches + micro_batch];
}

static void add_step(struct making *m, int64_t rank, int64_t micro_batch, bool backward) {
    struct role *role = &m->roles[rank];
    int64_t at = rank * m->shape->micro_batches + micro_batch;
    bool from = backward ? rank + 1 < m->shape->ranks : rank > 0;
    bool to = backward ? rank > 0 : rank + 1 < m->shape->ranks;
    int32_t received = NOTHING;
    if (from) {
        received = add(m, role, MESSAGE_WORK, ACTION_RECEIVE, backward ? STREAM_RECEIVE_NEXT : STREAM_RECEIVE_PREVIOUS,
                       NOTHING);
        m->ends[backward ? RECEIVE_BACKWARD : RECEIVE_FORWARD][at] = received;
    }
    int32_t done = add_pass(m, role, backward, received);
    if (to) {
        m->ends[backward ? SEND_BACKWARD : SEND_FORWARD][at] =
            add(m, role, MESSAGE_WORK, ACTION_SEND, backward ? STREAM_SEND_PREVIOUS : STREAM_SEND_NEXT, done);
    }
}

static void add_rank(struct making *m, int64_t rank) {
    const struct shape *s = m->shape;
    int64_t warm = s->ranks - 1 - rank < s->micro_batches ? s->ranks - 1 - rank : s->micro_batches;
    m->roles[rank] = (struct role){.pipeline_rank = rank, .first = m->count};
    for (int64_t f = 0; f < warm; f++) {
        add_step(m, rank, f, false);
    }
    for (int64_t b = 0; b < s->micro_batches; b++) {
        if (b + warm < s->micro_batches) {
            add_step(m, rank, b + warm, false);
        }
        add_step(m, rank, b, true);
    }
    if (s->dp > 1) {
        int32_t last = (int32_t)m->roles[rank].count - 1;
        add(m, &m->roles[rank], REDUCE_WORK, ACTION_COLLECTIVE, STREAM_DATA, last);
        m->instructions[m->count - 1].meeting = (int32_t)rank;
    }
}

static void link_all(struct making *m) {
    for (int64_t rank = 0; rank < m->shape->ranks; rank++) {
        for (int64_t j = 0; j < m->shape->micro_batches; j++) {
            if (rank > 0) {
                link_ends(m, rank, j, RECEIVE_FORWARD, SEND_FORWARD, rank - 1);
                link_ends(m, rank, j, SEND_BACKWARD, RECEIVE_BACKWARD, rank - 1);
            }
            if (rank + 1 < m->shape->ranks) {
                link_ends(m, rank, j, SEND_FORWARD, RECEIVE_FORWARD, rank + 1);
                link_ends(m, rank, j, RECEIVE_BACKWARD, SEND_BACKWARD, rank + 1);
            }
        }
    }
}

static struct program make(struct arena *arena, const struct shape *s) {
    int64_t passes = s->ranks * s->micro_batches;
    size_t most = (size_t)(passes * (s->layers == 0 ? 6 : 4 + 13 * s->layers) + s->ranks + 1);
    struct making m = {.shape = s,
                       .instructions = ARENA_ARRAY(arena, struct instruction, most),
                       .waits = ARENA_ARRAY(arena, int32_t, most),
                       .roles = ARENA_ARRAY(arena, struct role, (size_t)s->ranks)};
    for (int i = 0; i < 4; i++) {
        m.ends[i] = ARENA_ARRAY(arena, int32_t, (size_t)passes);
    }
    struct meeting *meetings = ARENA_ARRAY(arena, struct meeting, (size_t)s->ranks);
    for (int64_t rank = 0; rank < s->ranks; rank++) {
        add_rank(&m, rank);
        meetings[rank] = (struct meeting){AXIS_DP, s->dp, 1};
    }
    m.instructions[m.count].first_wait = (int32_t)m.wait_count;
    link_all(&m);
    return (struct program){
        .parallel = {.tp = s->tp, .pp = s->ranks, .vpp = 1, .dp = s->dp, .cp = 1, .ep = 1, .etp = 1},
        .micro_batches = s->micro_batches, .replicas = s->tp * s->dp, .lockstep = s->layers == 0 ? s->tp : 1,
        .roles = m.roles, .instructions = m.instructions, .waits = m.waits, .works = works, .meetings = meetings,
        .role_count = s->ranks, .count = m.count, .wait_count = m.wait_count, .work_count = WORKS,
        .meeting_count = s->ranks};
}

/* Plays a shape, often enough for a third of a second. */
static void play(const struct shape *s) {
    struct arena *arena = arena_open(NULL, NULL);
    struct program program = make(arena, s);
    struct jitter jitter = {JITTER_LOGNORMAL, JITTER_ALL, 0.02, 0.05};
    struct scenario scenario = {.jitter = {&jitter, 1}};
    struct engine_input input = {.program = &program, .prices = prices, .every_rank = s->every_rank, .seed = 1,
                                 .contention = {s->contention, 0.9, 0.9, 132},
                                 .scenario = s->jitter ? &scenario : NULL};
    struct engine_result result;
    struct arena_place place = arena_mark(arena);
    double before = seconds_used();
    int64_t times = 0;
    do {
        arena_rewind(arena, place);
        engine_run(arena, &input, &result);
        times++;
    } while (seconds_used() - before < 0.3);
    double each = (seconds_used() - before) / (double)times;
    printf("%-44s%12llu%12.4f%14.2f%12.1f%14.6f%s\n", s->what, (unsigned long long)result.events, each,
           (double)result.events / each * 1e-6, (double)arena_footprint(arena) / 1e6, (double)result.end * 1e-12,
           result.finished ? "" : "  STUCK");
    fflush(stdout);
    arena_close(arena);
}

int main(void) {
    static const struct shape shapes[] = {
        {"passes, p=64 m=256", 64, 256, 0, 1, 1, false, false, CONTENTION_NONE},
        {"passes, p=64 m=1024", 64, 1024, 0, 1, 1, false, false, CONTENTION_NONE},
        {"passes, p=64 m=4096", 64, 4096, 0, 1, 1, false, false, CONTENTION_NONE},
        {"passes, p=64 m=16384", 64, 16384, 0, 1, 1, false, false, CONTENTION_NONE},
        {"passes, p=64 m=1024, resources", 64, 1024, 0, 1, 1, false, false, CONTENTION_RESOURCES},
        {"operations, p=16 m=64 8 layers", 16, 64, 8, 8, 1, false, false, CONTENTION_NONE},
        {"operations, p=16 m=64 8 layers, scalar", 16, 64, 8, 8, 1, false, false, CONTENTION_SCALAR},
        {"operations, p=16 m=64 8 layers, resources", 16, 64, 8, 8, 1, false, false, CONTENTION_RESOURCES},
        {"operations, p=16 m=256 8 layers, resources", 16, 256, 8, 8, 1, false, false, CONTENTION_RESOURCES},
        {"16384 ranks, p=16 m=128", 16, 128, 0, 8, 128, true, false, CONTENTION_NONE},
        {"16384 ranks, p=16 m=128, jitter", 16, 128, 0, 8, 128, true, true, CONTENTION_NONE},
        {"16384 ranks, p=16 m=128, jitter, resources", 16, 128, 0, 8, 128, true, true, CONTENTION_RESOURCES},
    };
    printf("%-44s%12s%12s%14s%12s%14s\n", "", "events", "seconds", "million/s", "MB", "step, s");
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        play(&shapes[i]);
    }
    return OK;
}
