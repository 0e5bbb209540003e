/* What an action can be: of which works, on which streams. */
#include "program/check_parts.h"

#define BIT(index) (1u << (index))

enum {
    COMPUTES = BIT(WORK_PASS) | BIT(WORK_BLOCK) | BIT(WORK_KERNEL),
    MEETS = BIT(WORK_EXCHANGE) | BIT(WORK_REDUCE) | BIT(WORK_GATHER) | BIT(WORK_BARRIER),
    MEETING_STREAMS = BIT(STREAM_TENSOR) | BIT(STREAM_CONTEXT) | BIT(STREAM_EXPERT) | BIT(STREAM_DATA) |
                      BIT(STREAM_VOCABULARY)
};

static const struct {
    unsigned works, streams;
} possible[] = {
    [ACTION_FORWARD] = {COMPUTES, BIT(STREAM_COMPUTE)},
    [ACTION_BACKWARD] = {COMPUTES, BIT(STREAM_COMPUTE)},
    [ACTION_WEIGHT] = {COMPUTES, BIT(STREAM_COMPUTE)},
    [ACTION_FULL] = {COMPUTES, BIT(STREAM_COMPUTE)},
    [ACTION_PAIR] = {BIT(WORK_PASS), BIT(STREAM_COMPUTE)},
    [ACTION_RECOMPUTE] = {COMPUTES, BIT(STREAM_COMPUTE)},
    [ACTION_SHARD] = {BIT(WORK_BLOCK), BIT(STREAM_COMPUTE)},
    [ACTION_SHARD_END] = {BIT(WORK_BLOCK), BIT(STREAM_COMPUTE)},
    [ACTION_COLLECTIVE] = {MEETS, MEETING_STREAMS},
    [ACTION_SEND] = {BIT(WORK_MESSAGE), BIT(STREAM_SEND_NEXT) | BIT(STREAM_SEND_PREVIOUS)},
    [ACTION_RECEIVE] = {BIT(WORK_MESSAGE), BIT(STREAM_RECEIVE_NEXT) | BIT(STREAM_RECEIVE_PREVIOUS)},
    [ACTION_OPTIMIZER] = {BIT(WORK_UPDATE), BIT(STREAM_COMPUTE)},
    [ACTION_LOAD] = {BIT(WORK_COPY), BIT(STREAM_COPY_IN)},
    [ACTION_STORE] = {BIT(WORK_COPY), BIT(STREAM_COPY_OUT)},
    [ACTION_HOST] = {BIT(WORK_HOST), BIT(STREAM_COMPUTE)},
};

/* Messages of two ranks take the stream that leads from one to the other. */
static bool is_astray(const struct program *program, const struct role *role, const struct instruction *instruction) {
    int64_t ranks = program->parallel.pp, own = role->pipeline_rank;
    if (!check_is_message(instruction)) {
        return false;
    }
    int64_t other = program->roles[instruction->peer].pipeline_rank;
    return instruction->stream != (instruction->action == ACTION_SEND ? program_send_stream(ranks, own, other)
                                                                       : program_receive_stream(ranks, other, own));
}

const char *check_kind(const struct checking *c, const struct role *role, const struct instruction *instruction) {
    const struct program *program = c->program;
    const struct work *work = &program->works[instruction->work];
    unsigned kind = BIT(work->kind);
    if ((possible[instruction->action].works & kind) == 0) {
        return "its work is of another kind than its action";
    }
    bool shard = instruction->action == ACTION_SHARD || instruction->action == ACTION_SHARD_END;
    if ((kind & COMPUTES) != 0 && work->action != instruction->action && !shard) {
        return "its work is that of another action";
    }
    if ((possible[instruction->action].streams & BIT(instruction->stream)) == 0 ||
        is_astray(program, role, instruction)) {
        return "it stands on a stream that is not for it";
    }
    if (instruction->stage != NOTHING && program->stages[instruction->stage].rank != role->pipeline_rank) {
        return "its stage is another rank's";
    }
    return NULL;
}
