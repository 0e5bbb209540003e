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
struct node;
struct topology;

/* Lowers `plan`. What is wrong with its degrees, stages or order is refused at `root`'s place (the plan's document; may
 * be NULL). The topology says where groups cross nodes (hybrid shards, experts) and whether the host takes time. */
enum status lower(struct arena *arena, const struct model *model, const struct topology *topology,
                  const struct plan *plan, const struct node *root, enum detail detail, struct program *ret,
                  struct diag *diag) MUST_CHECK;

/* The order of passes of a plan: its schedule's, or its own when it lists one. Refuses what is not legal for the
 * placement of its stages, with the reason. */
enum status plan_order(struct arena *arena, const struct plan *plan, const struct node *root, struct order *ret,
                       struct diag *diag) MUST_CHECK;

#endif
