#define _XOPEN_SOURCE 700 /* realpath */

#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/diag.h"
#include "cli/options.h"

/* Writes all of it; false with errno. */
static bool write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return false;
        }
        data += written;
        size -= (size_t)written;
    }
    return true;
}

enum status output_print(struct context *context, const struct text *text) {
    if (text->size && !write_all(STDOUT_FILENO, text->data, text->size) && errno != EPIPE) {
        return diag_trouble(context->diag, NO_MARK, "cannot write to standard output: %s", strerror(errno));
    }
    return OK;
}

static enum status complain(struct context *context, const char *path, const char *what) {
    return diag_trouble(context->diag, options_mark(context, "output"), "cannot %s '%s': %s", what, path,
                        strerror(errno));
}

/* Devices and pipes cannot be renamed over. */
static enum status write_directly(struct context *context, const char *path, const struct text *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return complain(context, path, "open");
    }
    bool written = write_all(fd, text->data, text->size);
    enum status status = written ? OK : complain(context, path, "write");
    if (close(fd) != 0 && written) {
        status = complain(context, path, "write");
    }
    return status;
}

/* Permissions of the file that is replaced, or what the umask leaves of 0666. */
static mode_t mode_of(const struct stat *old) {
    if (old) {
        return old->st_mode & 0777;
    }
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool fill_file(int fd, const struct text *text, mode_t mode) {
    bool good = write_all(fd, text->data, text->size) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int reason = errno;
    good = close(fd) == 0 && good;
    if (reason && !good) {
        errno = reason;
    }
    return good;
}

/* A name in the same folder, for mkstemp; not the target's with an ending, which may be as long as a name can be. */
static char *temporary_beside(struct arena *arena, const char *target) {
    const char *slash = strrchr(target, '/');
    return arena_format(arena, "%.*s.parplan-XXXXXX", slash ? (int)(slash + 1 - target) : 0, target);
}

enum status output_file(struct context *context, const char *path, const struct text *text) {
    if (text_equal(path, "-")) {
        return output_print(context, text);
    }
    struct stat old;
    bool exists = stat(path, &old) == 0;
    if (exists && S_ISDIR(old.st_mode)) {
        errno = EISDIR;
        return complain(context, path, "write");
    }
    if (exists && !S_ISREG(old.st_mode)) {
        return write_directly(context, path, text);
    }
    char *real = exists ? realpath(path, NULL) : NULL; /* a link stays a link, its target is replaced */
    const char *target = real ? arena_text(context->arena, real) : path;
    free(real);
    char *temporary = temporary_beside(context->arena, target);
    int fd = mkstemp(temporary);
    if (fd < 0) {
        return complain(context, path, "create");
    }
    errno = 0;
    if (!fill_file(fd, text, mode_of(exists ? &old : NULL)) || rename(temporary, target) != 0) {
        enum status status = complain(context, path, "write");
        unlink(temporary);
        return status;
    }
    return OK;
}

enum status output_result(struct context *context, const struct text *text) {
    return context->globals.output ? output_file(context, context->globals.output, text) : output_print(context, text);
}
