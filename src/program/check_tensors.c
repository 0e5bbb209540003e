/* Every tensor is allocated and freed exactly once and in that order, or neither and lives through the step. In that
 * order: what frees it is what allocates it, or waits for it, directly or not. Of each instruction it is known how far
 * every stream of its role must have come before it (Fidge 1988, "Timestamps in message-passing systems that preserve
 * the partial ordering"). */
#include "base/arena.h"
#include "program/check_parts.h"

/* How far the streams are: index of the last instruction that has ended, NOTHING. */
struct clock {
    int32_t streams[STREAM_COUNT];
};

struct lifetime {
    int32_t allocates, frees; /* instructions; NOTHING */
    bool twice;
};

static void clock_join(struct clock *clock, const struct clock *other) {
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        clock->streams[stream] =
            other->streams[stream] > clock->streams[stream] ? other->streams[stream] : clock->streams[stream];
    }
}

/* What has ended when `before` has. */
static void clock_after(struct clock *clock, const struct clock *clocks, const struct instruction *of_role,
                        int32_t before) {
    clock_join(clock, &clocks[before]);
    int32_t *own = &clock->streams[of_role[before].stream];
    *own = before > *own ? before : *own;
}

/* Clocks of a role's instructions, walked in an order in which they can end. */
static struct clock *clocks_make(struct checking *c, const struct role *role, const int32_t *ended) {
    const struct instruction *of_role = check_at(c, role->first);
    struct clock *clocks = ARENA_ARRAY(c->arena, struct clock, (size_t)role->count);
    struct clock last; /* of each stream: its last instruction so far */
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        last.streams[stream] = NOTHING;
    }
    for (int64_t i = 0; i < role->count; i++) {
        int32_t at = ended[i], *before = &last.streams[of_role[at].stream];
        struct clock *clock = &clocks[at];
        for (int stream = 0; stream < STREAM_COUNT; stream++) {
            clock->streams[stream] = NOTHING;
        }
        if (*before != NOTHING) {
            clock_after(clock, clocks, of_role, *before);
        }
        for (int32_t w = of_role[at].first_wait; w < of_role[at + 1].first_wait; w++) {
            clock_after(clock, clocks, of_role, c->program->waits[w]);
        }
        *before = at;
    }
    return clocks;
}

/* Where each tensor begins and ends; faults of those that do so twice or only once. Whether any is freed on another
 * stream than that which allocates it. */
static bool lifetimes_find(struct checking *c, const struct role *role, struct lifetime *lives) {
    const struct effect *effects = c->program->effects + role->first_effect;
    const struct instruction *of_role = check_at(c, role->first);
    bool across = false;
    for (int64_t i = 0; i < role->tensor_count; i++) {
        lives[i] = (struct lifetime){NOTHING, NOTHING, false};
    }
    for (int64_t i = 0; i < role->effect_count; i++) {
        struct lifetime *life = &lives[effects[i].tensor];
        int32_t *end = effects[i].frees ? &life->frees : &life->allocates;
        life->twice = life->twice || *end != NOTHING;
        *end = effects[i].instruction;
    }
    for (int64_t i = 0; i < role->tensor_count; i++) {
        const struct lifetime *life = &lives[i];
        if (life->twice || (life->allocates == NOTHING) != (life->frees == NOTHING)) {
            check_fault(c, "tensor %lld of role %lld is %s", (long long)i, (long long)(role - c->program->roles),
                        life->twice                  ? "allocated or freed twice"
                        : life->allocates == NOTHING ? "freed but never allocated"
                                                     : "allocated but never freed");
        } else if (life->allocates != NOTHING) {
            across = across || of_role[life->allocates].stream != of_role[life->frees].stream;
        }
    }
    return across;
}

static bool is_in_order(const struct instruction *of_role, const struct clock *clocks, const struct lifetime *life) {
    int stream = of_role[life->allocates].stream;
    if (stream == of_role[life->frees].stream) {
        return life->allocates <= life->frees;
    }
    return life->allocates <= clocks[life->frees].streams[stream];
}

static void check_role_tensors(struct checking *c, const struct role *role, const int32_t *ended) {
    struct lifetime *lives = ARENA_ARRAY(c->arena, struct lifetime, (size_t)role->tensor_count);
    bool across = lifetimes_find(c, role, lives);
    if (c->faults > 0) {
        return;
    }
    const struct clock *clocks = across ? clocks_make(c, role, ended) : NULL;
    for (int64_t i = 0; i < role->tensor_count; i++) {
        if (lives[i].allocates != NOTHING && !is_in_order(check_at(c, role->first), clocks, &lives[i])) {
            check_fault(c, "tensor %lld: freed by %s, but allocated by %s, which need not have come before",
                        (long long)i, check_name(c, role->first + lives[i].frees),
                        check_name(c, role->first + lives[i].allocates));
        }
    }
}

/* The order in which instructions can end, role by role and counted within it. */
static int32_t *ended_by_role(struct checking *c) {
    const struct program *program = c->program;
    int32_t *sorted = ARENA_ARRAY(c->arena, int32_t, (size_t)program->count);
    int64_t *next = ARENA_ARRAY(c->arena, int64_t, (size_t)program->role_count);
    for (int64_t i = 0; i < c->ended_count; i++) {
        int32_t at = c->ended[i], role = c->role_of[at];
        int64_t first = program->roles[role].first;
        sorted[first + next[role]++] = (int32_t)(at - first);
    }
    return sorted;
}

void check_tensors(struct checking *c) {
    if (c->ended_count < c->program->count) {
        return;
    }
    const int32_t *ended = ended_by_role(c);
    for (int64_t i = 0; i < c->program->role_count; i++) {
        const struct role *role = &c->program->roles[i];
        struct arena_place begin = arena_mark(c->arena);
        int64_t before = c->faults;
        check_role_tensors(c, role, ended + role->first);
        if (c->faults == before) {
            arena_rewind(c->arena, begin);
        }
    }
}
