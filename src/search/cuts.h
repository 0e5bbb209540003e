/* The cuts of a shape: how its sequences are spread, times the order of its mesh. */
#ifndef PARPLAN_SEARCH_CUTS_H
#define PARPLAN_SEARCH_CUTS_H

#include "cost/rule.h"
#include "search/space.h"

enum { SEQUENCES_MAX = 256, RULES_MAX = 64 };
struct shape_cuts {
    struct sequence_choice sequences[SEQUENCES_MAX];
    int orders[ORDER_KINDS];
    int64_t sequence_count, order_count;
    unsigned char legal[SEQUENCES_MAX]; /* bits: by place in orders */
    int64_t legal_count[2];             /* cuts without and with sequence parallelism */
    int64_t refused[RULES_MAX];         /* cuts */
};
void shape_cuts_make(const struct space_axes *axes, const struct parallel *shape, struct shape_cuts *ret);

#endif
