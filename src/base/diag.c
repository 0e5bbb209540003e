/* Collects diagnostics. When the limit is reached an error still takes the place of the last warning or note: what
 * makes a command fail is never hidden by what does not. */
#include "base/diag.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"

const struct mark NO_MARK = {.source = NULL};

void diag_init(struct diag *diag, struct arena *arena) {
    *diag = (struct diag){.arena = arena};
}

/* The entry to fill, or NULL when there is no room for one of this severity. */
static struct diag_entry *diag_room(struct diag *diag, enum severity severity) {
    if (diag->count < DIAG_LIMIT) {
        return &diag->entries[diag->count++];
    }
    diag->suppressed++;
    if (severity != SEVERITY_ERROR) {
        return NULL;
    }
    for (size_t i = DIAG_LIMIT; i-- > 0;) {
        if (diag->entries[i].severity != SEVERITY_ERROR) {
            memmove(&diag->entries[i], &diag->entries[i + 1], (DIAG_LIMIT - 1 - i) * sizeof diag->entries[0]);
            return &diag->entries[DIAG_LIMIT - 1];
        }
    }
    return NULL;
}

__attribute__((format(printf, 4, 0))) static void diag_record(struct diag *diag, enum severity severity,
                                                              struct mark mark, const char *format, va_list arguments) {
    diag->errors += severity == SEVERITY_ERROR;
    diag->last = diag_room(diag, severity);
    if (diag->last != NULL) {
        *diag->last = (struct diag_entry){
            .severity = severity, .mark = mark, .text = arena_vformat(diag->arena, format, arguments)};
    }
}

enum status diag_error(struct diag *diag, struct mark mark, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    diag_record(diag, SEVERITY_ERROR, mark, format, arguments);
    va_end(arguments);
    return STATUS_INVALID;
}

enum status diag_trouble(struct diag *diag, struct mark mark, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    diag_record(diag, SEVERITY_ERROR, mark, format, arguments);
    va_end(arguments);
    return STATUS_ENVIRONMENT;
}

void diag_warning(struct diag *diag, struct mark mark, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    diag_record(diag, SEVERITY_WARNING, mark, format, arguments);
    va_end(arguments);
}

void diag_help(struct diag *diag, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (diag->last != NULL) {
        diag->last->help = arena_vformat(diag->arena, format, arguments);
    }
    va_end(arguments);
}

void diag_context(struct diag *diag, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (diag->last != NULL) {
        diag->last->context = arena_vformat(diag->arena, format, arguments);
    }
    va_end(arguments);
}

enum status diag_status(const struct diag *diag) {
    return diag->errors == 0 ? OK : STATUS_INVALID;
}
