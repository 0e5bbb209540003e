/* Growing texts and questions about texts. Numbers as text are in number.c. */
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

enum { FIRST_ROOM = 64 };

void text_init(struct text *text, struct arena *arena) {
    *text = (struct text){.arena = arena, .data = ARENA_ARRAY(arena, char, FIRST_ROOM), .room = FIRST_ROOM};
}

/* Makes room for `size` more bytes and the NUL; the room at least doubles, so adding is linear overall. */
static void text_grow(struct text *text, size_t size) {
    if (size < text->room - text->size) {
        return;
    }
    size_t wanted = size > SIZE_MAX / 2 - text->size ? SIZE_MAX : text->size + size + 1;
    size_t room = wanted < 2 * text->room ? 2 * text->room : wanted;
    char *data = ARENA_ARRAY(text->arena, char, room);
    memcpy(data, text->data, text->size);
    text->data = data;
    text->room = room;
}

void text_add_bytes(struct text *text, const char *piece, size_t size) {
    if (size == 0) {
        return;
    }
    text_grow(text, size);
    memcpy(text->data + text->size, piece, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void text_add(struct text *text, const char *piece) {
    text_add_bytes(text, piece, strlen(piece));
}

void text_add_char(struct text *text, char c) {
    text_add_bytes(text, &c, 1);
}

void text_add_format(struct text *text, const char *format, ...) {
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t room = text->room - text->size;
    int size = vsnprintf(text->data + text->size, room, format, arguments);
    if (size > 0 && (size_t)size >= room) {
        text_grow(text, (size_t)size);
        vsnprintf(text->data + text->size, (size_t)size + 1, format, again);
    }
    text->size += size > 0 ? (size_t)size : 0;
    text->data[text->size] = '\0';
    va_end(again);
    va_end(arguments);
}

size_t text_width(const char *text, size_t size) {
    size_t width = 0;
    for (size_t i = 0; i < size; i++) {
        width += ((unsigned char)text[i] & 0xC0U) != 0x80U;
    }
    return width;
}

void text_pad(struct text *text, size_t column) {
    size_t line = text->size;
    while (line > 0 && text->data[line - 1] != '\n') {
        line--;
    }
    for (size_t width = text_width(text->data + line, text->size - line); width < column; width++) {
        text_add_char(text, ' ');
    }
}

/* Lead bytes of well-formed UTF-8 with the bytes of their character and what the second byte may be (Unicode 15, table
 * 3-7); every further byte is 80..BF. */
static const struct {
    unsigned char first, last, size, least, most;
} LEADS[] = {
    {0x01, 0x7F, 1, 0x00, 0xFF}, {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

size_t text_character(const char *piece) {
    const unsigned char *text = (const unsigned char *)piece;
    for (size_t i = 0; i < sizeof LEADS / sizeof LEADS[0]; i++) {
        if (text[0] < LEADS[i].first || text[0] > LEADS[i].last) {
            continue;
        }
        bool good = text[1] >= LEADS[i].least && text[1] <= LEADS[i].most;
        for (size_t k = 2; good && k < LEADS[i].size; k++) {
            good = text[k] >= 0x80 && text[k] <= 0xBF;
        }
        return good ? LEADS[i].size : 0;
    }
    return 0;
}

bool text_equal(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool text_starts(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix) {
    size_t size = strlen(text);
    size_t end = strlen(suffix);
    return end <= size && strcmp(text + size - end, suffix) == 0;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_same_letters(const char *a, const char *b) {
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

enum { LONGEST_WORD = 64 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Optimal string alignment: the fewest insertions, deletions, substitutions and swaps of neighbours that turn a into b,
 * no part edited twice. Row i of the table needs rows i-1 and i-2 only. */
static size_t text_distance(const char *a, size_t a_size, const char *b, size_t b_size) {
    size_t rows[3][LONGEST_WORD + 1];
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

const char *text_nearest(const char *word, const char *const *names, size_t count) {
    size_t size = strlen(word);
    size_t limit = size / 3 > 2 ? size / 3 : 2;
    if (size > LONGEST_WORD) {
        return NULL;
    }
    limit = least(limit, size > 0 ? size - 1 : 0); /* something of the word must remain */
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t name_size = strlen(names[i]);
        size_t distance = name_size > LONGEST_WORD ? SIZE_MAX : text_distance(word, size, names[i], name_size);
        if (distance < limit || (distance == limit && nearest == NULL)) {
            nearest = names[i];
            limit = distance;
        }
    }
    return nearest;
}

unsigned long long text_digest(const void *data, size_t size) {
    const unsigned char *bytes = data;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}
