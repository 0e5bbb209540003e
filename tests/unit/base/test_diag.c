/* Diagnostics: what is kept, what is counted, where help goes. */
#include <criterion/criterion.h>

#include "../support.h"
#include "base/diag.h"

static const struct source SOURCE = {.name = "x.yaml", .text = "a: 1\n", .size = 5};

Test(diag, records_kind_place_and_text) {
    struct arena *arena = support_arena();
    struct diag diag;
    diag_init(&diag, arena);
    cr_assert_eq(diag_status(&diag), OK);
    diag_help(&diag, "nothing to help");
    diag_context(&diag, "nothing to say");
    struct mark mark = {&SOURCE, 3, 4, 5};
    diag_warning(&diag, mark, "odd %d", 1);
    cr_assert_eq(diag_status(&diag), OK, "a warning is no error");
    cr_assert_eq(diag_error(&diag, mark, "bad %s", "key"), STATUS_INVALID);
    diag_help(&diag, "did you mean %s?", "tp");
    diag_context(&diag, "in %s", "moe");
    cr_assert_eq(diag_trouble(&diag, NO_MARK, "no file"), STATUS_ENVIRONMENT);
    cr_assert_eq(diag_status(&diag), STATUS_INVALID);
    cr_assert_eq(diag.count, 3);
    cr_assert_eq(diag.errors, 2);
    cr_assert_eq(diag.suppressed, 0);
    cr_assert_eq(diag.entries[0].severity, SEVERITY_WARNING);
    cr_assert_str_eq(diag.entries[0].text, "odd 1");
    cr_assert_null(diag.entries[0].help);
    cr_assert_eq(diag.entries[1].severity, SEVERITY_ERROR);
    cr_assert_str_eq(diag.entries[1].text, "bad key");
    cr_assert_str_eq(diag.entries[1].help, "did you mean tp?");
    cr_assert_str_eq(diag.entries[1].context, "in moe");
    cr_assert_eq(diag.entries[1].mark.source, &SOURCE);
    cr_assert(diag.entries[1].mark.line == 3 && diag.entries[1].mark.column == 4 && diag.entries[1].mark.length == 5);
    cr_assert_null(diag.entries[2].help);
    cr_assert_null(diag.entries[2].mark.source);
    arena_close(arena);
}

Test(diag, keeps_the_first_errors_up_to_the_limit) {
    struct arena *arena = support_arena();
    struct diag diag;
    diag_init(&diag, arena);
    for (int i = 0; i < DIAG_LIMIT + 5; i++) {
        (void)!diag_error(&diag, NO_MARK, "error %d", i);
        diag_help(&diag, "help %d", i);
    }
    cr_assert_eq(diag.count, DIAG_LIMIT);
    cr_assert_eq(diag.errors, DIAG_LIMIT + 5);
    cr_assert_eq(diag.suppressed, 5);
    for (int i = 0; i < DIAG_LIMIT; i++) {
        cr_assert_str_eq(diag.entries[i].text, arena_format(arena, "error %d", i));
        cr_assert_str_eq(diag.entries[i].help, arena_format(arena, "help %d", i));
    }
    arena_close(arena);
}

Test(diag, an_error_takes_the_place_of_a_warning) {
    struct arena *arena = support_arena();
    struct diag diag;
    diag_init(&diag, arena);
    (void)!diag_error(&diag, NO_MARK, "first");
    for (int i = 1; i < DIAG_LIMIT + 3; i++) {
        diag_warning(&diag, NO_MARK, "warning %d", i);
    }
    cr_assert_eq(diag.suppressed, 3);
    (void)!diag_error(&diag, NO_MARK, "late");
    diag_help(&diag, "late help");
    diag_warning(&diag, NO_MARK, "dropped");
    diag_help(&diag, "must not go anywhere");
    cr_assert_eq(diag.count, DIAG_LIMIT);
    cr_assert_eq(diag.errors, 2);
    cr_assert_eq(diag.suppressed, 5);
    cr_assert_str_eq(diag.entries[0].text, "first");
    cr_assert_str_eq(diag.entries[DIAG_LIMIT - 2].text, arena_format(arena, "warning %d", DIAG_LIMIT - 2));
    cr_assert_str_eq(diag.entries[DIAG_LIMIT - 1].text, "late");
    cr_assert_str_eq(diag.entries[DIAG_LIMIT - 1].help, "late help");
    arena_close(arena);
}

Test(diag, errors_behind_a_dropped_warning_keep_their_order) {
    struct arena *arena = support_arena();
    struct diag diag;
    diag_init(&diag, arena);
    for (int i = 0; i < DIAG_LIMIT; i++) {
        if (i == 7) {
            diag_warning(&diag, NO_MARK, "odd");
        } else {
            (void)!diag_error(&diag, NO_MARK, "error %d", i);
        }
    }
    (void)!diag_error(&diag, NO_MARK, "error %d", DIAG_LIMIT);
    (void)!diag_error(&diag, NO_MARK, "past the limit");
    diag_help(&diag, "must not go anywhere");
    for (int i = 0; i < DIAG_LIMIT; i++) {
        cr_assert_str_eq(diag.entries[i].text, arena_format(arena, "error %d", i < 7 ? i : i + 1));
        cr_assert_null(diag.entries[i].help);
    }
    cr_assert_eq(diag.suppressed, 2);
    arena_close(arena);
}
