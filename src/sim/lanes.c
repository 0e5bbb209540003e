#include "sim/lanes.h"

#include "base/arena.h"

void lanes_open(struct arena *arena, const struct program *program, int64_t role, struct lane ret[STREAM_COUNT]) {
    const struct instruction *instructions = &program->instructions[program->roles[role].first];
    int64_t count = program->roles[role].count;
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        ret[stream] = (struct lane){.items = NULL};
    }
    for (int64_t i = 0; i < count; i++) {
        ret[instructions[i].stream].count++;
    }
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        ret[stream].items = ARENA_ARRAY(arena, int32_t, (size_t)ret[stream].count);
        ret[stream].count = 0;
    }
    for (int64_t i = 0; i < count; i++) {
        struct lane *lane = &ret[instructions[i].stream];
        lane->items[lane->count++] = (int32_t)i;
    }
}
