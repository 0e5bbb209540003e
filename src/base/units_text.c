/* Quantities as text. For documents the text reads back as exactly the same value; for people it is rounded:
 *
 *   units_exact  85899345920 B -> 80GiB        units_human  70977191936 B -> 66.1 GiB
 *
 * A value divided by a power of two or shifted by decimal digits is exact, so a text that reads back always exists; the
 * candidates of other units (minutes, kWh) count only if reading them gives the value again. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/unit.h"
#include "base/units.h"

/* Whether `number` with `unit` reads as exactly `value`. */
static bool reads_back(const char *number, const struct unit *unit, double value) {
    double again = 0;
    return text_number_scaled(number, strlen(number), unit->tens, &again) && again * unit->multiple <= value &&
           again * unit->multiple >= value;
}

/* A number in some unit, as text. */
struct candidate {
    char number[32];
    const struct unit *unit;
};

/* Characters to read; a long whole number is no easier than one with a point in it. */
static size_t reading_size(const char *number) {
    size_t size = strlen(number);
    return size > 4 && strchr(number, '.') == NULL ? size + 1 : size;
}

/* Whether `a`, of the larger unit, is nicer to read than `b`: shorter; or as short, not below one, and not the first
 * one in bits. */
static bool is_nicer(const struct candidate *a, const struct candidate *b) {
    size_t a_size = reading_size(a->number);
    size_t b_size = reading_size(b->number);
    bool fraction = a->number[0] == '0' || (a->number[0] == '-' && a->number[1] == '0');
    bool bits = a->unit->multiple < 1 && b->unit->multiple >= 1;
    return a_size < b_size || (a_size == b_size && !fraction && !bits);
}

static bool is_base(const struct unit *unit) {
    return unit->tens == 0 && unit->multiple <= 1 && unit->multiple >= 1;
}

const char *units_exact(struct arena *arena, double value, enum dimension dimension) {
    struct candidate best = {.unit = NULL};
    text_shortest(value, best.number);
    bool zero = fabs(value) <= 0;
    for (size_t i = 0; i < UNIT_COUNT && isfinite(value); i++) {
        struct candidate next = {.unit = &UNITS[i]};
        if (next.unit->dimension != dimension || (zero && !is_base(next.unit))) {
            continue;
        }
        text_shortest_scaled(value / next.unit->multiple, -next.unit->tens, next.number);
        bool beyond_seconds = next.unit->dimension == UNIT_SECONDS && next.unit->multiple > 1;
        if (beyond_seconds && strlen(next.number) > 4) { /* 90min, but not 0.0123456789d */
            continue;
        }
        if (reads_back(next.number, next.unit, value) && (best.unit == NULL || is_nicer(&next, &best))) {
            best = next;
        }
    }
    return arena_format(arena, "%s%s", best.number, best.unit == NULL ? "" : best.unit->name);
}

/* Exponent of the leading digit of `value` once it is rounded to so many digits: 0 for 9.99, 1 for 9.999 at three. */
static int leading_exponent(double value, int digits) {
    char text[64];
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    const char *exponent = strchr(text, 'e');
    return exponent == NULL ? 0 : (int)strtol(exponent + 1, NULL, 10);
}

/* Whether a person would use the unit for so large a number; two minutes and more, but 90 seconds. */
static bool is_large_enough(const struct unit *unit, double number, int digits) {
    bool beyond_seconds = unit->dimension == UNIT_SECONDS && unit->multiple > 1;
    return beyond_seconds ? fabs(number) >= 2 : leading_exponent(number, digits) >= 0;
}

/* `value` in `unit`, rounded once. */
static double number_in(double value, const struct unit *unit) {
    double tens = pow(10, abs(unit->tens));
    return (unit->tens < 0 ? value * tens : value / tens) / unit->multiple;
}

/* The largest unit that a person would use, the smallest one if none; zero is in the base unit. NULL: no unit. */
static const struct unit *unit_for_people(double value, enum dimension dimension, int digits) {
    const struct unit *chosen = NULL;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        const struct unit *unit = &UNITS[i];
        if (unit->dimension != dimension || !unit->people) {
            continue;
        }
        bool zero = fabs(value) <= 0;
        if (chosen == NULL || (zero ? is_base(unit) : is_large_enough(unit, number_in(value, unit), digits))) {
            chosen = unit;
        }
    }
    return chosen;
}

const char *units_human(struct arena *arena, double value, enum dimension dimension, int digits) {
    if (!isfinite(value)) {
        return text_fixed(arena, value, 0);
    }
    const struct unit *unit = unit_for_people(value, dimension, digits);
    double number = unit == NULL ? value : number_in(value, unit);
    int decimals = digits - 1 - leading_exponent(number, digits);
    bool whole_bytes = unit != NULL && unit->dimension == UNIT_BYTES && unit->multiple <= 1 && rint(value) >= value &&
                       rint(value) <= value;
    bool none = decimals < 0 || whole_bytes || fabs(value) <= 0;
    const char *text = text_fixed(arena, number, none ? 0 : decimals);
    return unit == NULL ? text : arena_format(arena, "%s %s", text, unit->name);
}
