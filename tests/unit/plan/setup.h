/* What tests of plans and costs begin with: models, topologies and jobs from shipped documents or from texts. */
#ifndef PARPLAN_TESTS_PLAN_SETUP_H
#define PARPLAN_TESTS_PLAN_SETUP_H

#include <string.h>

#include <criterion/criterion.h>

#include "../support.h"
#include "base/diag.h"
#include "model/model.h"
#include "plan/job.h"
#include "topology/topology.h"
#include "yaml/document.h"

enum { CELLS = 24, LINE = 1024 };

#define MODEL "schema: parplan/model/v1\nname: t\n"
#define SMALL MODEL "hidden_size: 512\nnum_attention_heads: 8\nvocab_size: 1024\nintermediate_size: 1024\n"

static inline const char *first_of(const struct diag *diag) {
    return diag->count > 0 ? diag->entries[0].text : "no diagnostics";
}

static inline const char *locate_nothing(void *context, const char *name, const char *folder) {
    (void)context;
    (void)name;
    (void)folder;
    return NULL;
}

static inline struct node *parse(struct arena *arena, const char *text, struct diag *diag) {
    struct node *root = NULL;
    diag_init(diag, arena);
    cr_assert(document_parse(arena, "test.yaml", text, strlen(text), &root, diag) == OK, "%s", first_of(diag));
    return root;
}

/* A shipped model by its name, any other by its text. */
static inline struct model *setup_model(struct arena *arena, const char *model) {
    struct model *ret = ARENA_NEW(arena, struct model);
    struct diag diag;
    struct node *root = NULL;
    if (strchr(model, '\n') != NULL) {
        root = parse(arena, model, &diag);
    } else {
        diag_init(&diag, arena);
        const char *path = support_path(arena, arena_format(arena, "models/%s.yaml", model));
        enum status status = document_load(arena, path, &root, &diag);
        status = status == OK ? document_extend(arena, root, "models", locate_nothing, NULL, &root, &diag) : status;
        cr_assert(status == OK, "%s: %s", path, first_of(&diag));
    }
    cr_assert(model_load(arena, root, ret, &diag) == OK, "%s: %s", model, first_of(&diag));
    return ret;
}

/* A shipped topology at `devices` devices (0: as it is). */
static inline struct topology *setup_topology(struct arena *arena, const char *name, int64_t devices) {
    struct topology *ret = ARENA_NEW(arena, struct topology);
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag, arena);
    const char *path = support_path(arena, arena_format(arena, "topologies/%s.yaml", name));
    enum status status = document_load(arena, path, &root, &diag);
    status = status == OK ? document_extend(arena, root, "topologies", locate_nothing, NULL, &root, &diag) : status;
    status = status == OK ? topology_load(arena, root, ret, &diag) : status;
    status = status == OK && devices > 0 ? topology_scale(arena, ret, 0, devices, &diag) : status;
    cr_assert(status == OK, "%s: %s", name, first_of(&diag));
    return ret;
}

/* A job from its keys, one a line. */
static inline struct job *setup_job(struct arena *arena, const char *keys) {
    struct job *ret = ARENA_NEW(arena, struct job);
    struct diag diag;
    struct node *root = parse(arena, arena_format(arena, "schema: parplan/job/v1\n%s", keys), &diag);
    cr_assert(job_load(arena, root, ret, &diag) == OK, "%s: %s", keys, first_of(&diag));
    return ret;
}

/* The next line of `file` cut at commas into `cells`, empty ones too; 0 at the end. */
static inline int read_row(FILE *file, char *line, int size, char **cells, int room) {
    int count = 0;
    if (fgets(line, size, file) == NULL) {
        return 0;
    }
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at != NULL && count < room; count++) {
        cells[count] = at;
        at = strchr(at, ',');
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    return count;
}

static inline FILE *open_oracle(struct arena *arena, const char *name) {
    FILE *file = fopen(support_path(arena, arena_format(arena, "tests/oracle/%s", name)), "r");
    cr_assert(file != NULL, "tests/oracle/%s is missing", name);
    return file;
}

static inline int64_t cell_number(const char *cell) {
    return *cell == '\0' ? 0 : strtoll(cell, NULL, 10);
}

#endif
