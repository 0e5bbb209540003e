/* The expressions of a job's `forbid`. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/diag.h"
#include "plan/constraint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_open(NULL, NULL);
    struct diag diag;
    const char *text = arena_copy(arena, (const char *)data, size);
    const struct list texts = {.items = &text, .count = 1};
    const struct constraint *constraint = NULL;
    diag_init(&diag, arena);
    enum status status = constraint_parse(arena, &texts, &constraint, &diag);
    PROMISE((status == OK) == (diag.errors == 0));
    if (status == OK) {
        struct decision decision = {.parallel = {.tp = 8, .pp = 4, .vpp = 1, .dp = 2, .cp = 1, .ep = 1, .etp = 1}};
        PROMISE(constraint != NULL);
        constraint_forbids(constraint, &decision);
    }
    arena_close(arena);
    return 0;
}
