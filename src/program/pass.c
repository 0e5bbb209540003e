/* One pass: whole, by blocks or by operations. At pass detail the passes that gradients or parameters travel beside are
 * written by blocks, so that what overlaps what is seen; all others are one instruction. */
#include "program/lower_parts.h"

struct work work_blank(enum work_kind kind) {
    return (struct work){.kind = (uint8_t)kind,
                         .stage = NOTHING,
                         .other = NOTHING,
                         .item = NOTHING,
                         .pieces = 1,
                         .size = 1,
                         .step = 1};
}

struct instruction instruction_blank(enum action action, enum stream stream, int32_t work) {
    return (struct instruction){.work = work,
                                .micro_batch = NOTHING,
                                .stage = NOTHING,
                                .layer = NOTHING,
                                .partner = NOTHING,
                                .meeting = NOTHING,
                                .action = (uint8_t)action,
                                .stream = (uint8_t)stream};
}

/* Passes of one stage share a work; it is looked up once. */
static int32_t whole_work(struct lowering *l, enum action action, int32_t stage) {
    int32_t *known = &l->works[stage * ACTION_COUNT + (int32_t)action];
    if (*known == NOTHING) {
        struct work work = work_blank(WORK_PASS);
        work.action = (uint8_t)action;
        work.stage = stage;
        *known = builder_work(l->builder, &work);
    }
    return *known;
}

static int32_t whole_add(struct lowering *l, const struct pass_site *site, enum action action, int32_t work) {
    const struct stage *stage = site_stage(l, site);
    struct instruction instruction = instruction_blank(action, STREAM_COMPUTE, work);
    instruction.micro_batch = site->micro_batch;
    instruction.stage = site->stage;
    instruction.layer = stage->layers > 0 ? (int32_t)stage->first : NOTHING;
    l->last = builder_add(l->builder, &instruction);
    builder_wait(l->builder, l->last, site->after);
    return l->last;
}

void pass_whole(struct lowering *l, const struct pass_site *site, struct pass_ends *ret) {
    int32_t pass = whole_add(l, site, site->action, whole_work(l, site->action, site->stage));
    tensors_of_pass(l, site, site->action, pass);
    *ret = (struct pass_ends){pass, pass};
}

void pair_whole(struct lowering *l, const struct pass_site *forward, const struct pass_site *backward,
                struct pass_ends ret[2]) {
    struct work work = work_blank(WORK_PASS);
    work.action = ACTION_PAIR;
    work.stage = forward->stage;
    work.other = backward->stage;
    int32_t pair = whole_add(l, forward, ACTION_PAIR, builder_work(l->builder, &work));
    builder_wait(l->builder, pair, backward->after);
    builder_at(l->builder, l->role, pair)->partner = backward->micro_batch;
    tensors_of_pass(l, forward, ACTION_FORWARD, pair);
    tensors_of_pass(l, backward, ACTION_FULL, pair);
    ret[0] = ret[1] = (struct pass_ends){pair, pair};
}

static bool is_whole(const struct lowering *l, const struct pass_site *site) {
    return l->detail == DETAIL_PASS && !data_needs_blocks(l, site);
}

/* What a pair overlaps lies within layers: by layers it is one instruction too. */
static bool is_whole_pair(const struct lowering *l, const struct pass_site *forward,
                          const struct pass_site *backward) {
    return l->detail != DETAIL_OPERATION && !data_needs_blocks(l, forward) && !data_needs_blocks(l, backward);
}

/* The training software's own time at the begin of a forward and of a backward; a whole pass has it in its price. */
static int32_t host_add(struct lowering *l, struct pass_site *site) {
    if (!l->host || site->action == ACTION_WEIGHT) {
        return NOTHING;
    }
    struct work work = work_blank(WORK_HOST);
    struct instruction instruction =
        instruction_blank(ACTION_HOST, STREAM_COMPUTE, builder_work(l->builder, &work));
    instruction.micro_batch = site->micro_batch;
    instruction.stage = site->stage;
    int32_t host = builder_add(l->builder, &instruction);
    builder_wait(l->builder, host, site->after);
    site->after = NOTHING;
    return host;
}

void pass_write(struct lowering *l, struct pass_site *site, struct pass_ends *ret) {
    if (is_whole(l, site)) {
        pass_whole(l, site, ret);
        return;
    }
    int32_t host = host_add(l, site);
    if (l->detail == DETAIL_OPERATION) {
        pass_by_operations(l, site, ret);
    } else {
        pass_by_blocks(l, site, ret);
    }
    ret->first = host != NOTHING ? host : ret->first;
}

void pair_write(struct lowering *l, struct pass_site *forward, struct pass_site *backward, struct pass_ends ret[2]) {
    if (is_whole_pair(l, forward, backward)) {
        pair_whole(l, forward, backward, ret);
        return;
    }
    int32_t host = host_add(l, forward);
    host_add(l, backward);
    if (l->detail == DETAIL_OPERATION) {
        pair_by_operations(l, forward, backward, ret);
    } else {
        pair_by_blocks(l, forward, backward, ret);
    }
    ret[0].first = host != NOTHING ? host : ret[0].first;
}
