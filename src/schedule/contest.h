/* Several orders for one shape and its times; the one that ends first is kept, of equals the one with the shorter span,
 * then the one that holds less. What enters is run: no candidate wins by promise. */
#ifndef PARPLAN_SCHEDULE_CONTEST_H
#define PARPLAN_SCHEDULE_CONTEST_H

#include "schedule/fill.h"

struct contest {
    struct arena *arena;
    struct fill fill; /* shape and times; caps, lateness and choice of the candidate at hand */
    struct order *best;
    double makespan, span;
    int64_t held; /* activations to the end of the weight gradient, summed over the ranks; 0 = none entered */
};

/* `order`: its counts are set; it takes the winner. Times that are all 0 count as tF = tB = tW = 1. */
void contest_open(struct contest *contest, struct arena *arena, const struct schedule_shape *shape,
                  enum placement placement, struct order *order);
/* Empty lists for a candidate. */
struct pass_list *contest_lists(const struct contest *contest);
/* Lists of all passes. */
void contest_enter(struct contest *contest, const struct pass_list *lists);
/* Forwards and input gradients (NULL with a free choice); weight gradients are put in as contest->fill says. */
void contest_fill(struct contest *contest, const struct pass_list *rows);

#endif
