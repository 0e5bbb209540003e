/* Reads shipped models and topologies as the score command does: each name once, its document shared by all rows. */
#ifndef PARPLAN_TESTS_PORT_LOADER_H
#define PARPLAN_TESTS_PORT_LOADER_H

#include "../support.h"
#include "base/diag.h"
#include "port/corpus.h"
#include "yaml/document.h"

enum { LOADER_ENTRIES = 128 };

struct loader {
    struct arena *arena;
    struct loader_entry {
        const char *path;
        enum status status;
        struct model model;
        struct topology topology;
    } entries[LOADER_ENTRIES];
    size_t count;
};

/* `extends` names a document beside the extending one. */
static inline const char *loader_locate(void *context, const char *name, const char *folder) {
    struct loader *loader = context;
    return support_path(loader->arena, arena_format(loader->arena, "%s/%s.yaml", folder, name));
}

static inline enum status loader_read(struct loader *loader, struct loader_entry *entry, const char *folder) {
    struct arena *arena = loader->arena;
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag, arena);
    TRY(document_load(arena, entry->path, &root, &diag));
    TRY(document_extend(arena, root, folder, loader_locate, loader, &root, &diag));
    return text_equal(folder, "models") ? model_load(arena, root, &entry->model, &diag)
                                        : topology_load(arena, root, &entry->topology, &diag);
}

static inline struct loader_entry *loader_entry(struct loader *loader, const char *folder, const char *name) {
    const char *path = loader_locate(loader, name, folder);
    for (size_t i = 0; i < loader->count; i++) {
        if (text_equal(loader->entries[i].path, path)) {
            return &loader->entries[i];
        }
    }
    struct loader_entry *entry = &loader->entries[loader->count < LOADER_ENTRIES ? loader->count++ : 0];
    entry->path = path;
    entry->status = loader_read(loader, entry, folder);
    return entry;
}

static inline enum status loader_model(void *context, const char *name, struct model *ret) {
    const struct loader_entry *entry = loader_entry(context, "models", name);
    *ret = entry->model;
    return entry->status;
}

static inline enum status loader_topology(void *context, const char *name, struct topology *ret) {
    const struct loader_entry *entry = loader_entry(context, "topologies", name);
    *ret = entry->topology;
    return entry->status;
}

/* For as long as `arena` lives. */
static inline struct corpus_loader *loader_open(struct arena *arena) {
    struct loader *loader = ARENA_NEW(arena, struct loader);
    struct corpus_loader *ret = ARENA_NEW(arena, struct corpus_loader);
    loader->arena = arena;
    *ret = (struct corpus_loader){loader, loader_model, loader_topology};
    return ret;
}

#endif
