/* What a role allocates and frees, in time, put through a caching allocator: first what is held throughout the step, in
 * the order in which it is listed, then what comes and goes. */
#include <math.h>

#include "base/arena.h"
#include "sim/caching_allocator.h"
#include "sim/memory.h"
#include "sim/tensor_events.h"

struct replay {
    struct caching_allocator *allocator;
    const struct tensor *tensors;
    struct memory_block **blocks; /* of each tensor; NULL: empty ones have none */
    double allocated;
    struct allocator_report *report;
};

static void take(struct replay *replay, int64_t tensor) {
    double bytes = ceil(replay->tensors[tensor].bytes);
    struct allocator_report *report = replay->report;
    if (bytes < 1) {
        return;
    }
    replay->blocks[tensor] = caching_allocator_take(replay->allocator, (int64_t)bytes);
    replay->allocated += replay->tensors[tensor].bytes;
    report->reserved = (double)caching_allocator_reserved(replay->allocator);
    if (replay->allocated > report->allocated) {
        report->allocated = replay->allocated;
        report->at_allocated = report->reserved;
    }
}

static void give_back(struct replay *replay, int64_t tensor) {
    if (replay->blocks[tensor] != NULL) {
        caching_allocator_return(replay->allocator, replay->blocks[tensor]);
        replay->allocated -= replay->tensors[tensor].bytes;
    }
}

void allocator_replay(struct arena *arena, const struct program *program, int64_t role, const int64_t *starts,
                      const int64_t *ends, bool expandable, struct allocator_report *ret) {
    const struct role *of = &program->roles[role];
    struct arena_place begin = arena_mark(arena);
    struct tensor_events events;
    *ret = (struct allocator_report){.reserved = 0};
    tensor_events_make(arena, program, role, starts, ends, &events);
    struct replay replay = {.allocator = caching_allocator_open(arena, expandable),
                            .tensors = program->tensors + of->first_tensor,
                            .blocks = ARENA_ARRAY(arena, struct memory_block *, (size_t)of->tensor_count),
                            .report = ret};
    for (int64_t i = 0; i < of->tensor_count; i++) {
        if (events.held[i]) {
            take(&replay, i);
        }
    }
    for (int64_t i = 0; i < events.count; i++) {
        if (events.items[i].frees) {
            give_back(&replay, events.items[i].tensor);
        } else {
            take(&replay, events.items[i].tensor);
        }
    }
    ret->segments = caching_allocator_segments(replay.allocator);
    arena_rewind(arena, begin);
}
