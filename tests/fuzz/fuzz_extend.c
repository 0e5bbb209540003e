/* Documents over documents: the input's parts, divided by lines "%%%", become the files a.yaml, b.yaml ... of one
 * folder and a.yaml is resolved. */
#include "fuzz.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "yaml/document.h"

enum { PARTS = 4 };

static char folder[] = "/tmp/parplan-fuzz-XXXXXX";

static void part_path(char path[64], int part) {
    snprintf(path, 64, "%s/%c.yaml", folder, 'a' + part);
}

static void remove_folder(void) {
    char path[64];
    for (int part = 0; part < PARTS; part++) {
        part_path(path, part);
        unlink(path);
    }
    rmdir(folder);
}

static void make_folder(void) {
    static bool made;
    if (!made) {
        PROMISE(mkdtemp(folder) != NULL);
        atexit(remove_folder);
        made = true;
    }
}

static void write_part(int part, const uint8_t *data, size_t size) {
    char path[64];
    part_path(path, part);
    FILE *file = fopen(path, "wb");
    PROMISE(file != NULL);
    PROMISE(fwrite(data, 1, size, file) == size);
    fclose(file);
}

static void write_parts(const uint8_t *data, size_t size) {
    size_t start = 0;
    for (int part = 0; part < PARTS; part++) {
        size_t end = start;
        while (end < size && (size - end < 4 || memcmp(data + end, "%%%\n", 4) != 0)) {
            end++;
        }
        write_part(part, data + start, end - start);
        start = size - end < 4 ? size : end + 4;
    }
}

static size_t check_node(const struct node *node, size_t depth) {
    size_t count = 0;
    PROMISE(depth <= 65);
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        PROMISE((node->kind == NODE_MAP) == (child->key != NULL));
        check_node(child, depth + 1);
        count++;
    }
    PROMISE(count == node->count);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    make_folder();
    write_parts(data, size);
    struct arena *arena = arena_open(NULL, NULL);
    struct diag diag;
    struct node *root = NULL, *merged = NULL;
    diag_init(&diag, arena);
    char path[64];
    part_path(path, 0);
    if (document_load(arena, path, &root, &diag) == OK) {
        enum status status = document_extend(arena, root, "samples", NULL, NULL, &merged, &diag);
        PROMISE((status == OK) == (merged != NULL) && (status == OK) == (diag.errors == 0));
        if (merged != NULL) {
            check_node(merged, 1);
            const struct node *extends = node_find(merged, "extends");
            PROMISE(extends == NULL);
        }
    }
    arena_close(arena);
    return 0;
}
