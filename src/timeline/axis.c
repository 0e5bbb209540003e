#include "timeline/axis.h"

#include <stdio.h>

static const struct {
    const char *name;
    int64_t picoseconds;
} UNITS[] = {{"ps", 1},
             {"ns", INT64_C(1000)},
             {"us", INT64_C(1000000)},
             {"ms", INT64_C(1000000000)},
             {"s", INT64_C(1000000000000)}};
enum { UNIT_COUNT = sizeof UNITS / sizeof *UNITS };

/* The least of 1, 2, 5, 10, 20 ... that is at least `least`; past the range of the numbers the largest there is. */
static int64_t round_up(int64_t least) {
    static const int64_t digits[] = {1, 2, 5};
    for (int64_t power = 1;; power *= 10) {
        for (int i = 0; i < 3; i++) {
            if (digits[i] * power >= least || (i == 2 && power > INT64_MAX / 10)) {
                return digits[i] * power;
            }
        }
    }
}

struct axis axis_make(int64_t end, int64_t most) {
    struct axis axis = {.end = end, .step = round_up(end / most + (end % most != 0))};
    int unit = 0;
    while (unit + 1 < UNIT_COUNT && end >= UNITS[unit + 1].picoseconds) {
        unit++;
    }
    axis.unit = UNITS[unit].picoseconds;
    axis.name = UNITS[unit].name;
    for (int64_t step = axis.step; step < axis.unit; step *= 10) {
        axis.decimals++;
    }
    return axis;
}

int64_t axis_next(const struct axis *axis, int64_t time) {
    return time > axis->end - axis->step ? -1 : time + axis->step;
}

const char *axis_label(const struct axis *axis, int64_t time, char buffer[32]) {
    int64_t last = axis->unit; /* what the last decimal is worth */
    for (int i = 0; i < axis->decimals; i++) {
        last /= 10;
    }
    if (axis->decimals == 0 || time == 0) {
        snprintf(buffer, 32, "%lld", (long long)(time / axis->unit));
    } else {
        snprintf(buffer, 32, "%lld.%0*lld", (long long)(time / axis->unit), axis->decimals,
                 (long long)(time % axis->unit / last));
    }
    return buffer;
}
