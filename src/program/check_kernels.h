/* Whether kernels make up a block: each of its operations once, in however many equal pieces. The sum of random
 * numbers, one for each operation, divided by the pieces, modulo a prime, is the same for the same operations in any
 * order and cut; others give the same sum once in 2^32 (Carter & Wegman 1979, "Universal classes of hash
 * functions"). */
#ifndef PARPLAN_PROGRAM_CHECK_KERNELS_H
#define PARPLAN_PROGRAM_CHECK_KERNELS_H

#include "model/model.h"
#include "program/program.h"

struct arena;

enum phase { PHASE_FORWARD, PHASE_BACKWARD, PHASE_WEIGHT, PHASES };

struct prints {
    const uint32_t *of;     /* of each work of the program: 0 unless it is a kernel */
    /* Of all operations of a block; of those that have a weight gradient, as the first such block says. */
    uint32_t all[BLOCK_COUNT][MODEL_KINDS], weights[BLOCK_COUNT][MODEL_KINDS];
    bool known[BLOCK_COUNT][MODEL_KINDS]; /* its weights */
};

void prints_open(struct arena *arena, const struct program *program, struct prints *ret);
uint32_t prints_sum(uint32_t a, uint32_t b);
/* What role `role` does of a block that is shared by all roles in `pieces` equal pieces. */
uint32_t prints_piece(int64_t role, int32_t pieces);

static inline uint32_t prints_of(const struct prints *prints, int32_t work) {
    return prints->of[work];
}

/* Whether the sum is that of all that `times` blocks do in a phase. */
bool prints_whole(struct prints *prints, int block, int layer_kind, int phase, int64_t times, uint32_t sum);

#endif
