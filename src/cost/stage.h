/* What each pipeline rank holds. Ranks that hold the same are one class: a configuration is priced by class. */
#ifndef PARPLAN_COST_STAGE_H
#define PARPLAN_COST_STAGE_H

#include <stdint.h>

#include "cost/context.h"
#include "plan/stages.h"

enum { STAGE_CLASSES = 24 };

/* What one rank holds, all its chunks together. */
struct stage_class {
    int64_t layers[MODEL_KINDS]; /* of each kind */
    int64_t total;               /* layers of all kinds */
    double embedding, head;      /* copies held: 0, 1, 2 (two-way), or a share (vocabulary over all stages) */
    double mtp;                  /* MTP blocks */
    int64_t first_rank, last_rank; /* the lowest and the highest of the class */
};

struct stage_map {
    int64_t ranks, chunks;       /* chunks a rank */
    enum placement placement;
    struct stage_class classes[STAGE_CLASSES];
    int64_t class_count;
    unsigned char rank_class[STAGE_RANKS];
};

void stage_map_make(const struct cost_context *context, int64_t ranks, int64_t chunks_per_rank,
                    enum placement placement, bool lighter_ends, struct stage_map *ret);

#endif
