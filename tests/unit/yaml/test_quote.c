#include <criterion/criterion.h>

#include "yaml/quote.h"

#include "tree.h"

#include "../support.h"

Test(quote, quotes_what_is_not_plainly_text) {
    static const struct {
        const char *value, *text, *in_list;
    } rows[] = {
        {"word", "word", "word"},
        {"two words", "two words", "two words"},
        {"llama-3-70b", "llama-3-70b", "llama-3-70b"},
        {"1f1b", "1f1b", "1f1b"},
        {"8xh100-sxm*64@8x400G", "8xh100-sxm*64@8x400G", "8xh100-sxm*64@8x400G"},
        {"a/b.yaml", "a/b.yaml", "a/b.yaml"},
        {"tp > 8", "tp > 8", "tp > 8"},
        {"a, b", "a, b", "\"a, b\""},
        {"a]", "a]", "\"a]\""},
        {"http://x/y", "http://x/y", "\"http://x/y\""},
        {"a#b", "a#b", "a#b"},
        {"a~b", "a~b", "a~b"},
        {"", "\"\"", "\"\""},
        {" a", "\" a\"", NULL},
        {"a ", "\"a \"", NULL},
        {"a:", "\"a:\"", NULL},
        {"a: b", "\"a: b\"", NULL},
        {"a #b", "\"a #b\"", NULL},
        {"#a", "\"#a\"", NULL},
        {"- a", "\"- a\"", NULL},
        {"null", "\"null\"", NULL},
        {"Null", "\"Null\"", NULL},
        {"~", "\"~\"", NULL},
        {"true", "\"true\"", NULL},
        {"NO", "\"NO\"", NULL},
        {"off", "\"off\"", NULL},
        {"12", "\"12\"", NULL},
        {"-1.5e3", "\"-1.5e3\"", NULL},
        {"1_000", "\"1_000\"", NULL},
        {"0x1F", "\"0x1F\"", NULL},
        {"0o17", "\"0o17\"", NULL},
        {"1:30", "\"1:30\"", NULL},
        {"2024-01-31", "\"2024-01-31\"", NULL},
        {".inf", "\".inf\"", NULL},
        {"-.INF", "\"-.INF\"", NULL},
        {".NaN", "\".NaN\"", NULL},
        {"<<", "\"<<\"", NULL},
        {"=", "\"=\"", NULL},
        {"@a", "\"@a\"", NULL},
        {"%a", "\"%a\"", NULL},
        {"a\"b", "a\"b", NULL},
        {"\"b\\", "\"\\\"b\\\\\"", NULL},
        {"a\nb\tc\r", "\"a\\nb\\tc\\x0D\"", NULL},
        {"\x01\x7F", "\"\\x01\\x7F\"", NULL},
        {"caf\xC3\xA9", "\"caf\xC3\xA9\"", NULL},
        {"\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF\xEF\xBF\xBF", "\"\\x85\\u2028\\uFEFF\\uFFFF\"", NULL},
        {"\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\"", NULL},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct text out, list;
        text_init(&out, arena);
        text_init(&list, arena);
        quote_text(&out, rows[i].value, false);
        quote_text(&list, rows[i].value, true);
        cr_expect_str_eq(out.data, rows[i].text, "row %zu: %s", i, out.data);
        cr_expect(rows[i].in_list == NULL || text_equal(list.data, rows[i].in_list), "row %zu: %s", i, list.data);
        struct diag diag;
        const struct node *root =
            tree_parse(arena, arena_format(arena, "- %s\n- [%s, x]\n", out.data, list.data), &diag);
        cr_assert(root != NULL && root->count == 2, "row %zu: %s", i, entries_text(arena, &diag));
        cr_expect_str_eq(root->first->text, rows[i].value, "row %zu", i);
        cr_expect_str_eq(root->first->next->first->text, rows[i].value, "row %zu", i);
        cr_expect(!node_is_null(root->first), "row %zu", i);
    }
    arena_close(arena);
}

/* Bytes that are no UTF-8 cannot come back, but the document stays readable. */
Test(quote, writes_utf8_always) {
    struct arena *arena = support_arena();
    struct text out;
    struct diag diag;
    text_init(&out, arena);
    quote_text(&out, "a\xFF\xC3", false);
    cr_expect_str_eq(out.data, "\"a\\xFF\\xC3\"");
    cr_expect(tree_parse(arena, out.data, &diag) != NULL);
    arena_close(arena);
}
