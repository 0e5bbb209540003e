/* PCG32 against the reference's published output; streams and derived numbers. */
#include <criterion/criterion.h>
#include <math.h>

#include "../support.h"
#include "base/random.h"

/* Output of pcg32-demo of pcg-c-basic (initial state 42, stream 54): three rounds of six numbers, 65 coins and so on;
 * these are the numbers of round 1. */
Test(random, is_the_reference_sequence) {
    static const uint32_t EXPECTED[] = {0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e};
    struct random random;
    random_seed(&random, 42, 54);
    for (size_t i = 0; i < ROWS(EXPECTED); i++) {
        uint32_t value = random_next(&random);
        cr_assert_eq(value, EXPECTED[i], "number %zu: %08x", i, value);
    }
}

/* Round 1 of the same demo goes on with 65 coins (numbers below 2) and 33 rolls of a die (numbers below 6, plus 1). */
Test(random, bounded_numbers_are_the_reference_sequence) {
    static const char COINS[] = "HHTTTHTHHHTHTTTHHHHHTTTHHHTHTHTHTTHTTTHHHHHHTTTTHHTTTTTHTTTTTTTHT";
    static const char ROLLS[] = "341122324324335231315141564662633";
    struct random random;
    random_seed(&random, 42, 54);
    for (int i = 0; i < 6; i++) {
        random_next(&random);
    }
    for (size_t i = 0; i < 65; i++) {
        cr_assert_eq(random_below(&random, 2) ? 'H' : 'T', COINS[i], "coin %zu", i);
    }
    for (size_t i = 0; i < 33; i++) {
        cr_assert_eq((char)('1' + random_below(&random, 6)), ROLLS[i], "roll %zu", i);
    }
}

Test(random, streams_differ_in_every_part_of_their_name) {
    static const struct {
        uint64_t seed;
        const char *purpose;
        uint64_t index;
    } TABLE[] = {{0, "a", 0},
                 {1, "a", 0},
                 {0, "b", 0},
                 {0, "a", 1},
                 {1, "a", 1},
                 {1, "b", 1},
                 {0, "", 0},
                 {0, "ab", 0},
                 {UINT64_MAX, "a", 0},
                 {0, "a", UINT64_MAX},
                 {UINT64_C(1) << 63, "a", 0},
                 {0, "a", UINT64_C(1) << 63}};
    struct random random[ROWS(TABLE)];
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        random_stream(&random[i], TABLE[i].seed, TABLE[i].purpose, TABLE[i].index);
        cr_assert_eq(random[i].increment & 1, 1, "row %zu: the increment must be odd", i);
        for (size_t k = 0; k < i; k++) {
            struct random a = random[i];
            struct random b = random[k];
            int same = 0;
            for (int n = 0; n < 64; n++) {
                same += random_next(&a) == random_next(&b);
            }
            cr_assert_lt(same, 2, "streams %zu and %zu agree", i, k);
        }
        struct random again;
        random_stream(&again, TABLE[i].seed, TABLE[i].purpose, TABLE[i].index);
        cr_assert(again.state == random[i].state && again.increment == random[i].increment, "row %zu", i);
    }
}

/* Committed plans depend on these numbers: a change of the stream derivation must be deliberate. */
Test(random, streams_stay_what_they_are) {
    struct random random;
    random_stream(&random, 1, "search", 2);
    uint32_t first = random_next(&random);
    uint32_t second = random_next(&random);
    cr_assert(first == 0x04c22d7bU && second == 0xddb2d037U, "%08x %08x", first, second);
}

Test(random, below_is_uniform_and_in_range) {
    static const uint32_t BOUNDS[] = {1, 2, 3, 7, 10, 1000, 0x80000001U, 0xC0000000U, UINT32_MAX};
    struct random random;
    random_stream(&random, 5, "below", 0);
    for (size_t i = 0; i < ROWS(BOUNDS); i++) {
        size_t low = 0;
        enum { DRAWS = 20000 };
        for (int n = 0; n < DRAWS; n++) {
            uint32_t value = random_below(&random, BOUNDS[i]);
            cr_assert_lt(value, BOUNDS[i]);
            low += value < BOUNDS[i] / 2;
        }
        /* Half of the draws (the lower half rounded down), within five standard deviations. */
        double share = (double)(BOUNDS[i] / 2) / BOUNDS[i];
        cr_assert_lt(fabs((double)low - DRAWS * share), 5 * sqrt(DRAWS * share * (1 - share)) + 1e-9,
                     "bound %u: %zu low", BOUNDS[i], low);
    }
}

Test(random, unit_is_in_range_and_has_32_bits) {
    struct random random;
    struct random same;
    double sum = 0;
    enum { DRAWS = 100000 };
    random_stream(&random, 6, "unit", 0);
    same = random;
    for (int n = 0; n < DRAWS; n++) {
        double value = random_unit(&random);
        cr_assert(value >= 0 && value < 1, "%.17g", value);
        cr_assert_eq(value * 4294967296.0, random_next(&same));
        sum += value;
    }
    cr_assert_lt(fabs(sum / DRAWS - 0.5), 5 * sqrt(1.0 / 12 / DRAWS));
}
