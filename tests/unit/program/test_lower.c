/* Lowering at pass and layer detail: how many instructions of which sort, what waits for what, what is refused. */
#include "lowered.h"

#include <math.h>

#include "schedule/order_text.h"

/* Messages a micro-batch, forward and backward: what stands between ranks of the path through all stages. */
Test(lower, messages_follow_the_placement) {
    static const struct {
        int schedule;
        int64_t pp, vpp, a_micro_batch;
    } rows[] = {
        {SCHEDULE_1F1B, 2, 1, 2},         {SCHEDULE_1F1B, 4, 1, 2 * 3},          {SCHEDULE_GPIPE, 8, 1, 2 * 7},
        {SCHEDULE_ZB_H1, 4, 1, 2 * 3},    {SCHEDULE_INTERLEAVED, 2, 2, 2 * 3},   {SCHEDULE_INTERLEAVED, 4, 2, 2 * 7},
        {SCHEDULE_ZB_V, 4, 2, 4 * 3},     {SCHEDULE_DUALPIPEV, 4, 2, 4 * 3},     {SCHEDULE_WAVE, 2, 2, 4 * 1},
        {SCHEDULE_WAVE, 2, 4, 2 * 4 * 1}, {SCHEDULE_DUALPIPE, 4, 1, 2 * 3},      {SCHEDULE_CHIMERA, 4, 1, 2 * 3},
        {SCHEDULE_PACI, 4, 1, 2 * 3},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t fixed = schedules[rows[i].schedule]->fixed_chunks;
        struct wish wish = {.parallel = {.pp = rows[i].pp, .vpp = fixed > 0 ? fixed : rows[i].vpp},
                            .schedule = rows[i].schedule,
                            .micro_batches = 16};
        const char *name = schedule_names[rows[i].schedule];
        for (int detail = DETAIL_PASS; detail <= DETAIL_LAYER; detail++) {
            const struct program *program = &lower_wish(arena, &wish, (enum detail)detail)->program;
            cr_expect_eq(count_of(program, -1, ACTION_SEND, WORK_MESSAGE), 16 * rows[i].a_micro_batch, "%s: %lld", name,
                         (long long)count_of(program, -1, ACTION_SEND, WORK_MESSAGE));
            cr_expect_eq(count_of(program, -1, ACTION_RECEIVE, WORK_MESSAGE), 16 * rows[i].a_micro_batch, "%s", name);
        }
    }
    arena_close(arena);
}

/* 1F1B on 4 ranks: a forward and a full backward of every micro-batch, messages, the norm, the update. */
Test(lower, a_pass_is_one_instruction) {
    struct arena *arena = support_arena();
    struct wish wish = {.parallel = {.pp = 4}, .schedule = SCHEDULE_1F1B, .micro_batches = 6};
    const struct program *program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    cr_assert_eq(program->role_count, 4);
    cr_expect(program->micro_batches == 6 && program->replicas == 1 && program->stage_count == 4);
    for (int64_t role = 0; role < 4; role++) {
        int64_t neighbours = role == 0 || role == 3 ? 1 : 2;
        cr_expect_eq(count_of(program, role, ACTION_FORWARD, WORK_PASS), 6);
        cr_expect_eq(count_of(program, role, ACTION_FULL, WORK_PASS), 6);
        cr_expect_eq(program->roles[role].count, 2 * 6 + 2 * 6 * neighbours + 2);
        cr_expect_eq(count_of(program, role, ACTION_OPTIMIZER, WORK_UPDATE), 1);
    }
    /* 2 passes of 4 stages, a message, the norm; the ends update more than the ranks between them. */
    cr_expect_eq(program->work_count, 2 * 4 + 1 + 1 + 3);
    arena_close(arena);
}

/* Eight layers on two ranks, with embedding and head: by layers one instruction a block and pass. */
Test(lower, a_layer_is_one_instruction) {
    struct arena *arena = support_arena();
    static const struct {
        int schedule, recompute;
        int64_t forwards, fulls, backwards, weights, again;
    } rows[] = {
        {SCHEDULE_1F1B, RECOMPUTE_NONE, 5, 5, 0, 0, 0},
        {SCHEDULE_1F1B, RECOMPUTE_FULL, 5, 5, 0, 0, 4},
        {SCHEDULE_ZB_H1, RECOMPUTE_FULL, 5, 0, 5, 5, 4},
        {SCHEDULE_ZB_H1, RECOMPUTE_SELECTIVE, 5, 0, 5, 5, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct wish wish = {.parallel = {.pp = 2}, .schedule = rows[i].schedule, .recompute = rows[i].recompute};
        const struct program *program = &lower_wish(arena, &wish, DETAIL_LAYER)->program;
        for (int64_t role = 0; role < 2; role++) {
            cr_expect_eq(count_of(program, role, ACTION_FORWARD, WORK_BLOCK), 8 * rows[i].forwards, "%zu", i);
            cr_expect_eq(count_of(program, role, ACTION_FULL, WORK_BLOCK), 8 * rows[i].fulls, "%zu", i);
            cr_expect_eq(count_of(program, role, ACTION_BACKWARD, WORK_BLOCK), 8 * rows[i].backwards, "%zu", i);
            cr_expect_eq(count_of(program, role, ACTION_WEIGHT, WORK_BLOCK), 8 * rows[i].weights, "%zu", i);
            cr_expect_eq(count_of(program, role, ACTION_RECOMPUTE, WORK_BLOCK), 8 * rows[i].again, "%zu", i);
            cr_expect_eq(count_of(program, role, ACTION_HOST, WORK_HOST), 16, "%zu", i);
        }
    }
    arena_close(arena);
}

/* Blocking messages: a rank computes nothing while it sends or receives. */
Test(lower, blocking_messages_hold_the_rank) {
    struct arena *arena = support_arena();
    struct wish wish = {.parallel = {.pp = 2}, .job = "overlap: {pipeline: false}\n", .schedule = SCHEDULE_1F1B,
                        .micro_batches = 4};
    const struct program *program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    for (int64_t role = 0; role < 2; role++) {
        int64_t pass = -1, sent = -2, received = -2;
        for (int64_t i = 0; i < program->roles[role].count; i++) {
            int action = instruction_of(program, role, i)->action;
            if (action == ACTION_SEND) {
                cr_expect(has_wait(program, role, i, pass));
                sent = i;
            } else if (action == ACTION_RECEIVE) {
                cr_expect(pass < 0 || has_wait(program, role, i, pass));
                cr_expect(sent < pass || has_wait(program, role, i, sent));
                received = i;
            } else if (action == ACTION_FORWARD || action == ACTION_FULL) {
                cr_expect(sent < pass || has_wait(program, role, i, sent));
                cr_expect(received < pass || has_wait(program, role, i, received));
                pass = i;
            }
        }
    }
    arena_close(arena);
}

static bool same_program(const struct program *a, const struct program *b) {
    return a->count == b->count && a->wait_count == b->wait_count &&
           memcmp(a->instructions, b->instructions, (size_t)a->count * sizeof *a->instructions) == 0 &&
           memcmp(a->waits, b->waits, (size_t)a->wait_count * sizeof *a->waits) == 0;
}

/* A plan that lists the passes of its schedule is the same plan. */
Test(lower, a_listed_order_is_followed) {
    struct arena *arena = support_arena();
    static const int rows[] = {SCHEDULE_1F1B, SCHEDULE_ZB_H1, SCHEDULE_DUALPIPE, SCHEDULE_SKIPPIPE};
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct wish wish = {.parallel = {.pp = 4, .vpp = schedules[rows[i]]->fixed_chunks}, .schedule = rows[i]};
        struct lowered *made = lower_wish(arena, &wish, DETAIL_PASS);
        struct plan plan = made->plan;
        struct order order;
        const char **lines = ARENA_ARRAY(arena, const char *, 4);
        cr_assert_eq(plan_order(arena, &plan, NULL, &order, &made->diag), OK);
        for (int64_t rank = 0; rank < 4; rank++) {
            lines[rank] = order_line(arena, &order, rank);
        }
        plan.order = (struct list){lines, 4};
        struct lowered *listed = lower_plan(arena, made->model, &plan, NULL, DETAIL_PASS);
        cr_assert_eq(listed->status, OK, "%s", first_of(&listed->diag));
        cr_expect(same_program(&made->program, &listed->program), "%s", schedule_names[rows[i]]);
    }
    arena_close(arena);
}

/* Two ranks, two micro-batches, eight layers. */
#define HEAD "schema: parplan/plan/v1\nmodel: m\ntopology: t\n"
#define REST "job: {global_batch: 2, seq_len: 2048}\n"
#define PLAN HEAD "devices: 2\nparallel: {pp: 2}\nschedule: 1f1b\n" REST "order:\n"

Test(lower, nonsense_is_refused) {
    static const struct {
        const char *text;
        unsigned line;
        const char *part;
    } rows[] = {
        {PLAN "- F0.0 F0.1 BW0.0 BW0.1\n- F1.0 BW1.0 F1.1 BW1.1\n", 0, NULL},
        {HEAD "devices: 4\nparallel: {pp: 2, tp: 4}\n" REST, 5,
         "parallel: tp 4 x cp 1 x dp 1 x pp 2 make 8 ranks, but there are 4 devices"},
        {HEAD "devices: 2\nparallel: {dp: 2, ep: 3}\n" REST, 5, "ep 3 x etp 1 does not divide tp x cp x dp = 2"},
        {HEAD "devices: 3\nparallel: {dp: 3}\n" REST, 6, "global_batch: 2 is no multiple of dp 3 x micro_batch 1"},
        {HEAD "devices: 2\nparallel: {pp: 2, vpp: 2}\nschedule: 1f1b\n" REST, 6,
         "schedule 1f1b does not take pp 2, vpp 2"},
        {HEAD "devices: 16\nparallel: {pp: 16}\nschedule: 1f1b\n" REST, 5, "more chunks than layers"},
        {PLAN "- F0.0 F0.1 BW0.0 BW0.1\n", 8, "order: 1 lines, one a pipeline rank, but the plan has 2"},
        {PLAN "- F0.0 F0.1 BW0.0 BW0.1\n- F1.0 BW1.0 F1.1 XW1.1\n", 10, "'XW1.1' is not a pass"},
        {PLAN "- F0.0 BW0.0\n- F1.0 BW1.0\n", 8, "order: 1 micro-batches, but the plan has 2"},
        {PLAN "- F0.0 F0.1 F0.2 BW0.0 BW0.1 BW0.2\n- F1.0 BW1.0 F1.1 BW1.1 F1.2 BW1.2\n", 8,
         "order: 3 micro-batches, but the plan has 2"},
        {PLAN "- F0.0 F0.1 BW0.0 BW0.1\n- F1.0 BW1.0 F1.1\n", 10, "rank 1: BW1.1 is missing"},
        {PLAN "- F0.0 F0.1 BW0.0 BW0.1\n- F1.0 BW1.0\n", 10, "rank 1: F1.1 is missing"},
        {PLAN "- F0.0 F0.1 BW0.0 BW0.1 BW0.1\n- F1.0 BW1.0 F1.1 BW1.1\n", 9, "rank 0: BW0.1 is there twice"},
        {PLAN "- F0.0 F1.0 BW0.0 BW0.1\n- F0.1 BW1.0 F1.1 BW1.1\n", 9, "rank 0: F1.0 belongs to rank 1"},
        {PLAN "- F0.0 BW0.0 F0.1 BW0.1\n- F1.0 F1.1 BW1.0 BW1.1\n", 9,
         "a wait that never ends: rank 0 at BW0.0 waits for BW1.0 of rank 1 at F1.1, which waits for F0.1 of rank 0"},
        {HEAD "devices: 2\nparallel: {pp: 2}\nschedule: 1f1b\n" REST
              "layout:\n- {rank: 0, chunk: 0, first: 0, layers: 5, extra: embedding}\n"
              "- {rank: 1, chunk: 0, first: 4, layers: 4, extra: head}\n",
         10, "layer 4 is twice"},
    };
    struct arena *arena = support_arena();
    struct model *model = setup_model(arena, DENSE);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct plan plan;
        struct node *root = parse(arena, rows[i].text, &diag);
        cr_assert_eq(plan_load(arena, root, &plan, &diag), OK, "%s", first_of(&diag));
        const struct lowered *lowered = lower_plan(arena, model, &plan, root, DETAIL_PASS);
        if (rows[i].part == NULL) {
            cr_expect_eq(lowered->status, OK, "%s", first_of(&lowered->diag));
            continue;
        }
        cr_assert_eq(lowered->status, STATUS_INVALID, "taken:\n%s", rows[i].text);
        const struct diag_entry *e = &lowered->diag.entries[0];
        cr_expect(strstr(e->text, rows[i].part) != NULL, "%s: wanted %s", e->text, rows[i].part);
        cr_expect_eq(e->mark.line, rows[i].line, "%s: at %u:%u", e->text, e->mark.line, e->mark.column);
    }
    arena_close(arena);
}

/* A person's layout decides what a stage runs. */
Test(lower, a_listed_layout_is_followed) {
    struct arena *arena = support_arena();
    struct wish wish = {.parallel = {.pp = 2}, .schedule = SCHEDULE_1F1B, .micro_batches = 1};
    struct plan plan = wished_plan(arena, &wish);
    struct plan_stage rows[] = {{0, 0, 0, 7, "embedding"}, {1, 0, 7, 1, "head"}};
    plan.layout = (struct list){rows, ROWS(rows)};
    const struct lowered *lowered = lower_plan(arena, setup_model(arena, DENSE), &plan, NULL, DETAIL_LAYER);
    cr_assert_eq(lowered->status, OK, "%s", first_of(&lowered->diag));
    cr_expect_eq(count_of(&lowered->program, 0, ACTION_FORWARD, WORK_BLOCK), 8);
    cr_expect_eq(count_of(&lowered->program, 1, ACTION_FORWARD, WORK_BLOCK), 2);
    arena_close(arena);
}

/* A vocabulary spread over the stages: all ranks meet for every micro-batch, in one order. */
Test(lower, a_spread_vocabulary_meets_in_one_order) {
    struct arena *arena = support_arena();
    static const int rows[] = {SCHEDULE_1F1B, SCHEDULE_GPIPE, SCHEDULE_ZB_H2, SCHEDULE_ZB_V, SCHEDULE_INTERLEAVED};
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t fixed = schedules[rows[i]]->fixed_chunks;
        struct wish wish = {.parallel = {.pp = 4, .vpp = fixed > 0 ? fixed : 2}, .job = "vocab_parallel: true\n",
                            .schedule = rows[i]};
        const struct program *program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
        int32_t meetings[8 * 5] = {0};
        for (int64_t role = 0; role < 4; role++) {
            int64_t met = 0;
            for (int64_t j = 0; j < program->roles[role].count; j++) {
                const struct instruction *instruction = instruction_of(program, role, j);
                if (program->works[instruction->work].kind == WORK_BARRIER) {
                    cr_assert_lt(met, (int64_t)ROWS(meetings));
                    cr_expect(role == 0 || meetings[met] == instruction->meeting, "rank %lld", (long long)role);
                    meetings[met++] = instruction->meeting;
                    cr_expect_eq(program->meetings[instruction->meeting].members, 4);
                }
            }
            cr_expect_eq(met, 8 * 5, "%s: table, input, statistics, gradients, table back", schedule_names[rows[i]]);
            cr_expect_eq(count_of(program, role, ACTION_SHARD, WORK_BLOCK), 8 * 2); /* of embedding and head */
            cr_expect_eq(count_of(program, role, ACTION_SHARD_END, WORK_BLOCK), 8 * 2);
        }
    }
    arena_close(arena);
}

/* What overlaps in a pair lies within layers: by layers too it is one instruction, but for those that the gradients'
 * reductions or the parameters' gathers travel beside. */
Test(lower, pairs_stay_whole_by_layers) {
    struct arena *arena = support_arena();
    struct wish wish = {.parallel = {.pp = 4, .vpp = schedules[SCHEDULE_DUALPIPE]->fixed_chunks},
                        .schedule = SCHEDULE_DUALPIPE, .micro_batches = 16};
    for (int detail = DETAIL_PASS; detail <= DETAIL_LAYER; detail++) {
        const struct program *program = &lower_wish(arena, &wish, (enum detail)detail)->program;
        /* Ranks of depth q of half h: 2 (n - 2h + q + 1) pairs, less one on the middle ranks, and h - q - 1 more. */
        cr_expect_eq(count_of(program, 0, ACTION_PAIR, WORK_PASS), 2 * (8 - 4 + 0 + 1) + 1);
        cr_expect_eq(count_of(program, 1, ACTION_PAIR, WORK_PASS), 2 * (8 - 4 + 1 + 1) - 1);
        for (int64_t i = 0; i < program->count; i++) {
            const struct instruction *pair = &program->instructions[i];
            bool both = pair->partner >= 0 && program->works[pair->work].other != pair->stage;
            cr_expect(pair->action != ACTION_PAIR || both, "a pair names its backward");
        }
    }
    arena_close(arena);
}

/* RoundPipe: weights of a slot are loaded once, what forward keeps is stored and loaded again, gradients are stored. */
Test(lower, stages_go_round) {
    struct arena *arena = support_arena();
    struct wish wish = {.parallel = {.pp = 2, .vpp = 2}, .schedule = SCHEDULE_ROUNDPIPE, .micro_batches = 3};
    for (int detail = DETAIL_PASS; detail < DETAIL_COUNT; detail++) {
        const struct program *program = &lower_wish(arena, &wish, (enum detail)detail)->program;
        /* Slots 0 2 4 6 and 1 3 5 of stages 0 2 2 0 and 1 3 1: three forward, one with its backward, three back. */
        cr_expect_eq(count_of(program, 0, ACTION_LOAD, WORK_COPY), 4 + 2 * 3);
        cr_expect_eq(count_of(program, 1, ACTION_LOAD, WORK_COPY), 3 + 1 * 3);
        cr_expect_eq(count_of(program, 0, ACTION_STORE, WORK_COPY), 2 * 3 + 2);
        cr_expect_eq(count_of(program, 1, ACTION_STORE, WORK_COPY), 1 * 3 + 2);
        double loaded = 0;
        for (int64_t i = 0; i < program->count; i++) {
            const struct instruction *load = &program->instructions[i];
            bool weights = load->action == ACTION_LOAD && load->micro_batch == NOTHING;
            loaded += weights ? program->works[load->work].bytes : 0;
        }
        /* Two layers a stage; the last stage's weights are loaded once, with its head, all others twice. */
        const double layer = 15730688, table = 51200.0 * 1024;
        cr_expect(fabs(loaded - 2 * (2 * table + 3 * 2 * 2 * layer + 2 * layer + table + 1024)) < 1, "%g", loaded);
    }
    arena_close(arena);
}
