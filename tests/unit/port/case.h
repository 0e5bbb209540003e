/* Cases from rows given as differences to one complete row. */
#ifndef PARPLAN_TESTS_PORT_CASE_H
#define PARPLAN_TESTS_PORT_CASE_H

#include <criterion/criterion.h>
#include <string.h>

#include "loader.h"

enum { CASE_COLUMNS = 64 };

struct case_cell {
    const char *column, *value;
};

/* Invented: no run was measured so. */
static const struct case_cell case_base[] = {
    {"id", "row-1"},      {"source", "nobody's Megatron-LM"}, {"model", "GPT tiny"}, {"hidden", "1024"},
    {"layers", "8"},      {"heads", "16"},                    {"vocab", "32000"},    {"seq_len", "2048"},
    {"device", "h100-sxm"}, {"gpus", "16"},                   {"tp", "2"},           {"pp", "2"},
    {"dp", "4"},          {"micro_batch", "1"},               {"global_batch", "32"}, {"precision", "bf16"},
    {"recompute", "none"}, {"schedule", "1f1b"},              {"zero", "1"},         {"flash_attention", "1"},
    {"measured_iter_s", "0.5"},
};

/* "column=value|column=value" over the base; a value may hold commas. */
static inline size_t case_cells(struct arena *arena, const char *changes, struct case_cell *ret) {
    size_t count = ROWS(case_base);
    memcpy(ret, case_base, sizeof case_base);
    for (char *at = arena_text(arena, changes); *at != '\0';) {
        char *end = at + strcspn(at, "|");
        char *next = *end == '\0' ? end : end + 1;
        char *equals = strchr(at, '=');
        size_t i = 0;
        *end = *equals = '\0';
        while (i < count && !text_equal(ret[i].column, at)) {
            i++;
        }
        cr_assert(i < CASE_COLUMNS, "too many columns");
        ret[i] = (struct case_cell){at, equals + 1};
        count += i == count;
        at = next;
    }
    return count;
}

static inline const char *case_text(struct arena *arena, const char *changes) {
    struct case_cell cells[CASE_COLUMNS];
    struct text text;
    size_t count = case_cells(arena, changes, cells);
    text_init(&text, arena);
    for (size_t i = 0; i < count; i++) {
        text_add_format(&text, "%s%s", i > 0 ? "," : "", cells[i].column);
    }
    for (size_t i = 0; i < count; i++) {
        text_add_format(&text, "%s\"%s\"", i > 0 ? "," : "\n", cells[i].value);
    }
    return text.data;
}

static inline const struct csv *case_csv(struct arena *arena, const char *text) {
    struct source *source = ARENA_NEW(arena, struct source);
    struct csv *csv = ARENA_NEW(arena, struct csv);
    struct diag diag;
    diag_init(&diag, arena);
    *source = (struct source){.name = "t.csv", .text = text, .size = strlen(text)};
    cr_assert(csv_parse(arena, source, csv, &diag) == OK, "%s: %s", text, diag.entries[0].text);
    return csv;
}

static inline const struct corpus_case *case_make(struct arena *arena, const struct corpus_loader *loader,
                                                  const char *changes) {
    struct corpus_case *ret = ARENA_NEW(arena, struct corpus_case);
    corpus_case_make(arena, case_csv(arena, case_text(arena, changes)), 0, loader, ret);
    return ret;
}

/* As it was meant to be: not refused. */
static inline const struct corpus_case *case_good(struct arena *arena, const struct corpus_loader *loader,
                                                  const char *changes) {
    const struct corpus_case *ret = case_make(arena, loader, changes);
    cr_assert(ret->refusal == NULL, "%s: %s", changes, ret->refusal);
    return ret;
}

#endif
