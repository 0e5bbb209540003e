/* Messages between stages. What a pass makes for a stage on another rank is sent behind it and received there; receives
 * stand in the order in which their lane is sent on, so that none waits for a message behind its own:
 *
 *   rank 0   compute F0 F1 F2 ...        rank 1   receive-previous r0 r1 r2 ...
 *            send-next  s0 s1 s2 ...              compute             F0 F1 F2 ...
 *
 * Stages that are neighbours on one rank (the turn of a V) need no message. With blocking messages a rank computes
 * nothing while it sends or receives. */
#include <stdlib.h>

#include "base/arena.h"
#include "plan/shard.h"
#include "program/lower_parts.h"
#include "schedule/execute.h"
#include "schedule/schedule.h"

/* From one rank to another: the input of a forward, or of a backward. */
struct message {
    int32_t from, to;      /* ranks; from = NOTHING: there is none */
    int32_t send, receive; /* instructions; NOTHING: not yet */
};

/* A stream of receives. */
struct lane {
    int32_t *messages;
    int64_t count, next;
};
enum { LANES = 2 };

struct pipe {
    struct message *messages; /* of (way, stage, micro-batch, backward): by who receives */
    struct lane *lanes;       /* of (rank, STREAM_RECEIVE_PREVIOUS or STREAM_RECEIVE_NEXT) */
    int32_t work;
    bool blocks;
    int32_t sent;             /* blocking: the last send of the role; NOTHING */
};

int32_t visit_micro_batch(const struct lowering *l, const struct visit *visit) {
    return (int32_t)(visit->way * l->order.micro_batches + visit->micro_batch);
}

static enum placement placement_of(const struct lowering *l) {
    return schedules[l->plan->decision.schedule]->placement;
}

int64_t visit_rank(const struct lowering *l, const struct visit *visit, bool backward) {
    int64_t ranks = l->stages.ranks;
    return backward ? placement_backward_rank(placement_of(l), ranks, l->stages.stages, visit->stage, visit->way)
                    : placement_rank(placement_of(l), ranks, visit->stage, visit->way);
}

int32_t visit_stage(const struct lowering *l, const struct visit *visit, bool backward) {
    int64_t ranks = l->stages.ranks;
    int64_t chunk = placement_of(l) == PLACEMENT_ROUND
                        ? round_slot(l, visit->stage, backward) / ranks
                        : placement_chunk(placement_of(l), ranks, visit->stage, visit->way);
    return (int32_t)(visit_rank(l, visit, backward) * l->stages.held + chunk);
}

static int64_t message_index(const struct lowering *l, const struct visit *visit, bool backward) {
    const struct order *order = &l->order;
    int64_t place = ((int64_t)visit->way * order->stages + visit->stage) * order->micro_batches + visit->micro_batch;
    return 2 * place + (backward ? 1 : 0);
}

/* The message that a pass of `visit` sends, or -1. */
static int64_t output_of(const struct lowering *l, const struct visit *visit, bool backward, int64_t *ret_to) {
    struct visit to = *visit;
    int64_t stage = backward ? order_before(&l->order, visit) : order_behind(&l->order, visit);
    if (stage < 0) {
        return -1;
    }
    to.stage = (int32_t)stage;
    *ret_to = visit_rank(l, &to, backward);
    return *ret_to == visit_rank(l, visit, backward) ? -1 : message_index(l, &to, backward);
}

/* Messages of one pass, in the order in which they are sent. */
static int outputs_of(const struct lowering *l, const struct pass *pass, int64_t messages[2], int64_t to[2]) {
    int count = 0;
    if (pass->kind == PASS_FORWARD || pass->kind == PASS_PAIR) {
        messages[count] = output_of(l, &pass->visit, false, &to[count]);
        count += messages[count] >= 0;
    }
    if (pass->kind == PASS_BACKWARD || pass->kind == PASS_FULL || pass->kind == PASS_PAIR) {
        const struct visit *visit = pass->kind == PASS_PAIR ? &pass->backward : &pass->visit;
        messages[count] = output_of(l, visit, true, &to[count]);
        count += messages[count] >= 0;
    }
    return count;
}

static struct lane *lane_of(const struct lowering *l, int64_t from, int64_t to) {
    enum stream stream = program_receive_stream(l->stages.ranks, from, to);
    return &l->pipe->lanes[to * LANES + (stream == STREAM_RECEIVE_NEXT ? 1 : 0)];
}

/* Visits every message in the order of its sender; counts, or with `fill` appends it to its lane. */
static void lanes_visit(struct lowering *l, bool fill) {
    const struct order *order = &l->order;
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        for (int64_t i = order->first[rank]; i < order->first[rank + 1]; i++) {
            int64_t messages[2], to[2];
            int count = outputs_of(l, &order->passes[i], messages, to);
            for (int j = 0; j < count; j++) {
                struct lane *lane = lane_of(l, rank, to[j]);
                if (fill) {
                    struct message *message = &l->pipe->messages[messages[j]];
                    message->from = (int32_t)rank;
                    message->to = (int32_t)to[j];
                    lane->messages[lane->next++] = (int32_t)messages[j];
                } else {
                    lane->count++;
                }
            }
        }
    }
}

/* When a message of a lane with several senders is sent, were every pass as long as any other. */
struct sent_at {
    double time;
    int32_t message;
};

static int sent_before(const void *a, const void *b) {
    const struct sent_at *x = a, *y = b;
    if (x->time < y->time || y->time < x->time) {
        return x->time < y->time ? -1 : 1;
    }
    return x->message < y->message ? -1 : x->message > y->message;
}

static void lane_sort(struct lowering *l, struct lane *lane, const double *times) {
    struct sent_at *sent = ARENA_ARRAY(l->arena, struct sent_at, (size_t)lane->count);
    for (int64_t i = 0; i < lane->count; i++) {
        sent[i] = (struct sent_at){times[lane->messages[i]], lane->messages[i]};
    }
    qsort(sent, (size_t)lane->count, sizeof *sent, sent_before);
    for (int64_t i = 0; i < lane->count; i++) {
        lane->messages[i] = sent[i].message;
    }
}

/* Micro-batches that skip stages reach a lane from several ranks: any order in time serves. */
static void lanes_sort(struct lowering *l, size_t messages) {
    const struct order *order = &l->order;
    double *times = ARENA_ARRAY(l->arena, double, messages);
    struct execution execution;
    if (!order_times(l->arena, order, &execution)) {
        return; /* a deadlock, which plan_order has refused */
    }
    for (int64_t i = 0; i < order->first[order->ranks]; i++) {
        int64_t sent[2], to[2];
        int count = outputs_of(l, &order->passes[i], sent, to);
        for (int j = 0; j < count; j++) {
            times[sent[j]] = execution.ends[i];
        }
    }
    for (int64_t i = 0; i < order->ranks * LANES; i++) {
        lane_sort(l, &l->pipe->lanes[i], times);
    }
}

void pipe_open(struct lowering *l) {
    const struct order *order = &l->order;
    size_t messages = (size_t)(2 * order->ways * order->stages * order->micro_batches);
    struct pipe *pipe = l->pipe = ARENA_NEW(l->arena, struct pipe);
    struct work work = work_blank(WORK_MESSAGE);
    work.collective = COLLECTIVE_SEND;
    work.axis = AXIS_PP;
    work.size = 2;
    work.bytes = plan_message_bytes(l->model, &l->shard);
    pipe->work = order->ranks > 1 ? builder_work(l->builder, &work) : NOTHING;
    pipe->blocks = !l->plan->job.overlap.pipeline;
    pipe->messages = ARENA_ARRAY(l->arena, struct message, messages);
    pipe->lanes = ARENA_ARRAY(l->arena, struct lane, (size_t)(order->ranks * LANES));
    for (size_t i = 0; i < messages; i++) {
        pipe->messages[i] = (struct message){NOTHING, NOTHING, NOTHING, NOTHING};
    }
    lanes_visit(l, false);
    for (int64_t i = 0; i < order->ranks * LANES; i++) {
        pipe->lanes[i].messages = ARENA_ARRAY(l->arena, int32_t, (size_t)pipe->lanes[i].count);
    }
    lanes_visit(l, true);
    for (int64_t i = 0; i < order->ranks * LANES; i++) {
        pipe->lanes[i].next = 0;
    }
    if (order->before != NULL) {
        lanes_sort(l, messages);
    }
}

void pipe_begin(struct lowering *l) {
    l->pipe->sent = NOTHING;
}

static int32_t message_add(struct lowering *l, enum action action, enum stream stream, int32_t micro_batch,
                           int32_t stage) {
    struct instruction instruction = instruction_blank(action, stream, l->pipe->work);
    instruction.micro_batch = micro_batch;
    instruction.stage = stage;
    return builder_add(l->builder, &instruction);
}

/* The next receive of a lane. */
static void receive_add(struct lowering *l, struct lane *lane) {
    struct message *message = &l->pipe->messages[lane->messages[lane->next++]];
    enum stream stream = program_receive_stream(l->stages.ranks, message->from, message->to);
    int64_t index = message - l->pipe->messages, visit = index / 2;
    int64_t way = visit / (l->order.stages * l->order.micro_batches);
    struct visit to = {(int32_t)(visit / l->order.micro_batches % l->order.stages),
                       (int32_t)(visit % l->order.micro_batches), (int32_t)way};
    int32_t stage = visit_stage(l, &to, index % 2 == 1);
    message->receive = message_add(l, ACTION_RECEIVE, stream, visit_micro_batch(l, &to), stage);
    if (l->pipe->blocks) {
        builder_wait(l->builder, message->receive, l->last);
        builder_wait(l->builder, message->receive, l->pipe->sent);
    }
}

int32_t pipe_receive(struct lowering *l, const struct visit *visit, bool backward) {
    struct message *message = &l->pipe->messages[message_index(l, visit, backward)];
    if (message->from == NOTHING) {
        return NOTHING;
    }
    struct lane *lane = lane_of(l, message->from, message->to);
    while (message->receive == NOTHING) {
        receive_add(l, lane);
    }
    return message->receive;
}

void pipe_send(struct lowering *l, const struct visit *visit, bool backward, const struct pass_site *site,
               const struct pass_ends *ends) {
    int64_t to = 0;
    int64_t index = output_of(l, visit, backward, &to);
    if (index < 0) {
        return;
    }
    int32_t send = message_add(l, ACTION_SEND, program_send_stream(l->stages.ranks, l->role, to), site->micro_batch,
                               site->stage);
    builder_wait(l->builder, send, ends->output);
    if (l->pipe->blocks) {
        builder_wait(l->builder, send, l->pipe->sent);
        l->pipe->sent = send;
    }
    l->pipe->messages[index].send = send;
}

void pipe_block(struct lowering *l, const struct pass_ends *ends) {
    builder_wait(l->builder, ends->first, l->pipe->sent);
    l->pipe->sent = NOTHING;
}

void pipe_link(struct lowering *l) {
    int64_t messages = 2 * l->order.ways * l->order.stages * l->order.micro_batches;
    for (int64_t i = 0; i < messages; i++) {
        const struct message *message = &l->pipe->messages[i];
        if (message->from != NOTHING) {
            builder_link(l->builder, message->from, message->send, message->to, message->receive);
        }
    }
}
