/* What the works of a program take on a machine: the cost model's seconds, and what they use while they run. */
#ifndef PARPLAN_SIM_PRICE_H
#define PARPLAN_SIM_PRICE_H

#include <stdint.h>

#include "cost/context.h"
#include "program/program.h"

/* What several things of one rank share while they run. */
enum port { PORT_NONE, PORT_DOMAIN, PORT_NETWORK, PORT_HOST, PORT_COUNT };

struct work_price {
    int64_t picoseconds; /* alone, from begin to end on its stream */
    int64_t latency;     /* message: from its end until its receiver has it */
    int32_t port;        /* enum port: the slowest it goes through */
    double use;          /* of the port's rate while it runs alone, 0..1 */
    double sms;          /* communication: of the multiprocessors it holds for its whole life, 0..1 */
    double memory;       /* of the memory bandwidth while it runs alone, 0..1 */
    double tiles;        /* compute: output tiles of its GEMMs; 0 = scales with the multiprocessors or not at all */
    bool memory_bound;   /* compute: slowed by the memory bandwidth that is left, not by multiprocessors */
};

/* prices[w] of program->works[w], in the arena. A pass is the sum of its blocks, a block that of its operations and
 * visible exchanges (cost_pass_seconds); kernels and exchanges of a block that the host cannot feed in time are
 * stretched to it, so that levels of detail agree when nothing overlaps. `plan` is what the program was lowered
 * from. */
void price_program(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                   const struct program *program, struct work_price **ret_prices);

#endif
