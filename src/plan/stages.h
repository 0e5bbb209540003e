/* How the layer sequence is cut into pipeline stages: by rule (even, lighter ends), or as a plan's layout lists it. */
#ifndef PARPLAN_PLAN_STAGES_H
#define PARPLAN_PLAN_STAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "schedule/placement.h"

struct arena;
struct decision;
struct model;
struct node;
struct plan;

/* Layers of stage `stage` of `stages`. Even: L / S, the rest one each to stages from the second on, or to all but the
 * last, which has the head, when only one has to go without; lighter ends: the first and last one fewer than the
 * others. */
int64_t stage_layers(int64_t layers, int64_t stages, bool lighter_ends, int64_t stage);
int64_t stage_first_layer(int64_t layers, int64_t stages, bool lighter_ends, int64_t stage);
/* Why the layers cannot be cut so, or NULL. */
const char *stage_refuse(int64_t layers, int64_t ranks, int64_t chunks, enum placement placement, bool lighter_ends);

enum { STAGE_RANKS = 1024 }; /* more pipeline ranks are refused */

/* One stage as it is held by one rank. */
struct stage {
    int64_t rank, chunk;   /* pipeline rank; which of its stages */
    int64_t index, way;    /* over the whole model; two-way: 1 = held for micro-batches that enter at the last rank */
    int64_t first, layers; /* layers of the model, from 0 */
    bool embedding, head;
    int64_t mtp;           /* MTP blocks */
};
struct stages {
    const struct stage *items; /* by rank, then chunk */
    int64_t count, ranks, held; /* held: stages a rank */
    int64_t stages;            /* of the whole model */
};

/* The stages of a legal decision by its rule; `mtp`: MTP blocks are trained. */
void stages_by_rule(struct arena *arena, const struct decision *decision, const struct model *model, bool mtp,
                    struct stages *ret);
/* The stages of a plan: its layout where it lists one, else by the rule of its decision. Every layer must lie in
 * exactly one stage (two-way: in two), in the order of the stages; embedding, head and MTP blocks where the model has
 * them: a layer missing, twice or out of order is an error at `root`'s place (may be NULL) naming layer and stages. */
enum status plan_stages(struct arena *arena, const struct plan *plan, const struct model *model,
                        const struct node *root, struct stages *ret, struct diag *diag) MUST_CHECK;
/* Writes them as the plan's layout. */
void plan_lay_out(struct arena *arena, const struct stages *stages, struct plan *plan);

#endif
