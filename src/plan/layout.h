/* Layouts of tensors on a mesh axis and the collective that turns one into another. Tensor, sequence, Ulysses, expert
 * parallelism and ZeRO all come from this one table:
 *
 *            to │ replicated       split(dim)                  partial
 *   from        │
 *   replicated  │ –                local slice                 local scale
 *   split(a)    │ all-gather       a == dim: –, else all-to-all  –
 *   partial     │ all-reduce       reduce-scatter              –
 */
#ifndef PARPLAN_PLAN_LAYOUT_H
#define PARPLAN_PLAN_LAYOUT_H

#include <stdbool.h>

#include "collective/collective.h"

enum layout_kind { LAYOUT_REPLICATED, LAYOUT_SPLIT, LAYOUT_PARTIAL };
enum tensor_dim { DIM_NONE, DIM_SEQUENCE, DIM_HEAD, DIM_FEATURE, DIM_EXPERT, DIM_PARAMETER, DIM_VOCABULARY };
struct layout { enum layout_kind kind; enum tensor_dim dim; };

/* What a conversion costs: a collective on the full logical size of the tensor, or nothing. */
struct conversion { bool needed; enum collective kind; };

/* False when there is no such conversion (nothing becomes partial by communication). */
bool layout_convert(struct layout from, struct layout to, struct conversion *ret);
/* The conversion of the gradient: backward of from → to is to' → from' with replicated and partial exchanged. */
struct layout layout_gradient(struct layout layout);
const char *layout_text(struct layout layout);

#endif
