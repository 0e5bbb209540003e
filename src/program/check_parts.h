/* What the parts of program_check share. Each proves one thing; the later rely on the earlier. */
#ifndef PARPLAN_PROGRAM_CHECK_PARTS_H
#define PARPLAN_PROGRAM_CHECK_PARTS_H

#include "program/check.h"

struct checking {
    struct arena *arena;
    const struct program *program;
    const struct model *model;
    struct diag *diag;
    int64_t faults;
    const int32_t *role_of; /* of each instruction, counted over the program, as in all arrays below */
    int32_t *ended;         /* instructions in an order in which they can end */
    int64_t ended_count;    /* less than there are: some wait for one another */
};

/* Reports a fault; beyond DIAG_LIMIT it is only counted. */
void check_fault(struct checking *checking, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "role 1: forward of stage 3, micro-batch 2", for a fault's text; only once the indices are proven. */
const char *check_name(struct checking *checking, int64_t instruction);

/* Spans, indices and enumerations lie in what there is (check_indices.c, check_kinds.c). */
void check_indices(struct checking *checking);
void check_tables(struct checking *checking); /* works, stages, meetings, tensors, degrees */
const char *check_kind(const struct checking *checking, const struct role *role, const struct instruction *instruction);

/* Messages have two ends of one kind, and collectives the members they count on; what a group does comes in the same
 * order everywhere (check_meetings.c). */
void check_messages(struct checking *checking);
void check_meetings(struct checking *checking);
/* Sets `ended`; a cycle is a fault (check_waits.c). */
void check_waits(struct checking *checking);
/* Every block and micro-batch once (check_passes.c, with kernels as check_kernels.h counts them). */
void check_passes(struct checking *checking);
/* Allocated, then freed (check_tensors.c). */
void check_tensors(struct checking *checking);

static inline bool check_below(int64_t value, int64_t count) {
    return value >= 0 && value < count;
}
static inline bool check_optional(int64_t value, int64_t count) {
    return value == NOTHING || check_below(value, count);
}
static inline bool check_is_message(const struct instruction *instruction) {
    return instruction->action == ACTION_SEND || instruction->action == ACTION_RECEIVE;
}
static inline const struct instruction *check_at(const struct checking *checking, int64_t instruction) {
    return &checking->program->instructions[instruction];
}
static inline const struct role *check_role(const struct checking *checking, int64_t instruction) {
    return &checking->program->roles[checking->role_of[instruction]];
}
/* The other end of a message. */
static inline int64_t check_partner(const struct checking *checking, const struct instruction *instruction) {
    return checking->program->roles[instruction->peer].first + instruction->partner;
}

#endif
