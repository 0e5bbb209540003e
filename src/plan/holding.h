/* Bytes that one micro-batch of a block takes on a rank. */
#ifndef PARPLAN_PLAN_HOLDING_H
#define PARPLAN_PLAN_HOLDING_H

#include <stdbool.h>

#include "model/operation.h"

struct holding {
    double saved;     /* from forward to backward, when the parts of the plan's mode are run again */
    double working;   /* all that backward needs of forward, with nothing run again */
    double transient; /* of the largest gradient buffers alive in backward */
    double logits;    /* of the loss */
};

/* Of a layer, or of the embedding (which nothing recomputes: 0); `element`: bytes of an activation. */
struct holding holding_of(const struct layer_work *work, unsigned recomputed, double element);
/* Of final norm, head and loss. Logits: in 16 bit, the 32-bit copy that becomes the gradient, and the 16-bit gradient
 * of the product; a fused loss keeps them once. */
struct holding holding_head(const struct layer_work *work, bool fused_loss);
/* Of an MTP block: a layer, the head again, and both inputs of its projection, of `input` bytes each. */
struct holding holding_mtp(const struct holding *layer, const struct holding *head, double input);

/* Bytes alive in backward of a block beside what was kept for it. */
double holding_extra(const struct holding *holding);

#endif
