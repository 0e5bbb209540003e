/* Job documents. */
#include "fuzz_load.h"

#include "plan/job.h"

static enum status load(struct arena *arena, struct node *root, void *object, struct diag *diag) {
    return job_load(arena, root, object, diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct fuzz_kind kind = {"job", job_fields, sizeof(struct job), load};
    struct arena *arena = arena_open(NULL, NULL);
    const struct job *job = fuzz_round(arena, &kind, data, size);
    if (job != NULL) {
        struct state_bytes bytes = job_state_bytes(job);
        PROMISE(bytes.weight > 0 && bytes.gradient > 0 && bytes.optimizer >= 0);
    }
    arena_close(arena);
    return 0;
}
