/* Physical quantities as text: "80GiB", "400Gbit/s", "989TFLOP/s", "2us". In memory everything is a double in the base
 * unit of its dimension: bytes, seconds, bytes/s, FLOP/s, W, USD/h. GB is not GiB and Gbit/s is not GB/s. A number
 * without unit is an error wherever a dimension is asked for. */
#ifndef PARPLAN_BASE_UNITS_H
#define PARPLAN_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

enum dimension {
    UNIT_NONE,
    UNIT_BYTES,      /* B kB MB GB TB PB, KiB MiB GiB TiB PiB */
    UNIT_SECONDS,    /* ps ns us ms s min h d */
    UNIT_BYTES_RATE, /* B/s ... TB/s, GiB/s, bit/s ... Tbit/s, Gbps = Gbit/s */
    UNIT_FLOP_RATE,  /* FLOP/s ... EFLOP/s */
    UNIT_FLOPS,      /* FLOP ... YFLOP */
    UNIT_POWER,      /* W kW MW */
    UNIT_PRICE_RATE, /* USD/h */
    UNIT_MONEY,      /* USD */
    UNIT_ENERGY,     /* J kJ MJ kWh */
    UNIT_DIMENSIONS
};

/* Parses `text` ("80 GiB" and "80GiB" alike). False: `*ret_reason` (in the arena) says what is wrong and what is
 * wanted, also for a unit of another dimension ("Gbit/s is a rate, a size is wanted, such as 80GiB"). */
bool units_parse(struct arena *arena, const char *text, enum dimension dimension, double *ret_value,
                 const char **ret_reason);

/* The shortest text in the largest unit that reads back as exactly `value`; for documents. */
const char *units_exact(struct arena *arena, double value, enum dimension dimension);

/* About `digits` significant digits in the unit a person would choose ("66.1 GiB", "12.3 s"); for tables. */
const char *units_human(struct arena *arena, double value, enum dimension dimension, int digits);

const char *units_suffix(enum dimension dimension);  /* for JSON keys: "_bytes", "_s" ...; "" for none */
const char *units_example(enum dimension dimension); /* "80GiB"; for help and errors */

#endif
