/* The order of passes that a plan demands: its schedule's, or the lines of its own. */
#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "program/lower_parts.h"
#include "schedule/order_text.h"
#include "schedule/schedule.h"
#include "yaml/bind.h"

/* Beyond this a program has no room for its indices. */
enum { PASSES_MOST = 1 << 26 };

static struct mark at_line(struct arena *arena, const struct node *root, int64_t line) {
    return bind_mark(root, arena_format(arena, "order.%lld", (long long)line));
}

/* The line of the rank that a reason names first ("rank 3: ..."), or the list. */
static struct mark at_reason(struct arena *arena, const struct node *root, const char *reason) {
    static const char name[] = "rank ";
    const char *at = strstr(reason, name);
    int64_t line = 0;
    if (at == NULL || !isdigit((unsigned char)at[sizeof name - 1])) {
        return bind_mark(root, "order");
    }
    for (at += sizeof name - 1; isdigit((unsigned char)*at); at++) {
        line = 10 * line + (*at - '0');
    }
    return at_line(arena, root, line);
}

/* As many of everything as the plan has. */
static enum status check_extent(const struct plan *plan, const struct node *root, const struct order *own,
                                const struct order *wanted, struct diag *diag) {
    const struct {
        const char *name;
        int64_t has, wants;
    } counts[] = {{"lines, one a pipeline rank", (int64_t)plan->order.count, wanted->ranks},
                  {"ways (with ' behind passes: two)", own->ways, wanted->ways},
                  {"stages", own->stages, wanted->stages},
                  {"micro-batches", own->micro_batches, wanted->micro_batches}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i].has != counts[i].wants) {
            return diag_error(diag, bind_mark(root, "order"), "order: %lld %s, but the plan has %lld",
                              (long long)counts[i].has, counts[i].name, (long long)counts[i].wants);
        }
    }
    return OK;
}

/* Replaces the lists of the schedule's order. Only under a schedule that skips stages may a micro-batch leave one out:
 * under others a pass was forgotten. */
static enum status read_lines(struct arena *arena, const struct plan *plan, const struct node *root,
                              struct order *order, struct diag *diag) {
    struct order own = {0};
    struct order_fault fault;
    order_read(arena, plan->order.items, (int64_t)plan->order.count, &own, &fault);
    if (fault.reason != NULL) {
        return diag_error(diag, at_line(arena, root, fault.line), "order: %s", fault.reason);
    }
    TRY(check_extent(plan, root, &own, order, diag));
    if (order->before == NULL) {
        own.before = own.behind = NULL;
    }
    own.barriers = order->barriers > 0 ? order->barriers : own.barriers;
    *order = own;
    return OK;
}

/* On top of 1F1B there is an order of its own, which holds two micro-batches more; others take the vocabulary's passes
 * in between. */
static void spread(struct arena *arena, const struct plan *plan, const struct schedule_shape *shape,
                   struct order *order) {
    const struct schedule *own = schedules[SCHEDULE_VOCAB_1];
    if (plan->decision.schedule == SCHEDULE_1F1B && plan->order.count == 0 && own->refuse(shape) == NULL) {
        order_make(arena, own, shape, order);
    } else {
        order_spread(arena, order);
    }
}

enum status plan_order(struct arena *arena, const struct plan *plan, const struct node *root, struct order *ret,
                       struct diag *diag) {
    const struct decision *d = &plan->decision;
    const struct schedule *schedule = schedules[d->schedule];
    struct schedule_shape shape = {
        .ranks = d->parallel.pp, .micro_batches = d->micro_batches, .chunks = d->parallel.vpp};
    double passes = (double)shape.ranks * (double)shape.micro_batches * (double)shape.chunks;
    const char *reason = passes > PASSES_MOST ? "more passes than a program can hold" : schedule->refuse(&shape);
    if (reason != NULL) {
        return diag_error(diag, bind_mark(root, "schedule"),
                          "schedule %s does not take pp %lld, vpp %lld and %lld micro-batches: %s", schedule->name,
                          (long long)shape.ranks, (long long)shape.chunks, (long long)shape.micro_batches, reason);
    }
    order_make(arena, schedule, &shape, ret);
    if (plan->order.count > 0) {
        TRY(read_lines(arena, plan, root, ret, diag));
        reason = order_refuse(arena, ret, (int)schedule->placement);
    }
    if (reason != NULL) {
        return diag_error(diag, at_reason(arena, root, reason), "order: %s", reason);
    }
    if (plan->job.vocab_parallel && ret->barriers == 0 && ret->ranks > 1) {
        spread(arena, plan, &shape, ret);
    }
    return OK;
}
