#include <criterion/criterion.h>

#include "yaml/bind.h"

#include "sample.h"
#include "tree.h"

#include "../support.h"

/* Binds a text to the sample table. */
static enum status bind_text(struct arena *arena, const char *text, struct sample *sample, struct diag *diag) {
    const struct node *root = tree_parse(arena, text, diag);
    cr_assert(root != NULL, "%s is YAML: %s", text, entries_text(arena, diag));
    return bind_fields(arena, root, "sample", sample_fields, sample, diag);
}

Test(bind, sets_every_kind) {
    struct arena *arena = support_arena();
    struct diag diag;
    struct sample s;
    enum status status = bind_text(arena,
                                   "title: A title # not this\nenabled: false\nflagged: true\nheads: 1_024\n"
                                   "shift: -9223372036854775807\nscale: -2.5e3\nshare: 62%\nmemory: 40 GiB\n"
                                   "latency: \"2us\"\ncolour: deep-blue\ntp: [1, 2, 4..6, 2]\ncolours: [red, 'off']\n"
                                   "inner: {count: 7, rate: 400Gbit/s}\nextra:\n  note: hi\n"
                                   "parts:\n  - name: a\n    memory: 1kB\n    tags: [x, 'y, z']\n  - {name: 'b'}\n"
                                   "counts: [3]\nnumbers: [0.1, -4]\nrates: [1GB/s, '2GB/s']\ntexts: []\nresult: 4\n"
                                   "x-note: {anything: [1]}\n",
                                   &s, &diag);
    cr_assert_eq(status, OK, "%s", entries_text(arena, &diag));
    cr_expect_str_eq(s.title, "A title");
    cr_expect(s.source == NULL && !s.enabled && s.flagged);
    cr_expect_eq(s.heads, 1024);
    cr_expect_eq(s.shift, -INT64_MAX);
    cr_expect(s.scale == -2500 && s.share == 0.62 && s.memory == 40 * 0x1p30 && s.latency == 2e-6);
    cr_expect_eq(s.colour, 2);
    cr_assert(!s.tp.any && s.tp.count == 5, "%zu degrees", s.tp.count);
    cr_expect(s.tp.values[0] == 1 && s.tp.values[1] == 2 && s.tp.values[2] == 4 && s.tp.values[4] == 6);
    cr_expect_eq(s.colours, 0xA);
    cr_expect(s.inner.count == 7 && s.inner.rate == 50e9 && s.inner.note == NULL);
    cr_assert(s.extra != NULL);
    cr_expect(s.extra->count == 3, "a nested struct has its own fallbacks");
    cr_expect_str_eq(s.extra->note, "hi");
    cr_assert_eq(s.parts.count, 2);
    const struct sample_part *parts = s.parts.items;
    cr_expect_str_eq(parts[0].name, "a");
    cr_expect(parts[0].memory == 1000 && parts[0].inner.count == 3 && parts[0].tags.count == 2);
    cr_expect_str_eq(((const char **)parts[0].tags.items)[1], "y, z");
    cr_expect_str_eq(parts[1].name, "b");
    cr_assert(s.counts.count == 1 && s.numbers.count == 2 && s.rates.count == 2 && s.texts.count == 0);
    cr_expect_eq(((const int64_t *)s.counts.items)[0], 3);
    cr_expect(((const double *)s.numbers.items)[0] == 0.1 && ((const double *)s.numbers.items)[1] == -4);
    cr_expect(((const double *)s.rates.items)[1] == 2e9);
    cr_expect(s.result == 4);
    arena_close(arena);
}

Test(bind, keeps_fallbacks_for_absent_and_null) {
    struct arena *arena = support_arena();
    struct diag diag;
    struct sample s;
    const char *text = "title: ''\nheads: 1\nshare: ~\nmemory: null\ncolour:\ntp:\ninner:\nextra: ~\nparts:\ncounts:\n";
    cr_assert_eq(bind_text(arena, text, &s, &diag), OK, "%s", entries_text(arena, &diag));
    cr_expect_str_eq(s.title, "", "quotes make a text of nothing");
    cr_expect(s.enabled && !s.flagged && s.scale == 1.5 && s.share == 0.25 && s.memory == 80 * 0x1p30);
    cr_expect(s.colour == 1 && s.tp.any && s.colours == 0xF && s.inner.count == 3 && s.extra == NULL);
    cr_expect(s.parts.count == 0 && s.counts.count == 2 && s.numbers.count == 0);
    arena_close(arena);
}

/* JSON binds to the same values. */
Test(bind, reads_json) {
    struct arena *arena = support_arena();
    struct diag diag;
    struct sample s;
    const char *text =
        "{\n\t\"title\": \"\\ud83d\\ude00\",\n\t\"heads\": 8,\n\t\"memory\": \"80GiB\",\n\t\"share\": \"62%\","
        "\"enabled\": false, \"source\": null, \"tp\": \"1..3\", \"colours\": [\"red\"],"
        "\"parts\": [{\"name\": \"p\"}], \"counts\": []}";
    cr_assert_eq(bind_text(arena, text, &s, &diag), OK, "%s", entries_text(arena, &diag));
    cr_expect_str_eq(s.title, "\xF0\x9F\x98\x80");
    cr_expect(s.heads == 8 && s.memory == 80 * 0x1p30 && s.share == 0.62 && !s.enabled && s.source == NULL);
    cr_expect(s.tp.count == 3 && s.colours == 2 && s.parts.count == 1 && s.counts.count == 0);
    arena_close(arena);
}

struct row {
    const char *text, *errors, *help;
};

/* Each document begins with `title: t\nheads: 1\n`, so line 3 is what the row says. */
Test(bind, refuses) {
    static const struct row rows[] = {
        {"colur: red", "3:1 unknown key 'colur' in sample\n", "did you mean 'colour'?"},
        {"note: x", "3:1 unknown key 'note' in sample\n", "did you mean 'note' in 'inner'?"},
        {"extend: x", "3:1 unknown key 'extend' in sample\n", "did you mean 'extends'?"},
        {"zzzzzzzz: x", "3:1 unknown key 'zzzzzzzz' in sample\n", NULL},
        {"verbose: 1", "3:1 unknown key 'verbose' in sample\n", NULL},
        {"verbos: 1", "3:1 unknown key 'verbos' in sample\n", NULL},
        {"<<: {a: 1}", "3:1 unknown key '<<' in sample\n",
         "merge keys are not read; repeat the keys, or extend another file by 'extends'"},
        {"inner: {cout: 1}", "3:9 unknown key 'cout' in inner\n", "did you mean 'count'?"},
        {"parts: [{name: a}, {name: b, inner: {cuont: 3}}]", "3:38 unknown key 'cuont' in parts[1].inner\n",
         "did you mean 'count'?"},
        {"source: [a]", "3:9 source: must be one value, not a list\n", NULL},
        {"scale: {a: 1}", "3:8 scale: must be one value, not a map of keys\n", NULL},
        {"scale: '2'", "3:8 scale: must be a number, not text in quotes\n", "remove the quotes"},
        {"shift: \"2\"", "3:8 shift: must be a number, not text in quotes\n", "remove the quotes"},
        {"enabled: 'true'", "3:10 enabled: must be true or false, not text in quotes\n", "remove the quotes"},
        {"enabled: yes", "3:10 enabled: must be true or false, not \"yes\"\n", NULL},
        {"share: '0.5'", "3:8 share: must be a number, not text in quotes\n", "remove the quotes"},
        {"share: 1.5", "3:8 share: must be between 0 and 1, not 1.5\n", NULL},
        {"scale: .nan", NULL, NULL},
        {"scale: .inf", NULL, NULL},
        {"scale: inf", NULL, NULL},
        {"scale: nan", NULL, NULL},
        {"scale: 1e999", NULL, NULL},
        {"shift: 10000000000000000000",
         "3:8 shift: must be between -9.3e+18 and 9.3e+18, not "
         "10000000000000000000\n",
         NULL},
        {"shift: 9223372036854775808", "3:8 shift: 9223372036854775808 is too large\n", NULL},
        {"shift: 1.5", "3:8 shift: must be a whole number, not 1.5\n", NULL},
        {"inner: {count: 101}", "3:16 inner.count: must be between 0 and 100, not 101\n", NULL},
        {"inner: {count: -1}", "3:16 inner.count: must be between 0 and 100, not -1\n", NULL},
        {"memory: 80", NULL, NULL},
        {"memory: 80Gbit/s", NULL, NULL},
        {"memory: -1GiB", NULL, NULL},
        {"colour: blue", NULL, NULL},
        {"tp: [1, x]", "3:9 tp[1]: must be a whole number, not \"x\"\n", NULL},
        {"tp: [1, '2']", "3:9 tp[1]: must be a number, not text in quotes\n", "remove the quotes"},
        {"tp: [1, auto]", "3:5 tp: must be a whole number, not \"auto\"\n", NULL},
        {"tp: [1, [2]]", "3:9 tp[1]: must be one value, not a list\n", NULL},
        {"tp: [1, '2,3']", "3:9 tp[1]: \"2,3\" is no element of such a list\n", NULL},
        {"tp: []", "3:5 tp: an empty list leaves nothing to choose from; write auto for all\n", NULL},
        {"tp: 0", "3:5 tp: must be at least 1, not 0\n", NULL},
        {"colours: [red, gren]", NULL, NULL},
        {"colours: [red, ~]", "3:16 colours[1]: must be one value, not nothing\n", NULL},
        {"inner: 3", "3:8 inner: must be a map of keys, not one value\n", NULL},
        {"inner: [3]", "3:8 inner: must be a map of keys, not a list\n", NULL},
        {"extra: x", "3:8 extra: must be a map of keys, not one value\n", NULL},
        {"parts: {name: x}", "3:8 parts: must be a list, not a map of keys\n", NULL},
        {"parts: [x]", "3:9 parts[0]: must be a map of keys, not one value\n", NULL},
        {"parts: [{memory: 1kB}]", "3:9 parts[0]: the key 'name' is missing\n", "name: TEXT   # required"},
        {"parts: [{}, {}]",
         "3:9 parts[0]: the key 'name' is missing\n"
         "3:13 parts[1]: the key 'name' is missing\n",
         NULL},
        {"parts: [{name: a}, {name: b}, {name: a}]",
         "3:38 parts: two elements are called 'a'; the first is in line 3\n", NULL},
        {"counts: 3", "3:9 counts: must be a list, not one value\n", "counts: [3]"},
        {"counts: [1, x, 2.5, '3', 4]",
         "3:13 counts[1]: must be a whole number, not \"x\"\n"
         "3:16 counts[2]: must be a whole number, not 2.5\n"
         "3:21 counts[3]: must be a number, not text in quotes\n",
         NULL},
        {"texts: a", "3:8 texts: must be a list, not one value\n", "texts: [a]"},
        {"texts: {a: 1}", "3:8 texts: must be a list, not a map of keys\n", NULL},
        {"texts: [a, ~, [b]]",
         "3:12 texts[1]: must be one value, not nothing\n"
         "3:15 texts[2]: must be one value, not a list\n",
         NULL},
        {"rates: [1GB/s, 3]", NULL, NULL},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct sample s;
        const char *text = arena_format(arena, "title: t\nheads: 1\n%s\n", rows[i].text);
        cr_expect_eq(bind_text(arena, text, &s, &diag), STATUS_INVALID, "%s is refused", rows[i].text);
        const char *errors = entries_text(arena, &diag);
        if (rows[i].errors != NULL) {
            cr_expect_str_eq(errors, rows[i].errors, "%s gives %s", rows[i].text, errors);
        } else {
            cr_expect(diag.count == 1 && text_starts(errors, "3:"), "%s gives %s", rows[i].text, errors);
        }
        if (diag.count == 1 && (rows[i].help != NULL || rows[i].errors != NULL)) {
            const char *help = diag.entries[0].help;
            cr_expect(text_equal(help, rows[i].help), "%s helps by %s", rows[i].text, help == NULL ? "(none)" : help);
        }
    }
    arena_close(arena);
}

Test(bind, reports_what_is_missing) {
    static const struct row rows[] = {
        {"source: x\n", "1:1 sample: the key 'title' is missing\n1:1 sample: the key 'heads' is missing\n", NULL},
        {"title:\nheads: ~\n", "1:1 sample: 'title' has no value\n2:1 sample: 'heads' has no value\n", NULL},
        {"title: x\nheads: 0\n", "2:8 heads: must be above 0, not 0\n", NULL},
        {"- x\n", "1:1 sample: must be a map of keys, not a list\n", NULL},
        {"x\n", "1:1 sample: must be a map of keys, not one value\n", NULL},
        {"---\n", "2:1 sample: must be a map of keys, not nothing\n", NULL},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct sample s;
        cr_expect_eq(bind_text(arena, rows[i].text, &s, &diag), STATUS_INVALID, "row %zu", i);
        cr_expect_str_eq(entries_text(arena, &diag), rows[i].errors, "row %zu: %s", i, entries_text(arena, &diag));
    }
    struct diag diag;
    struct sample s;
    bind_text(arena, "title: x\n", &s, &diag);
    cr_expect_str_eq(diag.entries[0].help, "heads: N   # number of heads");
    arena_close(arena);
}

/* All errors of a document in one pass, in its order, and only as many as the limit. */
Test(bind, reports_everything_at_once) {
    struct arena *arena = support_arena();
    struct diag diag;
    struct sample s;
    bind_text(arena, "tilte: x\nheads: -3\nmemory: 5\ninner: {count: x}\ncolours: blue\n", &s, &diag);
    cr_expect_eq(diag.count, 6, "%s", entries_text(arena, &diag));
    for (unsigned i = 0; i < 5 && i < diag.count; i++) {
        cr_expect_eq(diag.entries[i].mark.line, i + 1, "entry %u", i);
    }
    struct text text;
    text_init(&text, arena);
    for (int i = 0; i < 50000; i++) {
        text_add_format(&text, "unknown_%d: 1\n", i);
    }
    bind_text(arena, text.data, &s, &diag);
    cr_expect_eq(diag.count, DIAG_LIMIT);
    cr_expect_eq(diag.errors, 50002);
    arena_close(arena);
}

/* Values and lists without end make short messages. */
Test(bind, clips_long_values) {
    static const char *const keys[] = {"heads", "memory", "colour", "tp", "enabled", "share", "scale", "colours"};
    struct arena *arena = support_arena();
    char *endless = arena_alloc(arena, 100001, 1);
    memset(endless, '1', 100000);
    for (size_t i = 0; i < ROWS(keys); i++) {
        struct diag diag;
        struct sample s;
        cr_expect_eq(bind_text(arena, arena_format(arena, "title: x\n%s: %s\n", keys[i], endless), &s, &diag),
                     STATUS_INVALID, "%s", keys[i]);
        cr_assert(diag.count > 0 && strlen(diag.entries[0].text) < 200, "%s: %s", keys[i], diag.entries[0].text);
    }
    struct text text;
    struct diag diag;
    struct sample s;
    text_init(&text, arena);
    text_add(&text, "title: x\nheads: 1\nparts: [");
    for (int i = 0; i <= 65536; i++) {
        text_add(&text, "{},");
    }
    text_add(&text, "]\n");
    cr_expect_eq(bind_text(arena, text.data, &s, &diag), STATUS_INVALID);
    cr_expect_str_eq(entries_text(arena, &diag), "3:8 parts: 65537 elements; at most 4096 are read\n");
    arena_close(arena);
}

Test(bind, checks_the_schema) {
    static const struct row rows[] = {
        {"schema: parplan/model/v1\na: 1\n", "", NULL},
        {"{\"schema\": \"parplan/model/v1\", \"a\": 1}", "", NULL},
        {"a: 1\n", "1:1 the key 'schema' is missing\n", "let the document begin with 'schema: parplan/model/v1'"},
        {"a: 1\nschema: parplan/model/v1\n", "2:1 'schema' must be the first key\n",
         "let the document begin with 'schema: parplan/model/v1'"},
        {"schema: parplan/model/v2\n", "1:9 version 'v2' of model documents is not known; this parplan reads v1\n",
         NULL},
        {"schema: parplan/topology/v1\n", "1:9 a document of kind 'topology', where a model is wanted\n", NULL},
        {"schema: parplan/model\n", "1:9 schema: must be parplan/model/v1, not 'parplan/model'\n", NULL},
        {"schema: x\n", "1:9 schema: must be parplan/model/v1, not 'x'\n", NULL},
        {"schema:\n", "1:8 schema: must be parplan/model/v1, not ''\n", NULL},
        {"schema: [parplan/model/v1]\n", "1:9 schema: must be parplan/model/v1, not ''\n", NULL},
        {"[a]\n", "1:1 a model document is a map of keys, not a list\n", NULL},
        {"---\n", "2:1 a model document is a map of keys, not nothing\n", NULL},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct node *root = tree_parse(arena, rows[i].text, &diag);
        cr_assert(root != NULL, "row %zu", i);
        enum status status = bind_schema(root, "model", &diag);
        cr_expect_str_eq(entries_text(arena, &diag), rows[i].errors, "row %zu: %s", i, entries_text(arena, &diag));
        cr_expect_eq(status, rows[i].errors[0] == '\0' ? OK : STATUS_INVALID, "row %zu", i);
        if (status == OK) {
            cr_expect_str_eq(tree_text(arena, root), "{a: 1}", "the key is gone");
            cr_expect_eq(root->count, 1);
        }
        cr_expect(diag.count == 0 || text_equal(diag.entries[0].help, rows[i].help), "row %zu helps", i);
    }
    arena_close(arena);
}

Test(bind, finds_marks_by_path) {
    struct {
        const char *path;
        unsigned line, column;
    } rows[] = {
        {"a", 1, 4},
        {"b", 2, 1},
        {"b.c", 3, 6},
        {"b.d", 4, 3},
        {"list.0.name", 6, 11},
        {"list.1", 7, 5},
        {"list.1.name", 7, 11},
        {"empty", 8, 1},
        {"", 1, 1},
        {"nope", 1, 1},
        {"b.nope", 1, 1},
        {"list.2.name", 1, 1},
        {"list.x", 1, 1},
        {"a.b", 1, 1},
        {"list.", 5, 1},
        {"lis", 1, 1},
        {"list.-1", 1, 1},
    };
    struct arena *arena = support_arena();
    struct diag diag;
    const struct node *root =
        tree_parse(arena, "a: 1\nb:\n  c: 2\n  d: [3]\nlist:\n  - name: x\n  - name: y\nempty:\n", &diag);
    cr_assert(root != NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct mark mark = bind_mark(root, rows[i].path);
        cr_expect(mark.line == rows[i].line && mark.column == rows[i].column, "%s: %u:%u", rows[i].path, mark.line,
                  mark.column);
    }
    cr_expect(bind_mark(NULL, "a").source == NULL);
    arena_close(arena);
}
