/* From files to bytes. Only regular files are read (and standard input by the name "-"): a FIFO would hang, a device
 * may never end. The size is checked before anything is read. */
#include "yaml/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "yaml/inspect.h"
#include "yaml/reader.h"

static enum status refuse_open(const char *path, int cause, struct diag *diag) {
    switch (cause) {
    case ENOENT:
    case ENOTDIR:
        return diag_error(diag, NO_MARK, "%s: no such file", *path != '\0' ? path : "''");
    case ENAMETOOLONG:
    case ELOOP:
        return diag_error(diag, NO_MARK, "%s: not the name of a file", reader_clip(diag->arena, path));
    case EACCES:
        return diag_trouble(diag, NO_MARK, "%s: permission to read it is denied", path);
    default:
        return diag_trouble(diag, NO_MARK, "%s: cannot be read: %s", path, strerror(cause));
    }
}

static enum status refuse_size(const char *path, struct diag *diag) {
    return diag_error(diag, NO_MARK, "%s: larger than %d MiB, the limit for a document", path,
                      DOCUMENT_BYTES / (1024 * 1024));
}

static enum status check_kind(const char *path, const struct stat *about, struct diag *diag) {
    if (S_ISREG(about->st_mode)) {
        return about->st_size > DOCUMENT_BYTES ? refuse_size(path, diag) : OK;
    }
    diag_error(diag, NO_MARK, "%s: %s, not a file", path,
               S_ISDIR(about->st_mode)    ? "a directory"
               : S_ISFIFO(about->st_mode) ? "a pipe"
               : S_ISSOCK(about->st_mode) ? "a socket"
                                          : "a device");
    if (!S_ISDIR(about->st_mode)) {
        diag_help(diag, "name it '-' and redirect it to standard input");
    }
    return STATUS_INVALID;
}

/* All bytes until the end; files of /proc have more than their size says. */
static enum status read_all(struct arena *arena, int file, const char *path, size_t expected, struct source *source,
                            struct diag *diag) {
    size_t room = expected + 1, size = 0;
    char *data = arena_alloc(arena, room + 1, 1);
    for (;;) {
        ssize_t got = read(file, data + size, room - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return diag_trouble(diag, NO_MARK, "%s: cannot be read: %s", path, strerror(errno));
        }
        if (got == 0) {
            break;
        }
        size += (size_t)got;
        if (size > DOCUMENT_BYTES) {
            return refuse_size(path, diag);
        }
        if (size == room) {
            room = room * 2 + 4096;
            char *larger = arena_alloc(arena, room + 1, 1);
            memcpy(larger, data, size);
            data = larger;
        }
    }
    data[size] = '\0';
    *source = (struct source){.name = arena_text(arena, path), .text = data, .size = size};
    return OK;
}

static enum status read_file(struct arena *arena, const char *path, struct source *source, struct diag *diag) {
    int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0 && (errno == ENXIO || errno == ENODEV)) {
        return check_kind(path, &(struct stat){.st_mode = S_IFSOCK}, diag);
    }
    if (file < 0) {
        return refuse_open(path, errno, diag);
    }
    struct stat about;
    enum status status = OK;
    if (fstat(file, &about) != 0) {
        status = refuse_open(path, errno, diag);
    } else {
        status = check_kind(path, &about, diag);
    }
    if (status == OK) {
        status = read_all(arena, file, path, (size_t)about.st_size, source, diag);
    }
    close(file);
    return status;
}

enum status document_read(struct arena *arena, const char *path, struct source **ret_source, struct diag *diag) {
    *ret_source = NULL;
    struct source *source = ARENA_NEW(arena, struct source);
    if (strcmp(path, "-") == 0) {
        TRY(read_all(arena, STDIN_FILENO, "<stdin>", 64 * 1024, source, diag));
    } else {
        TRY(read_file(arena, path, source, diag));
    }
    TRY(inspect_text(source, diag));
    *ret_source = source;
    return OK;
}
