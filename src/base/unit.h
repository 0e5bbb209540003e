/* The table of units that reading and writing quantities share; only for base/units*.c. A unit is
 * value = number * 10^tens * multiple. */
#ifndef PARPLAN_BASE_UNIT_H
#define PARPLAN_BASE_UNIT_H

#include <stdbool.h>

#include "base/units.h"

struct unit {
    const char *name;
    enum dimension dimension;
    int tens;
    double multiple;
    bool people; /* units_human may choose it */
};

enum { UNIT_COUNT = 59 };

extern const struct unit UNITS[UNIT_COUNT]; /* ascending in size within a dimension */

#endif
