/* Nothing that roles and instructions name lies outside its array, and what an instruction is fits what it does. */
#include <limits.h>

#include "base/arena.h"
#include "program/check_parts.h"

/* Roles follow one another without gaps, in all three arrays, and are the pipeline ranks, each once. */
static bool check_roles(struct checking *c) {
    const struct program *program = c->program;
    int64_t count = 0, tensors = 0, effects = 0;
    if (program->role_count > UINT16_MAX || program->count > INT32_MAX) {
        check_fault(c, "more roles or instructions than indices can count");
        return false;
    }
    bool *met = ARENA_ARRAY(c->arena, bool, (size_t)program->role_count);
    for (int64_t i = 0; i < program->role_count; i++) {
        const struct role *role = &program->roles[i];
        if (role->first != count || role->first_tensor != tensors || role->first_effect != effects ||
            !check_below(role->count, program->count - count + 1) ||
            !check_below(role->tensor_count, program->tensor_count - tensors + 1) ||
            !check_below(role->effect_count, program->effect_count - effects + 1)) {
            check_fault(c, "role %lld does not begin where the one before it ends", (long long)i);
            return false;
        }
        if (!check_below(role->pipeline_rank, program->role_count) || met[role->pipeline_rank]) {
            check_fault(c, "role %lld: pipeline rank %lld is there twice, or not at all", (long long)i,
                        (long long)role->pipeline_rank);
            return false;
        }
        met[role->pipeline_rank] = true;
        count += role->count;
        tensors += role->tensor_count;
        effects += role->effect_count;
    }
    if (count != program->count || tensors != program->tensor_count || effects != program->effect_count) {
        check_fault(c, "the roles do not hold all instructions, tensors or effects");
        return false;
    }
    return true;
}

static const char *refuse_waits(const struct checking *c, const struct role *role,
                                const struct instruction *instruction) {
    int64_t from = instruction[0].first_wait, to = instruction[1].first_wait;
    if (from < 0 || to < from || to > c->program->wait_count) {
        return "its waits are not in order";
    }
    for (int64_t i = from; i < to; i++) {
        if (!check_below(c->program->waits[i], role->count)) {
            return arena_format(c->arena, "it waits for instruction %d, which there is not", c->program->waits[i]);
        }
    }
    return NULL;
}

static const char *refuse_partner(const struct checking *c, const struct instruction *instruction) {
    const struct program *program = c->program;
    if (instruction->action == ACTION_PAIR) {
        return check_below(instruction->partner, program->micro_batches) ? NULL : "it pairs with no micro-batch";
    }
    if (!check_is_message(instruction)) {
        return instruction->partner == NOTHING ? NULL : "it has a partner, but is no message";
    }
    if (instruction->peer >= program->role_count ||
        !check_below(instruction->partner, program->roles[instruction->peer].count)) {
        return "its message has no other end";
    }
    return NULL;
}

static const char *refuse_instruction(const struct checking *c, const struct role *role,
                                      const struct instruction *instruction) {
    const struct program *program = c->program;
    if (instruction->action >= ACTION_COUNT || instruction->stream >= STREAM_COUNT) {
        return "there is no such action or stream";
    }
    if (!check_below(instruction->work, program->work_count)) {
        return arena_format(c->arena, "there is no work %d", instruction->work);
    }
    if (!check_optional(instruction->stage, program->stage_count) ||
        !check_optional(instruction->micro_batch, program->micro_batches) ||
        !check_optional(instruction->layer, c->model->layer_count)) {
        return "there is no such stage, layer or micro-batch";
    }
    bool collective = instruction->action == ACTION_COLLECTIVE;
    if (collective ? !check_below(instruction->meeting, program->meeting_count) : instruction->meeting != NOTHING) {
        return collective ? "it meets nobody" : "it has a meeting, but is no collective";
    }
    const char *reason = refuse_partner(c, instruction);
    return reason ? reason : check_kind(c, role, instruction);
}

static void check_effects(struct checking *c, int64_t index) {
    const struct role *role = &c->program->roles[index];
    const struct effect *effects = c->program->effects + role->first_effect;
    for (int64_t i = 0; i < role->effect_count; i++) {
        if (!check_below(effects[i].instruction, role->count) || !check_below(effects[i].tensor, role->tensor_count) ||
            (i > 0 && effects[i].instruction < effects[i - 1].instruction)) {
            check_fault(c, "role %lld: effect %lld names no instruction or tensor, or stands out of order",
                        (long long)index, (long long)i);
        }
    }
}

void check_indices(struct checking *c) {
    const struct program *program = c->program;
    if (c->faults > 0 || !check_roles(c)) {
        return;
    }
    if (program->instructions[0].first_wait != 0 ||
        program->instructions[program->count].first_wait != program->wait_count) {
        check_fault(c, "the waits of the first or last instruction do not begin or end where all do");
    }
    for (int64_t i = 0; i < program->role_count; i++) {
        const struct role *role = &program->roles[i];
        for (int64_t j = 0; j < role->count; j++) {
            const struct instruction *instruction = &program->instructions[role->first + j];
            const char *reason = refuse_instruction(c, role, instruction);
            reason = reason ? reason : refuse_waits(c, role, instruction);
            if (reason) {
                check_fault(c, "role %lld, instruction %lld: %s", (long long)i, (long long)j, reason);
            }
        }
        check_effects(c, i);
    }
}
