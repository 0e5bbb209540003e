#include <criterion/criterion.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

#include "../support.h"

struct folder {
    struct arena *arena;
    char path[64];
};

static struct folder folder;

static void open_folder(void) {
    folder.arena = support_arena();
    strcpy(folder.path, "/tmp/parplan-load-XXXXXX");
    cr_assert(mkdtemp(folder.path) != NULL);
}

static void close_folder(void) {
    cr_expect_eq(system(arena_format(folder.arena, "rm -rf '%s'", folder.path)), 0);
    arena_close(folder.arena);
}

TestSuite(load, .init = open_folder, .fini = close_folder);

static const char *in_folder(const char *name) {
    return arena_format(folder.arena, "%s/%s", folder.path, name);
}

static const char *write_file(const char *name, const char *bytes, size_t size) {
    const char *path = in_folder(name);
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
    return path;
}

static enum status load(const char *path, struct node **root, struct diag *diag) {
    diag_init(diag, folder.arena);
    return document_load(folder.arena, path, root, diag);
}

Test(load, reads_files) {
    struct diag diag;
    struct node *root = NULL;
    cr_assert_eq(load(write_file("a.yaml", "a: 1\n", 5), &root, &diag), OK);
    cr_expect_str_eq(tree_text(folder.arena, root), "{a: 1}");
    cr_expect_str_eq(root->mark.source->name, in_folder("a.yaml"));
    cr_expect_str_eq(root->mark.source->text, "a: 1\n");
    cr_assert_eq(symlink("a.yaml", in_folder("link.yaml")), 0);
    cr_assert_eq(load(in_folder("link.yaml"), &root, &diag), OK);
    cr_expect_eq(root->count, 1);
}

Test(load, keeps_the_bytes) {
    struct diag diag;
    struct source *source = NULL;
    diag_init(&diag, folder.arena);
    cr_assert_eq(document_read(folder.arena, write_file("b", "\xEF\xBB\xBFx\r\n", 6), &source, &diag), OK);
    cr_expect_eq(source->size, 6);
    cr_expect_arr_eq(source->text, "\xEF\xBB\xBFx\r\n", 7);
    cr_assert_eq(document_read(folder.arena, write_file("empty", "", 0), &source, &diag), OK);
    cr_expect(source->size == 0 && source->text[0] == '\0');
}

Test(load, reads_standard_input) {
    enum { SIZE = 300000 }; /* more than a pipe holds */
    char *text = arena_alloc(folder.arena, SIZE, 1);
    memset(text, 'x', SIZE);
    memcpy(text, "a: ", 3);
    int file = open(write_file("in", text, SIZE), O_RDONLY);
    cr_assert(file >= 0 && dup2(file, STDIN_FILENO) == STDIN_FILENO);
    struct diag diag;
    struct node *root = NULL;
    cr_assert_eq(load("-", &root, &diag), OK, "%s", entries_text(folder.arena, &diag));
    cr_expect_str_eq(root->mark.source->name, "<stdin>");
    cr_expect_eq(strlen(root->first->text), SIZE - 3);
}

/* Files of /proc say that they are empty, and are not. */
Test(load, reads_past_the_size) {
    struct diag diag;
    struct source *source = NULL;
    diag_init(&diag, folder.arena);
    if (access("/proc/self/mountinfo", R_OK) != 0) {
        cr_skip_test("no /proc");
    }
    cr_assert_eq(document_read(folder.arena, "/proc/self/mountinfo", &source, &diag), OK);
    cr_expect(source->size > 10 && source->text[source->size] == '\0');
}

Test(load, refuses) {
    cr_assert_eq(mkfifo(in_folder("pipe"), 0600), 0);
    cr_assert_eq(symlink("loop", in_folder("loop")), 0);
    const char *large = write_file("large", "", 0);
    cr_assert_eq(truncate(large, 64 * 1024 * 1024 + 1), 0);
    const char *largest = write_file("largest", "", 0);
    cr_assert_eq(truncate(largest, 64 * 1024 * 1024), 0);
    const char *file = write_file("file", "a: 1\n", 5);
    char *endless = arena_alloc(folder.arena, 5001, 1);
    memset(endless, 'x', 5000);
    struct {
        const char *path;
        enum status status;
        const char *error;
    } rows[] = {
        {in_folder("nope.yaml"), STATUS_INVALID, "no such file"},
        {"", STATUS_INVALID, "no such file"},
        {arena_format(folder.arena, "%s/x", file), STATUS_INVALID, "no such file"},
        {endless, STATUS_INVALID, "not the name of a file"},
        {in_folder("loop"), STATUS_INVALID, "not the name of a file"},
        {folder.path, STATUS_INVALID, "a directory, not a file"},
        {in_folder("pipe"), STATUS_INVALID, "a pipe, not a file"},
        {"/dev/null", STATUS_INVALID, "a device, not a file"},
        {large, STATUS_INVALID, "larger than 64 MiB, the limit for a document"},
        {largest, STATUS_INVALID, "a NUL byte: this is not a text file"},
        {write_file("binary",
                    "\x7F"
                    "ELF\0\0",
                    6),
         STATUS_INVALID, "the control character U+007F is not allowed"},
        {write_file("nul", "a: \0", 4), STATUS_INVALID, "a NUL byte: this is not a text file"},
        {write_file("gzip", "\x1F\x8B\x08", 3), STATUS_INVALID, "the control character U+001F is not allowed"},
        {write_file("utf16",
                    "\xFF\xFE"
                    "a\0",
                    4),
         STATUS_INVALID, "the byte 0xFF is not UTF-8 text"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct node *root = NULL;
        cr_expect_eq(load(rows[i].path, &root, &diag), rows[i].status, "%s", rows[i].path);
        cr_expect(root == NULL && diag.count == 1, "%s", rows[i].path);
        cr_expect(text_ends(diag.entries[0].text, rows[i].error), "%s: %s", rows[i].path, diag.entries[0].text);
        cr_expect(strlen(diag.entries[0].text) < 200, "%s", diag.entries[0].text);
        bool endless_kind =
            text_ends(rows[i].error, "a pipe, not a file") || text_ends(rows[i].error, "a device, not a file");
        const char *help = endless_kind ? "name it '-' and redirect it to standard input" : NULL;
        bool utf8 = text_ends(rows[i].error, "is not UTF-8 text");
        cr_expect(utf8 || text_equal(diag.entries[0].help, help), "%s", rows[i].path);
    }
}

Test(load, refuses_without_permission) {
    const char *path = write_file("secret", "a: 1\n", 5);
    struct diag diag;
    struct node *root = NULL;
    uid_t user = geteuid();
    cr_assert_eq(chmod(path, 0), 0);
    if (user == 0) { /* the superuser may read everything */
        cr_assert_eq(seteuid(65534), 0);
    }
    enum status status = load(path, &root, &diag);
    cr_assert_eq(seteuid(user), 0);
    cr_expect_eq(status, STATUS_ENVIRONMENT);
    cr_expect(text_ends(diag.entries[0].text, "permission to read it is denied"));
}

/* Reading fails for reasons of the environment. */
Test(load, reports_failing_reads) {
    struct diag diag;
    struct node *root = NULL;
    int file = open(folder.path, O_RDONLY);
    cr_assert(file >= 0 && dup2(file, STDIN_FILENO) == STDIN_FILENO);
    cr_expect_eq(load("-", &root, &diag), STATUS_ENVIRONMENT);
    cr_expect(text_starts(diag.entries[0].text, "<stdin>: cannot be read: "), "%s", diag.entries[0].text);
}
