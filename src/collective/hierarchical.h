/* Hierarchical: reduce-scatter inside, the inter-domain collective on the own rail, all-gather inside. */
#ifndef PARPLAN_COLLECTIVE_HIERARCHICAL_H
#define PARPLAN_COLLECTIVE_HIERARCHICAL_H

#include "collective/collective.h"

/* Seconds of the two levels: `inside` all phases among the members of a domain, `between` among the domains on S/g. */
struct levels {
    double inside, between;
};
struct levels hierarchical_levels(enum collective kind, int64_t inner, int64_t outer, double bytes, double inner_rate,
                                  double nic_rate);

extern const struct algorithm hierarchical_algorithm;
extern const struct algorithm hierarchical_pipelined_algorithm;

#endif
