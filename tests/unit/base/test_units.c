/* Quantities: every unit, exact values, reasons for what is refused, round trips of random doubles. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../support.h"
#include "base/random.h"
#include "base/units.h"

static bool same_bits(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

Test(units, reads_exactly) {
    static const struct {
        const char *text;
        enum dimension dimension;
        double value;
    } TABLE[] = {
        {"80GiB", UNIT_BYTES, 85899345920.0},
        {"80 GiB", UNIT_BYTES, 85899345920.0},
        {"  80\tGiB ", UNIT_BYTES, 85899345920.0},
        {"80GB", UNIT_BYTES, 80e9},
        {"0B", UNIT_BYTES, 0},
        {"1kB", UNIT_BYTES, 1000},
        {"1KiB", UNIT_BYTES, 1024},
        {"1MB", UNIT_BYTES, 1e6},
        {"1MiB", UNIT_BYTES, 1048576},
        {"4.35TB", UNIT_BYTES, 4350000000000.0},
        {"1TiB", UNIT_BYTES, 1099511627776.0},
        {"2PB", UNIT_BYTES, 2e15},
        {"1PiB", UNIT_BYTES, 1125899906842624.0},
        {"1_024B", UNIT_BYTES, 1024},
        {"1e3B", UNIT_BYTES, 1000},
        {"5ps", UNIT_SECONDS, 5e-12},
        {"3ns", UNIT_SECONDS, 3e-9},
        {"2us", UNIT_SECONDS, 2e-6},
        {"4.35us", UNIT_SECONDS, 4.35e-6},
        {"7ms", UNIT_SECONDS, 7e-3},
        {"1.5s", UNIT_SECONDS, 1.5},
        {"10min", UNIT_SECONDS, 600},
        {"2h", UNIT_SECONDS, 7200},
        {"1d", UNIT_SECONDS, 86400},
        {"400Gbit/s", UNIT_BYTES_RATE, 50e9},
        {"400Gbps", UNIT_BYTES_RATE, 50e9},
        {"1.6Tbps", UNIT_BYTES_RATE, 200e9},
        {"100Mbps", UNIT_BYTES_RATE, 12.5e6},
        {"64kbps", UNIT_BYTES_RATE, 8000},
        {"8bps", UNIT_BYTES_RATE, 1},
        {"8bit/s", UNIT_BYTES_RATE, 1},
        {"8kbit/s", UNIT_BYTES_RATE, 1000},
        {"8Mbit/s", UNIT_BYTES_RATE, 1e6},
        {"3.2Tbit/s", UNIT_BYTES_RATE, 400e9},
        {"450GB/s", UNIT_BYTES_RATE, 450e9},
        {"3.35TB/s", UNIT_BYTES_RATE, 3.35e12},
        {"1B/s", UNIT_BYTES_RATE, 1},
        {"1kB/s", UNIT_BYTES_RATE, 1e3},
        {"1MB/s", UNIT_BYTES_RATE, 1e6},
        {"1PB/s", UNIT_BYTES_RATE, 1e15},
        {"1KiB/s", UNIT_BYTES_RATE, 1024},
        {"1MiB/s", UNIT_BYTES_RATE, 1048576},
        {"1GiB/s", UNIT_BYTES_RATE, 1073741824},
        {"1TiB/s", UNIT_BYTES_RATE, 1099511627776.0},
        {"989TFLOP/s", UNIT_FLOP_RATE, 989e12},
        {"989.4TFLOP/s", UNIT_FLOP_RATE, 989.4e12},
        {"1.979PFLOP/s", UNIT_FLOP_RATE, 1979e12},
        {"1FLOP/s", UNIT_FLOP_RATE, 1},
        {"67GFLOP/s", UNIT_FLOP_RATE, 67e9},
        {"1EFLOP/s", UNIT_FLOP_RATE, 1e18},
        {"1EFLOP", UNIT_FLOPS, 1e18},
        {"3.5ZFLOP", UNIT_FLOPS, 3.5e21},
        {"1YFLOP", UNIT_FLOPS, 1e24},
        {"700W", UNIT_POWER, 700},
        {"10.2kW", UNIT_POWER, 10200},
        {"1.5MW", UNIT_POWER, 1.5e6},
        {"2.5USD/h", UNIT_PRICE_RATE, 2.5},
        {"1e6USD", UNIT_MONEY, 1e6},
        {"5J", UNIT_ENERGY, 5},
        {"5kJ", UNIT_ENERGY, 5e3},
        {"5MJ", UNIT_ENERGY, 5e6},
        {"1kWh", UNIT_ENERGY, 3.6e6},
        {"1.5", UNIT_NONE, 1.5},
        {"-3e2", UNIT_NONE, -300},
        {"-5GiB", UNIT_BYTES, -5368709120.0},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        double value = NAN;
        const char *reason = NULL;
        bool good = units_parse(arena, TABLE[i].text, TABLE[i].dimension, &value, &reason);
        cr_assert(good, "%s: %s", TABLE[i].text, reason);
        cr_assert(same_bits(value, TABLE[i].value), "%s: %.17g", TABLE[i].text, value);
    }
    arena_close(arena);
}

Test(units, says_what_is_wrong) {
    static const struct {
        const char *text;
        enum dimension dimension;
        const char *reason;
    } TABLE[] = {
        {"80", UNIT_BYTES, "a size needs a unit, such as 80GiB"},
        {"0", UNIT_BYTES, "a size needs a unit, such as 80GiB"},
        {"5", UNIT_SECONDS, "a duration needs a unit, such as 2us"},
        {"5", UNIT_BYTES_RATE, "a rate needs a unit, such as 400Gbit/s"},
        {"", UNIT_BYTES, "a size is wanted, such as 80GiB"},
        {"  ", UNIT_BYTES, "a size is wanted, such as 80GiB"},
        {"GiB", UNIT_BYTES, "\"GiB\" is not a size; write it such as 80GiB"},
        {"many", UNIT_POWER, "\"many\" is not a power; write it such as 700W"},
        {"nan", UNIT_NONE, "\"nan\" is not a plain number; write it such as 1.5"},
        {"400Gbit/s", UNIT_BYTES, "400Gbit/s is a rate; a size is wanted, such as 80GiB"},
        {"400Gbps", UNIT_BYTES, "400Gbps is a rate; a size is wanted, such as 80GiB"},
        {"80GiB", UNIT_BYTES_RATE, "80GiB is a size; a rate is wanted, such as 400Gbit/s"},
        {"989TFLOP", UNIT_FLOP_RATE, "989TFLOP is an amount of work; a compute rate is wanted, such as 989TFLOP/s"},
        {"5 s", UNIT_NONE, "\"5 s\" is not a plain number; no unit is wanted here"},
        {"400Gb/s", UNIT_BYTES_RATE,
         "Gb/s may mean bits or bytes: write Gbit/s or GB/s; a rate is wanted, such as 400Gbit/s"},
        {"5GBps", UNIT_BYTES_RATE,
         "GBps is not accepted: write GB/s (bytes) or Gbit/s (bits); a rate is wanted, such as 400Gbit/s"},
        {"80Gb", UNIT_BYTES,
         "Gb may mean bits or bytes: write GB (10^9 bytes) or GiB (2^30 bytes); a size is wanted, such as 80GiB"},
        {"80KB", UNIT_BYTES,
         "KB may mean 1000 or 1024 bytes: write kB (1000 bytes) or KiB (1024 bytes); a size is wanted, such as 80GiB"},
        {"80G", UNIT_BYTES, "G is no unit: write GB (10^9 bytes) or GiB (2^30 bytes); a size is wanted, such as 80GiB"},
        {"312TFLOPS", UNIT_FLOP_RATE,
         "TFLOPS may mean work or work per second: write TFLOP or TFLOP/s; a compute rate is wanted, such as "
         "989TFLOP/s"},
        {"80gib", UNIT_BYTES, "unknown unit \"gib\", did you mean GiB?"},
        {"80mb", UNIT_BYTES, "unknown unit \"mb\", did you mean MB?"},
        {"312Tflop/s", UNIT_FLOP_RATE, "unknown unit \"Tflop/s\", did you mean TFLOP/s?"},
        {"5secs", UNIT_SECONDS, "unknown unit \"secs\"; units of a duration: ps, ns, us, ms, s, min, h, d"},
        {"5\302\265s", UNIT_SECONDS, "\302\265s is not accepted: write us; a duration is wanted, such as 2us"},
        {"5 G iB", UNIT_BYTES, "unknown unit \"G iB\", did you mean GiB?"},
        {"1e300YFLOP", UNIT_FLOPS, "\"1e300YFLOP\" is too large"},
        {"1e308PiB", UNIT_BYTES, "\"1e308PiB\" is too large"},
        {"80GiB80", UNIT_BYTES, "unknown unit \"GiB80\", did you mean GiB?"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        double value = 7;
        const char *reason = NULL;
        cr_assert(!units_parse(arena, TABLE[i].text, TABLE[i].dimension, &value, &reason), "%s is accepted",
                  TABLE[i].text);
        cr_assert_str_eq(reason, TABLE[i].reason, "%s: %s", TABLE[i].text, reason);
        cr_assert_eq(value, 7, "%s: the value was changed", TABLE[i].text);
    }
    arena_close(arena);
}

Test(units, writes_what_a_document_would_have) {
    static const struct {
        double value;
        enum dimension dimension;
        const char *text;
    } TABLE[] = {
        {85899345920.0, UNIT_BYTES, "80GiB"},
        {80e9, UNIT_BYTES, "80GB"},
        {0, UNIT_BYTES, "0B"},
        {1, UNIT_BYTES, "1B"},
        {1000, UNIT_BYTES, "1kB"},
        {1024, UNIT_BYTES, "1KiB"},
        {1.25e12, UNIT_BYTES, "1.25TB"},
        {-1024, UNIT_BYTES, "-1KiB"},
        {123456789, UNIT_BYTES, "123.456789MB"},
        {2e-6, UNIT_SECONDS, "2us"},
        {0.5, UNIT_SECONDS, "500ms"},
        {0, UNIT_SECONDS, "0s"},
        {90, UNIT_SECONDS, "90s"},
        {120, UNIT_SECONDS, "2min"},
        {7200, UNIT_SECONDS, "2h"},
        {86400, UNIT_SECONDS, "1d"},
        {50e9, UNIT_BYTES_RATE, "50GB/s"},
        {450e9, UNIT_BYTES_RATE, "450GB/s"},
        {3.35e12, UNIT_BYTES_RATE, "3.35TB/s"},
        {989e12, UNIT_FLOP_RATE, "989TFLOP/s"},
        {1979e12, UNIT_FLOP_RATE, "1979TFLOP/s"},
        {700, UNIT_POWER, "700W"},
        {2.5, UNIT_PRICE_RATE, "2.5USD/h"},
        {0.62, UNIT_NONE, "0.62"},
        {3.6e6, UNIT_ENERGY, "1kWh"},
        {5e6, UNIT_ENERGY, "5MJ"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        const char *text = units_exact(arena, TABLE[i].value, TABLE[i].dimension);
        cr_assert_str_eq(text, TABLE[i].text, "%.17g: %s", TABLE[i].value, text);
    }
    arena_close(arena);
}

/* A random double of the usual sizes, of any size, or a round number. */
static double random_value(struct random *random) {
    switch (random_below(random, 4)) {
    case 0:
        return (double)random_below(random, 100000) * pow(10, (int)random_below(random, 30) - 15);
    case 1:
        return ldexp(random_next(random), (int)random_below(random, 60) - 20);
    case 2:
        return ldexp(random_unit(random) - 0.5, (int)random_below(random, 120) - 60);
    default: {
        double value = NAN;
        while (!isfinite(value)) {
            uint64_t bits = (uint64_t)random_next(random) << 32 | random_next(random);
            memcpy(&value, &bits, sizeof value);
        }
        return value;
    }
    }
}

Test(units, random_values_read_back_in_every_dimension) {
    struct arena *arena = support_arena();
    struct arena_place place = arena_mark(arena);
    struct random random;
    random_stream(&random, 3, "units", 0);
    for (int dimension = UNIT_NONE; dimension < UNIT_DIMENSIONS; dimension++) {
        for (int round = 0; round < 4000; round++) {
            double value = random_value(&random);
            double again = NAN;
            const char *reason = NULL;
            const char *text = units_exact(arena, value, (enum dimension)dimension);
            cr_assert(units_parse(arena, text, (enum dimension)dimension, &again, &reason), "%s: %s", text, reason);
            cr_assert(same_bits(value, again) || (value == 0 && again == 0), "%.17g as %s is %.17g", value, text,
                      again);
            arena_rewind(arena, place);
        }
    }
    arena_close(arena);
}

Test(units, for_people) {
    static const struct {
        double value;
        enum dimension dimension;
        int digits;
        const char *text;
    } TABLE[] = {
        {70977191936.0, UNIT_BYTES, 3, "66.1 GiB"},
        {85899345920.0, UNIT_BYTES, 3, "80.0 GiB"},
        {0, UNIT_BYTES, 3, "0 B"},
        {12, UNIT_BYTES, 3, "12 B"},
        {1023, UNIT_BYTES, 3, "1023 B"},
        {1024, UNIT_BYTES, 3, "1.00 KiB"},
        {1073741823.0, UNIT_BYTES, 3, "1.00 GiB"},
        {-1073741824.0, UNIT_BYTES, 3, "-1.00 GiB"},
        {12.34, UNIT_SECONDS, 3, "12.3 s"},
        {0.012345, UNIT_SECONDS, 3, "12.3 ms"},
        {2e-6, UNIT_SECONDS, 3, "2.00 us"},
        {0, UNIT_SECONDS, 3, "0 s"},
        {90, UNIT_SECONDS, 3, "90.0 s"},
        {300, UNIT_SECONDS, 3, "5.00 min"},
        {5400, UNIT_SECONDS, 3, "90.0 min"},
        {10800, UNIT_SECONDS, 2, "3.0 h"},
        {864000, UNIT_SECONDS, 3, "10.0 d"},
        {1e-15, UNIT_SECONDS, 3, "0.00100 ps"},
        {50e9, UNIT_BYTES_RATE, 3, "50.0 GB/s"},
        {999.96e9, UNIT_BYTES_RATE, 3, "1.00 TB/s"},
        {999.4e9, UNIT_BYTES_RATE, 3, "999 GB/s"},
        {989.4e12, UNIT_FLOP_RATE, 4, "989.4 TFLOP/s"},
        {3.8e25, UNIT_FLOPS, 3, "38.0 YFLOP"},
        {0.00123, UNIT_MONEY, 3, "0.00123 USD"},
        {1234567.8, UNIT_MONEY, 3, "1234568 USD"},
        {0.4567, UNIT_NONE, 3, "0.457"},
        {123456, UNIT_NONE, 3, "123456"},
        {0, UNIT_NONE, 3, "0"},
        {HUGE_VAL, UNIT_SECONDS, 3, "inf"},
        {7.2e6, UNIT_ENERGY, 2, "7.2 MJ"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        const char *text = units_human(arena, TABLE[i].value, TABLE[i].dimension, TABLE[i].digits);
        cr_assert_str_eq(text, TABLE[i].text, "%.17g: %s", TABLE[i].value, text);
    }
    arena_close(arena);
}

Test(units, examples_are_valid_and_suffixes_stand) {
    static const char *const SUFFIXES[UNIT_DIMENSIONS] = {
        "", "_bytes", "_s", "_bytes_per_s", "_flop_per_s", "_flop", "_w", "_usd_per_h", "_usd", "_j"};
    struct arena *arena = support_arena();
    for (int i = UNIT_NONE; i < UNIT_DIMENSIONS; i++) {
        double value = 0;
        const char *reason = NULL;
        const char *example = units_example((enum dimension)i);
        cr_assert(units_parse(arena, example, (enum dimension)i, &value, &reason), "%s: %s", example, reason);
        cr_assert_str_eq(units_suffix((enum dimension)i), SUFFIXES[i]);
    }
    arena_close(arena);
}
