/* Regions of memory that are released together. The only allocator of parplan: an arena belongs to a command or a
 * worker thread, everything a document or a result points to lives in the arena it was made in. Not thread-safe: one
 * arena a thread. */
#ifndef PARPLAN_BASE_ARENA_H
#define PARPLAN_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A place in an arena to go back to; made by arena_mark. */
struct arena_place {
    void *block;
    size_t used;
};

/* Called when memory runs out; must not return (the program reports and exits, tests jump). */
typedef void arena_exhausted(void *context);

/* Opens an empty arena. `handler` NULL aborts on exhaustion. */
struct arena *arena_open(arena_exhausted *handler, void *context);
void arena_close(struct arena *arena);

/* `count` objects of `size` bytes, zeroed, aligned for any type. Overflow of the product counts as exhaustion. */
void *arena_alloc(struct arena *arena, size_t count, size_t size) __attribute__((malloc, returns_nonnull));
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), 1, sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), (count), sizeof(type)))

/* Copies `size` bytes of `text` and ends them with NUL. */
char *arena_copy(struct arena *arena, const char *text, size_t size);
char *arena_text(struct arena *arena, const char *text);
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vformat(struct arena *arena, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* Everything allocated after a mark is given back by rewind to it; blocks stay for reuse. */
struct arena_place arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_place place);

/* Bytes taken from the system so far. */
size_t arena_footprint(const struct arena *arena);

#endif
