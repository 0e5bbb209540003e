#include "cli/data.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"

enum { FOLDERS_MOST = 16 };

struct folders {
    const char *paths[FOLDERS_MOST];
    size_t count;
};

static void add_folder(struct folders *folders, const char *path) {
    if (path && *path && folders->count < FOLDERS_MOST) {
        folders->paths[folders->count++] = path;
    }
}

/* The folder the program lies in, with its slash, or NULL. */
static const char *program_folder(struct arena *arena) {
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    if (size <= 0 || (size_t)size >= sizeof path) {
        return NULL;
    }
    while (size > 0 && path[size - 1] != '/') {
        size--;
    }
    return arena_copy(arena, path, (size_t)size);
}

/* The first line of a small file, or NULL. */
static const char *first_line(struct arena *arena, const char *path) {
    FILE *file = fopen(path, "re");
    if (!file) {
        return NULL;
    }
    char line[PATH_MAX];
    const char *read = fgets(line, sizeof line, file);
    fclose(file);
    return read ? arena_copy(arena, line, strcspn(line, "\n")) : NULL;
}

static struct folders data_folders(struct arena *arena) {
    struct folders folders = {.count = 0};
    const char *list = getenv("PARPLAN_DATA");
    while (list && *list) {
        size_t size = strcspn(list, ":");
        add_folder(&folders, arena_copy(arena, list, size));
        list += size + (list[size] == ':');
    }
    const char *program = program_folder(arena);
    if (program) {
        add_folder(&folders, first_line(arena, arena_format(arena, "%sparplan.data", program)));
        add_folder(&folders, arena_format(arena, "%s../share/parplan", program));
    }
    return folders;
}

const char *data_find(struct arena *arena, const char *folder, const char *name) {
    if (!*name || strchr(name, '/')) {
        return NULL;
    }
    const char *ending = text_ends(name, ".yaml") ? "" : ".yaml";
    struct folders folders = data_folders(arena);
    for (size_t i = 0; i < folders.count; i++) {
        struct stat found;
        const char *path = arena_format(arena, "%s/%s/%s%s", folders.paths[i], folder, name, ending);
        if (stat(path, &found) == 0 && S_ISREG(found.st_mode)) {
            return path;
        }
    }
    return NULL;
}

struct names {
    const char **items;
    size_t count, room;
};

static void add_name(struct arena *arena, struct names *names, const char *name) {
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        const char **items = ARENA_ARRAY(arena, const char *, room);
        for (size_t i = 0; i < names->count; i++) {
            items[i] = names->items[i];
        }
        names->items = items;
        names->room = room;
    }
    names->items[names->count++] = name;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t data_list(struct arena *arena, const char *folder, const char *const **ret_names) {
    struct names names = {.count = 0};
    struct folders folders = data_folders(arena);
    for (size_t i = 0; i < folders.count; i++) {
        DIR *directory = opendir(arena_format(arena, "%s/%s", folders.paths[i], folder));
        if (!directory) {
            continue;
        }
        for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
            size_t size = strlen(entry->d_name);
            if (text_ends(entry->d_name, ".yaml") && entry->d_name[0] != '.') {
                add_name(arena, &names, arena_copy(arena, entry->d_name, size - strlen(".yaml")));
            }
        }
        closedir(directory);
    }
    *ret_names = names.items;
    if (names.count == 0) {
        return 0;
    }
    qsort(names.items, names.count, sizeof *names.items, compare_names);
    size_t kept = 1;
    for (size_t i = 1; i < names.count; i++) {
        if (!text_equal(names.items[i], names.items[kept - 1])) {
            names.items[kept++] = names.items[i];
        }
    }
    return kept;
}

const char *data_manual(struct arena *arena, const char *command) {
    const char *program = program_folder(arena);
    const char *const folders[] = {"../man", "../share/man/man1"}; /* of a build folder, of an installation */
    for (size_t i = 0; program && i < sizeof folders / sizeof *folders; i++) {
        struct stat found;
        const char *path = arena_format(arena, "%s%s/parplan%s%s.1", program, folders[i], command ? "-" : "",
                                        command ? command : "");
        if (stat(path, &found) == 0) {
            return path;
        }
    }
    return NULL;
}
