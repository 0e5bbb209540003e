/* What ZB-H1 and ZB-H2 share: 1F1B with the weight gradients taken out and put where the rank would idle. `depth` is 1
 * for ZB-H1 and 2 for ZB-H2: rank i runs depth (p - 1 - i) forwards ahead and its weight gradients depth i backwards
 * late. */
#ifndef PARPLAN_SCHEDULE_ZERO_BUBBLE_H
#define PARPLAN_SCHEDULE_ZERO_BUBBLE_H

#include "schedule/order.h"
#include "schedule/spot.h"

double zero_bubble_path(const struct schedule_shape *shape, const struct pipeline_load *load, const struct spot *spot,
                        double depth);

/* Forwards ahead, then forward and backward in turn; the weight gradients follow late, in the order of their backwards,
 * and drain at the end. */
void zero_bubble_generate(const struct schedule_shape *shape, int64_t rank, int64_t depth, struct pass_list *list);

#endif
