/* JSON is YAML's flow style but for details in which libyaml (YAML 1.1) differs. They are rewritten without moving what
 * follows, so that places stay right; what a string loses in length comes back as blanks behind its closing quote:
 *
 *   "\ud83d\ude00": 1     a surrogate pair: two code units in JSON (RFC 8259, section 7), invalid in YAML
 *   "\U0001f600"  : 1
 *
 * Tabs between tokens become blanks; a ':' in a later line than its key moves up behind the key; raw U+0085, U+2028
 * and U+2029 in strings, line breaks in YAML 1.1, become escapes. */
#include "yaml/flow.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"

enum state { BETWEEN, DOUBLE_QUOTES, SINGLE_QUOTES, COMMENT };

struct rewrite {
    const char *from, *end;
    char *to;
    enum state state;
    char before;  /* the last byte outside quotes that is not blank */
    char *behind; /* where the text behind the last string's closing quote begins */
    size_t lost;  /* bytes this string became shorter */
};

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The code unit of \uXXXX, or -1. */
static long unit_at(const char *from, const char *end) {
    if (end - from < 6 || from[0] != '\\' || from[1] != 'u') {
        return -1;
    }
    long unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(from[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static void rewrite_copy(struct rewrite *rewrite, size_t count) {
    for (size_t i = 0; i < count && rewrite->from < rewrite->end; i++) {
        *rewrite->to++ = *rewrite->from++;
    }
}

static void rewrite_put(struct rewrite *rewrite, const char *text, size_t replaced) {
    size_t size = strlen(text);
    memcpy(rewrite->to, text, size);
    rewrite->to += size;
    rewrite->from += replaced;
    rewrite->lost += replaced - size;
}

/* The escape for a raw character that YAML 1.1 takes for a line break, or NULL. */
static const char *break_escape(const char *from, const char *end, size_t *ret_size) {
    *ret_size = 3;
    if (end - from >= 3 && memcmp(from, "\xE2\x80\xA8", 3) == 0) {
        return "\\L";
    }
    if (end - from >= 3 && memcmp(from, "\xE2\x80\xA9", 3) == 0) {
        return "\\P";
    }
    *ret_size = 2;
    return end - from >= 2 && memcmp(from, "\xC2\x85", 2) == 0 ? "\\N" : NULL;
}

static void rewrite_in_string(struct rewrite *rewrite) {
    long high = unit_at(rewrite->from, rewrite->end);
    long low = high < 0 ? -1 : unit_at(rewrite->from + 6, rewrite->end);
    size_t size = 0;
    const char *escape = break_escape(rewrite->from, rewrite->end, &size);
    if (high >= 0xD800 && high <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF) {
        char text[16];
        snprintf(text, sizeof text, "\\U%08lx", 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
        rewrite_put(rewrite, text, 12);
    } else if (escape != NULL) {
        rewrite_put(rewrite, escape, size);
    } else if (*rewrite->from == '\\') {
        rewrite_copy(rewrite, 2);
    } else if (*rewrite->from == '"') {
        rewrite_copy(rewrite, 1);
        rewrite->behind = rewrite->to;
        memset(rewrite->to, ' ', rewrite->lost);
        rewrite->to += rewrite->lost;
        rewrite->lost = 0;
        rewrite->state = BETWEEN;
        rewrite->before = '"';
    } else {
        rewrite_copy(rewrite, 1);
    }
}

/* The state that a byte outside quotes leads to. */
static enum state state_after(const struct rewrite *rewrite, char c, bool after_blank) {
    bool token = rewrite->before == '\0' || strchr("{[,:", rewrite->before) != NULL;
    if (c == '#' && after_blank) {
        return COMMENT;
    }
    if (!token || (c != '"' && c != '\'')) {
        return BETWEEN;
    }
    return c == '"' ? DOUBLE_QUOTES : SINGLE_QUOTES;
}

/* A ':' behind a key in quotes moves up to it. */
static void rewrite_colon(struct rewrite *rewrite) {
    memmove(rewrite->behind + 1, rewrite->behind, (size_t)(rewrite->to - rewrite->behind));
    *rewrite->behind = ':';
    rewrite->to++;
    rewrite->from++;
    rewrite->before = ':';
}

static void rewrite_between(struct rewrite *rewrite, bool after_blank) {
    char c = *rewrite->from;
    rewrite->state = state_after(rewrite, c, after_blank);
    if (c == '\t') {
        rewrite_put(rewrite, " ", 1);
        return;
    }
    if (c == ':' && rewrite->before == '"') {
        rewrite_colon(rewrite);
        return;
    }
    if (rewrite->state != COMMENT && c != ' ' && c != '\n' && c != '\r') {
        rewrite->before = c == '"' ? 'a' : c; /* a quote inside a word is part of the word */
    }
    rewrite_copy(rewrite, 1);
}

static void rewrite_step(struct rewrite *rewrite, const char *start) {
    switch (rewrite->state) {
    case BETWEEN:
        rewrite_between(rewrite, rewrite->from == start || strchr(" \t\r\n", rewrite->from[-1]) != NULL);
        return;
    case DOUBLE_QUOTES:
        rewrite_in_string(rewrite);
        return;
    case SINGLE_QUOTES:
        if (rewrite->from[0] == '\'' && rewrite->from[1] == '\'') {
            rewrite_copy(rewrite, 2);
            return;
        }
        if (*rewrite->from == '\'') {
            rewrite->state = BETWEEN;
            rewrite->before = '\'';
        }
        rewrite_copy(rewrite, 1);
        return;
    case COMMENT:
        if (*rewrite->from == '\n') {
            rewrite->state = BETWEEN;
        }
        rewrite_copy(rewrite, 1);
        return;
    }
}

const char *flow_text(struct arena *arena, const struct source *source) {
    size_t blank = strspn(source->text, " \t\r\n");
    if (source->text[blank] != '{' && source->text[blank] != '[') {
        return source->text;
    }
    char *copy = arena_alloc(arena, source->size + 1, 1);
    struct rewrite rewrite = {.from = source->text, .end = source->text + source->size, .to = copy};
    while (rewrite.from < rewrite.end) {
        rewrite_step(&rewrite, source->text);
    }
    memset(rewrite.to, ' ', rewrite.lost); /* a string that does not end */
    return copy;
}
