/* Sound programs with one thing changed at random: always found. */
#include "check_plans.h"
#include "base/random.h"
#include "program/check.h"

/* Changes that must be found whatever they hit. Each returns false when it cannot be made there. */
struct mutation {
    struct broken *broken;
    struct random *random;
    int64_t at; /* an instruction */
};

static uint32_t draw(const struct mutation *m, int64_t bound) {
    return random_below(m->random, (uint32_t)bound);
}

static bool computes(const struct mutation *m) {
    const struct instruction *at = &m->broken->instructions[m->at];
    return at->action <= ACTION_FULL;
}

static bool mutate_work(const struct mutation *m) {
    int32_t *work = &m->broken->instructions[m->at].work, old = *work;
    *work = (int32_t)draw(m, m->broken->program.work_count);
    return computes(m) && *work != old;
}

static bool mutate_action(const struct mutation *m) {
    uint8_t *action = &m->broken->instructions[m->at].action, old = *action;
    *action = (uint8_t)draw(m, ACTION_COUNT + 1);
    return *action != old;
}

static bool mutate_micro_batch(const struct mutation *m) {
    struct instruction *at = &m->broken->instructions[m->at];
    int32_t old = at->micro_batch;
    at->micro_batch = (int32_t)draw(m, m->broken->program.micro_batches + 1);
    return (computes(m) || at->action == ACTION_SEND || at->action == ACTION_RECEIVE) && at->micro_batch != old;
}

static bool mutate_layer(const struct mutation *m) {
    struct instruction *at = &m->broken->instructions[m->at];
    const struct work *work = &m->broken->works[at->work];
    int32_t old = at->layer;
    at->layer = (int32_t)draw(m, 9);
    return computes(m) && work->block == BLOCK_LAYER && work->kind != WORK_PASS && at->layer != old;
}

static bool mutate_stage(const struct mutation *m) {
    int32_t *stage = &m->broken->instructions[m->at].stage, old = *stage;
    *stage = (int32_t)draw(m, m->broken->program.stage_count + 1);
    return computes(m) && *stage != old;
}

static bool mutate_partner(const struct mutation *m) {
    struct instruction *at = &m->broken->instructions[m->at];
    int32_t old = at->partner;
    at->partner = (int32_t)draw(m, m->broken->program.count);
    return (at->action == ACTION_SEND || at->action == ACTION_RECEIVE) && at->partner != old;
}

static bool mutate_peer(const struct mutation *m) {
    struct instruction *at = &m->broken->instructions[m->at];
    uint16_t old = at->peer;
    at->peer = (uint16_t)draw(m, m->broken->program.role_count + 1);
    return (at->action == ACTION_SEND || at->action == ACTION_RECEIVE) && at->peer != old;
}

static bool mutate_meeting(const struct mutation *m) {
    struct instruction *at = &m->broken->instructions[m->at];
    int32_t old = at->meeting;
    at->meeting = (int32_t)draw(m, m->broken->program.meeting_count + 1);
    return at->meeting != old;
}

static bool mutate_stream(const struct mutation *m) {
    struct instruction *at = &m->broken->instructions[m->at];
    uint8_t old = at->stream;
    at->stream = (uint8_t)draw(m, STREAM_COUNT + 1);
    return at->action != ACTION_COLLECTIVE && at->stream != old;
}

/* Waits for what comes later on the own stream, or for itself. */
static bool mutate_wait(const struct mutation *m) {
    const struct instruction *at = &m->broken->instructions[m->at];
    int64_t role = 0;
    while (m->at >= m->broken->roles[role].first + m->broken->roles[role].count) {
        role++;
    }
    int64_t first = m->broken->roles[role].first, later = m->at + draw(m, m->broken->roles[role].count);
    if (at[0].first_wait == at[1].first_wait || later >= first + m->broken->roles[role].count ||
        m->broken->instructions[later].stream != at->stream) {
        return false;
    }
    m->broken->waits[at->first_wait] = (int32_t)(later - first);
    return true;
}

static bool mutate_tensor(const struct mutation *m) {
    struct effect *effect = &m->broken->effects[draw(m, m->broken->program.effect_count)];
    int32_t old = effect->tensor;
    effect->tensor = (int32_t)draw(m, m->broken->program.tensor_count);
    return effect->tensor != old;
}

static bool mutate_free(const struct mutation *m) {
    struct effect *effect = &m->broken->effects[draw(m, m->broken->program.effect_count)];
    effect->frees = !effect->frees;
    return true;
}

static bool (*const mutations[])(const struct mutation *) = {
    mutate_work,    mutate_action,  mutate_micro_batch, mutate_layer, mutate_stage,  mutate_partner,
    mutate_peer,    mutate_meeting, mutate_stream,      mutate_wait,  mutate_tensor, mutate_free};

static const struct wish *const samples[] = {&plain, &tied, &split, &two_way};

Test(program_check, finds_every_mutation) {
    enum { ROUNDS = 200, TRIES = 20 };
    int found[ROWS(mutations)] = {0};
    struct random random;
    random_stream(&random, 1, "mutations", 0);
    for (size_t i = 0; i < ROWS(samples) * DETAIL_COUNT; i++) {
        struct arena *arena = support_arena();
        struct lowered *lowered = lower_wish(arena, samples[i / DETAIL_COUNT], (enum detail)(i % DETAIL_COUNT));
        for (int round = 0; round < ROUNDS * (int)ROWS(mutations); round++) {
            struct arena_place begin = arena_mark(arena);
            struct broken broken;
            struct diag diag;
            diag_init(&diag, arena);
            size_t kind = (size_t)round % ROWS(mutations);
            struct mutation mutation = {.broken = &broken, .random = &random};
            bool broke = false;
            for (int try = 0; try < TRIES && !broke; try++) {
                broken_make(arena, &lowered->program, &broken);
                mutation.at = random_below(&random, (uint32_t)broken.program.count);
                broke = mutations[kind](&mutation);
            }
            enum status status = program_check(arena, &broken.program, lowered->model, &diag);
            cr_assert(!broke || status == STATUS_INVALID, "sample %zu, mutation %zu, instruction %lld", i, kind,
                      (long long)mutation.at);
            cr_assert(status == OK || diag.count > 0);
            found[kind] += broke;
            arena_rewind(arena, begin);
        }
        arena_close(arena);
    }
    for (size_t kind = 0; kind < ROWS(mutations); kind++) {
        cr_expect(found[kind] > ROUNDS, "mutation %zu: made %d times", kind, found[kind]);
    }
}

/* Any bytes at all may be wrong; whatever comes of it, nothing is read that is not there. */
Test(program_check, survives_any_bytes) {
    enum { ROUNDS = 4000 };
    struct arena *arena = support_arena();
    struct lowered *lowered = lower_wish(arena, &spread, DETAIL_LAYER);
    struct random random;
    random_stream(&random, 1, "bytes", 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct arena_place begin = arena_mark(arena);
        struct broken b;
        struct diag diag;
        diag_init(&diag, arena);
        broken_make(arena, &lowered->program, &b);
        const struct { void *items; size_t size; } arrays[] = {
            {b.instructions, sizeof *b.instructions * ((size_t)b.program.count + 1)},
            {b.roles, sizeof *b.roles * (size_t)b.program.role_count},
            {b.waits, sizeof *b.waits * (size_t)b.program.wait_count},
            {b.works, sizeof *b.works * (size_t)b.program.work_count},
            {b.stages, offsetof(struct stage, embedding)},
            {b.meetings, sizeof *b.meetings * (size_t)b.program.meeting_count},
            {b.tensors, sizeof *b.tensors * (size_t)b.program.tensor_count},
            {b.effects, offsetof(struct effect, frees)},
        };
        for (uint32_t changes = 1 + random_below(&random, 3); changes > 0; changes--) {
            size_t array = random_below(&random, ROWS(arrays));
            size_t at = random_below(&random, (uint32_t)arrays[array].size);
            ((unsigned char *)arrays[array].items)[at] = (unsigned char)random_next(&random);
        }
        enum status status = program_check(arena, &b.program, lowered->model, &diag);
        cr_assert(status == OK || diag.count > 0);
        arena_rewind(arena, begin);
    }
    arena_close(arena);
}
