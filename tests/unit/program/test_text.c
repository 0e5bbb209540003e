/* Programs as text: written, read, written again. */
#include "broken.h"
#include "base/json.h"
#include "base/random.h"
#include "program/text.h"

static const char *written(struct arena *arena, const struct program *program) {
    struct text text;
    text_init(&text, arena);
    program_write(program, ALL_ROLES, &text);
    return text.data;
}

static enum status read_text(struct arena *arena, const char *text, struct program *ret, struct diag *diag) {
    struct source *source = ARENA_NEW(arena, struct source);
    *source = (struct source){"p.txt", text, strlen(text)};
    diag_init(diag, arena);
    return program_read(arena, source, ret, diag);
}

#define SAME(member) cr_assert(a->member == b->member, #member)

static void same_instructions(const struct program *p, const struct program *q) {
    for (int64_t i = 0; i <= p->count; i++) {
        const struct instruction *a = &p->instructions[i], *b = &q->instructions[i];
        SAME(first_wait);
        if (i == p->count) {
            break;
        }
        SAME(work);
        SAME(micro_batch);
        SAME(stage);
        SAME(layer);
        SAME(partner);
        SAME(meeting);
        SAME(peer);
        SAME(action);
        SAME(stream);
    }
    for (int64_t i = 0; i < p->wait_count; i++) {
        cr_assert(p->waits[i] == q->waits[i]);
    }
}

static void same_works(const struct program *p, const struct program *q) {
    for (int64_t i = 0; i < p->work_count; i++) {
        const struct work *a = &p->works[i], *b = &q->works[i];
        SAME(kind);
        SAME(action);
        SAME(block);
        SAME(layer_kind);
        SAME(stage);
        SAME(other);
        SAME(item);
        SAME(pieces);
        SAME(collective);
        SAME(axis);
        SAME(size);
        SAME(step);
        SAME(bytes);
        SAME(parameters);
    }
}

static void same_tables(const struct program *p, const struct program *q) {
    for (int64_t i = 0; i < p->stage_count; i++) {
        const struct stage *a = &p->stages[i], *b = &q->stages[i];
        SAME(rank);
        SAME(chunk);
        SAME(index);
        SAME(way);
        SAME(first);
        SAME(layers);
        SAME(embedding);
        SAME(head);
        SAME(mtp);
    }
    for (int64_t i = 0; i < p->meeting_count; i++) {
        const struct meeting *a = &p->meetings[i], *b = &q->meetings[i];
        SAME(axis);
        SAME(size);
        SAME(members);
    }
    for (int64_t i = 0; i < p->tensor_count; i++) {
        const struct tensor *a = &p->tensors[i], *b = &q->tensors[i];
        SAME(bytes);
        SAME(class);
        SAME(micro_batch);
        SAME(stage);
    }
    for (int64_t i = 0; i < p->effect_count; i++) {
        const struct effect *a = &p->effects[i], *b = &q->effects[i];
        SAME(instruction);
        SAME(tensor);
        SAME(frees);
    }
}

static void same_programs(const struct program *a, const struct program *b) {
    SAME(detail);
    SAME(micro_batches);
    SAME(replicas);
    SAME(lockstep);
    SAME(skips);
    SAME(parallel.tp);
    SAME(parallel.pp);
    SAME(parallel.vpp);
    SAME(parallel.dp);
    SAME(parallel.cp);
    SAME(parallel.ep);
    SAME(parallel.etp);
    SAME(parallel.zero);
    SAME(parallel.sp);
    SAME(parallel.cp_kind);
    SAME(parallel.ulysses);
    SAME(parallel.order);
    SAME(role_count);
    SAME(count);
    SAME(wait_count);
    SAME(work_count);
    SAME(stage_count);
    SAME(meeting_count);
    SAME(tensor_count);
    SAME(effect_count);
    for (int64_t i = 0; i < a->role_count; i++) {
        const struct role *x = &a->roles[i], *y = &b->roles[i];
        cr_assert(x->pipeline_rank == y->pipeline_rank && x->first == y->first && x->count == y->count &&
                  x->first_tensor == y->first_tensor && x->tensor_count == y->tensor_count &&
                  x->first_effect == y->first_effect && x->effect_count == y->effect_count);
    }
    same_instructions(a, b);
    same_works(a, b);
    same_tables(a, b);
}

static void reads_back(struct arena *arena, const struct program *program) {
    struct program again;
    struct diag diag;
    const char *text = written(arena, program);
    cr_assert(read_text(arena, text, &again, &diag) == OK, "%u:%u: %s", diag.entries[0].mark.line,
              diag.entries[0].mark.column, first_of(&diag));
    same_programs(program, &again);
    cr_assert(strcmp(text, written(arena, &again)) == 0);
}

Test(program_text, reads_what_lowering_makes) {
    static const struct wish wishes[] = {
        {.parallel = {.tp = 2, .pp = 2, .dp = 2, .sp = true, .zero = 3}, .schedule = SCHEDULE_1F1B},
        {.parallel = {.pp = 4, .order = ORDER_DP_TP_CP_PP}, .schedule = SCHEDULE_DUALPIPE},
        {.parallel = {.pp = 4}, .micro_batches = 4, .schedule = SCHEDULE_SKIPPIPE},
        {.model = EXPERTS "mtp_layers: 1\n", .parallel = {.pp = 2, .vpp = 2, .dp = 4, .ep = 4, .cp = 2, .ulysses = 2,
                                                        .cp_kind = CONTEXT_ULYSSES},
         .schedule = SCHEDULE_INTERLEAVED},
    };
    for (size_t i = 0; i < ROWS(wishes) * DETAIL_COUNT; i++) {
        struct arena *arena = support_arena();
        const struct lowered *lowered = lower_wish(arena, &wishes[i / DETAIL_COUNT], (enum detail)(i % DETAIL_COUNT));
        reads_back(arena, &lowered->program);
        arena_close(arena);
    }
}

static int64_t any(struct random *random, int64_t bound) {
    return random_below(random, (uint32_t)bound);
}

/* NOTHING, something small, or anything. */
static int32_t index32(struct random *random) {
    switch (any(random, 3)) {
    case 0:
        return NOTHING;
    case 1:
        return (int32_t)any(random, 10);
    default:
        return (int32_t)(random_next(random) >> 1);
    }
}

static int64_t index64(struct random *random) {
    uint64_t high = random_next(random);
    return any(random, 2) ? index32(random) : (int64_t)((high << 32 | random_next(random)) >> any(random, 60));
}

static double amount(struct random *random) {
    return any(random, 3) == 0 ? 0 : (double)index64(random) * random_unit(random);
}

static void random_tables(struct random *random, struct broken *b) {
    for (int64_t i = 0; i < b->program.work_count; i++) {
        b->works[i] = (struct work){(uint8_t)any(random, WORK_KINDS),
                                    (uint8_t)any(random, ACTION_COUNT),
                                    (uint8_t)any(random, BLOCK_COUNT),
                                    (uint8_t)any(random, 256),
                                    index32(random),
                                    index32(random),
                                    index32(random),
                                    index32(random),
                                    (enum collective)any(random, COLLECTIVE_KINDS),
                                    (enum axis)any(random, AXIS_COUNT),
                                    index64(random),
                                    index64(random),
                                    amount(random),
                                    amount(random)};
    }
    for (int64_t i = 0; i < b->program.stage_count; i++) {
        b->stages[i] = (struct stage){index64(random), index64(random), index64(random), index64(random),
                                      index64(random), index64(random), any(random, 2),  any(random, 2),
                                      index64(random)};
    }
    for (int64_t i = 0; i < b->program.meeting_count; i++) {
        b->meetings[i] = (struct meeting){(enum axis)any(random, AXIS_COUNT), index64(random), index32(random)};
    }
    for (int64_t i = 0; i < b->program.tensor_count; i++) {
        b->tensors[i] = (struct tensor){amount(random), (int32_t)any(random, TENSOR_CLASSES), index32(random),
                                        index32(random)};
    }
}

/* Everything that need not fit anything else. */
static void random_members(struct random *random, struct broken *b) {
    struct program *p = &b->program;
    p->detail = (enum detail)any(random, DETAIL_COUNT);
    p->parallel = (struct parallel){index64(random), index64(random), index64(random), index64(random),
                                    index64(random), index64(random), index64(random), index64(random),
                                    any(random, 2),  (int)any(random, 4), index64(random),
                                    (int)any(random, ORDER_KINDS)};
    p->micro_batches = index64(random);
    p->replicas = index64(random);
    p->lockstep = index64(random);
    p->skips = any(random, 2);
    random_tables(random, b);
    for (int64_t i = 0; i < p->role_count; i++) {
        b->roles[i].pipeline_rank = index64(random);
    }
    for (int64_t i = 0; i < p->count; i++) {
        int32_t waits = b->instructions[i].first_wait;
        b->instructions[i] = (struct instruction){index32(random), index32(random), index32(random), index32(random),
                                                  waits, index32(random), index32(random),
                                                  (uint16_t)random_next(random), (uint8_t)any(random, ACTION_COUNT),
                                                  (uint8_t)any(random, STREAM_COUNT)};
    }
    for (int64_t i = 0; i < p->wait_count; i++) {
        b->waits[i] = (int32_t)any(random, INT32_MAX);
    }
    for (int64_t i = 0; i < p->effect_count; i++) {
        b->effects[i].tensor = (int32_t)any(random, INT32_MAX);
        b->effects[i].frees = any(random, 2);
    }
}

Test(program_text, reads_any_program) {
    enum { ROUNDS = 300 };
    static const struct wish wish = {.parallel = {.pp = 2, .dp = 2, .zero = 1}, .schedule = SCHEDULE_1F1B};
    struct arena *arena = support_arena();
    struct lowered *lowered = lower_wish(arena, &wish, DETAIL_LAYER);
    struct random random;
    random_stream(&random, 1, "programs", 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct arena_place begin = arena_mark(arena);
        struct broken broken;
        broken_make(arena, &lowered->program, &broken);
        random_members(&random, &broken);
        reads_back(arena, &broken.program);
        arena_rewind(arena, begin);
    }
    arena_close(arena);
}

#define HEAD "parplan program v1 detail=layer micro-batches=1\n"
#define ROLE HEAD "role 0 pipeline-rank=0\n"

Test(program_text, shows_where_a_text_is_wrong) {
    static const struct {
        const char *text;
        unsigned line, column;
        const char *says, *helps;
    } rows[] = {
        {"", 0, 0, "no program: the text is empty", NULL},
        {"\n", 1, 1, "no program: it does not begin with 'parplan program v1'", NULL},
        {"parplan plan v1\n", 1, 9, "no program", NULL},
        {"parplan program v2\n", 1, 17, "no program", NULL},
        {"parplan program v1 detail=layers\n", 1, 27, "there is no detail 'layers'", "did you mean layer?"},
        {"parplan program v1 tp=x\n", 1, 23, "tp: 'x' is no whole number", NULL},
        {"parplan program v1 tp=99999999999999999999\n", 1, 23, "tp: '99999999999999999999' is no whole number", NULL},
        {"parplan program v1 sp=1\n", 1, 20, "sp: it takes no value", NULL},
        {"parplan program v1 tp\n", 1, 20, "tp: it has no value", NULL},
        {"parplan program v1 =1\n", 1, 20, "there is no key '' here", NULL},
        {HEAD "lane 0\n", 2, 1, "'lane' begins no line", NULL},
        {HEAD "work 1 pass\n", 2, 6, "'1' stands where 0 is expected", NULL},
        {HEAD "work\n", 2, 5, "'' stands where 0 is expected", NULL},
        {HEAD "work 0\n", 2, 7, "the line ends before its kind", NULL},
        {HEAD "work 0 kernal\n", 2, 8, "there is no kind 'kernal'", "did you mean kernel?"},
        {HEAD "work 0 pass bytes=abc\n", 2, 19, "bytes: 'abc' is no number", NULL},
        {HEAD "work 0 pass layer-kind=256\n", 2, 24, "layer-kind: 256 is too large", NULL},
        {HEAD "work 0 pass stage=2147483648\n", 2, 19, "stage: 2147483648 is too large", NULL},
        {HEAD "tensor 0 weights\n", 2, 1, "'tensor' begins no line", NULL},
        {HEAD "0 compute forward\n", 2, 1, "'0' stands before the first role", NULL},
        {HEAD "role 1\n", 2, 6, "'1' stands where 0 is expected", NULL},
        {ROLE "1 compute forward\n", 3, 1, "'1' stands where 0 is expected", NULL},
        {ROLE "0 compute\n", 3, 10, "the line ends before its action", NULL},
        {ROLE "0 compute forward after=1,,2\n", 3, 25, "'1,,2' is no index", NULL},
        {ROLE "0 compute forward after=1,x\n", 3, 27, "'x' is no index", NULL},
        {ROLE "0 compute forward frees=-1\n", 3, 25, "'-1' is no index", NULL},
        {ROLE "0 compute forward peer=65536\n", 3, 24, "peer: 65536 is too large", NULL},
        {ROLE "0 compute forward after\n", 3, 19, "there is no key 'after' here", NULL},
        {ROLE "\n\n0 compute forward  wrk=1\r\n", 5, 20, "there is no key 'wrk' here", NULL},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        struct program program;
        struct diag diag;
        cr_expect(read_text(arena, rows[i].text, &program, &diag) == STATUS_INVALID, "%s", rows[i].text);
        const struct diag_entry *entry = &diag.entries[0];
        cr_assert(diag.count > 0);
        cr_expect(entry->mark.line == rows[i].line && entry->mark.column == rows[i].column, "%s: %u:%u",
                  rows[i].text, entry->mark.line, entry->mark.column);
        cr_expect(strstr(entry->text, rows[i].says) != NULL, "%s: %s", rows[i].text, entry->text);
        cr_expect(text_equal(entry->help, rows[i].helps), "%s: %s", rows[i].text, entry->help);
        arena_close(arena);
    }
}

Test(program_text, finds_faults_of_many_lines) {
    struct arena *arena = support_arena();
    struct program program;
    struct diag diag;
    const char *text = HEAD "work 0 passs\nwork 1 block item=x\nnothing\n";
    cr_expect(read_text(arena, text, &program, &diag) == STATUS_INVALID);
    cr_expect(diag.count == 3, "%zu", diag.count);
    arena_close(arena);
}

Test(program_text, reads_what_people_write) {
    struct arena *arena = support_arena();
    struct program program;
    struct diag diag;
    const char *text = HEAD "\n work\t0  pass \r\nrole 0 pipeline-rank=0\n0 compute forward work=0";
    cr_assert(read_text(arena, text, &program, &diag) == OK, "%s", first_of(&diag));
    cr_expect(program.count == 1 && program.instructions[0].work == 0 && program.instructions[0].stage == NOTHING);
    cr_expect(program.parallel.tp == 1 && program.work_count == 1 && program.works[0].pieces == 1);
    arena_close(arena);
}

Test(program_text, writes_one_role_alone) {
    static const struct wish wish = {.parallel = {.pp = 2}, .schedule = SCHEDULE_GPIPE, .micro_batches = 2};
    struct arena *arena = support_arena();
    const struct lowered *lowered = lower_wish(arena, &wish, DETAIL_PASS);
    struct text text;
    text_init(&text, arena);
    program_write(&lowered->program, 1, &text);
    cr_expect(strstr(text.data, "role 1 pipeline-rank=1\n") != NULL && strstr(text.data, "role 0 ") == NULL);
    cr_expect(strstr(text.data, "stage 0 ") != NULL && strstr(text.data, "stage 1 ") != NULL);
    arena_close(arena);
}

Test(program_text, writes_json_that_can_be_read) {
    static const struct wish wish = {.parallel = {.pp = 2}, .schedule = SCHEDULE_GPIPE, .micro_batches = 1};
    struct arena *arena = support_arena();
    const struct lowered *lowered = lower_wish(arena, &wish, DETAIL_PASS);
    struct text text;
    struct json json;
    struct diag diag;
    text_init(&text, arena);
    json_init(&json, &text, true);
    program_json(&lowered->program, ALL_ROLES, &json);
    (void)parse(arena, text.data, &diag);
    cr_expect(strstr(text.data, "\"detail\": \"pass\"") != NULL, "%.200s", text.data);
    cr_expect(strstr(text.data, "\"stream\": \"send-next\", \"action\": \"send\", \"stage\": 0, \"layer\": null, "
                                "\"micro_batch\": 0") != NULL, "%s", text.data);
    arena_close(arena);
}
