/* The language of `forbid`: every operator, name and precedence, and its errors. */
#include "setup.h"

#include "plan/constraint.h"

/* tp 2, pp 3, vpp 4, dp 5, cp 6, ep 7, etp 8, zero 1, sp on, micro-batch 9, 10 micro-batches. */
static const struct decision decision = {
    .parallel = {.tp = 2, .pp = 3, .vpp = 4, .dp = 5, .cp = 6, .ep = 7, .etp = 8, .zero = 1, .sp = true},
    .micro_batch = 9,
    .micro_batches = 10,
};

static enum status compile(struct arena *arena, const char **texts, size_t count, const struct constraint **ret,
                           struct diag *diag) {
    struct list list = {texts, count};
    diag_init(diag, arena);
    return constraint_parse(arena, &list, ret, diag);
}

Test(constraint, meaning) {
    static const struct {
        const char *text;
        bool forbids;
    } rows[] = {
        /* Names. */
        {"tp == 2", true},
        {"pp == 3", true},
        {"vpp == 4", true},
        {"dp == 5", true},
        {"cp == 6", true},
        {"ep == 7", true},
        {"etp == 8", true},
        {"zero == 1", true},
        {"sp == 1", true},
        {"sp == 0", false},
        {"micro_batch == 9", true},
        {"micro_batches == 10", true},
        /* Operators, at, below and above. */
        {"tp < 2", false},
        {"tp < 3", true},
        {"tp <= 1", false},
        {"tp <= 2", true},
        {"tp > 2", false},
        {"tp > 1", true},
        {"tp >= 3", false},
        {"tp >= 2", true},
        {"tp == 3", false},
        {"tp != 2", false},
        {"tp != 3", true},
        /* Either side, two names, blanks. */
        {"2 < pp", true},
        {"tp < pp", true},
        {"tp>=pp", false},
        {"  tp\t==   2  ", true},
        {"1_000 > dp", true},
        {"2 == 2", true},
        /* && binds closer than ||. */
        {"tp == 2 && pp == 3", true},
        {"tp == 2 && pp == 4", false},
        {"tp == 1 && pp == 3", false},
        {"tp == 1 || pp == 3", true},
        {"tp == 2 || pp == 4", true},
        {"tp == 1 || pp == 4", false},
        {"tp == 2 || pp == 4 && dp == 6", true},
        {"tp == 1 && pp == 4 || dp == 5", true},
        {"tp == 1 && pp == 3 || dp == 6", false},
        {"tp == 1 || pp == 3 && dp == 5 && cp == 6", true},
        {"tp == 1 || pp == 3 && dp == 5 && cp == 7 || ep == 8", false},
        {"1<2&&2<3&&3<4&&4<5&&5<6", true},
        {"2<1||2<1||2<1||2<1||1<2", true},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct constraint *constraint;
        struct diag diag;
        const char *text = rows[i].text;
        cr_assert_eq(compile(arena, &text, 1, &constraint, &diag), OK, "%s: %s", text, first_of(&diag));
        cr_expect_eq(constraint_forbids(constraint, &decision), rows[i].forbids, "%s", text);
    }
    arena_close(arena);
}

/* Several texts: any one that holds; none at all: nothing to ask. */
Test(constraint, texts_are_alternatives) {
    struct arena *arena = support_arena();
    const struct constraint *constraint;
    struct diag diag;
    const char *texts[] = {"tp == 1", "pp == 4 && dp == 5", "cp == 6"};
    cr_assert_eq(compile(arena, texts, 3, &constraint, &diag), OK);
    cr_expect(constraint_forbids(constraint, &decision));
    cr_assert_eq(compile(arena, texts, 2, &constraint, &diag), OK);
    cr_expect_not(constraint_forbids(constraint, &decision));
    cr_assert_eq(compile(arena, texts, 0, &constraint, &diag), OK);
    cr_expect_null(constraint);
    arena_close(arena);
}

Test(constraint, errors_name_what_is_expected) {
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"", "an axis or a whole number expected at 'the end'"},
        {"   ", "an axis or a whole number"},
        {"tp", "a comparison expected at 'the end'"},
        {"tp = 8", "a comparison expected at '= 8'"},
        {"tp => 8", "a comparison expected at '=> 8'"},
        {"tp ! 8", "a comparison"},
        {"tp >", "an axis or a whole number expected at 'the end'"},
        {"tp > -1", "an axis or a whole number expected at '-1'"},
        {"tp > 8.5", "&& or || expected at '.5'"},
        {"tpp > 8", "an axis or a whole number expected at 'tpp > 8'"},
        {"tp2 > 8", "an axis or a whole number"},
        {"TP > 8", "an axis or a whole number"},
        {"tp > 8 &", "&& or || expected at '&'"},
        {"tp > 8 and pp > 1", "&& or || expected at 'and pp > 1'"},
        {"tp > 8 &&", "an axis or a whole number expected at 'the end'"},
        {"tp > 8 || && pp", "an axis or a whole number expected at '&& pp'"},
        {"(tp > 8)", "an axis or a whole number"},
        {"tp > 99999999999999999999", "an axis or a whole number"},
        {"tp > 8 cp > 1", "&& or || expected at 'cp > 1'"},
        {"tp > 8;", "&& or ||"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct constraint *constraint;
        struct diag diag;
        const char *text = rows[i].text;
        cr_assert_eq(compile(arena, &text, 1, &constraint, &diag), STATUS_INVALID, "'%s' is taken", text);
        cr_assert_eq(diag.count, 1, "'%s': %zu errors", text, diag.count);
        cr_expect(strstr(diag.entries[0].text, rows[i].part) != NULL, "'%s': %s", text, diag.entries[0].text);
        cr_expect(text_starts(diag.entries[0].text, "forbid: '"), "%s", diag.entries[0].text);
        cr_expect(strstr(diag.entries[0].help, "tp > 8") != NULL);
    }
    arena_close(arena);
}
