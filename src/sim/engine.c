/* A run: the table, the state, one of the two ways to play, the result. */
#include "sim/engine.h"

#include "base/arena.h"
#include "sim/engine_player.h"

static void open_result(struct arena *arena, const struct engine_input *input, int64_t replicas,
                        struct engine_result *ret) {
    const struct program *program = input->program;
    size_t all = (size_t)program->count * (size_t)replicas;
    size_t lanes = (size_t)program->role_count * (size_t)replicas * STREAM_COUNT;
    *ret = (struct engine_result){.replicas = replicas, .busy = ARENA_ARRAY(arena, int64_t, lanes)};
    if (input->times) {
        ret->starts = ARENA_ARRAY(arena, int64_t, all);
        ret->ends = ARENA_ARRAY(arena, int64_t, all);
    }
    if (input->causes) {
        ret->causes = ARENA_ARRAY(arena, struct cause, all);
    }
}

void engine_run(struct arena *arena, const struct engine_input *input, struct engine_result *ret) {
    int64_t replicas = input->every_rank && input->program->replicas > 1 ? input->program->replicas : 1;
    open_result(arena, input, replicas, ret);
    struct arena_place place = arena_mark(arena);
    struct engine_table table;
    struct player player;
    engine_table_make(arena, input, replicas, &table);
    player_open(arena, input, &table, ret, &player);
    if (contention_matters(input)) {
        engine_events(arena, &player);
    } else {
        engine_direct(&player);
    }
    ret->finished = ret->events == (uint64_t)table.count * (uint64_t)replicas;
    if (ret->finished) {
        arena_rewind(arena, place);
    } else {
        ret->stuck = engine_stuck(arena, &player);
    }
}
