/* Laws of the event engine over random programs: times equal the least solution of the waits, found by plain
 * iteration; labels do not matter; a rank view without disturbance is the role view; more work never ends earlier;
 * contention never makes anything faster, and nothing is slower than everything after everything. */
#include <criterion/criterion.h>

#include "program_random.h"
#include "sim/path.h"

enum { PROGRAMS = 400, SIZE = 60 };

/* The least times that satisfy all waits: raised from 0 until nothing changes. */
struct naive {
    const struct making *m;
    int64_t replicas;
    int64_t slow, last, link; /* ranks slow .. last compute twice as long, link communicates three times; -1: none */
    int64_t *starts, *ends; /* [replica * count + instruction] */
};

static int64_t naive_ready(const struct naive *n, int64_t replica, int64_t i) {
    const struct program *p = &n->m->program;
    int32_t role = making_role_of(n->m, (int32_t)i);
    const int64_t *ends = n->ends + replica * p->count;
    int64_t ready = 0;
    for (int64_t before = i - 1; before >= p->roles[role].first; before--) {
        if (p->instructions[before].stream == p->instructions[i].stream) {
            ready = ends[before];
            break;
        }
    }
    for (int32_t w = p->instructions[i].first_wait; w < p->instructions[i + 1].first_wait; w++) {
        int64_t end = ends[p->roles[role].first + p->waits[w]];
        ready = end > ready ? end : ready;
    }
    return ready;
}

/* Digits of t, c, d in each order of the mesh; p left out. */
static const char *const mesh_orders[ORDER_KINDS] = {"tcdp", "tcpd", "tdcp", "dtcp", "ptcd"};

/* The coordinate of a replica along an axis and what is left of the replica without it. Experts number the replicas in
 * the order of the mesh. */
static void split(const struct parallel *p, enum axis axis, int64_t replica, int64_t *along, int64_t *rest) {
    int64_t tp = replica % p->tp, cp = replica / p->tp % p->cp, dp = replica / p->tp / p->cp, folded = 0, stride = 1;
    const char *order = mesh_orders[p->order];
    for (int i = 0; i < 4; i++) {
        folded += stride * (order[i] == 't' ? tp : order[i] == 'c' ? cp : order[i] == 'd' ? dp : 0);
        stride *= order[i] == 't' ? p->tp : order[i] == 'c' ? p->cp : order[i] == 'd' ? p->dp : 1;
    }
    int64_t etp = folded % p->etp, ep = folded / p->etp % p->ep, edp = folded / p->etp / p->ep;
    bool dp_first = strchr(order, 'd') < strchr(order, 'c');
    const int64_t alongs[AXIS_COUNT] = {tp, cp, dp, 0, ep, etp, edp, dp_first ? cp * p->dp + dp : dp * p->cp + cp};
    const int64_t rests[AXIS_COUNT] = {dp * 1000 + cp, dp * 1000 + tp,   cp * 1000 + tp, replica,
                                       edp * 1000 + etp, edp * 1000 + ep, ep * 1000 + etp, tp};
    *along = alongs[axis];
    *rest = rests[axis];
}

static bool same_group(const struct program *p, int64_t i, int64_t a, int64_t b) {
    const struct work *work = &p->works[p->instructions[i].work];
    if (p->instructions[i].action != ACTION_COLLECTIVE) {
        return work->kind == WORK_PASS ? a / p->lockstep == b / p->lockstep : a == b;
    }
    int64_t along[2], rest[2];
    split(&p->parallel, work->axis, a, &along[0], &rest[0]);
    split(&p->parallel, work->axis, b, &along[1], &rest[1]);
    int64_t run = work->size * work->step;
    bool part = work->axis == AXIS_PP ||
                (along[0] / run == along[1] / run && along[0] % work->step == along[1] % work->step);
    return rest[0] == rest[1] && part;
}

static bool together(const struct program *p, int64_t i, int64_t j) {
    int32_t meeting = p->instructions[i].meeting;
    return i == j || (meeting != NOTHING && meeting == p->instructions[j].meeting);
}

/* The rank of a replica's instruction: mixed-radix digits in the order of the mesh. */
static int64_t naive_rank(const struct program *p, int64_t replica, int64_t role) {
    const int64_t tp = p->parallel.tp, cp = p->parallel.cp;
    const int64_t digits[] = {replica % tp, replica / tp % cp, replica / tp / cp, p->roles[role].pipeline_rank};
    const int64_t sizes[] = {tp, cp, p->parallel.dp, p->parallel.pp};
    int64_t rank = 0, stride = 1;
    for (int i = 0; i < 4; i++) {
        int64_t axis = 0;
        while ("tcdp"[axis] != mesh_orders[p->parallel.order][i]) {
            axis++;
        }
        rank += digits[axis] * stride;
        stride *= sizes[axis];
    }
    return rank;
}

/* How long an instruction takes on a replica that may be slow. */
static int64_t naive_work(const struct naive *n, int64_t replica, int64_t i) {
    const struct program *p = &n->m->program;
    const struct instruction *instruction = &p->instructions[i];
    int64_t rank = naive_rank(p, replica, making_role_of(n->m, (int32_t)i)), work = n->m->prices[i].picoseconds;
    bool communicates = instruction->action == ACTION_COLLECTIVE || instruction->action == ACTION_SEND;
    bool linked = rank == n->link ||
                  (instruction->action == ACTION_SEND && naive_rank(p, replica, instruction->peer) == n->link);
    if (communicates && linked) {
        return 3 * work;
    }
    bool slow = instruction->action == ACTION_FORWARD && rank >= n->slow && rank <= n->last;
    return slow ? 2 * work : work;
}

static void naive_times(const struct naive *n, int64_t replica, int64_t i, int64_t *start, int64_t *end) {
    const struct program *p = &n->m->program;
    const struct instruction *instruction = &p->instructions[i];
    *start = naive_ready(n, replica, i);
    *end = 0;
    if (instruction->action == ACTION_RECEIVE) {
        int64_t send = p->roles[instruction->peer].first + instruction->partner;
        int64_t latency = n->m->prices[send].latency, at = replica * p->count + send;
        *end = n->ends[at] + latency > *start ? n->ends[at] + latency : *start;
        *start = n->starts[at] + latency > *start ? n->starts[at] + latency : *start;
        return;
    }
    for (int64_t other = 0; other < n->replicas; other++) {
        for (int64_t j = 0; j < p->count; j++) {
            bool member = together(p, i, j) && (n->replicas == 1 || same_group(p, i, replica, other));
            int64_t ready = member ? naive_ready(n, other, j) : 0;
            *start = ready > *start ? ready : *start;
            int64_t work = member ? naive_work(n, other, j) : 0;
            *end = work > *end ? work : *end;
        }
    }
    *end += *start;
}

static struct naive naive_play(struct arena *arena, struct naive n) {
    int64_t count = n.m->program.count;
    n.starts = ARENA_ARRAY(arena, int64_t, (size_t)(count * n.replicas));
    n.ends = ARENA_ARRAY(arena, int64_t, (size_t)(count * n.replicas));
    for (bool changed = true; changed;) {
        changed = false;
        for (int64_t at = 0; at < count * n.replicas; at++) {
            int64_t start, end;
            naive_times(&n, at / count, at % count, &start, &end);
            changed = changed || start != n.starts[at] || end != n.ends[at];
            n.starts[at] = start;
            n.ends[at] = end;
        }
    }
    return n;
}

static void for_programs(const char *purpose, int programs, int64_t size,
                         void (*check)(struct arena *arena, const struct drawing *drawing, struct making *m)) {
    for (int i = 0; i < programs; i++) {
        struct arena *arena = support_arena();
        struct random random;
        int32_t places[400];
        random_stream(&random, 11, purpose, (uint64_t)i);
        struct drawing *drawing = ARENA_NEW(arena, struct drawing);
        drawing_draw(&random, draw(&random, 1, size), drawing);
        check(arena, drawing, drawing_make(arena, drawing, in_order(), places));
        arena_close(arena);
    }
}

static void expect_same(const char *what, const struct making *m, const struct engine_result *result,
                        const int64_t *starts, const int64_t *ends) {
    cr_assert(result->finished, "%s: %s", what, result->stuck);
    for (int64_t i = 0; i < m->program.count * result->replicas; i++) {
        cr_assert(result->starts[i] == starts[i] && result->ends[i] == ends[i],
                  "%s: instruction %d (%s): %lld to %lld, not %lld to %lld", what, (int)i,
                  action_names[m->instructions[i % m->program.count].action], (long long)result->starts[i],
                  (long long)result->ends[i], (long long)starts[i], (long long)ends[i]);
    }
}

/* Contention that is there but slows nothing: all goes through the event queue. */
static void make_harmless(struct making *m) {
    for (int64_t i = 0; i < m->program.count; i++) {
        m->prices[i].port = PORT_NONE;
        m->prices[i].use = m->prices[i].memory = m->prices[i].tiles = 0;
        m->prices[i].memory_bound = false;
        m->prices[i].sms = 1e-300;
    }
}

static const struct contention resources = {CONTENTION_RESOURCES, 0, 0, 132};
static const struct contention scalar = {CONTENTION_SCALAR, 0.8, 0.6, 132};

static void check_naive(struct arena *arena, const struct drawing *drawing, struct making *m) {
    struct random *random = drawing->random;
    int64_t last = m->program.replicas * m->program.role_count - 1;
    struct slow_rank slow = {draw(random, 0, last), last, 2, 0, 0};
    struct slow_link link = {draw(random, 0, last), -1, LINK_ANY, false, 3, 0, 0};
    struct scenario scenario = {.slow = {&slow, 1}, .links = {&link, 1}};
    make_harmless(m);
    for (int view = 0; view < 3; view++) {
        struct naive n = {.m = m, .replicas = view > 0 ? m->program.replicas : 1, .slow = -1, .last = -1, .link = -1};
        struct engine_input input = making_input(m);
        input.every_rank = view > 0;
        if (view == 2) {
            input.scenario = &scenario;
            n.slow = slow.rank;
            n.last = slow.last;
            n.link = link.rank;
        }
        n = naive_play(arena, n);
        struct engine_result direct = play(arena, &input);
        expect_same("direct", m, &direct, n.starts, n.ends);
        input.contention = resources;
        struct engine_result events = play(arena, &input);
        expect_same("by events", m, &events, n.starts, n.ends);
        for (int64_t i = 0; i < m->program.count * n.replicas; i++) {
            cr_assert(direct.causes[i].instance == events.causes[i].instance &&
                      (direct.causes[i].instance < 0 || direct.causes[i].instruction == events.causes[i].instruction));
        }
    }
}

Test(engine, equals_naive) {
    for_programs("naive", PROGRAMS, SIZE, check_naive);
}

static void check_role_view(struct arena *arena, const struct drawing *drawing, struct making *m) {
    (void)drawing;
    const struct contention levels[] = {{CONTENTION_NONE, 0, 0, 0}, scalar, resources};
    for (size_t level = 0; level < ROWS(levels); level++) {
        struct engine_input input = making_input(m);
        input.contention = levels[level];
        struct engine_result roles = play(arena, &input);
        input.every_rank = true;
        struct engine_result ranks = play(arena, &input);
        cr_assert(roles.finished && ranks.finished && ranks.replicas == m->program.replicas);
        cr_assert(ranks.events == roles.events * (uint64_t)ranks.replicas);
        for (int64_t replica = 0; replica < ranks.replicas; replica++) {
            struct engine_result one = ranks;
            one.replicas = 1;
            one.starts += replica * m->program.count;
            one.ends += replica * m->program.count;
            expect_same("rank view", m, &one, roles.starts, roles.ends);
        }
    }
}

Test(engine, rank_view_is_role_view) {
    for_programs("views", PROGRAMS, 150, check_role_view);
}

/* Roles in another order: the same times, bit for bit. */
static void check_labels(struct arena *arena, const struct drawing *drawing, struct making *m) {
    const struct contention levels[] = {{CONTENTION_NONE, 0, 0, 0}, scalar, resources};
    struct jitter jitter = {JITTER_LOGNORMAL, JITTER_ALL, 0, 0.3};
    struct slow_rank slow = {0, 3, 1.7, 100e-12, 900e-12};
    struct scenario scenario = {.jitter = {&jitter, 1}, .slow = {&slow, 1}};
    int32_t before[400], after[400];
    int64_t turned[5], pp = drawing->parallel.pp;
    for (int64_t r = 0; r < pp; r++) {
        turned[r] = pp - 1 - r;
    }
    m = drawing_make(arena, drawing, in_order(), before);
    struct making *other = drawing_make(arena, drawing, turned, after);
    for (size_t level = 0; level < 2 * ROWS(levels); level++) {
        struct engine_input input = making_input(m), input_other = making_input(other);
        input.contention = input_other.contention = levels[level / 2];
        input.scenario = input_other.scenario = level % 2 == 1 ? &scenario : NULL;
        input.every_rank = input_other.every_rank = true;
        struct engine_result a = play(arena, &input), b = play(arena, &input_other);
        cr_assert(a.finished && b.finished && a.end == b.end);
        for (int64_t i = 0; i < drawing->count * a.replicas; i++) {
            int64_t replica = i / drawing->count * m->program.count, item = i % drawing->count;
            cr_assert(a.starts[replica + before[item]] == b.starts[replica + after[item]] &&
                          a.ends[replica + before[item]] == b.ends[replica + after[item]],
                      "level %d item %d", (int)level, (int)item);
        }
    }
}

Test(engine, labels_do_not_matter) {
    for_programs("labels", PROGRAMS, 150, check_labels);
}

/* One instruction takes longer: nothing ends earlier. */
static void check_monotone(struct arena *arena, const struct drawing *drawing, struct making *m) {
    struct engine_input input = making_input(m);
    struct engine_result before = play(arena, &input);
    int64_t longer = draw(drawing->random, 0, m->program.count - 1);
    m->prices[longer].picoseconds += draw(drawing->random, 1, 300);
    struct engine_result after = play(arena, &input);
    for (int64_t i = 0; i < m->program.count; i++) {
        cr_assert(after.starts[i] >= before.starts[i] && after.ends[i] >= before.ends[i]);
    }
}

Test(engine, more_work_ends_no_earlier) {
    for_programs("monotone", PROGRAMS, 150, check_monotone);
}

static int64_t all_work(const struct making *m) {
    int64_t sum = 0;
    for (int64_t i = 0; i < m->program.count; i++) {
        sum += m->instructions[i].action == ACTION_RECEIVE ? 0 : m->prices[i].picoseconds + m->prices[i].latency;
    }
    return sum;
}

/* Every instruction ends no earlier than without contention, takes at least its time, and the whole is no slower than
 * everything one after the other; rounding moves an end by at most half a picosecond each time a rate changes. */
static void check_contention(struct arena *arena, const struct drawing *drawing, struct making *m) {
    (void)drawing;
    const struct contention levels[] = {scalar, resources};
    for (int64_t i = 0; i < m->program.count; i++) {
        m->prices[i].picoseconds *= 1000000;
    }
    struct engine_input input = making_input(m);
    struct engine_result alone = play(arena, &input);
    for (size_t level = 0; level < ROWS(levels); level++) {
        input.contention = levels[level];
        struct engine_result result = play(arena, &input);
        cr_assert(result.finished, "%s", result.stuck);
        int64_t slack = 4 * m->program.count;
        for (int64_t i = 0; i < m->program.count; i++) {
            bool receive = m->instructions[i].action == ACTION_RECEIVE;
            cr_assert(result.starts[i] >= alone.starts[i] - slack && result.ends[i] >= alone.ends[i] - slack);
            cr_assert(receive || result.ends[i] - result.starts[i] >= m->prices[i].picoseconds - 1, "%d: %lld of %lld",
                      (int)i, (long long)(result.ends[i] - result.starts[i]), (long long)m->prices[i].picoseconds);
        }
        cr_assert(result.end <= all_work(m) + slack, "%lld, serial %lld", (long long)result.end,
                  (long long)all_work(m));
    }
}

Test(engine, contention_is_between_ideal_and_serial) {
    for_programs("contention", PROGRAMS, 150, check_contention);
}

/* Time on a stream adds up to the spans of its instructions; without contention those are the prices. */
static void check_busy(struct arena *arena, const struct drawing *drawing, struct making *m) {
    (void)drawing;
    for (int level = 0; level < 2; level++) {
        struct engine_input input = making_input(m);
        input.contention = level == 0 ? (struct contention){CONTENTION_NONE, 0, 0, 0} : resources;
        struct engine_result result = play(arena, &input);
        int64_t busy[5 * STREAM_COUNT] = {0}, end = 0;
        for (int32_t i = 0; i < m->program.count; i++) {
            int64_t span = result.ends[i] - result.starts[i];
            busy[making_role_of(m, i) * STREAM_COUNT + m->instructions[i].stream] += span;
            end = result.ends[i] > end ? result.ends[i] : end;
            bool alone = level == 0 && m->instructions[i].action != ACTION_RECEIVE;
            cr_assert(!alone || span == m->prices[i].picoseconds);
        }
        cr_assert(memcmp(busy, result.busy, (size_t)m->program.role_count * STREAM_COUNT * sizeof(int64_t)) == 0);
        cr_assert(end == result.end && result.events == (uint64_t)m->program.count);
    }
}

Test(engine, busy_adds_up) {
    for_programs("busy", PROGRAMS, 150, check_busy);
}

/* The path is in order, without overlap, and its parts add up to the end. */
static void check_path(struct arena *arena, const struct drawing *drawing, struct making *m) {
    (void)drawing;
    for (int run = 0; run < 4; run++) {
        struct engine_input input = making_input(m);
        input.contention = run % 2 == 0 ? (struct contention){CONTENTION_NONE, 0, 0, 0} : resources;
        input.every_rank = run >= 2;
        struct engine_result result = play(arena, &input);
        struct critical_path path;
        critical_path(arena, &m->program, &result, &path);
        int64_t sum = path.waiting, at = 0, axes = 0;
        for (int64_t s = 0; s < path.count; s++) {
            cr_assert(path.steps[s].start >= at && path.steps[s].end >= path.steps[s].start);
            at = path.steps[s].end;
        }
        for (int action = 0; action < ACTION_COUNT; action++) {
            sum += path.of_action[action];
        }
        for (int axis = 0; axis < AXIS_COUNT; axis++) {
            axes += path.of_axis[axis];
        }
        cr_assert(sum == result.end && path.waiting >= 0 && at <= result.end, "%lld of %lld", (long long)sum,
                  (long long)result.end);
        cr_assert(axes == path.of_action[ACTION_COLLECTIVE]);
    }
}

Test(engine, path_adds_up) {
    for_programs("path", PROGRAMS, 150, check_path);
}

/* Under any scenario the sweep and the event queue agree bit for bit, and slowness ends nothing earlier. */
static void check_disturbed(struct arena *arena, const struct drawing *drawing, struct making *m) {
    struct random *random = drawing->random;
    int64_t last = m->program.replicas * m->program.role_count - 1;
    make_harmless(m);
    struct slow_rank slow[] = {{draw(random, 0, last), -1, 1.5, 200e-12, 700e-12}, {-1, -1, 1.25, 0, 300e-12}};
    struct slow_link links[] = {{draw(random, 0, last), last, AXIS_DP, false, 3, 0, 0},
                                {draw(random, 0, last), -1, LINK_ANY, true, 1, 100e-12, 450e-12}};
    struct pause pauses[] = {{draw(random, 0, last), -1, 50e-12, 60e-12, 400e-12}, {-1, -1, 10e-12, 5e-12, 0}};
    struct jitter jitter = {JITTER_EXPONENTIAL, JITTER_ALL, 0.2, 0.2};
    struct scenario scenario = {.slow = {slow, 2}, .links = {links, 2}, .pauses = {pauses, 2}, .jitter = {&jitter, 1}};
    struct engine_input input = making_input(m);
    input.every_rank = true;
    struct engine_result quiet = play(arena, &input);
    input.scenario = &scenario;
    struct engine_result direct = play(arena, &input);
    input.contention = resources;
    struct engine_result events = play(arena, &input);
    expect_same("disturbed", m, &events, direct.starts, direct.ends);
    for (int64_t i = 0; i < m->program.count * direct.replicas; i++) {
        cr_assert(direct.starts[i] >= quiet.starts[i] && direct.ends[i] >= quiet.ends[i]);
    }
}

Test(engine, disturbed_alike) {
    for_programs("disturbed", PROGRAMS, 100, check_disturbed);
}
