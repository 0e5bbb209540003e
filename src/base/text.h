/* A growing text in an arena, and small questions about texts. */
#ifndef PARPLAN_BASE_TEXT_H
#define PARPLAN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Text under construction; `data` is always NUL-terminated once something was added. */
struct text {
    struct arena *arena;
    char *data;
    size_t size, room;
};

void text_init(struct text *text, struct arena *arena);
void text_add(struct text *text, const char *piece);
void text_add_bytes(struct text *text, const char *piece, size_t size);
void text_add_char(struct text *text, char c);
void text_add_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_pad(struct text *text, size_t column); /* blanks until the last line is `column` wide */

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* The nearest of `count` names by Damerau-Levenshtein distance at most max(2, length / 3), or NULL. Ties: the first. */
const char *text_nearest(const char *word, const char *const *names, size_t count);

/* FNV-1a, 64 bit, of `size` bytes: identifies inputs in plans; not cryptographic. */
unsigned long long text_digest(const void *data, size_t size);

/* Reads a decimal number in the C locale's grammar whatever the locale; the whole of `size` bytes must be read. Refuses
 * NaN, infinity and hexadecimal. Digits may be grouped with '_' between digits. */
bool text_number(const char *text, size_t size, double *ret_value);
bool text_integer(const char *text, size_t size, long long *ret_value);

/* The shortest decimal text that reads back as exactly `value`, locale-free ("0.1", "1e+30", "42"). Buffer of 32 bytes. */
void text_shortest(double value, char buffer[32]);

#endif
