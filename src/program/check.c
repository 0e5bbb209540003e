/* Proofs in the order in which they rely on one another: first that nothing points beyond what there is, then that
 * everything is there once, then that all of it comes to an end. Each takes time in proportion to the program. */
#include "program/check_parts.h"

#include <stdarg.h>

#include "base/arena.h"

void check_fault(struct checking *checking, const char *format, ...) {
    va_list arguments;
    if (checking->faults++ >= DIAG_LIMIT) {
        return;
    }
    va_start(arguments, format);
    (void)diag_error(checking->diag, NO_MARK, "%s", arena_vformat(checking->arena, format, arguments));
    va_end(arguments);
}

const char *check_name(struct checking *checking, int64_t instruction) {
    if (checking->faults >= DIAG_LIMIT) {
        return "";
    }
    int64_t role = checking->role_of[instruction];
    int64_t index = instruction - checking->program->roles[role].first;
    return arena_format(checking->arena, "role %lld: %s", (long long)role,
                        program_describe(checking->arena, checking->program, role, index));
}

static int32_t *roles_of(struct arena *arena, const struct program *program) {
    int32_t *roles = ARENA_ARRAY(arena, int32_t, (size_t)program->count);
    for (int64_t role = 0; role < program->role_count; role++) {
        for (int64_t i = 0; i < program->roles[role].count; i++) {
            roles[program->roles[role].first + i] = (int32_t)role;
        }
    }
    return roles;
}

enum status program_check(struct arena *arena, const struct program *program, const struct model *model,
                          struct diag *diag) {
    struct checking checking = {.arena = arena, .program = program, .model = model, .diag = diag};
    check_tables(&checking);
    check_indices(&checking);
    if (checking.faults > 0) {
        return STATUS_INVALID;
    }
    checking.role_of = roles_of(arena, program);
    check_messages(&checking);
    check_meetings(&checking);
    check_passes(&checking);
    if (checking.faults == 0) {
        check_waits(&checking);
        check_tensors(&checking);
    }
    return checking.faults == 0 ? OK : STATUS_INVALID;
}
