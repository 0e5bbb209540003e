/* A vocabulary spread over the stages (arXiv:2411.05288, section 4). Every rank holds a shard of embedding and head;
 * for each micro-batch all of them meet:
 *
 *   table        before the first stage's forward: what the shards of the embedding found is summed there
 *   input        behind the last stage's forward: the head's input goes to all
 *   statistics   behind S: maximum and sum of the logits; with one barrier the input's gradient too
 *   gradients    behind T, with two barriers: the input's gradient
 *   table back   behind the first stage's backward: the embedding's gradient goes to all
 *
 * All ranks come to these in one order, that of their times were every pass as long as any other. */
#include <stdlib.h>

#include "base/arena.h"
#include "plan/shard.h"
#include "program/data.h"
#include "schedule/execute.h"

enum event_kind { EVENT_TABLE, EVENT_INPUT, EVENT_STATISTICS, EVENT_GRADIENTS, EVENT_TABLE_BACK, EVENT_KINDS };

struct event {
    double time;
    int32_t kind, micro_batch; /* of all ways */
    int32_t meeting;
};

struct vocabulary {
    struct event *events;
    int64_t count, next;   /* next: to be added to the role */
    int32_t *place;        /* of (kind, micro-batch): which event; NOTHING */
    int32_t *added;        /* of each event: its instruction in the role */
    int32_t *behind;       /* of (kind, micro-batch): what the role's part waits for; NOTHING */
    struct block_load embedding, head; /* of a rank */
    int32_t works[EVENT_KINDS];
    int32_t gather;        /* the shard's parameters, which the first S waits for; NOTHING */
    struct kept *kept;     /* of a micro-batch, from S to T */
};

static int64_t slot(const struct lowering *l, enum event_kind kind, int64_t micro_batch) {
    return (int64_t)kind * l->micro_batches + micro_batch;
}

static void event_at(struct lowering *l, enum event_kind kind, int32_t micro_batch, double time) {
    struct vocabulary *v = l->vocabulary;
    int32_t *place = &v->place[slot(l, kind, micro_batch)];
    if (*place == NOTHING) {
        *place = (int32_t)v->count;
        v->events[v->count++] = (struct event){time, (int32_t)kind, micro_batch, NOTHING};
    }
    struct event *event = &v->events[*place];
    event->time = event->time > time ? event->time : time;
}

static void pass_events(struct lowering *l, const struct pass *pass, double start, double end) {
    const struct visit *backward = pass->kind == PASS_PAIR ? &pass->backward : &pass->visit;
    int32_t micro_batch = visit_micro_batch(l, &pass->visit);
    bool forward = pass->kind == PASS_FORWARD || pass->kind == PASS_PAIR;
    bool back = pass->kind == PASS_BACKWARD || pass->kind == PASS_FULL || pass->kind == PASS_PAIR;
    if (forward && pass->visit.stage == 0) {
        event_at(l, EVENT_TABLE, micro_batch, start);
    }
    if (forward && pass->visit.stage == l->order.stages - 1) {
        event_at(l, EVENT_INPUT, micro_batch, end);
    }
    if (pass->kind == PASS_SHARD) {
        event_at(l, EVENT_STATISTICS, micro_batch, end);
    }
    if (pass->kind == PASS_SHARD_END && l->order.barriers > 1) {
        event_at(l, EVENT_GRADIENTS, micro_batch, end);
    }
    if (back && backward->stage == 0) {
        event_at(l, EVENT_TABLE_BACK, visit_micro_batch(l, backward), end);
    }
}

static int event_before(const void *a, const void *b) {
    const struct event *x = a, *y = b;
    if (x->time < y->time || y->time < x->time) {
        return x->time < y->time ? -1 : 1;
    }
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    return x->micro_batch < y->micro_batch ? -1 : 1;
}

static void works_make(struct lowering *l) {
    static const enum collective kinds[EVENT_KINDS] = {COLLECTIVE_REDUCE, COLLECTIVE_BROADCAST, COLLECTIVE_ALL_REDUCE,
                                                       COLLECTIVE_ALL_REDUCE, COLLECTIVE_BROADCAST};
    double message = plan_message_bytes(l->model, &l->shard);
    double statistics = 4 * plan_stage_tokens(l->model, &l->shard);
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        struct work work = work_blank(WORK_BARRIER);
        work.collective = kinds[kind];
        work.axis = AXIS_PP;
        work.size = l->stages.ranks;
        work.bytes = kind == EVENT_STATISTICS ? statistics + (l->order.barriers == 1 ? message : 0) : message;
        l->vocabulary->works[kind] = builder_work(l->builder, &work);
    }
}

/* A rank's share of what a whole embedding or head takes; both ways of a two-way schedule have their own. */
static struct block_load shared(const struct lowering *l, const struct block_load *whole) {
    double ranks = (double)l->stages.ranks, copies = (double)l->order.ways / ranks;
    return (struct block_load){
        .holding = {.saved = whole->holding.saved / ranks, .logits = whole->holding.logits / ranks},
        .parameters = {.dense = whole->parameters.dense * copies, .replicated = whole->parameters.replicated * copies}};
}

void vocabulary_open(struct lowering *l, const struct block_load *embedding, const struct block_load *head) {
    if (l->order.barriers == 0) {
        return;
    }
    struct vocabulary *v = l->vocabulary = ARENA_NEW(l->arena, struct vocabulary);
    size_t slots = (size_t)(EVENT_KINDS * l->micro_batches);
    struct execution execution;
    v->events = ARENA_ARRAY(l->arena, struct event, slots);
    v->place = ARENA_ARRAY(l->arena, int32_t, slots);
    v->added = ARENA_ARRAY(l->arena, int32_t, slots);
    v->behind = ARENA_ARRAY(l->arena, int32_t, slots);
    v->kept = ARENA_ARRAY(l->arena, struct kept, (size_t)l->micro_batches);
    v->embedding = shared(l, embedding);
    v->head = shared(l, head);
    for (size_t i = 0; i < slots; i++) {
        v->place[i] = NOTHING;
    }
    if (!order_times(l->arena, &l->order, &execution)) {
        return; /* a deadlock, which plan_order has refused */
    }
    for (int64_t i = 0; i < l->order.first[l->order.ranks]; i++) {
        pass_events(l, &l->order.passes[i], execution.starts[i], execution.ends[i]);
    }
    qsort(v->events, (size_t)v->count, sizeof *v->events, event_before);
    for (int64_t i = 0; i < v->count; i++) {
        struct meeting meeting = {AXIS_PP, l->stages.ranks, 0};
        v->events[i].meeting = builder_meeting(l->builder, &meeting);
        v->place[slot(l, (enum event_kind)v->events[i].kind, v->events[i].micro_batch)] = (int32_t)i;
    }
    works_make(l);
}

struct parameters vocabulary_parameters(const struct lowering *l) {
    struct parameters sum = {0};
    if (l->vocabulary != NULL) {
        sum.dense = l->vocabulary->embedding.parameters.dense + l->vocabulary->head.parameters.dense;
        sum.replicated = l->vocabulary->embedding.parameters.replicated + l->vocabulary->head.parameters.replicated;
    }
    return sum;
}

void vocabulary_begin(struct lowering *l, int32_t gather) {
    struct vocabulary *v = l->vocabulary;
    if (v != NULL) {
        v->next = 0;
        v->gather = gather;
        for (int64_t i = 0; i < EVENT_KINDS * l->micro_batches; i++) {
            v->behind[i] = NOTHING;
        }
    }
}

static void event_add(struct lowering *l, int64_t i) {
    struct vocabulary *v = l->vocabulary;
    const struct event *event = &v->events[i];
    struct instruction instruction = instruction_blank(ACTION_COLLECTIVE, STREAM_VOCABULARY, v->works[event->kind]);
    instruction.micro_batch = event->micro_batch;
    instruction.meeting = event->meeting;
    v->added[i] = builder_add(l->builder, &instruction);
    builder_wait(l->builder, v->added[i], v->behind[slot(l, (enum event_kind)event->kind, event->micro_batch)]);
}

/* The instruction of an event, with all that come before it. */
static int32_t event_of(struct lowering *l, enum event_kind kind, int32_t micro_batch) {
    struct vocabulary *v = l->vocabulary;
    int32_t place = v->place[slot(l, kind, micro_batch)];
    while (place != NOTHING && v->next <= place) {
        event_add(l, v->next++);
    }
    return place == NOTHING ? NOTHING : v->added[place];
}

int32_t vocabulary_before(struct lowering *l, const struct visit *visit, bool backward) {
    int32_t micro_batch = visit_micro_batch(l, visit);
    if (l->vocabulary == NULL) {
        return NOTHING;
    }
    if (!backward && visit->stage == 0) {
        return event_of(l, EVENT_TABLE, micro_batch);
    }
    if (backward && visit->stage == l->order.stages - 1) {
        return event_of(l, l->order.barriers > 1 ? EVENT_GRADIENTS : EVENT_STATISTICS, micro_batch);
    }
    return NOTHING;
}

void vocabulary_behind(struct lowering *l, const struct visit *visit, bool backward, int32_t output) {
    int32_t micro_batch = visit_micro_batch(l, visit);
    if (l->vocabulary != NULL && !backward && visit->stage == l->order.stages - 1) {
        l->vocabulary->behind[slot(l, EVENT_INPUT, micro_batch)] = output;
    }
    if (l->vocabulary != NULL && backward && visit->stage == 0) {
        l->vocabulary->behind[slot(l, EVENT_TABLE_BACK, micro_batch)] = output;
    }
}

/* One of as many equal pieces of a block as there are ranks. */
static int32_t piece_add(struct lowering *l, enum action action, enum block block, enum action part,
                         int32_t micro_batch, int32_t wait) {
    struct work work = work_blank(WORK_BLOCK);
    work.action = (uint8_t)part;
    work.block = (uint8_t)block;
    work.pieces = (int32_t)l->stages.ranks;
    struct instruction instruction = instruction_blank(action, STREAM_COMPUTE, builder_work(l->builder, &work));
    instruction.micro_batch = micro_batch;
    l->last = builder_add(l->builder, &instruction);
    builder_wait(l->builder, l->last, wait);
    return l->last;
}

static void keep_piece(struct lowering *l, int32_t micro_batch, int32_t shard) {
    struct vocabulary *v = l->vocabulary;
    double saved = v->embedding.holding.saved + v->head.holding.saved;
    struct kept *kept = &v->kept[micro_batch];
    *kept = (struct kept){tensor_add(l, TENSOR_ACTIVATIONS, saved, NULL, shard, NOTHING), 2};
    (void)tensor_add(l, TENSOR_LOGITS, v->head.holding.logits, NULL, shard, NOTHING);
}

void vocabulary_pass(struct lowering *l, const struct pass *pass) {
    struct vocabulary *v = l->vocabulary;
    int32_t micro_batch = visit_micro_batch(l, &pass->visit);
    bool one = l->order.barriers == 1;
    if (pass->kind == PASS_SHARD) {
        int32_t input = event_of(l, EVENT_INPUT, micro_batch);
        int32_t shard = piece_add(l, ACTION_SHARD, BLOCK_EMBEDDING, ACTION_FORWARD, micro_batch, v->gather);
        v->gather = NOTHING;
        keep_piece(l, micro_batch, shard);
        shard = piece_add(l, ACTION_SHARD, BLOCK_HEAD, ACTION_FORWARD, micro_batch, input);
        if (one) {
            shard = piece_add(l, ACTION_SHARD, BLOCK_HEAD, ACTION_BACKWARD, micro_batch, NOTHING);
        }
        v->behind[slot(l, EVENT_STATISTICS, micro_batch)] = shard;
        return;
    }
    int32_t statistics = event_of(l, EVENT_STATISTICS, micro_batch);
    int32_t end =
        piece_add(l, ACTION_SHARD_END, BLOCK_HEAD, one ? ACTION_WEIGHT : ACTION_FULL, micro_batch, statistics);
    v->behind[slot(l, EVENT_GRADIENTS, micro_batch)] = end;
    end = piece_add(l, ACTION_SHARD_END, BLOCK_EMBEDDING, ACTION_FULL, micro_batch, NOTHING);
    for (int32_t i = 0; i < v->kept[micro_batch].count; i++) {
        builder_free(l->builder, v->kept[micro_batch].first + i, end);
    }
}

void vocabulary_end(struct lowering *l) {
    struct vocabulary *v = l->vocabulary;
    while (v != NULL && v->next < v->count) {
        event_add(l, v->next++);
    }
}
