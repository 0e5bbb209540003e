/* Programs written down by hand: every instruction with a work and a price of its own. */
#ifndef PARPLAN_TESTS_UNIT_SIM_PROGRAMS_H
#define PARPLAN_TESTS_UNIT_SIM_PROGRAMS_H

#include <string.h>

#include "../support.h"
#include "sim/engine.h"

enum { MOST = 4096, MOST_ROLES = 64, MOST_WAITS = 4 * MOST };

struct making {
    struct instruction instructions[MOST + 1];
    struct work works[MOST];
    struct work_price prices[MOST];
    struct role roles[MOST_ROLES];
    struct meeting meetings[MOST];
    int32_t waits[MOST_WAITS];
    int32_t wait_of[MOST_WAITS], wait_for[MOST_WAITS]; /* in the order they were asked for */
    int64_t wait_count;
    struct program program;
};

/* A program without roles; every degree 1. */
static inline struct making *making_open(struct arena *arena) {
    struct making *m = ARENA_NEW(arena, struct making);
    m->program = (struct program){
        .parallel = {.tp = 1, .pp = 1, .vpp = 1, .dp = 1, .cp = 1, .ep = 1, .etp = 1},
        .replicas = 1, .lockstep = 1, .roles = m->roles, .instructions = m->instructions, .waits = m->waits,
        .works = m->works, .meetings = m->meetings};
    return m;
}

/* Further instructions belong to the next role. */
static inline void making_role(struct making *m) {
    m->roles[m->program.role_count] = (struct role){.pipeline_rank = m->program.role_count, .first = m->program.count};
    m->program.parallel.pp = ++m->program.role_count;
}

/* Adds an instruction to the last role, which waits for `wait` (NOTHING) too; returns its index in the program. */
static inline int32_t making_add(struct making *m, enum action action, enum stream stream, int64_t picoseconds,
                                 int32_t wait) {
    int32_t index = (int32_t)m->program.count++;
    m->program.work_count = m->program.count;
    m->roles[m->program.role_count - 1].count++;
    m->instructions[index] = (struct instruction){
        .work = index, .micro_batch = NOTHING, .stage = NOTHING, .layer = NOTHING, .partner = NOTHING,
        .meeting = NOTHING, .action = (uint8_t)action, .stream = (uint8_t)stream};
    m->works[index] = (struct work){.kind = WORK_KERNEL, .stage = NOTHING, .other = NOTHING, .pieces = 1, .step = 1};
    m->prices[index] = (struct work_price){.picoseconds = picoseconds};
    if (wait != NOTHING) {
        m->wait_of[m->wait_count] = index;
        m->wait_for[m->wait_count++] = wait;
    }
    return index;
}

static inline void making_wait(struct making *m, int32_t index, int32_t wait) {
    m->wait_of[m->wait_count] = index;
    m->wait_for[m->wait_count++] = wait;
}

static inline int32_t making_compute(struct making *m, int64_t picoseconds, int32_t wait) {
    return making_add(m, ACTION_FORWARD, STREAM_COMPUTE, picoseconds, wait);
}

static inline int32_t making_role_of(const struct making *m, int32_t index) {
    int32_t role = 0;
    while (role + 1 < m->program.role_count && m->roles[role + 1].first <= index) {
        role++;
    }
    return role;
}

static inline void making_link(struct making *m, int32_t send, int32_t receive, int64_t latency) {
    int32_t from = making_role_of(m, send), to = making_role_of(m, receive);
    m->instructions[send].peer = (uint16_t)to;
    m->instructions[send].partner = receive - (int32_t)m->roles[to].first;
    m->instructions[receive].peer = (uint16_t)from;
    m->instructions[receive].partner = send - (int32_t)m->roles[from].first;
    m->prices[send].latency = latency;
    m->works[send].kind = WORK_MESSAGE;
}

/* A meeting of an axis, whose groups have `size` ranks; its members say so. */
static inline int32_t making_meeting(struct making *m, enum axis axis, int64_t size) {
    m->meetings[m->program.meeting_count] = (struct meeting){axis, size, 0};
    return (int32_t)m->program.meeting_count++;
}

static inline void making_meet(struct making *m, int32_t index, int32_t meeting) {
    m->instructions[index].meeting = meeting;
    m->works[index].axis = m->meetings[meeting].axis;
    m->works[index].size = m->meetings[meeting].size;
    m->meetings[meeting].members++;
}

/* Writes the waits; the program may be played, and more may be added and it may be closed again. */
static inline const struct program *making_close(struct making *m) {
    int32_t count = 0;
    for (int64_t i = 0; i < m->program.count; i++) {
        int64_t first = m->roles[making_role_of(m, (int32_t)i)].first;
        m->instructions[i].first_wait = count;
        for (int64_t w = 0; w < m->wait_count; w++) {
            if (m->wait_of[w] == i) {
                m->waits[count++] = m->wait_for[w] - (int32_t)first;
            }
        }
    }
    m->instructions[m->program.count].first_wait = count;
    m->program.wait_count = count;
    return &m->program;
}

static inline struct engine_input making_input(struct making *m) {
    return (struct engine_input){.program = making_close(m), .prices = m->prices, .times = true, .causes = true};
}

static inline struct engine_result play(struct arena *arena, const struct engine_input *input) {
    struct engine_result result;
    engine_run(arena, input, &result);
    return result;
}

#endif
