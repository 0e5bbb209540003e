/* The order that ZB-H1 and ZB-H2 share: 1F1B with the weight gradients taken out and put where the rank would idle. */
#ifndef PARPLAN_SCHEDULE_ZERO_BUBBLE_H
#define PARPLAN_SCHEDULE_ZERO_BUBBLE_H

#include "schedule/order.h"

/* `warm_up` forwards, then forward and backward in turn; the weight gradients follow `delay` backwards late, in the
 * order of their backwards, and drain at the end. */
void zero_bubble_generate(const struct schedule_shape *shape, int64_t rank, int64_t warm_up, int64_t delay,
                          struct pass_list *list);

#endif
