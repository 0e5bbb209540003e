/* Plain only what no reader could take for anything else: parplan keeps scalars as texts, but other programs read plans
 * too, and YAML 1.1 has many words for true, false and nothing and many ways to write numbers
 * (https://yaml.org/type/). */
#include "yaml/quote.h"

#include <string.h>

#include "yaml/inspect.h"

static bool is_word(const char *value) {
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_same_letters(value, words[i])) {
            return true;
        }
    }
    return false;
}

/* Numbers, dates and times in any notation: a digit, sign or point first, and nothing but what those are made of. */
static bool is_like_number(const char *value) {
    if (strchr("+-.0123456789", value[0]) == NULL) {
        return false;
    }
    const char *rest = value + strspn(value, "+-");
    bool based = rest[0] == '0' && rest[1] != '\0' && strchr("xXoObB", rest[1]) != NULL;
    bool special = text_same_letters(rest, ".inf") || text_same_letters(rest, ".nan");
    return based || special || rest[strspn(rest, "+-._:0123456789eETtZz ")] == '\0';
}

static bool is_plain(const char *value, bool in_list) {
    size_t size = strlen(value);
    if (size == 0 || strchr(" -?:,[]{}#&*!|>'\"%@`~=<", value[0]) != NULL || strchr(" :", value[size - 1]) != NULL) {
        return false;
    }
    for (const char *at = value; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < ' ' || c > '~' || (c == ':' && (at[1] == ' ' || in_list)) || (c == '#' && at[-1] == ' ')) {
            return false;
        }
    }
    return !(in_list && strpbrk(value, ",[]{}") != NULL) && !is_word(value) && !is_like_number(value);
}

/* Appends one character in double quotes; `text` begins with it. */
static size_t quote_character(struct text *out, const char *text, size_t size) {
    unsigned code = 0;
    size_t length = inspect_character(text, size, &code);
    if (length == 0) { /* no character: the byte's value, so that the document stays UTF-8 */
        text_add_format(out, "\\x%02X", (unsigned)(unsigned char)text[0]);
        return 1;
    }
    if (code == '"' || code == '\\') {
        text_add_format(out, "\\%c", (char)code);
    } else if (code == '\n' || code == '\t') {
        text_add(out, code == '\n' ? "\\n" : "\\t");
    } else if (code < ' ' || (code >= 0x7F && code < 0xA0)) {
        text_add_format(out, "\\x%02X", code);
    } else if (code == 0x2028 || code == 0x2029 || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF) {
        text_add_format(out, "\\u%04X", code);
    } else {
        text_add_bytes(out, text, length);
    }
    return length;
}

void quote_text(struct text *out, const char *value, bool in_list) {
    if (is_plain(value, in_list)) {
        text_add(out, value);
        return;
    }
    size_t size = strlen(value);
    text_add_char(out, '"');
    for (size_t at = 0; at < size;) {
        at += quote_character(out, value + at, size - at);
    }
    text_add_char(out, '"');
}
