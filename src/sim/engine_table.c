/* The table of a program. Lists of who waits for an instruction are counted, placed, and filled:
 *
 *   counts at i        2  0  1  3
 *   ends of lists      2  2  3  6     summed up
 *   begins of lists    0  2  2  3     each filled from its end backwards */
#include "sim/engine_table.h"

#include "base/arena.h"

const uint8_t load_kinds[ACTION_COUNT] = {
    [ACTION_FORWARD] = LOAD_COMPUTE,       [ACTION_BACKWARD] = LOAD_COMPUTE,  [ACTION_WEIGHT] = LOAD_COMPUTE,
    [ACTION_FULL] = LOAD_COMPUTE,          [ACTION_PAIR] = LOAD_COMPUTE,      [ACTION_RECOMPUTE] = LOAD_COMPUTE,
    [ACTION_SHARD] = LOAD_COMPUTE,         [ACTION_SHARD_END] = LOAD_COMPUTE, [ACTION_OPTIMIZER] = LOAD_COMPUTE,
    [ACTION_COLLECTIVE] = LOAD_COLLECTIVE, [ACTION_SEND] = LOAD_MESSAGE,      [ACTION_RECEIVE] = LOAD_RECEIVE,
    [ACTION_LOAD] = LOAD_COPY,             [ACTION_STORE] = LOAD_COPY,        [ACTION_HOST] = LOAD_HOST,
};

struct known_grouping {
    struct grouping grouping;
    struct known_grouping *next;
};

/* A table as long as it is built. */
struct building {
    struct arena *arena;
    const struct program *program;
    int32_t *first_after, *after, *needs, *join_of;
    struct join *joins;
    struct spot *members;
    struct known_grouping *groupings;
    int64_t replicas, join_count, member_count;
};

static void set_nothing(int32_t last[STREAM_COUNT]) {
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        last[stream] = NOTHING;
    }
}

static void count_role(const struct building *b, const struct role *role) {
    const struct instruction *instructions = b->program->instructions;
    const int32_t *waits = b->program->waits;
    int32_t *counts = b->first_after, last[STREAM_COUNT];
    set_nothing(last);
    for (int64_t i = role->first; i < role->first + role->count; i++) {
        const struct instruction *instruction = &instructions[i];
        int32_t *before = &last[instruction->stream];
        int32_t first = instruction->first_wait, end = instructions[i + 1].first_wait;
        bool receives = instruction->action == ACTION_RECEIVE && instruction->partner != NOTHING;
        b->needs[i] = end - first + (*before != NOTHING) + receives;
        if (*before != NOTHING) {
            counts[*before]++;
        }
        *before = (int32_t)i;
        for (int32_t w = first; w < end; w++) {
            counts[role->first + waits[w]]++;
        }
    }
}

static void sum_counts(const struct building *b) {
    int32_t sum = 0;
    for (int64_t i = 0; i <= b->program->count; i++) {
        sum += b->first_after[i];
        b->first_after[i] = sum;
    }
}

static void fill_role(const struct building *b, const struct role *role) {
    const struct instruction *instructions = b->program->instructions;
    const int32_t *waits = b->program->waits;
    int32_t *ends = b->first_after, last[STREAM_COUNT];
    set_nothing(last);
    for (int64_t i = role->first; i < role->first + role->count; i++) {
        int32_t *before = &last[instructions[i].stream];
        if (*before != NOTHING) {
            b->after[--ends[*before]] = (int32_t)i;
        }
        *before = (int32_t)i;
        for (int32_t w = instructions[i].first_wait; w < instructions[i + 1].first_wait; w++) {
            b->after[--ends[role->first + waits[w]]] = (int32_t)i;
        }
    }
}

/* The replicas that a collective's members are among, each grouping made once; NULL: each by itself. */
static const struct grouping *grouping_of_meeting(struct building *b, const struct meeting *meeting,
                                                  const struct work *work) {
    int64_t part = meeting->members > 0 ? meeting->size / meeting->members : 1;
    int64_t step = work->step > 0 ? work->step : 1;
    if (b->replicas == 1 || meeting->axis == AXIS_PP || part <= 1) {
        return NULL;
    }
    for (const struct known_grouping *known = b->groupings; known != NULL; known = known->next) {
        if (known->grouping.axis == meeting->axis && known->grouping.part == part && known->grouping.step == step) {
            return &known->grouping;
        }
    }
    struct known_grouping *made = ARENA_NEW(b->arena, struct known_grouping);
    if (!grouping_of_axis(b->arena, &b->program->parallel, meeting->axis, part, step, &made->grouping)) {
        return NULL;
    }
    made->next = b->groupings;
    b->groupings = made;
    return &made->grouping;
}

static bool meets(const struct instruction *instruction) {
    return instruction->action == ACTION_COLLECTIVE && instruction->meeting != NOTHING;
}

/* A pass or block of ranks in lockstep, with the collectives inside. */
static bool in_lockstep(const struct building *b, const struct instruction *instruction) {
    uint8_t kind = b->program->works[instruction->work].kind;
    return (kind == WORK_PASS || kind == WORK_BLOCK) && load_kinds[instruction->action] == LOAD_COMPUTE;
}

/* One join for every meeting, with its members counted; then one for every pass in lockstep. */
static void add_joins(struct building *b, const struct grouping *lockstep) {
    const struct program *program = b->program;
    b->join_count = program->meeting_count;
    for (int64_t i = 0; i < program->count; i++) {
        const struct instruction *instruction = &program->instructions[i];
        b->join_of[i] = NOTHING;
        if (meets(instruction)) {
            struct join *join = &b->joins[instruction->meeting];
            join->grouping = grouping_of_meeting(b, &program->meetings[instruction->meeting],
                                                 &program->works[instruction->work]);
            join->member_count++;
            b->join_of[i] = instruction->meeting;
        } else if (lockstep != NULL && in_lockstep(b, instruction)) {
            b->joins[b->join_count] = (struct join){.member_count = 1, .grouping = lockstep};
            b->join_of[i] = (int32_t)b->join_count++;
        }
    }
}

/* Joins of one member alone fall away; the others' groups and places for members are numbered. Returns the groups. */
static int64_t number_joins(struct building *b) {
    int64_t groups = 0;
    for (int64_t j = 0; j < b->join_count; j++) {
        struct join *join = &b->joins[j];
        bool alone = join_size(join) <= 1;
        join->first_group = groups;
        join->first_member = alone ? NOTHING : (int32_t)b->member_count;
        groups += alone ? 0 : b->replicas / (join->grouping != NULL ? join->grouping->part : 1);
        b->member_count += alone ? 0 : join->member_count;
        join->member_count = 0;
    }
    return groups;
}

static void add_members(const struct building *b) {
    for (int64_t role = 0; role < b->program->role_count; role++) {
        const struct role *r = &b->program->roles[role];
        for (int64_t i = r->first; i < r->first + r->count; i++) {
            if (b->join_of[i] == NOTHING) {
                continue;
            }
            struct join *join = &b->joins[b->join_of[i]];
            if (join->first_member == NOTHING) {
                b->join_of[i] = NOTHING;
            } else {
                b->members[join->first_member + join->member_count++] = (struct spot){0, (int32_t)role, (int32_t)i};
            }
        }
    }
}

static void make_joins(struct building *b, struct engine_table *ret) {
    const struct program *program = b->program;
    struct grouping *lockstep = NULL;
    if (b->replicas > 1 && program->lockstep > 1 && b->replicas % program->lockstep == 0) {
        lockstep = ARENA_NEW(b->arena, struct grouping);
        grouping_of_neighbours(b->arena, b->replicas, program->lockstep, lockstep);
    }
    if (program->meeting_count == 0 && lockstep == NULL) {
        return;
    }
    size_t most = (size_t)(program->meeting_count + (lockstep != NULL ? program->count : 0));
    b->join_of = ARENA_ARRAY(b->arena, int32_t, (size_t)program->count);
    b->joins = ARENA_ARRAY(b->arena, struct join, most);
    add_joins(b, lockstep);
    ret->group_count = number_joins(b);
    b->members = ARENA_ARRAY(b->arena, struct spot, (size_t)b->member_count);
    add_members(b);
    ret->join_of = b->join_of;
    ret->joins = b->joins;
    ret->members = b->members;
    ret->join_count = b->join_count;
}

void engine_table_make(struct arena *arena, const struct engine_input *input, int64_t replicas,
                       struct engine_table *ret) {
    const struct program *program = input->program;
    struct building b = {
        .arena = arena,
        .program = program,
        .first_after = ARENA_ARRAY(arena, int32_t, (size_t)program->count + 1),
        .after = ARENA_ARRAY(arena, int32_t, (size_t)(program->count + program->wait_count)),
        .needs = ARENA_ARRAY(arena, int32_t, (size_t)program->count),
        .replicas = replicas,
    };
    for (int64_t role = 0; role < program->role_count; role++) {
        count_role(&b, &program->roles[role]);
    }
    sum_counts(&b);
    for (int64_t role = 0; role < program->role_count; role++) {
        fill_role(&b, &program->roles[role]);
    }
    *ret = (struct engine_table){.program = program, .instructions = program->instructions, .prices = input->prices,
                                 .replicas = replicas, .roles = program->role_count, .count = program->count,
                                 .first_after = b.first_after, .after = b.after, .needs = b.needs};
    make_joins(&b, ret);
}
