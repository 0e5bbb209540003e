#include "cli/single.h"

#include "cli/options.h"
#include "cost/context.h"
#include "schedule/schedule.h"

static void refuse(struct context *context, const char *flag, size_t values) {
    (void)diag_error(context->diag, options_mark(context, flag), "%s has %zu values, but one configuration is priced",
                     flag, values);
    diag_help(context->diag, "'parplan search' chooses among them");
}

static int64_t one(struct context *context, const char *flag, const struct degrees *degrees, int64_t usual) {
    if (degrees->any || degrees->count == 0) {
        return usual;
    }
    if (degrees->count > 1) {
        refuse(context, flag, degrees->count);
    }
    return degrees->values[0];
}

/* The only choice of a set, or the usual one when the set leaves all open. */
static int choose(struct context *context, const char *flag, uint64_t set, int count, int usual) {
    uint64_t all = (UINT64_C(1) << count) - 1;
    int found = -1, chosen = 0;
    for (int i = 0; i < count; i++) {
        if (set >> i & 1) {
            found = i;
            chosen++;
        }
    }
    if ((set & all) == all || chosen == 0) {
        return usual;
    }
    if (chosen > 1) {
        refuse(context, flag, (size_t)chosen);
    }
    return found;
}

static int64_t usual_ulysses(const struct space *space, const struct parallel *parallel) {
    switch ((enum context_kind)parallel->cp_kind) {
    case CONTEXT_ULYSSES:
        return parallel->cp;
    case CONTEXT_USP:
        return space->ulysses > 0 ? space->ulysses : 2;
    case CONTEXT_RING:
    case CONTEXT_ALL_GATHER:
    case CONTEXT_KINDS:
        break;
    }
    return 1;
}

/* What tp, pp and cp leave to dp, at least 1; one after the other, since their product may not fit. */
static int64_t devices_left(int64_t world, const struct parallel *p) {
    const int64_t degrees[] = {p->tp, p->pp, p->cp};
    int64_t left = world;
    for (size_t i = 0; i < sizeof degrees / sizeof *degrees; i++) {
        left = degrees[i] > 0 ? left / degrees[i] : left;
    }
    return left > 0 ? left : 1;
}

static void choose_parallel(struct context *context, const struct cost_context *cost, struct parallel *p) {
    const struct space *space = &cost->job->space;
    p->tp = one(context, "tp", &space->tp, 1);
    p->pp = one(context, "pp", &space->pp, 1);
    p->cp = one(context, "cp", &space->cp, 1);
    p->ep = one(context, "ep", &space->ep, 1);
    p->etp = one(context, "etp", &space->etp, 1);
    p->dp = one(context, "dp", &space->dp, devices_left(cost->world, p));
    p->zero = one(context, "zero", &space->zero, p->dp * p->cp > 1 ? 1 : 0);
    p->sp = choose(context, "sp", space->sp, 2, p->tp > 1) == 1;
    p->cp_kind = choose(context, "cp-kind", space->cp_kind, CONTEXT_KINDS, CONTEXT_RING);
    p->ulysses = usual_ulysses(space, p);
    p->order = choose(context, "order", space->order, ORDER_KINDS, ORDER_TP_CP_DP_PP);
}

enum status single_decision(struct context *context, const struct cost_context *cost, struct decision *ret) {
    const struct space *space = &cost->job->space;
    struct decision decision = {.micro_batch = one(context, "micro-batch", &space->micro_batch, 1)};
    struct parallel *p = &decision.parallel;
    choose_parallel(context, cost, p);
    p->vpp = one(context, "vpp", &space->vpp, 1);
    int usual = p->pp == 1 ? SCHEDULE_NONE : p->vpp > 1 ? SCHEDULE_INTERLEAVED : SCHEDULE_1F1B;
    decision.schedule = choose(context, "schedule", space->schedule, SCHEDULE_COUNT, usual);
    if (space->vpp.any && schedules[decision.schedule]->fixed_chunks > 0) {
        p->vpp = schedules[decision.schedule]->fixed_chunks;
    }
    decision.recompute = choose(context, "recompute", space->recompute, RECOMPUTE_KINDS, RECOMPUTE_NONE);
    decision.stages = space->stages != STAGES_AUTO ? space->stages : STAGES_EVEN; /* which takes a remainder */
    int64_t share = p->dp * decision.micro_batch;
    decision.micro_batches = share > 0 ? cost->job->global_batch / share : 0;
    TRY(diag_status(context->diag));
    *ret = decision;
    return OK;
}
