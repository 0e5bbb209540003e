/* PCG32 (XSH-RR 64/32) and streams derived from names:
 *
 *   state' = state * 6364136223846793005 + increment        (a 64-bit LCG; increment is odd and selects the stream)
 *   output = rotate(((state >> 18) ^ state) >> 27, state >> 59)        of the state before the step
 *
 * Constants: O'Neill 2014 (HMC-CS-2014-0905) section 6.3; seeding as in the author's pcg32_srandom_r. */
#include "base/random.h"

#include <string.h>

#include "base/text.h"

static const uint64_t MULTIPLIER = UINT64_C(6364136223846793005);

uint32_t random_next(struct random *random) {
    uint64_t state = random->state;
    random->state = state * MULTIPLIER + random->increment;
    uint32_t shifted = (uint32_t)(((state >> 18) ^ state) >> 27);
    uint32_t turn = (uint32_t)(state >> 59);
    return (shifted >> turn) | (shifted << (-turn & 31U));
}

void random_seed(struct random *random, uint64_t state, uint64_t stream) {
    random->state = 0;
    random->increment = stream << 1 | 1;
    random_next(random);
    random->state += state;
    random_next(random);
}

/* A bijection that mixes all bits: the finaliser of SplitMix64 (Steele, Lea, Flood 2014, OOPSLA; Stafford's Mix13). */
static uint64_t mix(uint64_t bits) {
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

/* The golden ratio's bits: keeps mix away from its fixed point zero. */
static const uint64_t GOLDEN = UINT64_C(0x9e3779b97f4a7c15);

void random_stream(struct random *random, uint64_t seed, const char *purpose, uint64_t index) {
    uint64_t name = text_digest(purpose, strlen(purpose));
    uint64_t key = mix(mix(mix(seed + GOLDEN) + name) + index);
    random_seed(random, mix(key + GOLDEN), mix(key + 2 * GOLDEN));
}

uint32_t random_below(struct random *random, uint32_t bound) {
    /* 2^32 mod bound values are drawn too often; they are rejected, so every remainder is equally likely. */
    uint32_t least = (0U - bound) % bound;
    uint32_t value = random_next(random);
    while (value < least) {
        value = random_next(random);
    }
    return value % bound;
}

double random_unit(struct random *random) {
    return random_next(random) * 0x1p-32;
}
