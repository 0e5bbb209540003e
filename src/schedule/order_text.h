/* Orders of passes as text, written by people: a line a rank,
 *
 *   F0.0 F0.1 BW0.0 F0.2 BW0.1 BW0.2          forward of stage 0 and micro-batch 0 ...
 *   F1.0 BW1.0 F1.1 BW1.1 F1.2 BW1.2
 *
 * F forward, B input gradient, W weight gradient, BW both, F&B a pair, S and T the vocabulary's shard; ' behind a pass:
 * it enters at the last rank. Empty lines and what follows # are left out. */
#ifndef PARPLAN_SCHEDULE_ORDER_TEXT_H
#define PARPLAN_SCHEDULE_ORDER_TEXT_H

#include "schedule/order.h"

/* Where a text is not an order. */
struct order_fault {
    int64_t line;         /* of the lines given, from 0 */
    int64_t column;       /* bytes before the word, from 0 */
    int64_t length;
    const char *reason;   /* in the arena; NULL: no fault */
};

/* Reads one line a rank. Stages and micro-batches are counted from the passes; a micro-batch that leaves out stages has
 * its own path through the others, ascending. Syntax only: order_refuse tells whether the order is legal. */
void order_read(struct arena *arena, const char *const *lines, int64_t count, struct order *ret,
                struct order_fault *ret_fault);

/* The lines of a text without comments and empty lines, in the arena; ret_numbers: their line numbers, from 1. */
int64_t order_lines(struct arena *arena, const char *text, const char *const **ret_lines,
                    const int64_t **ret_numbers);

/* A rank's passes as such a line, in the arena. */
const char *order_line(struct arena *arena, const struct order *order, int64_t rank);

#endif
