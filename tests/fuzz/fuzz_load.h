/* What the fuzz targets of whole documents share: what loads is written and loads back to the same bytes; what does not
 * load has an error. */
#ifndef PARPLAN_TESTS_FUZZ_FUZZ_LOAD_H
#define PARPLAN_TESTS_FUZZ_FUZZ_LOAD_H

#include "fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "yaml/document.h"
#include "yaml/emit.h"

enum { FUZZ_LARGEST = 65536 };

/* A kind of document: its schema and table, its size in memory and its loader. */
struct fuzz_kind {
    const char *name;
    const struct field *fields;
    size_t size;
    enum status (*load)(struct arena *arena, struct node *root, void *object, struct diag *diag);
};

static inline void *fuzz_load(struct arena *arena, const struct fuzz_kind *kind, const char *text, size_t size,
                              struct diag *diag) {
    struct node *root = NULL;
    diag_init(diag, arena);
    if (size > FUZZ_LARGEST || document_parse(arena, "fuzz.yaml", text, size, &root, diag) != OK) {
        return NULL;
    }
    void *object = arena_alloc(arena, 1, kind->size);
    enum status status = kind->load(arena, root, object, diag);
    PROMISE((status == OK) == (diag->errors == 0));
    PROMISE(status == OK || status == STATUS_INVALID);
    return status == OK ? object : NULL;
}

static inline struct text fuzz_write(struct arena *arena, const struct fuzz_kind *kind, const void *object) {
    struct text out;
    text_init(&out, arena);
    emit_document(&out, kind->name, kind->fields, object, false);
    return out;
}

/* The object as it came back, or NULL if the text did not load. */
static inline const void *fuzz_round(struct arena *arena, const struct fuzz_kind *kind, const uint8_t *data,
                                     size_t size) {
    struct diag diag;
    const void *object = fuzz_load(arena, kind, (const char *)data, size, &diag);
    if (object == NULL) {
        return NULL;
    }
    struct text text = fuzz_write(arena, kind, object);
    const void *again = fuzz_load(arena, kind, text.data, text.size, &diag);
    if (again == NULL) {
        fprintf(stderr, "%s\n%s\n", text.data, diag.entries[0].text);
    }
    PROMISE(again != NULL || text.size > FUZZ_LARGEST);
    if (again != NULL) {
        struct text second = fuzz_write(arena, kind, again);
        if (strcmp(second.data, text.data) != 0) {
            fprintf(stderr, "%s\n%s\n", text.data, second.data);
        }
        PROMISE(strcmp(second.data, text.data) == 0);
    }
    return again;
}

#endif
