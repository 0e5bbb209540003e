/* The space of a search: the values every axis may take, and the order in which they are counted.
 *
 *   shape          tp, cp, ep, etp, pp (dp follows)
 *   cut            sequence choice (cp_kind, ulysses, sp) x mesh order
 *   micro-batch
 *   variant        schedule, vpp, stages: what is left to choose once pp is known
 *   recomputation, ZeRO stage
 *
 * A configuration's place in this enumeration, first axis slowest, decides between equals, so that the result never
 * depends on the order in which configurations are met. */
#ifndef PARPLAN_SEARCH_SPACE_H
#define PARPLAN_SEARCH_SPACE_H

#include <stdint.h>

#include "cost/context.h"
#include "plan/plan.h"

struct arena;

struct values {
    const int64_t *items;
    int64_t count;
};

struct variant {
    int schedule, stages;
    int64_t vpp;
};

/* How a sequence is spread over tp and cp. */
struct sequence_choice {
    int cp_kind;
    int64_t ulysses;
    bool sp;
};

struct space_axes {
    const struct cost_context *context;
    struct values tp, pp, cp, ep, etp, micro_batch, zero;
    struct values vpp; /* as listed; empty where any will do */
    int recompute[RECOMPUTE_KINDS];
    int64_t recompute_count;
};

void space_make(struct arena *arena, const struct cost_context *context, struct space_axes *ret);

/* dp of a shape, or 0 when the degrees do not fill the devices or the job forbids it: no such shape is in the space. */
int64_t space_dp(const struct space_axes *axes, int64_t tp, int64_t cp, int64_t pp);

/* The variants of a pipeline of `pp` ranks; writes up to `room` and returns how many there are. */
int64_t space_variants(const struct space_axes *axes, int64_t pp, struct variant *ret, int64_t room);

/* The sequence choices under tp and cp, as above. Of usp the smallest inner degrees: no real cp has more divisors. */
enum { SPACE_USP = 100 };
int64_t space_sequences(const struct space_axes *axes, int64_t tp, int64_t cp, struct sequence_choice *ret,
                        int64_t room);

/* The mesh orders of a shape, without those that put every axis where an earlier one has it; returns how many. */
int64_t space_orders(const struct space_axes *axes, const struct parallel *shape, int ret[ORDER_KINDS]);

#endif
