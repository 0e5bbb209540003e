/* An arena is a chain of blocks that are filled one after another. Going back to a place only moves the fill level, the
 * blocks behind it stay in the chain and are filled again:
 *
 *   first ──▶ [####]──▶ [##..]──▶ [....]      # used   . free
 *                       current   kept after a rewind
 *
 * A fresh block comes zeroed from the system; `dirty` is how far it was ever filled, so only what is used a second time
 * has to be cleared. Under AddressSanitizer everything free is poisoned and objects keep a distance, so that overruns
 * and uses after a rewind are found as if every object came from malloc. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum { FIRST_BLOCK = 64 * 1024, LARGEST_BLOCK = 4 * 1024 * 1024 };

struct block {
    struct block *next;
    size_t room;  /* bytes for objects */
    size_t dirty; /* bytes that may differ from zero */
    max_align_t data[];
};

struct arena {
    arena_exhausted *handler;
    void *context;
    struct block *first, *current; /* current NULL: nothing is allocated */
    size_t used;                   /* bytes filled in current */
    size_t footprint;
};

_Noreturn static void arena_fail(arena_exhausted *handler, void *context) {
    if (handler != NULL) {
        handler(context);
    }
    abort();
}

struct arena *arena_open(arena_exhausted *handler, void *context) {
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL) {
        arena_fail(handler, context);
    }
    arena->handler = handler;
    arena->context = context;
    arena->footprint = sizeof *arena;
    return arena;
}

void arena_close(struct arena *arena) {
    if (arena == NULL) {
        return;
    }
    struct block *block = arena->first;
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(arena);
}

/* A new block behind the current one, for at least `bytes`; blocks grow with the arena, so their number stays small. */
static struct block *arena_grow(struct arena *arena, size_t bytes) {
    size_t room = arena->footprint / 2;
    room = room < FIRST_BLOCK ? FIRST_BLOCK : room;
    room = room > LARGEST_BLOCK ? LARGEST_BLOCK : room;
    room = room < bytes ? bytes : room;
    room = room / sizeof(max_align_t) * sizeof(max_align_t);
    struct block *block = calloc(1, sizeof(struct block) + room);
    if (block == NULL) {
        arena_fail(arena->handler, arena->context);
    }
    block->room = room;
    ASAN_POISON_MEMORY_REGION(block->data, room);
    struct block **link = arena->current == NULL ? &arena->first : &arena->current->next;
    block->next = *link;
    *link = block;
    arena->footprint += sizeof(struct block) + room;
    return block;
}

/* The block behind the current one if it is large enough, else a new one. */
static struct block *arena_next(struct arena *arena, size_t bytes) {
    struct block *next = arena->current == NULL ? arena->first : arena->current->next;
    return next != NULL && next->room >= bytes ? next : arena_grow(arena, bytes);
}

/* Bytes an object takes: whole units, at least one, and under AddressSanitizer one more as a distance. */
static size_t arena_bytes(size_t size) {
    const size_t unit = sizeof(max_align_t);
    size_t bytes = size == 0 ? unit : (size + unit - 1) / unit * unit;
#ifdef ARENA_POISON
    bytes += unit;
#endif
    return bytes;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size) {
    const size_t largest = PTRDIFF_MAX - sizeof(struct block) - 4 * sizeof(max_align_t);
    if (size != 0 && count > largest / size) {
        arena_fail(arena->handler, arena->context);
    }
    size_t bytes = arena_bytes(count * size);
    if (arena->current == NULL || bytes > arena->current->room - arena->used) {
        arena->current = arena_next(arena, bytes);
        arena->used = 0;
    }
    struct block *block = arena->current;
    char *object = (char *)block->data + arena->used;
    size_t end = arena->used + bytes;
    if (block->dirty > arena->used) {
        size_t dirty = (block->dirty < end ? block->dirty : end) - arena->used;
        ASAN_UNPOISON_MEMORY_REGION(object, dirty);
        memset(object, 0, dirty);
        ASAN_POISON_MEMORY_REGION(object, dirty);
    }
    ASAN_UNPOISON_MEMORY_REGION(object, count * size);
    block->dirty = block->dirty < end ? end : block->dirty;
    arena->used = end;
    return object;
}

char *arena_copy(struct arena *arena, const char *text, size_t size) {
    if (size == SIZE_MAX) {
        arena_fail(arena->handler, arena->context);
    }
    char *copy = arena_alloc(arena, size + 1, 1);
    if (size > 0) {
        memcpy(copy, text, size);
    }
    return copy;
}

char *arena_text(struct arena *arena, const char *text) {
    return text == NULL ? NULL : arena_copy(arena, text, strlen(text));
}

char *arena_vformat(struct arena *arena, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    char *text = arena_alloc(arena, size < 0 ? 1 : (size_t)size + 1, 1);
    if (size > 0) {
        vsnprintf(text, (size_t)size + 1, format, again);
    }
    va_end(again);
    return text;
}

char *arena_format(struct arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vformat(arena, format, arguments);
    va_end(arguments);
    return text;
}

struct arena_place arena_mark(const struct arena *arena) {
    return (struct arena_place){.block = arena->current, .used = arena->used};
}

void arena_rewind(struct arena *arena, struct arena_place place) {
    arena->current = place.block;
    arena->used = place.block == NULL ? 0 : place.used;
#ifdef ARENA_POISON
    size_t used = arena->used;
    for (struct block *block = place.block == NULL ? arena->first : place.block; block != NULL; block = block->next) {
        ASAN_POISON_MEMORY_REGION((char *)block->data + used, block->room - used);
        used = 0;
    }
#endif
}

size_t arena_footprint(const struct arena *arena) {
    return arena->footprint;
}
