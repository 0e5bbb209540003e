/* PCG32 (O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number
 * Generation", XSH-RR variant): independent streams from (seed, purpose, index), so results never depend on the order
 * in which threads draw. */
#ifndef PARPLAN_BASE_RANDOM_H
#define PARPLAN_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state, increment;
};

/* As pcg32_srandom_r: bit for bit the reference's sequence for (initial state, stream). */
void random_seed(struct random *random, uint64_t state, uint64_t stream);
/* A stream of its own for every (seed, purpose, index). */
void random_stream(struct random *random, uint64_t seed, const char *purpose, uint64_t index);
uint32_t random_next(struct random *random);
uint32_t random_below(struct random *random, uint32_t bound); /* uniform in [0, bound), bound > 0 */
double random_unit(struct random *random);                    /* uniform in [0, 1) with 32 bits */

#endif
