/* Instructions in words: "forward of stage 3, micro-batch 2", "all-gather of parameters, layer 5". */
#include "base/arena.h"
#include "base/text.h"
#include "program/program.h"

static void add_stage(struct text *text, const struct program *program, int32_t stage) {
    if (stage == NOTHING) {
        return;
    }
    const struct stage *of = &program->stages[stage];
    text_add_format(text, " of stage %lld%s", (long long)of->index, of->way == 1 ? " of the second direction" : "");
}

static void add_block(struct text *text, const struct instruction *instruction, const struct work *work) {
    static const char *const names[] = {
        [BLOCK_EMBEDDING] = " of the embedding", [BLOCK_HEAD] = " of the head", [BLOCK_MTP] = " of an MTP block"};
    if (work->block == BLOCK_LAYER) {
        text_add_format(text, " of layer %d", instruction->layer);
    } else {
        text_add(text, names[work->block]);
    }
}

static const char *pass_name(int action) {
    return action == ACTION_BACKWARD ? "input gradient"
           : action == ACTION_WEIGHT ? "weight gradient"
           : action == ACTION_FULL   ? "backward"
           : action == ACTION_PAIR   ? "forward"
                                     : action_names[action];
}

static void add_pass(struct text *text, const struct program *program, const struct instruction *instruction,
                     const struct work *work) {
    text_add(text, pass_name(instruction->action));
    if (work->kind == WORK_PASS) {
        add_stage(text, program, work->stage);
    } else {
        add_block(text, instruction, work);
    }
    if (work->kind == WORK_KERNEL) {
        text_add_format(text, ", operation %d", work->item);
    }
}

static void add_collective(struct text *text, const struct instruction *instruction, const struct work *work) {
    for (const char *c = collective_names[work->collective]; *c != '\0'; c++) {
        text_add_char(text, *c == '_' ? '-' : *c);
    }
    if (work->kind == WORK_EXCHANGE) {
        text_add_format(text, " %d in %s", work->item, pass_name(work->action));
        add_block(text, instruction, work);
        return;
    }
    text_add(text, work->kind == WORK_GATHER   ? " of parameters"
                   : work->kind == WORK_REDUCE ? " of gradients"
                                               : " of the vocabulary's statistics");
    text_add_format(text, " over %s", axis_names[work->axis]);
    if (instruction->layer != NOTHING) {
        text_add_format(text, ", layer %d", instruction->layer);
    }
}

static void add_what(struct text *text, const struct program *program, const struct instruction *instruction,
                     const struct work *work) {
    switch ((enum action)instruction->action) {
    case ACTION_COLLECTIVE:
        add_collective(text, instruction, work);
        break;
    case ACTION_SEND:
    case ACTION_RECEIVE:
        text_add_format(text, "%s %lld", instruction->action == ACTION_SEND ? "send to rank" : "receive from rank",
                        (long long)program->roles[instruction->peer].pipeline_rank);
        break;
    case ACTION_HOST:
        text_add(text, "host's part");
        add_stage(text, program, instruction->stage);
        break;
    case ACTION_FORWARD:
    case ACTION_BACKWARD:
    case ACTION_WEIGHT:
    case ACTION_FULL:
    case ACTION_PAIR:
    case ACTION_RECOMPUTE:
    case ACTION_SHARD:
    case ACTION_SHARD_END:
        add_pass(text, program, instruction, work);
        break;
    case ACTION_OPTIMIZER:
    case ACTION_LOAD:
    case ACTION_STORE:
    case ACTION_COUNT:
        text_add(text, action_names[instruction->action]);
        break;
    }
}

const char *program_describe(struct arena *arena, const struct program *program, int64_t role, int64_t instruction) {
    const struct instruction *at = &program->instructions[program->roles[role].first + instruction];
    const struct work *work = &program->works[at->work];
    struct text text;
    text_init(&text, arena);
    add_what(&text, program, at, work);
    if (at->micro_batch != NOTHING) {
        text_add_format(&text, ", micro-batch %d", at->micro_batch);
    }
    if (at->action == ACTION_PAIR) {
        text_add(&text, ", beside backward");
        add_stage(&text, program, work->other);
        text_add_format(&text, ", micro-batch %d", at->partner);
    }
    return text.data;
}
