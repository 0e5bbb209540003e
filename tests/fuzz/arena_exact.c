/* The arena with one malloc each, in the place of base/arena.c: the address sanitizer sees every byte past the end of
 * an object and every use after a rewind. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct piece {
    struct piece *previous;
    size_t number;
    max_align_t data[];
};

struct arena {
    struct piece *last;
    size_t footprint;
};

struct arena *arena_open(arena_exhausted *handler, void *context) {
    (void)handler;
    (void)context;
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL) {
        abort();
    }
    return arena;
}

void arena_close(struct arena *arena) {
    arena_rewind(arena, (struct arena_place){.block = NULL});
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t count, size_t size) {
    if (size != 0 && count > (SIZE_MAX / 2) / size) {
        abort();
    }
    struct piece *piece = calloc(1, sizeof *piece + count * size);
    if (piece == NULL) {
        abort();
    }
    piece->previous = arena->last;
    piece->number = arena->last == NULL ? 1 : arena->last->number + 1;
    arena->last = piece;
    arena->footprint += sizeof *piece + count * size;
    return piece->data;
}

char *arena_copy(struct arena *arena, const char *text, size_t size) {
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
    return (struct arena_place){.block = arena->last, .used = arena->last == NULL ? 0 : arena->last->number};
}

void arena_rewind(struct arena *arena, struct arena_place place) {
    while (arena->last != NULL && arena->last->number > place.used) {
        struct piece *piece = arena->last;
        arena->last = piece->previous;
        free(piece);
    }
}

size_t arena_footprint(const struct arena *arena) {
    return arena->footprint;
}
