/* Refinement: the best plans of a search, simulated; what the closed form leaves out may change their order. All are
 * played pass by pass, those that come first then kernel by kernel. */
#ifndef PARPLAN_CLI_REFINE_H
#define PARPLAN_CLI_REFINE_H

#include "cli/planning.h"
#include "search/search.h"

/* What the simulation says of one plan. */
struct refined {
    double step_time;   /* seconds; 0: not simulated */
    double peak;        /* bytes of the fullest rank, were its allocator never to leave a gap */
    int detail;         /* enum detail: of the last simulation */
    size_t before;      /* its place in the closed form's order */
    const char *reason; /* why it cannot be simulated; NULL */
};

struct refinement {
    const struct refined *plans; /* of result->plans, in their new order; NULL: none was asked for */
    size_t simulated;            /* how many were */
    double limit;                /* of memory */
};

/* Simulates the first `count` plans of the result and, when time is what was searched for, sorts them by it, those that
 * fit into memory first; a front stays as it is. All but the first `top` are then left out. The gap becomes that of the
 * plan that is first now. */
void refine(struct context *context, const struct planning *planning, int64_t count, int64_t top,
            const struct search_control *control, struct search_result *result, struct refinement *ret);

/* Whether the simulation agrees on the first plan. */
void refine_text(const struct refinement *refinement, struct text *out);

#endif
