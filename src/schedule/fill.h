/* Weight gradients where a rank would idle. Forwards and input gradients are on the way between ranks and come first; a
 * weight gradient only has to come at all, and frees the activation its input gradient has left. So a rank whose next
 * pass is not due yet works on the oldest weight gradient it owes; one that holds as many activations as it may does so
 * before the next forward. */
#ifndef PARPLAN_SCHEDULE_FILL_H
#define PARPLAN_SCHEDULE_FILL_H

#include "schedule/order.h"
#include "schedule/placement.h"

/* Which forward or input gradient a rank runs next: the next of its row, or whichever can start first; of two that can
 * start at once the input gradient, or the forward. Free choice is for one chunk a rank; forward first goes no more
 * than p - i forwards ahead, as 1F1B. */
enum fill_choice { FILL_ROW, FILL_BACKWARD_FIRST, FILL_FORWARD_FIRST };

struct fill {
    int64_t ranks, stages, micro_batches;
    enum placement placement;
    const int64_t *caps; /* of each rank: activations alive at once, to the end of the weight gradient; at least 1 */
    struct pass_times times;
    double late; /* part of a weight gradient by which it may delay the rank's next pass */
    enum fill_choice choice;
};

/* Appends each rank's passes to its list, in the order it runs them at `times`. `rows` (FILL_ROW): forwards and input
 * gradients of each rank. False: a row wants a forward while the rank holds `caps` and owes no weight gradient, or
 * waits for what never comes. */
bool fill_weights(struct arena *arena, const struct fill *fill, const struct pass_list *rows, struct pass_list *lists);

#endif
