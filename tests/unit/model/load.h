/* Loading documents in tests of models: shipped ones by name, others from a text. */
#ifndef PARPLAN_TESTS_MODEL_LOAD_H
#define PARPLAN_TESTS_MODEL_LOAD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "model/count.h"
#include "model/model.h"
#include "yaml/document.h"

/* Documents of tests, from pieces. */
#define HEAD "schema: parplan/model/v1\nname: t\n"                               /* lines 1, 2 */
#define SIZES "hidden_size: 512\nnum_hidden_layers: 4\nnum_attention_heads: 8\n" /* 3, 4, 5 */
#define TEXT HEAD SIZES "vocab_size: 1000\n"                                     /* 6 */
#define BASE TEXT "intermediate_size: 1024\n"                                    /* 7 */
#define MOE "moe: {num_experts: 8, experts_per_token: 2, expert_intermediate_size: 64}\n"
#define MLA "mla: {kv_lora_rank: 64, qk_nope_head_dim: 32, qk_rope_head_dim: 16, v_head_dim: 32}\n"
#define LINEAR "linear: {key_heads: 4, value_heads: 8, key_dim: 16, value_dim: 32}\n"

enum { CELLS = 20, LINE = 512 };

static inline const char *source_dir(void) {
    const char *dir = getenv("PARPLAN_SOURCE");
    return dir != NULL ? dir : ".";
}

static inline const char *locate_nothing(void *context, const char *name, const char *folder) {
    (void)context;
    (void)name;
    (void)folder;
    return NULL;
}

/* The shipped model; fails the test with the diagnostics when it does not load cleanly. */
static inline void load_shipped(struct arena *arena, const char *name, struct model *ret) {
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag, arena);
    const char *path = arena_format(arena, "%s/models/%s.yaml", source_dir(), name);
    enum status status = document_load(arena, path, &root, &diag);
    status = status == OK ? document_extend(arena, root, "models", locate_nothing, NULL, &root, &diag) : status;
    status = status == OK ? model_load(arena, root, ret, &diag) : status;
    const char *first = diag.count > 0 ? diag.entries[0].text : "no diagnostics";
    cr_assert(status == OK && diag.count == 0, "%s: status %d: %s", name, (int)status, first);
}

static inline enum status load_text(struct arena *arena, const char *text, struct model *ret, struct diag *diag) {
    struct node *root = NULL;
    diag_init(diag, arena);
    enum status status = document_parse(arena, "test.yaml", text, strlen(text), &root, diag);
    return status == OK ? model_load(arena, root, ret, diag) : status;
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
    FILE *file = fopen(arena_format(arena, "%s/tests/oracle/%s", source_dir(), name), "r");
    cr_assert(file != NULL, "tests/oracle/%s is missing", name);
    return file;
}

static inline int64_t cell_number(const char *cell) {
    return *cell == '\0' ? 0 : strtoll(cell, NULL, 10);
}

/* Sequences in letters: attention f s m l n, feed-forward d x(moe) -(none), encoder layers in capitals. */
static inline const char *spell(struct arena *arena, const struct model *model) {
    struct text text;
    text_init(&text, arena);
    for (int64_t i = 0; i < model->layer_count; i++) {
        const struct layer_kind *kind = &model->kinds[model->layers[i]];
        text_add(&text, i > 0 ? " " : "");
        text_add_char(&text, (kind->encoder ? "FSMLN" : "fsmln")[kind->attention]);
        text_add_char(&text, "dx-"[kind->ffn]);
    }
    return text.data;
}

#endif
