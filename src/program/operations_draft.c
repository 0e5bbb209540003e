/* Appends steps to a template. */
#include "base/arena.h"
#include "program/lower_parts.h"
#include "program/operations_draft.h"

static void clear(int32_t list[STREAM_COUNT]) {
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        list[stream] = NOTHING;
    }
}

void draft_open(struct arena *arena, struct builder *builder, const struct sort *sort, enum block block,
                int layer_kind, enum action pass, struct draft *ret) {
    const struct kernel_steps none = {NOTHING, NOTHING};
    *ret = (struct draft){.arena = arena, .builder = builder, .sort = sort, .block = block, .layer_kind = layer_kind,
                          .pass = pass, .template = ARENA_NEW(arena, struct template), .last = ENTRY, .before = ENTRY};
    clear(ret->pending);
    clear(ret->late);
    clear(ret->away);
    for (int i = 0; i < OPERATIONS_MAX; i++) {
        ret->forward[i] = ret->again[i] = ret->backward[i] = ret->weight[i] = none;
        ret->saved_input[i] = NOTHING;
    }
}

static int32_t step_add(struct draft *d, enum action action, enum stream stream, int32_t work) {
    struct template *t = d->template;
    if (t->count == d->room) {
        struct step *steps = ARENA_ARRAY(d->arena, struct step, (size_t)(d->room > 0 ? 2 * d->room : 64));
        for (int32_t i = 0; i < t->count; i++) {
            steps[i] = t->steps[i];
        }
        d->room = d->room > 0 ? 2 * d->room : 64;
        t->steps = steps;
    }
    t->steps[t->count] = (struct step){.work = work, .action = (uint8_t)action, .stream = (uint8_t)stream};
    return t->count++;
}

void draft_wait(struct draft *d, int32_t step, int32_t before) {
    struct step *at = &d->template->steps[step];
    for (int i = 0; i < at->wait_count; i++) {
        if (at->waits[i] == before) {
            return;
        }
    }
    at->waits[at->wait_count++] = before;
}

static void wait_for(struct draft *d, int32_t step, const int32_t list[STREAM_COUNT]) {
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        if (list[stream] != NOTHING) {
            draft_wait(d, step, list[stream]);
        }
    }
}

static struct work work_of(const struct draft *d, enum work_kind kind, enum action action, int item, int32_t pieces) {
    struct work work = work_blank(kind);
    work.action = (uint8_t)action;
    work.block = (uint8_t)d->block;
    work.layer_kind = (uint8_t)d->layer_kind;
    work.item = item;
    work.pieces = pieces;
    return work;
}

static struct kernel_steps *kernels_of(struct draft *d, enum action action, int operation) {
    return action == ACTION_FORWARD     ? &d->forward[operation]
           : action == ACTION_RECOMPUTE ? &d->again[operation]
           : action == ACTION_BACKWARD  ? &d->backward[operation]
                                        : &d->weight[operation];
}

int32_t draft_kernel(struct draft *d, enum action action, int operation, int32_t pieces) {
    struct work work = work_of(d, WORK_KERNEL, action, operation, pieces);
    int32_t step = step_add(d, action, STREAM_COMPUTE, builder_work(d->builder, &work));
    struct kernel_steps *kernels = kernels_of(d, action, operation);
    kernels->first = kernels->first == NOTHING ? step : kernels->first;
    kernels->last = step;
    if (d->last == ENTRY) {
        draft_wait(d, step, ENTRY);
    }
    wait_for(d, step, d->pending);
    clear(d->pending);
    d->before = d->last;
    d->last = step;
    return step;
}

static enum stream stream_of(enum axis axis) {
    return axis == AXIS_TP ? STREAM_TENSOR : axis == AXIS_CP ? STREAM_CONTEXT : STREAM_EXPERT;
}

int32_t draft_exchange(struct draft *d, enum action action, int exchange, int32_t pieces, int32_t after) {
    const struct exchange *e = &d->sort->lists.exchanges.items[exchange];
    struct work work = work_of(d, WORK_EXCHANGE, action, exchange, pieces);
    work.collective = e->kind;
    work.axis = e->axis;
    work.size = e->size;
    work.step = e->step;
    work.bytes = e->bytes;
    int32_t step = step_add(d, ACTION_COLLECTIVE, stream_of(e->axis), builder_work(d->builder, &work));
    struct step *at = &d->template->steps[step];
    at->meets = true;
    at->axis = e->axis;
    at->size = e->size;
    if (after != FREELY) {
        draft_wait(d, step, after);
        wait_for(d, step, d->pending);
    }
    return step;
}

void draft_remember(const struct draft *d, int32_t list[STREAM_COUNT], int32_t step) {
    list[d->template->steps[step].stream] = step;
}

void draft_flush(struct draft *d, int32_t list[STREAM_COUNT]) {
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        d->pending[stream] = list[stream] > d->pending[stream] ? list[stream] : d->pending[stream];
    }
    clear(list);
}

void draft_repeat(struct draft *d, enum action action, int exchange, int32_t list[STREAM_COUNT]) {
    int count = (int)d->sort->lists.exchanges.items[exchange].count;
    for (int i = 0; i < count; i++) {
        int32_t step = draft_exchange(d, action, exchange, 1, i == 0 ? d->last : FREELY);
        draft_remember(d, list, step);
    }
}

/* Recomputation repeats forward exchanges of the parts that run again. */
bool draft_takes(const struct draft *d, enum action action, const struct exchange *exchange) {
    enum exchange_phase phase = action == ACTION_BACKWARD || action == ACTION_WEIGHT ? EXCHANGE_BACKWARD
                                                                                      : EXCHANGE_FORWARD;
    return exchange->phase == phase && (action != ACTION_RECOMPUTE || (exchange->parts & d->sort->recomputed) != 0);
}
