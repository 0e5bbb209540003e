/* Flags laid over a job document. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/overlay.h"
#include "plan/job.h"
#include "yaml/document.h"

static enum status never_run(struct context *context) {
    (void)context;
    return STATUS_BUG;
}

static const struct command job_command = {
    .name = "job",
    .groups = (const struct option_group[]){{.title = "Job", .fields = job_fields, .document = true}, {.title = NULL}},
    .run = never_run,
};

/* Parses the flags in `line` (split at blanks, "~" is a blank) over the document `text` (NULL: none) and loads the job. */
static struct context *load(struct arena *arena, const char *line, const char *text, struct job *job) {
    char **argv = ARENA_ARRAY(arena, char *, 64);
    int argc = 0;
    argv[argc++] = arena_text(arena, "parplan");
    argv[argc++] = arena_text(arena, "job");
    for (char *word = strtok(arena_text(arena, line), " "); word; word = strtok(NULL, " ")) {
        for (char *at = word; *at; at++) {
            *at = *at == '~' ? ' ' : *at;
        }
        argv[argc++] = word;
    }
    struct diag *diag = ARENA_NEW(arena, struct diag);
    diag_init(diag, arena);
    struct context *context = ARENA_NEW(arena, struct context);
    *context = (struct context){.arena = arena, .diag = diag, .command = &job_command};
    context->source = options_source(arena, argc, argv);
    cr_assert(options_parse(context, argc, argv, 2) == OK, "%s: %s", line, diag->entries[0].text);
    struct node *root = overlay_empty(context, "job");
    if (text) {
        cr_assert(document_parse(arena, "job.yaml", text, strlen(text), &root, diag) == OK);
    }
    overlay_flags(context, root);
    (void)!job_load(arena, root, job, diag);
    return context;
}

static const char *degrees_text(struct arena *arena, const struct degrees *degrees) {
    struct text text;
    text_init(&text, arena);
    text_add(&text, degrees->any ? "any" : "");
    for (size_t i = 0; i < degrees->count; i++) {
        text_add_format(&text, "%s%lld", i ? "," : "", (long long)degrees->values[i]);
    }
    return text.data;
}

#define HEAD "schema: parplan/job/v1\n"

Test(overlay, flags_win) {
    static const struct {
        const char *line, *text;
        long long global_batch, seq_len;
        const char *tp, *pp;
        unsigned long long sp;
        double time;
        bool graphs;
    } rows[] = {
        {"--global-batch 64", NULL, 64, 4096, "any", "any", 3, 0, false},
        {"--tp 8", HEAD "global_batch: 32\n", 32, 4096, "8", "any", 3, 0, false},
        {"--global-batch 64", HEAD "global_batch: 32\nseq_len: 128\n", 64, 128, "any", "any", 3, 0, false},
        {"--tp 1,2,4", HEAD "search:\n  tp: 16\n  pp: 3\n", 1024, 4096, "1,2,4", "3", 3, 0, false},
        {"--tp 2..4 --pp=auto", HEAD "search: {tp: 16, pp: 3}\n", 1024, 4096, "2,3,4", "any", 3, 0, false},
        {"--no-sp", HEAD "search: {sp: on}\n", 1024, 4096, "any", "any", 1, 0, false},
        {"--sp", HEAD "search: {pp: [1, 2]}\n", 1024, 4096, "any", "1,2", 2, 0, false},
        {"--tp 4 --tp 8", NULL, 1024, 4096, "8", "any", 3, 0, false},
        {"--time 1min --cuda-graphs", HEAD "time: 3s\n", 1024, 4096, "any", "any", 3, 60, true},
        {"--no-cuda-graphs", HEAD "kernels: {cuda_graphs: true}\n", 1024, 4096, "any", "any", 3, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_open(NULL, NULL);
        struct job job;
        struct context *context = load(arena, rows[i].line, rows[i].text, &job);
        cr_assert(context->diag->errors == 0, "row %zu: %s", i, context->diag->entries[0].text);
        cr_expect(job.global_batch == rows[i].global_batch, "row %zu: batch %lld", i, (long long)job.global_batch);
        cr_expect(job.seq_len == rows[i].seq_len, "row %zu: length %lld", i, (long long)job.seq_len);
        cr_expect_str_eq(degrees_text(arena, &job.space.tp), rows[i].tp, "row %zu", i);
        cr_expect_str_eq(degrees_text(arena, &job.space.pp), rows[i].pp, "row %zu", i);
        cr_expect(job.space.sp == rows[i].sp, "row %zu: sp %llu", i, (unsigned long long)job.space.sp);
        cr_expect(job.time == rows[i].time, "row %zu: time %g", i, job.time);
        cr_expect(job.kernels.graphs == rows[i].graphs, "row %zu", i);
        arena_close(arena);
    }
}

Test(overlay, lists_of_texts_add_up) {
    struct arena *arena = arena_open(NULL, NULL);
    struct job job;
    struct context *context = load(arena, "--forbid tp~>~8 --forbid ep~>~1", HEAD "forbid: [dp > 2]\n", &job);
    cr_assert(context->diag->errors == 0, "%s", context->diag->entries[0].text);
    cr_assert(job.forbid.count == 2, "%zu", job.forbid.count);
    cr_expect_str_eq(((const char *const *)job.forbid.items)[0], "tp > 8");
    cr_expect_str_eq(((const char *const *)job.forbid.items)[1], "ep > 1");
    arena_close(arena);
}

/* "parplan job " is 12 bytes: the first flag begins in column 13. */
Test(overlay, errors_point_at_the_flag) {
    static const struct {
        const char *line, *text, *source;
        unsigned at_line, column;
    } rows[] = {
        {"--tp 0", NULL, "<arguments>", 1, 18},
        {"--tp 1,x,4", NULL, "<arguments>", 1, 20},
        {"--tp 1,x,4", HEAD "search: {tp: 8}\n", "<arguments>", 1, 20},
        {"--seq-len 128 --precision bf15", NULL, "<arguments>", 1, 39},
        {"--time=30", NULL, "<arguments>", 1, 20},
        {"--tp 1", HEAD "global_batch: no\n", "job.yaml", 2, 15},
        {"--tp 1", HEAD "search: nothing\n", "job.yaml", 2, 9},
        {"--tp 1", HEAD "serch: {tp: 1}\n", "job.yaml", 2, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_open(NULL, NULL);
        struct job job;
        struct context *context = load(arena, rows[i].line, rows[i].text, &job);
        cr_assert(context->diag->count > 0, "row %zu has no error", i);
        const struct diag_entry *entry = &context->diag->entries[0];
        cr_assert(entry->mark.source != NULL, "row %zu: %s", i, entry->text);
        cr_expect_str_eq(entry->mark.source->name, rows[i].source, "row %zu: %s", i, entry->text);
        cr_expect(entry->mark.line == rows[i].at_line && entry->mark.column == rows[i].column, "row %zu: %u:%u: %s", i,
                  entry->mark.line, entry->mark.column, entry->text);
        arena_close(arena);
    }
}
