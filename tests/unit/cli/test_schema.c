/* The patterns of quantities accept what units_parse accepts. */
#include <criterion/criterion.h>
#include <regex.h>

#include "base/arena.h"
#include "base/units.h"
#include "cli/schema.h"

static bool matches(const char *pattern, const char *text) {
    regex_t regex;
    cr_assert(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0, "%s", pattern);
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

Test(schema, patterns_agree_with_units) {
    static const char *const units[] = {
        "B", "kB", "KB", "MB", "GB", "TB", "PB", "KiB", "kiB", "MiB", "GiB", "TiB", "PiB", "EiB", "b", "ps", "ns", "us",
        "ms", "s", "min", "h", "d", "m", "sec", "B/s", "kB/s", "MB/s", "GB/s", "TB/s", "KiB/s", "MiB/s", "GiB/s",
        "TiB/s", "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Gbps", "Mbps", "Gb/s", "FLOP/s", "GFLOP/s",
        "TFLOP/s", "PFLOP/s", "EFLOP/s", "TFLOPS", "FLOP", "GFLOP", "EFLOP", "W", "kW", "MW", "mW", "USD/h", "USD",
        "EUR", "J", "kJ", "MJ", "kWh", "Wh", "PB/s", "",
    };
    static const char *const numbers[] = {"1", "80", "1.5", "1e3", "2.5E-7", "1_000", "080", "", "x", "1,5", "0x10"};
    struct arena *arena = arena_open(NULL, NULL);
    size_t accepted = 0;
    for (int dimension = UNIT_BYTES; dimension < UNIT_DIMENSIONS; dimension++) {
        const char *pattern = schema_pattern((enum dimension)dimension);
        cr_expect(matches(pattern, units_example((enum dimension)dimension)), "%d: its own example", dimension);
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) {
                for (int blank = 0; blank < 2; blank++) {
                    const char *text = arena_format(arena, "%s%s%s", numbers[j], blank ? " " : "", units[i]);
                    double value;
                    const char *reason;
                    bool parsed = units_parse(arena, text, (enum dimension)dimension, &value, &reason);
                    bool found = matches(pattern, text);
                    accepted += parsed;
                    cr_expect(found == parsed, "dimension %d, \"%s\": schema says %d, the reader %d", dimension, text,
                              found, parsed);
                }
            }
        }
    }
    cr_expect(accepted > 400, "%zu", accepted);
    arena_close(arena);
}
