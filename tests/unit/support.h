/* What several unit tests need: an arena for the length of a test, files of the source tree, exact comparison. */
#ifndef PARPLAN_TESTS_UNIT_SUPPORT_H
#define PARPLAN_TESTS_UNIT_SUPPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/text.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* Aborts the test when memory runs out. */
static inline struct arena *support_arena(void) {
    return arena_open(NULL, NULL);
}

/* A path below the root of the source tree. */
static inline const char *support_path(struct arena *arena, const char *path) {
    const char *root = getenv("PARPLAN_SOURCE");
    return arena_format(arena, "%s/%s", root == NULL ? "." : root, path);
}

/* A whole file as text, NULL if it cannot be read. */
static inline const char *support_file(struct arena *arena, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    struct text text;
    char buffer[4096];
    text_init(&text, arena);
    for (size_t size = fread(buffer, 1, sizeof buffer, file); size > 0; size = fread(buffer, 1, sizeof buffer, file)) {
        text_add_bytes(&text, buffer, size);
    }
    fclose(file);
    return text.data;
}

#endif
