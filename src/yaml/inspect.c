/* Characters are those YAML 1.1 calls printable (https://yaml.org/spec/1.1/, c-printable). Two bounds are libyaml
 * 0.2.5's own: it clears its buffer of blanks after every word of a scalar, as much of it as the longest run of blanks
 * or line breaks took, and it compares every %TAG line with all before it. */
#include "yaml/inspect.h"

#include <stdbool.h>
#include <string.h>

#include "yaml/place.h"

enum { RUN_LIMIT = 1024, DIRECTIVES_LIMIT = 16 };

size_t inspect_character(const char *text, size_t size, unsigned *ret_code) {
    static const unsigned smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)text;
    static const unsigned char lengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4}; /* by the upper 4 bits */
    size_t length = lengths[byte[0] >> 4];
    if (length == 0 || length > size) {
        return 0;
    }
    unsigned code = length == 1 ? byte[0] : byte[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0U) != 0x80) {
            return 0;
        }
        code = code << 6 | (byte[i] & 0x3FU);
    }
    *ret_code = code;
    return code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) ? 0 : length;
}

static bool code_is_printable(unsigned code) {
    if (code < 0x20) {
        return code == '\t' || code == '\n' || code == '\r';
    }
    return code <= 0x7E || code == 0x85 || (code >= 0xA0 && code != 0xFFFE && code != 0xFFFF);
}

static enum status refuse_character(const struct source *source, size_t offset, size_t length, unsigned code,
                                    struct diag *diag) {
    struct mark mark = place_of_byte(source, offset);
    if (length == 0) {
        unsigned byte = (unsigned char)source->text[offset];
        diag_error(diag, mark, "the byte 0x%02X is not UTF-8 text", byte);
        diag_help(diag, "documents are UTF-8; convert the file, for example with iconv -f latin1 -t utf-8");
    } else if (code == 0) {
        diag_error(diag, mark, "a NUL byte: this is not a text file");
    } else {
        diag_error(diag, mark, "the control character U+%04X is not allowed", code);
    }
    return STATUS_INVALID;
}

static enum status inspect_characters(const struct source *source, struct diag *diag) {
    size_t offset = 0;
    while (offset < source->size) {
        unsigned code = 0;
        size_t length = inspect_character(source->text + offset, source->size - offset, &code);
        if (length == 0 || !code_is_printable(code)) {
            return refuse_character(source, offset, length, code, diag);
        }
        offset += length;
    }
    return OK;
}

static enum status inspect_runs(const struct source *source, struct diag *diag) {
    size_t blanks = 0, breaks = 0, directives = 0;
    for (size_t i = 0; i < source->size; i++) {
        char c = source->text[i];
        if (c == ' ' || c == '\t') {
            blanks++;
        } else if (c == '\n' || c == '\r') {
            blanks = 0;
            breaks++;
        } else {
            directives += c == '%' && (i == 0 || source->text[i - 1] == '\n' || source->text[i - 1] == '\r');
            blanks = breaks = 0;
        }
        if (blanks > RUN_LIMIT || breaks > RUN_LIMIT) {
            return diag_error(diag, place_of_byte(source, i), "more than %d %s in a row", RUN_LIMIT,
                              blanks > RUN_LIMIT ? "blanks" : "line breaks");
        }
        if (directives > DIRECTIVES_LIMIT) {
            return diag_error(diag, place_of_byte(source, i), "more than %d lines that begin with '%%'",
                              DIRECTIVES_LIMIT);
        }
    }
    return OK;
}

enum status inspect_text(const struct source *source, struct diag *diag) {
    TRY(inspect_characters(source, diag));
    return inspect_runs(source, diag);
}
