/* The memory of activations, block by block (Korthikanti et al. 2022, arXiv:2205.05198, section 4). */
#include "plan/holding.h"

struct holding holding_of(const struct layer_work *work, unsigned recomputed, double element) {
    return (struct holding){.saved = operation_saved_bytes(work, recomputed),
                            .working = operation_saved_bytes(work, 0),
                            .transient = operation_transient_bytes(work, element)};
}

struct holding holding_head(const struct layer_work *work, bool fused_loss) {
    double kept = work->saved[work->saved_count - 1].bytes; /* the loss comes last */
    double rest = operation_saved_bytes(work, 0) - kept;
    return (struct holding){.saved = rest, .working = rest, .logits = fused_loss ? kept : 2 * kept};
}

struct holding holding_mtp(const struct holding *layer, const struct holding *head, double input) {
    return (struct holding){.saved = layer->saved + (head->saved + 2 * input),
                            .working = layer->working + head->working,
                            .transient = layer->transient,
                            .logits = head->logits};
}

double holding_extra(const struct holding *holding) {
    double extra = holding->working - holding->saved + holding->transient;
    return extra > 0 ? extra : 0;
}
