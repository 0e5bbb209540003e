/* What is best, as numbers of which smaller is better. */
#ifndef PARPLAN_SEARCH_OBJECTIVE_H
#define PARPLAN_SEARCH_OBJECTIVE_H

#include "cost/context.h"
#include "cost/price.h"

/* What objectives are made of: of one configuration, or bounds below those of many. */
struct measure {
    double seconds; /* of a step */
    double bytes;   /* on the fullest rank */
    double compute; /* seconds of a step that the heaviest rank spends in kernels */
};

double objective_value(const struct cost_context *context, enum objective objective, const struct price *price);

/* No configuration whose measures are at least `floor` has a smaller value. */
double objective_bound(const struct cost_context *context, enum objective objective, const struct measure *floor);

enum objective objective_named(const char *name);

#endif
