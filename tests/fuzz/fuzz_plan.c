/* Plan documents. */
#include "fuzz_load.h"

#include "plan/plan.h"

static enum status load(struct arena *arena, struct node *root, void *object, struct diag *diag) {
    return plan_load(arena, root, object, diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct fuzz_kind kind = {"plan", plan_fields, sizeof(struct plan), load};
    struct arena *arena = arena_open(NULL, NULL);
    fuzz_round(arena, &kind, data, size);
    arena_close(arena);
    return 0;
}
