/* The command line of `parplan search`, one word a line, laid over an empty job, with the report of all its errors. */
#include "fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/overlay.h"
#include "cli/report.h"
#include "plan/job.h"

enum { WORDS = 64 };

static int split_words(struct arena *arena, const uint8_t *data, size_t size, char **argv) {
    static char program[] = "parplan", command[] = "search";
    char *at = arena_copy(arena, (const char *)data, size);
    int argc = 0;
    argv[argc++] = program;
    argv[argc++] = command;
    while (argc < WORDS && *at != '\0') {
        char *end = at + strcspn(at, "\n");
        argv[argc++] = at;
        at = *end == '\0' ? end : end + 1;
        *end = '\0';
    }
    return argc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_open(NULL, NULL);
    struct diag diag;
    char *argv[WORDS + 1] = {NULL};
    int argc = split_words(arena, data, size, argv);
    diag_init(&diag, arena);
    struct context context = {.arena = arena, .diag = &diag, .command = command_find("search")};
    context.source = options_source(arena, argc, argv);
    enum status status = options_parse(&context, argc, argv, 2);
    bool help = context.globals.help || context.globals.short_help; /* is given whatever else is wrong */
    PROMISE(help || (status == OK) == (diag.errors == 0));
    if (status == OK && !help) {
        struct job job;
        struct node *root = overlay_empty(&context, "job");
        overlay_flags(&context, root);
        status = job_load(arena, root, &job, &diag);
        PROMISE((status == OK) == (diag.errors == 0));
    }
    struct text report;
    text_init(&report, arena);
    report_text(&diag, true, true, &report);
    PROMISE((report.size > 0) == (diag.count > 0));
    arena_close(arena);
    return 0;
}
