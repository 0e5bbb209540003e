/* Ticks: round, few enough, told apart, exact up to the largest times. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "../support.h"
#include "timeline/axis.h"

Test(axis, chooses_round_steps) {
    static const struct {
        int64_t end, most, step;
        const char *unit, *label; /* of the second tick */
    } rows[] = {
        {1, 10, 1, "ps", "1"},
        {7, 3, 5, "ps", "5"},
        {999, 10, 100, "ps", "100"},
        {1000, 10, 100, "ns", "0.1"},
        {1500000, 3, 500000, "us", "0.5"},
        {INT64_C(368600000000), 8, INT64_C(50000000000), "ms", "50"},
        {INT64_C(12340000000000), 8, INT64_C(2000000000000), "s", "2"},
        {INT64_C(1000000000000), 50, INT64_C(20000000000), "s", "0.02"},
        {INT64_C(1000000000000), INT64_C(1000000000000), 1, "s", "0.000000000001"},
        {INT64_MAX, 10, INT64_C(1000000000000000000), "s", "1000000"},
        {INT64_MAX, 1, INT64_C(5000000000000000000), "s", "5000000"}, /* the next one is past the numbers */
    };
    char buffer[32];
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct axis axis = axis_make(rows[i].end, rows[i].most);
        cr_expect_eq(axis.step, rows[i].step, "row %zu: %" PRId64, i, axis.step);
        cr_expect_str_eq(axis.name, rows[i].unit, "row %zu", i);
        cr_expect_str_eq(axis_label(&axis, axis.step, buffer), rows[i].label, "row %zu", i);
        cr_expect_str_eq(axis_label(&axis, 0, buffer), "0", "row %zu", i);
    }
}

Test(axis, labels_are_the_times) {
    char buffer[32], before[32];
    for (int64_t end = 1; end < INT64_MAX / 7; end = end * 7 + 3) {
        for (int64_t most = 2; most < 40; most += 3) {
            struct axis axis = axis_make(end, most);
            cr_expect_leq(end / axis.step, most, "%" PRId64 " by %" PRId64, end, axis.step);
            strcpy(before, "");
            int64_t last = 0;
            for (int64_t time = 0; time >= 0; time = axis_next(&axis, time)) {
                last = time;
                double value = 0;
                const char *label = axis_label(&axis, time, buffer);
                cr_assert(text_number(label, strlen(label), &value), "%s", label);
                double wanted = (double)time / (double)axis.unit;
                cr_expect(value >= wanted * (1 - 1e-15) && value <= wanted * (1 + 1e-15), "%s of %" PRId64, label,
                          time);
                cr_expect_str_neq(label, before, "two ticks alike at %" PRId64, time);
                strcpy(before, label);
            }
            cr_expect(last <= end && end - last < axis.step, "%" PRId64 " of %" PRId64, last, end);
        }
    }
}
