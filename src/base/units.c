/* Quantities to and from text. A unit is value = number * 10^tens * multiple; the power of ten is applied to the
 * decimal text and a power of two is exact, so every such unit reads with one rounding:
 *
 *   "80GiB" = 80 * 2^30      "4.35us" = 4.35 shifted by -6 digits      "400Gbit/s" = 400e9 * 2^-3 */
#include "base/units.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/unit.h"

/* Other ways people write a unit: accepted as `unit`, or refused with what to write instead. */
struct spelling {
    const char *name;
    const char *unit;
    const char *advice;
};

#define WRITE_BITS_OR_BYTES(prefix) "may mean bits or bytes: write " prefix "bit/s or " prefix "B/s"

static const struct spelling SPELLINGS[] = {
    {"bps", "bit/s", NULL},
    {"kbps", "kbit/s", NULL},
    {"Mbps", "Mbit/s", NULL},
    {"Gbps", "Gbit/s", NULL},
    {"Tbps", "Tbit/s", NULL},
    {"b/s", NULL, WRITE_BITS_OR_BYTES("")},
    {"kb/s", NULL, WRITE_BITS_OR_BYTES("k")},
    {"Mb/s", NULL, WRITE_BITS_OR_BYTES("M")},
    {"Gb/s", NULL, WRITE_BITS_OR_BYTES("G")},
    {"Tb/s", NULL, WRITE_BITS_OR_BYTES("T")},
    {"gbps", NULL, WRITE_BITS_OR_BYTES("G")},
    {"MBps", NULL, "is not accepted: write MB/s (bytes) or Mbit/s (bits)"},
    {"GBps", NULL, "is not accepted: write GB/s (bytes) or Gbit/s (bits)"},
    {"TBps", NULL, "is not accepted: write TB/s (bytes) or Tbit/s (bits)"},
    {"b", NULL, "may mean bits or bytes: write B for bytes"},
    {"Kb", NULL, "may mean bits or bytes: write kB (1000 bytes) or KiB (1024 bytes)"},
    {"kb", NULL, "may mean bits or bytes: write kB (1000 bytes) or KiB (1024 bytes)"},
    {"Mb", NULL, "may mean bits or bytes: write MB (10^6 bytes) or MiB (2^20 bytes)"},
    {"Gb", NULL, "may mean bits or bytes: write GB (10^9 bytes) or GiB (2^30 bytes)"},
    {"Tb", NULL, "may mean bits or bytes: write TB (10^12 bytes) or TiB (2^40 bytes)"},
    {"KB", NULL, "may mean 1000 or 1024 bytes: write kB (1000 bytes) or KiB (1024 bytes)"},
    {"K", NULL, "is no unit: write kB (1000 bytes) or KiB (1024 bytes)"},
    {"M", NULL, "is no unit: write MB (10^6 bytes) or MiB (2^20 bytes)"},
    {"G", NULL, "is no unit: write GB (10^9 bytes) or GiB (2^30 bytes)"},
    {"T", NULL, "is no unit: write TB (10^12 bytes) or TiB (2^40 bytes)"},
    {"GFLOPS", NULL, "may mean work or work per second: write GFLOP or GFLOP/s"},
    {"TFLOPS", NULL, "may mean work or work per second: write TFLOP or TFLOP/s"},
    {"PFLOPS", NULL, "may mean work or work per second: write PFLOP or PFLOP/s"},
    {"\302\265s", NULL, "is not accepted: write us"},
    {"\316\274s", NULL, "is not accepted: write us"},
    {"m", NULL, "may mean minutes or a prefix: write min or ms"},
    {"sec", NULL, "is not accepted: write s"},
    {"hr", NULL, "is not accepted: write h"},
    {"$", NULL, "is not accepted: write USD"},
    {"$/h", NULL, "is not accepted: write USD/h"},
    {"USD/hr", NULL, "is not accepted: write USD/h"},
};

enum { SPELLING_COUNT = sizeof SPELLINGS / sizeof SPELLINGS[0] };

struct dimension_words {
    const char *noun;    /* with its article */
    const char *suffix;  /* of JSON keys */
    const char *example; /* a usual value */
};

static const struct dimension_words WORDS[UNIT_DIMENSIONS] = {
    [UNIT_NONE] = {"a plain number", "", "1.5"},
    [UNIT_BYTES] = {"a size", "_bytes", "80GiB"},
    [UNIT_SECONDS] = {"a duration", "_s", "2us"},
    [UNIT_BYTES_RATE] = {"a rate", "_bytes_per_s", "400Gbit/s"},
    [UNIT_FLOP_RATE] = {"a compute rate", "_flop_per_s", "989TFLOP/s"},
    [UNIT_FLOPS] = {"an amount of work", "_flop", "1.5PFLOP"},
    [UNIT_POWER] = {"a power", "_w", "700W"},
    [UNIT_PRICE_RATE] = {"a price rate", "_usd_per_h", "2.5USD/h"},
    [UNIT_MONEY] = {"a price", "_usd", "1000USD"},
    [UNIT_ENERGY] = {"an energy", "_j", "5MJ"},
};

const char *units_suffix(enum dimension dimension) {
    return WORDS[dimension].suffix;
}

const char *units_example(enum dimension dimension) {
    return WORDS[dimension].example;
}

static const struct unit *unit_find(const char *name) {
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (text_equal(UNITS[i].name, name)) {
            return &UNITS[i];
        }
    }
    return NULL;
}

static const struct spelling *spelling_find(const char *name) {
    for (size_t i = 0; i < SPELLING_COUNT; i++) {
        if (text_equal(SPELLINGS[i].name, name)) {
            return &SPELLINGS[i];
        }
    }
    return NULL;
}

/* Why `name` is no unit, with the nearest unit of the wanted dimension, letters of the wrong case first. */
static const char *unit_unknown(struct arena *arena, const char *name, enum dimension dimension) {
    const char *names[UNIT_COUNT];
    struct text all;
    size_t count = 0;
    text_init(&all, arena);
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (UNITS[i].dimension == dimension) {
            names[count++] = UNITS[i].name;
            text_add_format(&all, "%s%s", count > 1 ? ", " : "", UNITS[i].name);
        }
    }
    const char *nearest = NULL;
    for (size_t i = 0; i < count && nearest == NULL; i++) {
        nearest = text_same_letters(name, names[i]) ? names[i] : NULL;
    }
    nearest = nearest == NULL ? text_nearest(name, names, count) : nearest;
    if (nearest != NULL) {
        return arena_format(arena, "unknown unit \"%s\", did you mean %s?", name, nearest);
    }
    return arena_format(arena, "unknown unit \"%s\"; units of %s: %s", name, WORDS[dimension].noun, all.data);
}

/* The unit called `name` if it is of `dimension`; else NULL and the reason. */
static const struct unit *unit_wanted(struct arena *arena, const char *text, const char *name, enum dimension dimension,
                                      const char **ret_reason) {
    const struct dimension_words *words = &WORDS[dimension];
    const struct spelling *spelling = spelling_find(name);
    if (spelling != NULL && spelling->unit == NULL) {
        *ret_reason =
            arena_format(arena, "%s %s; %s is wanted, such as %s", name, spelling->advice, words->noun, words->example);
        return NULL;
    }
    const struct unit *unit = unit_find(spelling == NULL ? name : spelling->unit);
    if (unit == NULL) {
        *ret_reason = unit_unknown(arena, name, dimension);
        return NULL;
    }
    if (unit->dimension != dimension) {
        *ret_reason = arena_format(arena, "%s is %s; %s is wanted, such as %s", text, WORDS[unit->dimension].noun,
                                   words->noun, words->example);
        return NULL;
    }
    return unit;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* The reason for a text that has no number or no unit where one must be, NULL if it has what it needs. */
static const char *parts_wrong(struct arena *arena, const char *text, size_t number_size, const char *name,
                               enum dimension dimension) {
    const struct dimension_words *words = &WORDS[dimension];
    if (*text == '\0') {
        return arena_format(arena, "%s is wanted, such as %s", words->noun, words->example);
    }
    if (number_size == 0) {
        return arena_format(arena, "\"%s\" is not %s; write it such as %s", text, words->noun, words->example);
    }
    if (dimension == UNIT_NONE && *name != '\0') {
        return arena_format(arena, "\"%s\" is not a plain number; no unit is wanted here", text);
    }
    if (dimension != UNIT_NONE && *name == '\0') {
        return arena_format(arena, "%s needs a unit, such as %s", words->noun, words->example);
    }
    return NULL;
}

bool units_parse(struct arena *arena, const char *text, enum dimension dimension, double *ret_value,
                 const char **ret_reason) {
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size > 0 && is_blank(text[size - 1])) {
        size--;
    }
    const char *trimmed = arena_copy(arena, text, size);
    size_t number_size = text_number_size(trimmed, size);
    const char *name = trimmed + number_size + strspn(trimmed + number_size, " \t");
    *ret_reason = parts_wrong(arena, trimmed, number_size, name, dimension);
    if (*ret_reason != NULL) {
        return false;
    }
    static const struct unit plain = {"", UNIT_NONE, 0, 1, true};
    const struct unit *unit =
        dimension == UNIT_NONE ? &plain : unit_wanted(arena, trimmed, name, dimension, ret_reason);
    if (unit == NULL) {
        return false;
    }
    double number = 0;
    if (!text_number_scaled(trimmed, number_size, unit->tens, &number) || !isfinite(number * unit->multiple)) {
        *ret_reason = arena_format(arena, "\"%s\" is too large", trimmed);
        return false;
    }
    *ret_value = number * unit->multiple;
    return true;
}
