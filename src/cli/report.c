#include "cli/report.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"

enum { EXCERPT_WIDTH = 100, EXCERPT_BEFORE = 60, UNDERLINE_MOST = 60 };

static const char *const severity_names[] = {"error", "warning", "note"};
static const char *const severity_colors[] = {"\033[1;31m", "\033[1;33m", "\033[1;36m"};

/* Bytes of one character at `at` that may be shown as they are: printable ASCII or a well-formed UTF-8 sequence. */
static size_t printable(const char *at, const char *end) {
    unsigned char first = (unsigned char)*at;
    if (first < 0x80) {
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    }
    size_t size = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first >= 0xf5 || (size_t)(end - at) < size || (first == 0xc2 && (unsigned char)at[1] < 0xa0)) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

/* Appends bytes so that each character takes one column: what cannot be shown becomes a blank (tab) or '?'. Returns the
 * columns taken. */
static size_t add_printable(struct text *out, const char *from, const char *end) {
    size_t columns = 0;
    for (const char *at = from; at < end; columns++) {
        size_t size = printable(at, end);
        if (size) {
            text_add_bytes(out, at, size);
        } else {
            text_add_char(out, *at == '\t' ? ' ' : '?');
        }
        at += size ? size : 1;
    }
    return columns;
}

/* The bytes of line `number` of the source, without its end. */
static bool find_line(const struct source *source, unsigned number, const char **ret_from, const char **ret_end) {
    if (!source || !source->text || number == 0) {
        return false;
    }
    const char *at = source->text;
    const char *end = source->text + source->size;
    for (unsigned line = 1; line < number; line++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        if (!next) {
            return false;
        }
        at = next + 1;
    }
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    *ret_from = at;
    *ret_end = stop ? stop : end;
    if (*ret_end > at && (*ret_end)[-1] == '\r') {
        (*ret_end)--;
    }
    return true;
}

/* Moves to the start of a UTF-8 character. */
static const char *align(const char *at, const char *least) {
    while (at > least && ((unsigned char)*at & 0xc0) == 0x80) {
        at--;
    }
    return at;
}

static void add_excerpt(struct text *out, const struct mark *mark, const char *paint, const char *plain) {
    const char *from, *end;
    if (mark->column == 0 || !find_line(mark->source, mark->line, &from, &end)) {
        return;
    }
    size_t length = (size_t)(end - from);
    const char *place = from + (mark->column - 1 < length ? mark->column - 1 : length);
    const char *left = place - from > EXCERPT_BEFORE + 20 ? align(place - EXCERPT_BEFORE, from) : from;
    const char *right = end - left > EXCERPT_WIDTH ? align(left + EXCERPT_WIDTH, left) : end;
    text_add_format(out, "%5u | %s", mark->line, left > from ? "..." : "");
    add_printable(out, left, right);
    text_add(out, right < end ? "...\n" : "\n");
    text_add_format(out, "      | %s", left > from ? "   " : "");
    struct text skipped;
    text_init(&skipped, out->arena);
    size_t before = add_printable(&skipped, left, place);
    skipped.size = 0;
    const char *stop = mark->length < (size_t)(right - place) ? place + mark->length : right;
    size_t under = add_printable(&skipped, place, stop);
    text_add_format(out, "%*s%s^", (int)before, "", paint);
    for (size_t i = 1; i < under && i < UNDERLINE_MOST; i++) {
        text_add_char(out, '~');
    }
    text_add_format(out, "%s\n", plain);
}

static void add_text(struct text *out, const char *words) {
    add_printable(out, words, words + strlen(words));
}

static void add_entry(struct text *out, const struct diag_entry *entry, bool color) {
    const char *paint = color ? severity_colors[entry->severity] : "";
    const char *plain = color ? "\033[0m" : "";
    text_add_format(out, "parplan: %s%s:%s ", paint, severity_names[entry->severity], plain);
    const struct mark *mark = &entry->mark;
    if (mark->source && mark->source->name) {
        add_text(out, mark->source->name);
        if (mark->line) {
            text_add_format(out, ":%u", mark->line);
            if (mark->column) {
                text_add_format(out, ":%u", mark->column);
            }
        }
        text_add(out, ": ");
    }
    add_text(out, entry->text);
    text_add_char(out, '\n');
    add_excerpt(out, mark, paint, plain);
    if (entry->context) {
        text_add(out, "  note: ");
        add_text(out, entry->context);
        text_add_char(out, '\n');
    }
    if (entry->help) {
        text_add(out, "  help: ");
        add_text(out, entry->help);
        text_add_char(out, '\n');
    }
}

void report_text(const struct diag *diag, bool color, bool with_warnings, struct text *out) {
    for (size_t i = 0; i < diag->count; i++) {
        if (with_warnings || diag->entries[i].severity == SEVERITY_ERROR) {
            add_entry(out, &diag->entries[i], color);
        }
    }
    if (diag->suppressed) {
        text_add_format(out, "parplan: note: %zu more %s not shown\n", diag->suppressed,
                        diag->suppressed == 1 ? "is" : "are");
    }
}

void report_print(const struct diag *diag, bool color, bool with_warnings) {
    struct text out;
    text_init(&out, diag->arena);
    report_text(diag, color, with_warnings, &out);
    if (out.size) {
        fwrite(out.data, 1, out.size, stderr);
    }
}
