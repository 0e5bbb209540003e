/* The batch is fixed, so that tokens a second, and cost at a price an hour, follow from the step time alone. */
#include "search/objective.h"

#include <string.h>

#include "cost/estimate.h"

/* Without a price or a power the step time stands in for what they would weigh. */
static double value_of(const struct cost_context *c, enum objective objective, const struct measure *m) {
    switch (objective) {
    case OBJECTIVE_STEP_TIME:
    case OBJECTIVE_TOKENS:
        break;
    case OBJECTIVE_COST:
        return c->price > 0 ? m->seconds * c->price : m->seconds;
    case OBJECTIVE_ENERGY:
        return c->power.busy > 0 ? cost_energy(c, m->seconds, m->compute) : m->seconds;
    case OBJECTIVE_MEMORY:
        return m->bytes;
    }
    return m->seconds;
}

double objective_value(const struct cost_context *context, enum objective objective, const struct price *price) {
    struct measure measure = {.seconds = price->step, .bytes = price->peak, .compute = price->time.compute};
    return value_of(context, objective, &measure);
}

/* Energy grows with the seconds in kernels only if busy devices draw more than idle ones. */
double objective_bound(const struct cost_context *context, enum objective objective, const struct measure *floor) {
    struct measure least = *floor;
    if (context->power.busy < context->power.idle) {
        least.compute = least.seconds;
    }
    return value_of(context, objective, &least);
}

enum objective objective_named(const char *name) {
    static const char *const known[] = {"time", "tokens", "cost", "energy", "memory"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(known[i], name) == 0) {
            return (enum objective)i;
        }
    }
    return OBJECTIVE_STEP_TIME;
}
