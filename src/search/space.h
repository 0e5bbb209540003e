/* The space of a search: the values every axis may take, and what follows from them. */
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

/* A way to run the pipeline: what is left to choose once pp is known. */
struct variant {
    int schedule, stages;
    int64_t vpp;
};

/* Mesh-level choices below a shape. */
struct cut_choice {
    int cp_kind, order;
    int64_t ulysses;
    bool sp;
};

struct space_axes {
    const struct cost_context *context;
    struct values tp, pp, cp, ep, etp, micro_batch, zero;
    int recompute[RECOMPUTE_KINDS];
    int64_t recompute_count;
};

void space_make(struct arena *arena, const struct cost_context *context, struct space_axes *ret);

/* dp of a shape, or 0 when the degrees do not fill the devices or the job forbids it. */
int64_t space_dp(const struct space_axes *axes, int64_t tp, int64_t cp, int64_t pp);

/* The variants of `pp`, and the cuts of a shape without those whose mesh equals an earlier one's. At most `room`;
 * returns how many there are. */
enum { SPACE_VARIANTS = 1024, SPACE_CUTS = 512 };
int64_t space_variants(const struct space_axes *axes, int64_t pp, struct variant *ret, int64_t room);
int64_t space_cuts(const struct space_axes *axes, const struct parallel *shape, struct cut_choice *ret, int64_t room);

#endif
