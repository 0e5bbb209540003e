#include <criterion/criterion.h>

#include <sys/stat.h>
#include <unistd.h>

#include "yaml/bind.h"

#include "tree.h"

#include "../support.h"

struct folder {
    struct arena *arena;
    char path[64];
};

static struct folder folder;

static void open_folder(void) {
    folder.arena = support_arena();
    strcpy(folder.path, "/tmp/parplan-merge-XXXXXX");
    cr_assert(mkdtemp(folder.path) != NULL);
}

static void close_folder(void) {
    cr_expect_eq(system(arena_format(folder.arena, "rm -rf '%s'", folder.path)), 0);
    arena_close(folder.arena);
}

TestSuite(merge, .init = open_folder, .fini = close_folder);

static const char *write_document(const char *name, const char *text) {
    const char *path = arena_format(folder.arena, "%s/%s", folder.path, name);
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
    return path;
}

/* The shipped documents: "base" only, in the folder "models". */
static const char *locate(void *context, const char *name, const char *kind) {
    return text_equal(kind, "models") && text_equal(name, "base") ? context : NULL;
}

/* Resolves a document of the test's folder. */
static struct node *extend(const char *path, struct diag *diag) {
    struct node *root = NULL, *merged = NULL;
    void *shipped = arena_format(folder.arena, "%s/shipped.yaml", folder.path);
    diag_init(diag, folder.arena);
    cr_assert_eq(document_load(folder.arena, path, &root, diag), OK, "%s", entries_text(folder.arena, diag));
    enum status status = document_extend(folder.arena, root, "models", locate, shipped, &merged, diag);
    cr_expect_eq(status == OK, diag->errors == 0);
    cr_expect_eq(merged != NULL, status == OK);
    return merged;
}

/* Whether every node counts its children and no scalar has any. */
static bool is_sound(const struct node *node) {
    size_t count = 0;
    bool sound = true;
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        sound = sound && is_sound(child);
        count++;
    }
    return sound && count == node->count && (node->kind != NODE_SCALAR || count == 0);
}

/* Two documents and what becomes of them. */
Test(merge, merges) {
    static const struct {
        const char *base, *over, *tree;
    } rows[] = {
        {"a: 1\nb: 2\n", "b: 3\nc: 4\n", "{a: 1, b: 3, c: 4}"},
        {"a: {x: 1, y: {z: 1}}\n", "a: {y: {w: 2}, x: 5}\n", "{a: {x: 5, y: {z: 1, w: 2}}}"},
        {"a: {x: 1}\n", "a: 3\n", "{a: 3}"},
        {"a: {x: 1}\n", "a: ~\n", "{a: ~}"},
        {"a: [1, 2]\n", "a: [3]\n", "{a: [3]}"},
        {"a: [{name: p, v: 1}, {name: q, v: 2}]\n", "a: [{name: q, w: 3}, {name: r}]\n",
         "{a: [{name: p, v: 1}, {name: q, v: 2, w: 3}, {name: r}]}"},
        {"a: [{name: p}]\n", "a: [{name: q}, x]\n", "{a: [{name: q}, x]}"},
        {"a: [{name: p}, {v: 1}]\n", "a: [{name: p, w: 1}]\n", "{a: [{name: p, w: 1}]}"},
        {"a: [{name: p}]\n", "a: []\n", "{a: []}"},
        {"a: [{name: ~}]\n", "a: [{name: ~, v: 1}]\n", "{a: [{name: ~, v: 1}]}"},
        {"a: [{name: p, v: 1}]\n", "a: [{name: p, v: 2}, {name: p, v: 3}]\n",
         "{a: [{name: p, v: 2}, {name: p, v: 3}]}"},
        {"a: [{name: p, v: 1}, {name: p, v: 2}]\n", "a: [{name: p, v: 3}]\n",
         "{a: [{name: p, v: 3}, {name: p, v: 2}]}"},
        {"schema: m\na: 1\n", "schema: m\nb: 2\n", "{schema: m, a: 1, b: 2}"},
        {"a: 1\n", "schema: m\nb: 2\n", "{schema: m, a: 1, b: 2}"},
        {"a: &x {k: 1}\nb: *x\n", "b: {k: 2}\n", "{a: {k: 1}, b: {k: 2}}"},
        {"{}\n", "a: 1\n", "{a: 1}"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        write_document("b.yaml", rows[i].base);
        const char *path =
            write_document("a.yaml", arena_format(folder.arena, "%s%s", rows[i].over, "extends: b.yaml\n"));
        const struct node *root = extend(path, &diag);
        cr_expect_str_eq(tree_text(folder.arena, root), rows[i].tree, "row %zu: %s %s", i,
                         tree_text(folder.arena, root), entries_text(folder.arena, &diag));
        cr_expect(root != NULL && is_sound(root), "row %zu is a sound tree", i);
    }
}

/* Several, in order; a chain; beside the document that names them; a shipped one; JSON. */
Test(merge, finds_documents) {
    struct diag diag;
    cr_assert_eq(mkdir(arena_format(folder.arena, "%s/sub", folder.path), 0700), 0);
    cr_assert_eq(mkdir(arena_format(folder.arena, "%s/base", folder.path), 0700), 0);
    write_document("shipped.yaml", "origin: shipped\n");
    write_document("sub/one.json", "{\"extends\": \"two.yaml\", \"b\": 1, \"c\": 1}");
    write_document("sub/two.yaml", "a: 2\nb: 2\nextends: ../three.yaml\n");
    write_document("three.yaml", "a: 3\nd: 3\n");
    const char *path = write_document("main.yaml", "extends: [base, sub/one.json, three.yaml]\ne: 0\n");
    const struct node *root = extend(path, &diag);
    cr_expect_str_eq(tree_text(folder.arena, root), "{origin: shipped, a: 3, d: 3, b: 1, c: 1, e: 0}", "%s %s",
                     tree_text(folder.arena, root), entries_text(folder.arena, &diag));
    root =
        extend(write_document("abs.yaml", arena_format(folder.arena, "extends: %s/three.yaml\n", folder.path)), &diag);
    cr_expect_str_eq(tree_text(folder.arena, root), "{a: 3, d: 3}");
    root = extend(write_document("none.yaml", "a: 1\nextends:\n"), &diag);
    cr_expect_str_eq(tree_text(folder.arena, root), "{a: 1}");
    root = extend(write_document("nothing.yaml", "a: 1\nextends: []\n"), &diag);
    cr_expect_str_eq(tree_text(folder.arena, root), "{a: 1}");
    root = extend(write_document("plain.yaml", "- a\n"), &diag);
    cr_expect_str_eq(tree_text(folder.arena, root), "[a]");
}

/* A value keeps the place where it was written. */
Test(merge, keeps_marks) {
    struct diag diag;
    write_document("b.yaml", "a: 1\nm: {x: 1}\n");
    const struct node *root = extend(write_document("a.yaml", "extends: b.yaml\nm:\n  y: 2\n"), &diag);
    struct mark mark = bind_mark(root, "a");
    cr_expect(text_ends(mark.source->name, "/b.yaml") && mark.line == 1);
    mark = bind_mark(root, "m.x");
    cr_expect(text_ends(mark.source->name, "/b.yaml") && mark.line == 2);
    mark = bind_mark(root, "m.y");
    cr_expect(text_ends(mark.source->name, "/a.yaml") && mark.line == 3);
    mark = bind_mark(root, "m");
    cr_expect(text_ends(mark.source->name, "/a.yaml") && mark.line == 2);
}

static const char *relative(const char *text) {
    struct text out;
    text_init(&out, folder.arena);
    size_t size = strlen(folder.path);
    for (const char *at = text; *at != '\0';) {
        bool here = strncmp(at, folder.path, size) == 0;
        text_add(&out, here ? "DIR" : "");
        text_add_bytes(&out, at, here ? 0 : 1);
        at += here ? size : 1;
    }
    return out.data;
}

Test(merge, refuses) {
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"extends: main.yaml\n", "1:10 a document extends itself: DIR/main.yaml extends DIR/main.yaml"},
        {"extends: ./sub/../main.yaml\n", "1:10 a document extends itself: DIR/main.yaml extends DIR/main.yaml"},
        {"extends: b.yaml\n",
         "1:10 a document extends itself: DIR/main.yaml extends DIR/b.yaml extends DIR/c.yaml extends DIR/main.yaml"},
        {"extends: loop.yaml\n",
         "1:11 a document extends itself: DIR/loop.yaml extends DIR/loop2.yaml extends DIR/loop.yaml"},
        {"a: 1\nextends: nope\n", "2:10 extends: there is no file 'nope' here and no such document in models"},
        {"extends: sub\n", "1:10 extends: there is no file 'sub' here and no such document in models"},
        {"extends: \"\"\n", "1:10 extends: the name of a document is wanted"},
        {"extends: {a: 1}\n", "1:10 extends: the name of a document is wanted"},
        {"extends: [[a]]\n", "1:11 extends: the name of a document is wanted"},
        {"extends: [~]\n", "1:11 extends: the name of a document is wanted"},
        {"extends: list.yaml\n", "1:10 extends: 'list.yaml' is not a map of keys"},
        {"schema: parplan/model/v1\nextends: topology.yaml\n",
         "2:10 extends: 'topology.yaml' is of schema "
         "parplan/topology/v1, this document of parplan/model/v1"},
        {"extends: broken.yaml\n", "1:5 ': ' is not allowed here"},
    };
    cr_assert_eq(mkdir(arena_format(folder.arena, "%s/sub", folder.path), 0700), 0);
    write_document("b.yaml", "extends: c.yaml\n");
    write_document("c.yaml", "extends: main.yaml\n");
    write_document("loop.yaml", "extends: loop2.yaml\n");
    write_document("loop2.yaml", "extends: [loop.yaml]\n");
    write_document("list.yaml", "- a\n");
    write_document("topology.yaml", "schema: parplan/topology/v1\n");
    write_document("broken.yaml", "a: b: c\n");
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        cr_expect(extend(write_document("main.yaml", rows[i].text), &diag) == NULL, "row %zu", i);
        const char *error = relative(entry_text(folder.arena, &diag, 0));
        cr_expect_str_eq(error, rows[i].error, "row %zu: %s", i, error);
    }
    struct diag diag;
    extend(write_document("main.yaml", "a: 1\nextends: broken.yaml\n"), &diag);
    cr_expect_str_eq(relative(diag.entries[0].context), "extended by DIR/main.yaml:2");
}

/* Chains and trees without end, and merges without measure. */
Test(merge, bounds) {
    struct diag diag;
    for (int i = 0; i < 20; i++) {
        const char *next = arena_format(folder.arena, "v%d: 1\nextends: chain%d.yaml\n", i, i + 1);
        write_document(arena_format(folder.arena, "chain%d.yaml", i), next);
        const char *pair = arena_format(folder.arena, "extends: [tree%d.yaml, tree%d.yaml]\n", i + 1, i + 1);
        write_document(arena_format(folder.arena, "tree%d.yaml", i), i == 15 ? "a: 1\n" : pair);
    }
    write_document("chain17.yaml", "end: 1\n");
    struct node *root = NULL;
    cr_expect(extend(arena_format(folder.arena, "%s/chain0.yaml", folder.path), &diag) == NULL);
    cr_expect_str_eq(entry_text(folder.arena, &diag, 0), "2:10 extends: a chain of more than 16 documents");
    root = extend(arena_format(folder.arena, "%s/chain1.yaml", folder.path), &diag);
    cr_expect(root != NULL && root->count == 17, "16 that are extended are read");
    cr_expect(extend(arena_format(folder.arena, "%s/tree0.yaml", folder.path), &diag) == NULL);
    cr_expect(strstr(diag.entries[0].text, "more than 256 documents by 'extends'") != NULL, "%s", diag.entries[0].text);
    const char *remark = "# a line that says nothing, as there are many of them\n";
    char *large = arena_alloc(folder.arena, 35000100, 1);
    size_t at = 0;
    for (; at < 35000000; at += strlen(remark)) {
        memcpy(large + at, remark, strlen(remark));
    }
    strcpy(large + at, "a: 1\n");
    write_document("large.yaml", large);
    cr_expect(extend(write_document("once.yaml", "extends: large.yaml\n"), &diag) != NULL);
    cr_expect(extend(write_document("twice.yaml", "extends: [large.yaml, large.yaml]\n"), &diag) == NULL);
    cr_expect_str_eq(entry_text(folder.arena, &diag, 0), "1:23 more than 64 MiB of documents by 'extends'");
    struct text wide, many;
    text_init(&wide, folder.arena);
    text_init(&many, folder.arena);
    text_add(&many, "extends: [wide.yaml");
    for (int i = 0; i < 20000; i++) {
        text_add_format(&wide, "key_%d: 1\n", i);
    }
    write_document("wide.yaml", wide.data);
    write_document("one.yaml", "one: 1\n");
    for (int i = 0; i < 200; i++) {
        text_add(&many, ", one.yaml");
    }
    text_add(&many, "]\n");
    cr_expect(extend(write_document("many.yaml", many.data), &diag) == NULL);
    cr_expect(strstr(diag.entries[0].text, "more than 1000000 values to merge") != NULL, "%s", diag.entries[0].text);
}
