/* Lowering: a plan becomes a program. One function for all levels of detail: an order of passes is laid out role by
 * role, and each pass is written as a whole, by layers, or by operations.
 *
 *   plan ─► order of passes ─► passes ─┬─ whole          one instruction
 *                                      ├─ by blocks      one a layer, embedding, head     (program/blocks.c)
 *                                      └─ by operations  kernels and collectives          (program/operations.c)
 *           messages between stages, gradients and parameters, optimizer, tensors */
#ifndef PARPLAN_PROGRAM_LOWER_H
#define PARPLAN_PROGRAM_LOWER_H

#include "program/program.h"
#include "schedule/order.h"

struct arena;
struct diag;

/* Lowers `plan` (complete: stages as plan_stages gives them, order as its schedule or its own text makes it). Refuses
 * an order that is not legal for the stages (order_refuse), with the reason. */
enum status lower(struct arena *arena, const struct model *model, const struct plan *plan, enum detail detail,
                  struct program *ret, struct diag *diag) MUST_CHECK;

/* The order of passes of a plan: its schedule's, or its own when it lists one. */
enum status plan_order(struct arena *arena, const struct plan *plan, struct order *ret, struct diag *diag) MUST_CHECK;

#endif
