/* Copies of programs that tests may break. */
#ifndef PARPLAN_TESTS_PROGRAM_BROKEN_H
#define PARPLAN_TESTS_PROGRAM_BROKEN_H

#include "lowered.h"

struct broken {
    struct program program; /* its arrays are those below */
    struct role *roles;
    struct instruction *instructions;
    int32_t *waits;
    struct work *works;
    struct stage *stages;
    struct meeting *meetings;
    struct tensor *tensors;
    struct effect *effects;
};

static inline void *copied(struct arena *arena, const void *items, int64_t count, size_t size) {
    void *copy = arena_alloc(arena, (size_t)count, size);
    if (count > 0) {
        memcpy(copy, items, (size_t)count * size);
    }
    return copy;
}

static inline void broken_make(struct arena *arena, const struct program *program, struct broken *ret) {
    ret->program = *program;
    struct program *p = &ret->program;
    p->roles = ret->roles = copied(arena, p->roles, p->role_count, sizeof *p->roles);
    p->instructions = ret->instructions = copied(arena, p->instructions, p->count + 1, sizeof *p->instructions);
    p->waits = ret->waits = copied(arena, p->waits, p->wait_count, sizeof *p->waits);
    p->works = ret->works = arena_alloc(arena, (size_t)p->work_count + 1, sizeof *p->works);
    memcpy(ret->works, program->works, (size_t)p->work_count * sizeof *p->works);
    p->stages = ret->stages = copied(arena, p->stages, p->stage_count, sizeof *p->stages);
    p->meetings = ret->meetings = copied(arena, p->meetings, p->meeting_count, sizeof *p->meetings);
    p->tensors = ret->tensors = copied(arena, p->tensors, p->tensor_count, sizeof *p->tensors);
    p->effects = ret->effects = copied(arena, p->effects, p->effect_count, sizeof *p->effects);
}

/* Another work; there is room for one. */
static inline int32_t broken_work(struct broken *broken, struct work work) {
    broken->works[broken->program.work_count] = work;
    return (int32_t)broken->program.work_count++;
}

#endif
