/* Which layers each pipeline rank holds. Ranks that hold the same are one class: a configuration is priced by class.
 *
 *   linear   rank r has chunks r, r + p, r + 2p ...      (1F1B, interleaved)
 *   V        rank r has chunks r and 2p - 1 - r           (ZB-V, DualPipeV)
 *   two-way  rank r has chunks r and p - 1 - r of p       (DualPipe)
 */
#ifndef PARPLAN_COST_STAGE_H
#define PARPLAN_COST_STAGE_H

#include <stdint.h>

#include "cost/context.h"
#include "schedule/schedule.h"

enum placement { PLACEMENT_LINEAR, PLACEMENT_V, PLACEMENT_TWO_WAY };

enum { STAGE_CLASSES = 24, STAGE_RANKS = 1024 };

/* What one rank holds, all its chunks together. */
struct stage_class {
    int64_t layers[MODEL_KINDS]; /* of each kind */
    int64_t total;               /* layers of all kinds */
    double embedding, head;      /* copies held: 0, 1, 2 (two-way), or a share (vocabulary over all stages) */
    double mtp;                  /* MTP blocks */
    int64_t first_rank;          /* the lowest rank of the class: most micro-batches in flight */
};

struct stage_map {
    int64_t ranks, chunks;       /* chunks a rank */
    enum placement placement;
    struct stage_class classes[STAGE_CLASSES];
    int64_t class_count;
    unsigned char rank_class[STAGE_RANKS];
};

/* Which chunk the i-th of rank `rank` is. */
int64_t stage_chunk(enum placement placement, int64_t ranks, int64_t rank, int64_t i);

enum placement stage_placement(const struct schedule *schedule);

/* Layers of chunk `chunk` of `chunks`. Even: L / S, the rest one each to chunks from the second on, or to all but the
 * last, which has the head, when only one has to go without; ends: the first and last one fewer than the others. */
int64_t stage_layers(int64_t layers, int64_t chunks, bool lighter_ends, int64_t chunk);
/* Why the layers cannot be cut so, or NULL. */
const char *stage_refuse(int64_t layers, int64_t ranks, int64_t chunks_per_rank, enum placement placement,
                         bool lighter_ends);

void stage_map_make(const struct cost_context *context, int64_t ranks, int64_t chunks_per_rank,
                    enum placement placement, bool lighter_ends, struct stage_map *ret);

/* First layer of a chunk, for plans. */
int64_t stage_first_layer(int64_t layers, int64_t chunks, bool lighter_ends, int64_t chunk);

#endif
