/* Arrays that double in an arena: elements of one size, one after another. */
#ifndef PARPLAN_PROGRAM_GROWING_H
#define PARPLAN_PROGRAM_GROWING_H

#include <stdint.h>
#include <string.h>

#include "base/arena.h"

struct growing {
    char *data;
    int64_t count, room;
    size_t size;
};

static inline void growing_open(struct arena *arena, struct growing *growing, size_t size) {
    enum { FIRST_ROOM = 64 };
    *growing = (struct growing){arena_alloc(arena, FIRST_ROOM, size), 0, FIRST_ROOM, size};
}

/* A new element at the end, to be written by the caller. */
static inline void *growing_add(struct arena *arena, struct growing *growing) {
    if (growing->count == growing->room) {
        growing->room *= 2;
        char *data = arena_alloc(arena, (size_t)growing->room, growing->size);
        memcpy(data, growing->data, (size_t)growing->count * growing->size);
        growing->data = data;
    }
    return growing->data + (size_t)growing->count++ * growing->size;
}

static inline void *growing_at(const struct growing *growing, int64_t index) {
    return growing->data + (size_t)index * growing->size;
}

#endif
