/* Diagnostics as text. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "cli/report.h"

struct row {
    const char *what, *text;
    unsigned line, column, length;
    const char *expected; /* without the first line */
};

static const char *report(struct arena *arena, const struct source *source, struct mark mark, bool color) {
    struct diag *diag = ARENA_NEW(arena, struct diag);
    diag_init(diag, arena);
    mark.source = source;
    (void)diag_error(diag, mark, "wrong");
    struct text out;
    text_init(&out, arena);
    report_text(diag, color, true, &out);
    return out.data;
}

#define HUNDRED                                                                                                        \
    "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqr"

Test(report, excerpts) {
    static const struct row rows[] = {
        {"a word", "one\ntwo words\nthree\n", 2, 5, 5, "    2 | two words\n      |     ^~~~~\n"},
        {"first line", "one\ntwo", 1, 1, 3, "    1 | one\n      | ^~~\n"},
        {"last line without end", "one\ntwo", 2, 3, 1, "    2 | two\n      |   ^\n"},
        {"no length", "one", 1, 2, 0, "    1 | one\n      |  ^\n"},
        {"past the end of the line", "one\ntwo", 1, 4, 3, "    1 | one\n      |    ^\n"},
        {"far past the end", "one", 1, 40, 3, "    1 | one\n      |    ^\n"},
        {"past the last line", "one", 7, 1, 3, ""},
        {"no column", "one", 1, 0, 3, ""},
        {"no line", "one", 0, 0, 0, ""},
        {"carriage return", "one\r\ntwo\r\n", 2, 1, 3, "    2 | two\n      | ^~~\n"},
        {"tabulators are one column", "\tone", 1, 2, 3, "    1 |  one\n      |  ^~~\n"},
        {"control characters", "a\001b\x7f" "c", 1, 5, 1, "    1 | a?b?c\n      |     ^\n"},
        {"UTF-8 counts characters", "gr\xc3\xbc\xc3\x9f" "e x", 1, 9, 1, "    1 | gr\xc3\xbc\xc3\x9f" "e x\n      |       ^\n"},
        {"broken UTF-8", "a\xff\xc3z", 1, 4, 1, "    1 | a??z\n      |    ^\n"},
        {"UTF-8 controls", "a\xc2\x9b" "b", 1, 4, 1, "    1 | a??b\n      |    ^\n"},
        {"cut on the right", HUNDRED HUNDRED, 1, 1, 3, "    1 | " HUNDRED "...\n      | ^~~\n"},
        {"empty text", "", 1, 1, 1, "    1 | \n      | ^\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_open(NULL, NULL);
        struct source source = {.name = "f", .text = rows[i].text, .size = strlen(rows[i].text)};
        struct mark mark = {.line = rows[i].line, .column = rows[i].column, .length = rows[i].length};
        const char *got = report(arena, &source, mark, false);
        const char *end = strchr(got, '\n');
        cr_assert(end != NULL, "%s", rows[i].what);
        cr_expect(strcmp(end + 1, rows[i].expected) == 0, "%s:\n%snot\n%s", rows[i].what, end + 1, rows[i].expected);
        arena_close(arena);
    }
}

Test(report, long_lines_are_cut_around_the_place) {
    struct arena *arena = arena_open(NULL, NULL);
    const char *line = arena_format(arena, "%s%sHERE%s%s", HUNDRED, HUNDRED, HUNDRED, HUNDRED);
    struct source source = {.name = "f", .text = line, .size = strlen(line)};
    const char *got = report(arena, &source, (struct mark){.line = 1, .column = 201, .length = 4}, false);
    const char *excerpt = strstr(got, " | ...");
    cr_assert(excerpt != NULL, "%s", got);
    const char *here = strstr(got, "HERE");
    const char *caret = strstr(got, "^~~~\n");
    cr_assert(here && caret && strlen(got) < 300, "%s", got);
    const char *second = strchr(excerpt, '\n') + 1;
    cr_expect(caret - second == here - (excerpt - strlen("    1")), "the caret is not below its word:\n%s", got);
    arena_close(arena);
}

Test(report, head_lines) {
    static const struct {
        const char *name;
        unsigned line, column;
        const char *expected;
    } rows[] = {
        {"a.yaml", 3, 5, "parplan: error: a.yaml:3:5: wrong\n"},
        {"a.yaml", 3, 0, "parplan: error: a.yaml:3: wrong\n"},
        {"a.yaml", 0, 0, "parplan: error: a.yaml: wrong\n"},
        {"a\033b.yaml", 0, 0, "parplan: error: a?b.yaml: wrong\n"},
        {NULL, 0, 0, "parplan: error: wrong\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_open(NULL, NULL);
        struct source source = {.name = rows[i].name};
        const char *got = report(arena, rows[i].name ? &source : NULL,
                                 (struct mark){.line = rows[i].line, .column = rows[i].column}, false);
        cr_expect(strcmp(got, rows[i].expected) == 0, "row %zu: %s", i, got);
        arena_close(arena);
    }
}

Test(report, severities_help_and_limit) {
    struct arena *arena = arena_open(NULL, NULL);
    struct diag *diag = ARENA_NEW(arena, struct diag);
    diag_init(diag, arena);
    diag_warning(diag, NO_MARK, "odd");
    diag_help(diag, "do this");
    diag_context(diag, "in that");
    (void)diag_error(diag, NO_MARK, "error");
    struct text out;
    text_init(&out, arena);
    report_text(diag, false, true, &out);
    cr_expect_str_eq(out.data, "parplan: warning: odd\n  note: in that\n  help: do this\nparplan: error: error\n");
    text_init(&out, arena);
    report_text(diag, true, false, &out);
    cr_expect_str_eq(out.data, "parplan: \033[1;31merror:\033[0m error\n");
    for (int i = 0; i < DIAG_LIMIT + 2; i++) {
        (void)diag_error(diag, NO_MARK, "error %d", i);
    }
    text_init(&out, arena);
    report_text(diag, false, false, &out);
    const char *end = arena_format(arena, "parplan: note: %zu more are not shown\n", diag->suppressed);
    cr_expect(diag->suppressed >= 3 && text_ends(out.data, end), "%s", out.data);
    arena_close(arena);
}
