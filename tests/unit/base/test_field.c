/* Field tables: fallbacks, parsing of every kind with its reasons, texts that read back, comparison with fallbacks. */
#include "field_rows.h"

Test(field, finds_rows) {
    cr_assert_eq(field_count(OUTER), ROWS(OUTER) - 1);
    cr_assert_eq(field_find(OUTER, "count"), &OUTER[1]);
    cr_assert_null(field_find(OUTER, "coun"));
    cr_assert_null(field_find(OUTER, "depth"), "rows of nested structs are their own table's");
}

Test(field, sets_fallbacks) {
    struct arena *arena = support_arena();
    struct outer outer;
    memset(&outer, 0xA5, sizeof outer);
    field_defaults(arena, OUTER, &outer);
    cr_assert(outer.on);
    cr_assert_eq(outer.count, 42);
    cr_assert_eq(outer.least, 5);
    cr_assert_eq(outer.negative, -2);
    cr_assert_eq(outer.number, -1.5);
    cr_assert_eq(outer.fraction, 0);
    cr_assert_eq(outer.ratio, 0.62);
    cr_assert_eq(outer.size, 85899345920.0);
    cr_assert_eq(outer.duration, 0);
    cr_assert_eq(outer.choice, 1);
    cr_assert_str_eq(outer.name, "unnamed");
    cr_assert(outer.degrees.any && outer.degrees.count == 0);
    cr_assert(!outer.zero.any && outer.zero.count == 2 && outer.zero.values[0] == 0 && outer.zero.values[1] == 1);
    cr_assert_eq(outer.set, 7);
    cr_assert_eq(outer.inner.depth, 3);
    cr_assert_eq(outer.inner.kind, 2);
    cr_assert_null(outer.optional);
    cr_assert(outer.inners.count == 0 && outer.inners.items == NULL);
    cr_assert(outer.counts.count == 2 && ((int64_t *)outer.counts.items)[1] == 2);
    cr_assert_eq(outer.numbers.count, 0);
    cr_assert(outer.delays.count == 1 && ((double *)outer.delays.items)[0] == 2e-6);
    cr_assert_eq(outer.texts.count, 2);
    cr_assert_str_eq(((const char **)outer.texts.items)[1], "ep > 1 && cp > 1");
    cr_assert_str_eq(field_choice(OUTER, "choice", &outer), "selective");
    for (const struct field *field = OUTER; field->key != NULL; field++) {
        cr_assert(field_is_default(arena, field, &outer), "%s", field->key);
    }
    arena_close(arena);
}

/* What a member is after `text` was read, written back. */
Test(field, reads_and_writes_every_kind) {
    static const struct {
        const char *key, *text, *again;
    } TABLE[] = {
        {"on", "true", "true"},
        {"on", "false", "false"},
        {"count", "0", "0"},
        {"count", "1_000_000", "1000000"},
        {"count", "9223372036854775807", "9223372036854775807"},
        {"bounded", "8", "8"},
        {"bounded", "1", "1"},
        {"least", "1000000", "1000000"},
        {"positive", "1", "1"},
        {"negative", "-5", "-5"},
        {"negative", "0", "0"},
        {"number", "1e30", "1e+30"},
        {"number", "-0.1", "-0.1"},
        {"fraction", "2.5", "2.5"},
        {"ratio", "0.62", "0.62"},
        {"ratio", "7%", "0.07"},
        {"ratio", "100%", "1"},
        {"ratio", "0", "0"},
        {"ranged_ratio", "2", "2"},
        {"ranged_ratio", "150%", "1.5"},
        {"size", "16384MiB", "16GiB"},
        {"size", "0B", "0B"},
        {"duration", "1500us", "1.5ms"},
        {"above_zero", "1ps", "1ps"},
        {"above_zero", "1h", "1h"},
        {"wide", "1MiB", "1MiB"},
        {"choice", "full", "full"},
        {"name", "a, b: [c]", "a, b: [c]"},
        {"name", "", ""},
        {"degrees", "auto", "auto"},
        {"degrees", "8", "8"},
        {"degrees", "1,2,4", "[1, 2, 4]"},
        {"degrees", "[1, 2, 4]", "[1, 2, 4]"},
        {"degrees", " [ 4 ,2,1, 2 ] ", "[1, 2, 4]"},
        {"degrees", "[3]", "3"},
        {"degrees", "1..16", "1..16"},
        {"degrees", "[1..3]", "1..3"},
        {"degrees", "1..4,8", "[1, 2, 3, 4, 8]"},
        {"degrees", "8,1..4,3..6", "[1, 2, 3, 4, 5, 6, 8]"},
        {"degrees", "1,2", "[1, 2]"},
        {"degrees", "5..5", "5"},
        {"degrees", "1..4096", "1..4096"},
        {"degrees", "9223372036854775806..9223372036854775807", "[9223372036854775806, 9223372036854775807]"},
        {"zero", "0", "0"},
        {"zero", "0..3", "0..3"},
        {"limited", "2..16", "2..16"},
        {"set", "auto", "auto"},
        {"set", "none", "none"},
        {"set", "full,none", "[none, full]"},
        {"set", "[selective, full]", "[selective, full]"},
        {"set", "none,selective,full", "auto"},
        {"counts", "3,1,2", "[3, 1, 2]"},
        {"counts", "[]", "[]"},
        {"counts", "", "[]"},
        {"numbers", "0.5, 1e3", "[0.5, 1000]"},
        {"delays", "[2us, 1s]", "[2us, 1s]"},
        {"texts", "a,b c", "[a, b c]"},
        {"texts", "[]", "[]"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        struct outer outer;
        memset(&outer, 0, sizeof outer);
        const char *reason = NULL;
        const struct field *field = row(TABLE[i].key);
        cr_assert(field_parse(arena, field, TABLE[i].text, &outer, &reason), "%s: %s: %s", TABLE[i].key, TABLE[i].text,
                  reason);
        const char *again = field_text(arena, field, &outer);
        cr_assert_str_eq(again, TABLE[i].again, "%s: %s: %s", TABLE[i].key, TABLE[i].text, again);
        struct outer second;
        memset(&second, 0, sizeof second);
        cr_assert(field_parse(arena, field, again, &second, &reason), "%s: %s: %s", TABLE[i].key, again, reason);
        cr_assert_str_eq(field_text(arena, field, &second), again, "%s: %s does not stay", TABLE[i].key, again);
    }
    arena_close(arena);
}

#define DEGREES_WANTED "must be auto, a whole number, a list such as 1,2,4 or a range such as 1..16, not "

Test(field, says_what_is_wrong) {
    static const struct {
        const char *key, *text, *reason;
    } TABLE[] = {
        {"on", "yes", "must be true or false, not \"yes\""},
        {"on", "True", "must be true or false, not \"True\""},
        {"on", "1", "must be true or false, not \"1\""},
        {"count", "abc", "must be a whole number, not \"abc\""},
        {"count", "", "must be a whole number, not \"\""},
        {"count", "1.5", "must be a whole number, not 1.5"},
        {"count", "1e6", "must be a whole number written in full, such as 1000000, not 1e6"},
        {"count", "8.0", "must be a whole number written in full, such as 8, not 8.0"},
        {"count", "-1", "must be at least 0, not -1"},
        {"count", "9223372036854775808", "9223372036854775808 is too large"},
        {"count", "1e19", "1e19 is too large"},
        {"bounded", "0", "must be between 1 and 8, not 0"},
        {"bounded", "9", "must be between 1 and 8, not 9"},
        {"bounded", "99999999999999999999", "must be between 1 and 8, not 99999999999999999999"},
        {"least", "1", "must be at least 2, not 1"},
        {"positive", "0", "must be above 0, not 0"},
        {"positive", "-1", "must be above 0, not -1"},
        {"negative", "1", "must be between -5 and 0, not 1"},
        {"number", "nan", "\"nan\" is not a plain number; write it such as 1.5"},
        {"number", "5GiB", "\"5GiB\" is not a plain number; no unit is wanted here"},
        {"fraction", "2.6", "must be between 0 and 2.5, not 2.6"},
        {"fraction", "-0.1", "must be between 0 and 2.5, not -0.1"},
        {"ratio", "101%", "must be between 0 and 1, not 101%"},
        {"ratio", "62", "must be between 0 and 1, not 62"},
        {"ratio", "%", "must be a ratio such as 0.62 or 62%, not \"%\""},
        {"ratio", "x", "must be a ratio such as 0.62 or 62%, not \"x\""},
        {"ranged_ratio", "0.4", "must be between 0.5 and 2, not 0.4"},
        {"size", "80", "a size needs a unit, such as 80GiB"},
        {"size", "-1GiB", "must be at least 0B, not -1GiB"},
        {"above_zero", "0s", "must be above 0 and at most 1h, not 0s"},
        {"above_zero", "2h", "must be above 0 and at most 1h, not 2h"},
        {"wide", "1B", "must be between 1KiB and 1MiB, not 1B"},
        {"choice", "ful", "must be none|selective|full, not \"ful\"; did you mean full?"},
        {"choice", "Full", "must be none|selective|full, not \"Full\"; did you mean full?"},
        {"choice", "everything", "must be none|selective|full, not \"everything\""},
        {"choice", "", "must be none|selective|full, not \"\""},
        {"degrees", "", DEGREES_WANTED "\"\""},
        {"degrees", "[]", DEGREES_WANTED "\"[]\""},
        {"degrees", "[1,2", DEGREES_WANTED "\"[1,2\""},
        {"degrees", "1,2]", DEGREES_WANTED "\"1,2]\""},
        {"degrees", "[", DEGREES_WANTED "\"[\""},
        {"degrees", "]", DEGREES_WANTED "\"]\""},
        {"degrees", "1,,2", DEGREES_WANTED "\"1,,2\""},
        {"degrees", "1,2,", DEGREES_WANTED "\"1,2,\""},
        {"degrees", ",1", DEGREES_WANTED "\",1\""},
        {"degrees", "1 2", "must be a whole number, not \"1 2\""},
        {"degrees", "0", "must be at least 1, not 0"},
        {"degrees", "0..3", "must be at least 1, not 0"},
        {"degrees", "-1", "must be at least 1, not -1"},
        {"degrees", "8..1", "8..1 is empty: write 1..8"},
        {"degrees", "1..", "must be a whole number, not \"\""},
        {"degrees", "..4", "must be a whole number, not \"\""},
        {"degrees", "1...4", "must be a whole number, not .4"},
        {"degrees", "1,auto", "must be a whole number, not \"auto\""},
        {"degrees", "1..4097", "has more than 4096 values"},
        {"degrees", "1..9223372036854775807", "has more than 4096 values"},
        {"degrees", "1..4096,1", "has more than 4096 values"},
        {"zero", "4", "must be between 0 and 3, not 4"},
        {"limited", "1..4", "must be between 2 and 16, not 1"},
        {"limited", "2..17", "must be between 2 and 16, not 17"},
        {"set", "", "must be auto, or a list of none|selective|full"},
        {"set", "none,ful", "must be none|selective|full, not \"ful\"; did you mean full?"},
        {"set", "none,auto", "must be none|selective|full, not \"auto\""},
        {"counts", "1,a", "must be a whole number, not \"a\""},
        {"counts", "1,", "must be a list such as 1,2,4, not \"1,\""},
        {"counts", "-1", "must be at least 0, not -1"},
        {"delays", "1us,5", "a duration needs a unit, such as 2us"},
        {"texts", "a,,b", "must be a list such as a,b, not \"a,,b\""},
        {"inner", "x", "is made of several values and cannot be one text"},
        {"inners", "x", "is made of several values and cannot be one text"},
        {"optional", "x", "is made of several values and cannot be one text"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        struct outer outer;
        memset(&outer, 0, sizeof outer);
        const char *reason = NULL;
        cr_assert(!field_parse(arena, row(TABLE[i].key), TABLE[i].text, &outer, &reason), "%s: %s is accepted",
                  TABLE[i].key, TABLE[i].text);
        cr_assert_str_eq(reason, TABLE[i].reason, "%s: %s: %s", TABLE[i].key, TABLE[i].text, reason);
    }
    arena_close(arena);
}

Test(field, knows_what_is_not_the_fallback) {
    static const struct {
        const char *key, *other;
    } TABLE[] = {
        {"on", "false"},    {"count", "43"},    {"number", "1.5"},   {"ratio", "61%"},          {"size", "80GB"},
        {"duration", "1s"}, {"choice", "none"}, {"name", "other"},   {"degrees", "1"},          {"zero", "0,2"},
        {"zero", "0"},      {"zero", "auto"},   {"set", "none"},     {"counts", "1,3"},         {"counts", "1"},
        {"numbers", "0"},   {"delays", "3us"},  {"texts", "tp > 8"}, {"texts", "tp > 8,ep > 2"}};
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        struct outer outer;
        const char *reason = NULL;
        field_defaults(arena, OUTER, &outer);
        cr_assert(field_parse(arena, row(TABLE[i].key), TABLE[i].other, &outer, &reason), "%s", reason);
        for (const struct field *field = OUTER; field->key != NULL; field++) {
            cr_assert_eq(field_is_default(arena, field, &outer), !text_equal(field->key, TABLE[i].key), "%s = %s: %s",
                         TABLE[i].key, TABLE[i].other, field->key);
        }
    }
    struct outer outer;
    struct inner inner = {0, 0};
    field_defaults(arena, OUTER, &outer);
    outer.inner.kind = 0;
    cr_assert(!field_is_default(arena, row("inner"), &outer));
    outer.optional = &inner;
    cr_assert(!field_is_default(arena, row("optional"), &outer));
    outer.inners = (struct list){&inner, 1};
    cr_assert(!field_is_default(arena, row("inners"), &outer));
    outer.name = NULL;
    cr_assert(!field_is_default(arena, row("name"), &outer));
    arena_close(arena);
}

Test(field, texts_of_absent_and_nested_members) {
    struct arena *arena = support_arena();
    struct outer outer;
    memset(&outer, 0, sizeof outer);
    cr_assert_null(field_text(arena, row("name"), &outer));
    cr_assert_null(field_text(arena, row("inner"), &outer));
    cr_assert_null(field_text(arena, row("optional"), &outer));
    cr_assert_null(field_text(arena, row("inners"), &outer));
    outer.choice = 3;
    cr_assert_null(field_text(arena, row("choice"), &outer));
    outer.choice = -1;
    cr_assert_null(field_text(arena, row("choice"), &outer));
    cr_assert_str_eq(field_text(arena, row("degrees"), &outer), "[]");
    cr_assert_str_eq(field_text(arena, row("set"), &outer), "[]");
    arena_close(arena);
}

Test(field, placeholders_and_values) {
    struct arena *arena = support_arena();
    cr_assert_str_eq(field_placeholder(row("count")), "N");
    cr_assert_str_eq(field_placeholder(row("number")), "X");
    cr_assert_str_eq(field_placeholder(row("size")), "BYTES");
    cr_assert_str_eq(field_placeholder(row("duration")), "TIME");
    cr_assert_str_eq(field_placeholder(row("choice")), "NAME");
    cr_assert_str_eq(field_placeholder(row("degrees")), "N|N,N|N..N|auto");
    struct field named = *row("name");
    named.value_name = "FILE";
    cr_assert_str_eq(field_placeholder(&named), "FILE");
    for (const struct field *field = OUTER; field->key != NULL; field++) {
        cr_assert(field_placeholder(field)[0] != '\0', "%s", field->key);
    }
    for (int i = UNIT_BYTES; i < UNIT_DIMENSIONS; i++) {
        struct field quantity = {.key = "q", .kind = FIELD_QUANTITY, .dimension = (enum dimension)i};
        cr_assert(field_placeholder(&quantity)[0] != '\0', "dimension %d", i);
    }
    cr_assert_str_eq(field_values(arena, row("choice")), "none|selective|full");
    cr_assert_str_eq(field_values(arena, row("set")), "none|selective|full");
    cr_assert_str_eq(field_values(arena, row("count")), "");
    arena_close(arena);
}
