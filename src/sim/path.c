/* Backwards from the end: each step's part of the path is all of it, what lies between its start and the end of its
 * cause is waiting. A receive that the message decided is no step of its own: its time is the send's, and latency. */
#include "sim/path.h"

#include "base/arena.h"

struct walk {
    const struct program *program;
    const struct engine_result *result;
};

/* Where an instance's instruction is recorded. */
static int64_t index_of(const struct walk *walk, int64_t instance, int32_t instruction) {
    int64_t roles = walk->program->role_count;
    return instance / roles * walk->program->count + walk->program->roles[instance % roles].first + instruction;
}

static const struct instruction *instruction_of(const struct walk *walk, int64_t instance, int32_t instruction) {
    return &walk->program->instructions[walk->program->roles[instance % walk->program->role_count].first + instruction];
}

/* The last to end: the first in order of (instance, instruction) of those at the end. */
static struct cause last_of(const struct walk *walk) {
    const struct program *program = walk->program;
    for (int64_t instance = 0; instance < walk->result->replicas * program->role_count; instance++) {
        const struct role *role = &program->roles[instance % program->role_count];
        for (int32_t i = 0; i < role->count; i++) {
            if (walk->result->ends[index_of(walk, instance, i)] == walk->result->end) {
                return (struct cause){instance, i};
            }
        }
    }
    return (struct cause){.instance = -1};
}

/* Whether its partner's message decided when a receive ended: it is no step of the path. */
static bool is_passed(const struct walk *walk, struct cause at) {
    const struct instruction *instruction = instruction_of(walk, at.instance, at.instruction);
    const struct cause *cause = &walk->result->causes[index_of(walk, at.instance, at.instruction)];
    return instruction->action == ACTION_RECEIVE && cause->instance >= 0 &&
           cause->instance % walk->program->role_count == instruction->peer &&
           cause->instruction == instruction->partner &&
           instruction_of(walk, cause->instance, cause->instruction)->action == ACTION_SEND;
}

static int64_t count_steps(const struct walk *walk, struct cause from) {
    int64_t count = 0;
    for (struct cause at = from; at.instance >= 0;
         at = walk->result->causes[index_of(walk, at.instance, at.instruction)]) {
        count += !is_passed(walk, at);
    }
    return count;
}

static void add_step(const struct walk *walk, const struct path_step *step, struct critical_path *path) {
    const struct instruction *instruction = instruction_of(walk, step->instance, step->instruction);
    path->of_action[instruction->action] += step->end - step->start;
    if (instruction->action == ACTION_COLLECTIVE) {
        path->of_axis[walk->program->works[instruction->work].axis] += step->end - step->start;
    }
}

void critical_path(struct arena *arena, const struct program *program, const struct engine_result *result,
                   struct critical_path *ret) {
    const struct walk walk = {program, result};
    struct cause at = last_of(&walk);
    *ret = (struct critical_path){.count = count_steps(&walk, at)};
    struct path_step *steps = ARENA_ARRAY(arena, struct path_step, (size_t)ret->count);
    int64_t behind = result->end; /* where what is behind on the path begins */
    for (int64_t left = ret->count; at.instance >= 0;) {
        int64_t index = index_of(&walk, at.instance, at.instruction);
        if (!is_passed(&walk, at)) {
            steps[--left] = (struct path_step){at.instance, at.instruction, result->starts[index], result->ends[index]};
            ret->waiting += behind - steps[left].end;
            behind = steps[left].start;
            add_step(&walk, &steps[left], ret);
        }
        at = result->causes[index];
    }
    ret->waiting += behind;
    ret->steps = steps;
}
