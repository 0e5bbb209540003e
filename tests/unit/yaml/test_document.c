#include <criterion/criterion.h>

#include "tree.h"

#include "../support.h"

struct row {
    const char *text, *tree;
};

/* What is read, as the tree. */
Test(document, reads) {
    static const struct row rows[] = {
        {"a: 1\nb: two words\n", "{a: 1, b: two words}"},
        {"a: yes\nb: 010\nc: 1:30\nd: 0x1F", "{a: yes, b: 010, c: 1:30, d: 0x1F}"},
        {"a:\nb: ~\nc: null\nd: \"\"\ne: 'null'\nf: \"~\"", "{a: ~, b: ~, c: ~, d: \"\", e: \"null\", f: \"~\"}"},
        {"- a\n- - b\n  - c\n- {d: e}\n", "[a, [b, c], {d: e}]"},
        {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a: \"x\ny\n\", b: \"x y\"}"},
        {"# only\na: 1 # comment\n...\n", "{a: 1}"},
        {"%YAML 1.1\n---\na: 1\n", "{a: 1}"},
        {"\xEF\xBB\xBF"
         "a: 1\n",
         "{a: 1}"},
        {"a: 1\r\nb: 2\r\n", "{a: 1, b: 2}"},
        {"a: {}\nb: []\n", "{a: {}, b: []}"},
        {"a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n", "{a: {k: [1, 2]}, b: {k: [1, 2]}, c: [{k: [1, 2]}, {k: [1, 2]}]}"},
        {"a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: 2}"},
        {"&k key: 1\nb: *k\n", "{key: 1, b: key}"},
        {"a: [b, c,]\n", "{a: [b, c]}"},
        {"plain", "plain"},
        {"---\n", "~"},
        {"a: na\xC3\xAFve \xF0\x9F\x98\x80\n", "{a: na\xC3\xAFve \xF0\x9F\x98\x80}"},
        {"a: \xF4\x8F\xBF\xBD", "{a: \xF4\x8F\xBF\xBD}"},
        {"a: \"\\u00e9\\U0001F600\\x41\\ttab\"", "{a: \"\xC3\xA9\xF0\x9F\x98\x80"
                                                 "A\ttab\"}"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        const struct node *root = tree_parse(arena, rows[i].text, &diag);
        cr_expect_str_eq(tree_text(arena, root), rows[i].tree, "row %zu: %s gives %s %s", i, rows[i].text,
                         tree_text(arena, root), entries_text(arena, &diag));
        cr_expect(diag.count == 0, "row %zu has no message", i);
    }
    arena_close(arena);
}

/* JSON, also where YAML 1.1 differs. */
Test(document, reads_json) {
    static const struct row rows[] = {
        {"{\"a\":1,\"b\":[true,null,-1.5e3]}", "{a: 1, b: [true, ~, -1.5e3]}"},
        {"\t{\n\t\"a\"\t:\t1\t,\t\"b\" : [\t2 ]\t}\t\n", "{a: 1, b: [2]}"},
        {"{\"a\": \"tab\\tin\\/side\"}", "{a: \"tab\tin/side\"}"},
        {"{\"a\": \"raw\ttab\"}", "{a: \"raw\ttab\"}"},
        {"{\"\\ud83d\\ude00\": \"x\\uD83D\\uDE00y\"}", "{\xF0\x9F\x98\x80: \"x\xF0\x9F\x98\x80y\"}"},
        {"[\"\\uD8A9\\udc9a\"]", "[\"\xF0\xBA\x92\x9A\"]"},
        {"[\"\\uD83D\\uDFFF\", \"\\udbff\\udfff\", \"\\ud800\\udc00\"]",
         "[\"\xF0\x9F\x9F\xBF\", \"\xF4\x8F\xBF\xBF\", \"\xF0\x90\x80\x80\"]"},
        {"{\"a\": \"\\\\ud83d\\\\ude00\"}", "{a: \"\\ud83d\\ude00\"}"},
        {"{\"a\": \"\\u00e9\\b\\f\\n\\r\\\"\\\\\"}", "{a: \"\xC3\xA9\b\f\n\r\"\\\"}"},
        {"{\"a\": \"x\xE2\x80\xA8y\xE2\x80\xA9z\xC2\x85w\"}", "{a: \"x\xE2\x80\xA8y\xE2\x80\xA9z\xC2\x85w\"}"},
        {"{\"a\"\n:\n1, \"b\" :2}", "{a: 1, b: 2}"},
        {"{\"a\": \"b: c, #d {e}\"}", "{a: \"b: c, #d {e}\"}"},
        {"{ # it's \"flow\n \"a\t\": 'it''s\t\"x', c: d\"e }", "{a\t: \"it's\t\"x\", c: d\"e}"},
        {"[]", "[]"},
        {"{}", "{}"},
        {" \n [1]", "[1]"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        const struct node *root = tree_parse(arena, rows[i].text, &diag);
        cr_expect_str_eq(tree_text(arena, root), rows[i].tree, "row %zu: %s gives %s %s", i, rows[i].text,
                         tree_text(arena, root), entries_text(arena, &diag));
    }
    arena_close(arena);
}

/* What is refused, with the place. */
Test(document, refuses) {
    static const struct row rows[] = {
        {"", "1:1 the document is empty\n"},
        {"# nothing\n", "1:1 the document is empty\n"},
        {"a: 1\nb: 2\na: 3\nb: 4\n", "3:1 the key 'a' is here twice; it was first given in line 1\n"
                                     "4:1 the key 'b' is here twice; it was first given in line 2\n"},
        {"{\"x\": {\"k\": 1,\n \"k\": 2}}", "2:2 the key 'k' is here twice; it was first given in line 1\n"},
        {"a: &x 1\n*x : 2\n? [b]\n: 3\n", "3:3 a key must be a name, not a list or map\n"},
        {"{a: 1}: 2\n", "1:1 a key must be a name, not a list or map\n"},
        {"? {a: 1}\n: 2\n", "1:3 a key must be a name, not a list or map\n"},
        {"? \n: 1\n", "1:2 a name is missing before ':'\n"},
        {"a: 1\n---\nb: 2\n", "2:1 another document begins here; a file holds one\n"},
        {"a: !!int 1\n", "1:4 tags such as !!int are not read; write the value alone\n"},
        {"a: !x [1]\n", "1:4 tags such as !!map are not read; write the value alone\n"},
        {"a: ! 1\n", "1:4 tags such as !!int are not read; write the value alone\n"},
        {"a: *x\n", "1:4 no anchor '&x' before this alias\n"},
        {"a: &x [1, *x]\n", "1:11 the alias '*x' is inside what it stands for\n"},
        {"a: &x {b: {c: *x}}\n", "1:15 the alias '*x' is inside what it stands for\n"},
        {"a: \"\\0\"\n", "1:4 a NUL character in a text\n"},
        {"a: \xFF\n", "1:4 the byte 0xFF is not UTF-8 text\n"},
        {"a: 1\nb: \xC3\xA9 \xC3(\n", "2:7 the byte 0xC3 is not UTF-8 text\n"},
        {"a: \xC0\x80", "1:4 the byte 0xC0 is not UTF-8 text\n"},
        {"a: \xED\xA0\x80", "1:4 the byte 0xED is not UTF-8 text\n"},
        {"a: \xF4\x90\x80\x80", "1:4 the byte 0xF4 is not UTF-8 text\n"},
        {"a: \xE2\x82", "1:4 the byte 0xE2 is not UTF-8 text\n"},
        {"a: \x01\n", "1:4 the control character U+0001 is not allowed\n"},
        {"a: \x7F\n", "1:4 the control character U+007F is not allowed\n"},
        {"a:\n\tb: 1\n", "2:1 a tab cannot indent\n"},
        {"a: b: c\n", "1:5 ': ' is not allowed here\n"},
        {"a: 1\nb: \"x\n", "2:4 these quotes are not closed\n"},
        {"a: [1, 2\nb: 3\n", "2:2 ',' or ']' is expected here\n"},
        {"{\"a\": 1", "1:8 ',' or '}' is expected here\n"},
        {"a: 1\nb\nc: 2\n", "2:1 ':' is missing behind this key\n"},
        {"- a\nb: 1\n", "2:1 a list item is expected here\n"},
        {"a: 1\n  b: 2\n", "2:4 ': ' is not allowed here\n"},
        {"a: 1\nb: [1,\n  2\nc: 3\n", "4:2 ',' or ']' is expected here (in what begins in line 2)\n"},
        {"a:\n  b: 1\n   c: 2\n", "3:5 ': ' is not allowed here\n"},
        {"a:\n  - b\n c: 2\n", "3:2 a key is expected here\n"},
        {"a: @x\n", "1:4 no value begins with this character\n"},
        {"a: *.yaml\n", "1:5 a name is expected behind '&' or '*'\n"},
        {"a: |x\n", "1:5 nothing else may stand in a line behind '|' or '>'\n"},
        {"a: !x!y z\n", "1:4 tags such as !int are not read\n"},
        {"a: \"\\xg\"\n", "1:7 a hexadecimal digit is missing in this escape\n"},
        {"%a\n---\nb: 1\n", "1:3 a line that begins with '%' is a directive\n"},
        {"% a\n---\nb: 1\n", "1:2 a line that begins with '%' is a directive\n"},
        {"a: \"\\q\"\n", "1:5 unknown escape in quotes\n"},
        {"a: \"\\ud83d\"\n", "1:7 this \\u escape is half of a surrogate pair or no character\n"},
        {"{\"a\": \"\\ud83d\\u0041\"}", "1:10 this \\u escape is half of a surrogate pair or no character\n"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        const struct node *root = tree_parse(arena, rows[i].text, &diag);
        cr_expect(root == NULL, "row %zu: %s is refused", i, rows[i].text);
        cr_expect_str_eq(entries_text(arena, &diag), rows[i].tree, "row %zu: %s gives %s", i, rows[i].text,
                         entries_text(arena, &diag));
    }
    arena_close(arena);
}

Test(document, refuses_nul_bytes) {
    struct arena *arena = support_arena();
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag, arena);
    cr_expect_eq(document_parse(arena, "x", "a: 1\nb: \0", 10, &root, &diag), STATUS_INVALID);
    cr_expect_str_eq(entry_text(arena, &diag, 0), "2:4 a NUL byte: this is not a text file");
    cr_expect(root == NULL);
    arena_close(arena);
}

static struct mark mark_of(const struct node *root, const char *key) {
    const struct node *node = node_find(root, key);
    cr_assert(node != NULL, "%s", key);
    return node->mark;
}

/* Lines by line feeds only, columns and lengths in bytes, the whole text at hand for the source line. */
Test(document, marks_places) {
    struct arena *arena = support_arena();
    struct diag diag;
    const char *text =
        "\xEF\xBB\xBF# \xC2\x85 \xE2\x80\xA8\n\xC3\xA9\xC3\xA9: \"\xC3\xA9\" # x\n  \nlist:\n  - a\n  -   bcd\n"
        "multi: one\n  two\nflow: {x: [1,\n  22]}\nblock:\n  k: v\n";
    struct node *root = tree_parse(arena, text, &diag);
    cr_assert(root != NULL, "%s", entries_text(arena, &diag));
    struct mark mark = mark_of(root, "\xC3\xA9\xC3\xA9");
    cr_expect(mark.line == 2 && mark.column == 7 && mark.length == 4, "%u:%u %u", mark.line, mark.column, mark.length);
    cr_expect_str_eq(mark.source->name, "test.yaml");
    cr_expect_str_eq(mark.source->text, text + 3);
    cr_expect_eq(mark.source->size, strlen(text) - 3);
    struct mark key = node_find(root, "list")->key_mark;
    cr_expect(key.line == 4 && key.column == 1 && key.length == 4, "%u:%u %u", key.line, key.column, key.length);
    mark = node_find(root, "list")->first->next->mark;
    cr_expect(mark.line == 6 && mark.column == 7 && mark.length == 3, "%u:%u %u", mark.line, mark.column, mark.length);
    mark = mark_of(root, "multi");
    cr_expect(mark.line == 7 && mark.column == 8 && mark.length == 3, "%u:%u %u", mark.line, mark.column, mark.length);
    mark = mark_of(root, "flow");
    cr_expect(mark.line == 9 && mark.column == 7 && mark.length == 1, "%u:%u %u", mark.line, mark.column, mark.length);
    mark = node_find(root, "flow")->first->first->next->mark;
    cr_expect(mark.line == 10 && mark.column == 3 && mark.length == 2, "%u:%u %u", mark.line, mark.column, mark.length);
    mark = mark_of(root, "block");
    cr_expect(mark.line == 12 && mark.column == 3, "%u:%u", mark.line, mark.column);
    cr_expect_eq(root->count, 5);
    arena_close(arena);
}

/* What JSON strings lose when they are rewritten does not move what follows in the line. */
Test(document, marks_places_behind_rewritten_strings) {
    struct arena *arena = support_arena();
    struct diag diag;
    const char *text = "{\"a\": \"\\ud83d\\ude00\\ud83d\\ude00\", \"b\"\n : 1, \"c\": \"\xE2\x80\xA8\", \"d\": 2}";
    struct node *root = tree_parse(arena, text, &diag);
    cr_assert(root != NULL, "%s", entries_text(arena, &diag));
    struct mark mark = node_find(root, "b")->key_mark;
    cr_expect(mark.line == 1 && mark.column == 35 && mark.length == 3, "%u:%u %u", mark.line, mark.column, mark.length);
    mark = mark_of(root, "b");
    cr_expect(mark.line == 2 && mark.column == 4 && mark.length == 1, "%u:%u %u", mark.line, mark.column, mark.length);
    mark = mark_of(root, "d");
    cr_expect(mark.line == 2 && mark.column == 24 && mark.length == 1, "%u:%u %u", mark.line, mark.column, mark.length);
    arena_close(arena);
}

static const char *repeat(struct arena *arena, const char *before, const char *piece, size_t count, const char *after) {
    struct text text;
    text_init(&text, arena);
    text_add(&text, before);
    for (size_t i = 0; i < count; i++) {
        text_add(&text, piece);
    }
    text_add(&text, after);
    return text.data;
}

/* The limits themselves, and one step beyond. */
Test(document, bounds) {
    struct arena *arena = support_arena();
    const char *sixty =
        arena_format(arena, "a: &a %s1%s\n", repeat(arena, "", "[", 60, ""), repeat(arena, "", "]", 60, ""));
    struct {
        const char *name, *text, *error;
    } rows[] = {
        {"64 levels", arena_format(arena, "%s%s", repeat(arena, "", "[", 64, ""), repeat(arena, "", "]", 64, "")), ""},
        {"65 levels", repeat(arena, "", "[", 65, ""), "1:65 nested deeper than 64 levels"},
        {"block levels", repeat(arena, "", "- ", 65, "x"), "1:129 nested deeper than 64 levels"},
        {"many levels", repeat(arena, "", "{\"a\":", 100000, ""), "1:321 nested deeper than 64 levels"},
        {"levels by alias", arena_format(arena, "%sb: [[*a]]\n", sixty), ""},
        {"too many levels by alias", arena_format(arena, "%sb: [[[*a]]]\n", sixty),
         "2:7 nested deeper than 64 levels by this alias"},
        {"values", repeat(arena, "[", "1,", 999999, "]"), ""},
        {"too many values", repeat(arena, "[", "1,", 1000000, "]"),
         "1:2000000 more than 1000000 values, counting what aliases stand for"},
        {"too many lists", repeat(arena, "[", "[],", 1000000, "]"),
         "1:2999999 more than 1000000 values, counting what aliases stand for"},
        {"per cent", repeat(arena, "", "- 5 %\n", 20, ""), ""},
        {"blanks", repeat(arena, "a: \"x", " ", 1024, "\"\n"), ""},
        {"too many blanks", repeat(arena, "a: \"x", " ", 1025, "\"\n"), "1:1030 more than 1024 blanks in a row"},
        {"too many line breaks", repeat(arena, "a: \"x", "\n", 1025, "\"\n"),
         "1025:1 more than 1024 line breaks in a row"},
        {"directives", repeat(arena, "", "%X y\n", 17, "---\na: 1\n"), "17:1 more than 16 lines that begin with '%'"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        const struct node *root = tree_parse(arena, rows[i].text, &diag);
        cr_expect_str_eq(entry_text(arena, &diag, 0), rows[i].error, "%s: %s", rows[i].name,
                         entry_text(arena, &diag, 0));
        cr_expect((root != NULL) == (rows[i].error[0] == '\0'), "%s", rows[i].name);
    }
    arena_close(arena);
}

/* Ten times ten times ...: the alias bomb stands for 10^9 values in 400 bytes. */
Test(document, refuses_alias_bombs) {
    struct arena *arena = support_arena();
    struct text text;
    text_init(&text, arena);
    text_add(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++) {
        text_add_format(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++) {
            text_add_format(&text, "*a%d,", i - 1);
        }
        text_add(&text, "]\n");
    }
    struct diag diag;
    cr_expect(tree_parse(arena, text.data, &diag) == NULL);
    cr_expect_str_eq(entry_text(arena, &diag, 0), "6:38 more than 1000000 values, counting what aliases stand for");
    cr_expect(arena_footprint(arena) < 1000000, "%zu bytes", arena_footprint(arena));
    arena_close(arena);
}

/* Keys without end, each of them twice: messages stop at the limit, time stays linear. */
Test(document, counts_repeated_keys) {
    enum { KEYS = 100000 };
    struct arena *arena = support_arena();
    struct text text;
    text_init(&text, arena);
    for (int i = 0; i < 2 * KEYS; i++) {
        text_add_format(&text, "key_%d: 1\n", i % KEYS);
    }
    struct diag diag;
    cr_expect(tree_parse(arena, text.data, &diag) == NULL);
    cr_expect_eq(diag.count, DIAG_LIMIT);
    cr_expect_eq(diag.errors, KEYS);
    cr_expect_eq(diag.suppressed, KEYS - DIAG_LIMIT);
    arena_close(arena);
}

/* A message about a long text shows its beginning, cut between characters. */
Test(document, clips_long_texts) {
    struct arena *arena = support_arena();
    struct diag diag;
    const char *text = repeat(arena, "x", "\xC3\xA9", 100000, "");
    tree_parse(arena, arena_format(arena, "? %s\n: 1\n? %s\n: 2\n", text, text), &diag);
    cr_assert_eq(diag.count, 1);
    cr_expect(strlen(diag.entries[0].text) < 150, "%s", diag.entries[0].text);
    cr_expect(strstr(diag.entries[0].text, "\xC3\xA9...'") != NULL, "%s", diag.entries[0].text);
    arena_close(arena);
}
