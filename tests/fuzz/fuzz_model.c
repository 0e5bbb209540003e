/* Model documents: what loads has sane counts. */
#include "fuzz_load.h"

#include <math.h>

#include "model/count.h"
#include "model/model.h"

static enum status load(struct arena *arena, struct node *root, void *object, struct diag *diag) {
    return model_load(arena, root, object, diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct fuzz_kind kind = {"model", model_fields, sizeof(struct model), load};
    struct arena *arena = arena_open(NULL, NULL);
    const struct model *model = fuzz_round(arena, &kind, data, size);
    if (model != NULL) {
        int64_t total = count_total(model);
        PROMISE(total > 0 && count_active(model) >= 0 && count_active(model) <= total && count_mtp(model) >= 0);
        for (int convention = FLOPS_OURS; convention <= FLOPS_FULL; convention++) {
            double flops = count_flops_per_token(model, 4096, (enum flops_convention)convention, true);
            PROMISE(isfinite(flops) && flops >= 0);
        }
    }
    arena_close(arena);
    return 0;
}
