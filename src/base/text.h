/* A growing text in an arena, and small questions about texts. */
#ifndef PARPLAN_BASE_TEXT_H
#define PARPLAN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Text under construction; `data` is always NUL-terminated. */
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
void text_pad(struct text *text, size_t column);  /* blanks until the last line is `column` wide */
size_t text_width(const char *text, size_t size); /* columns of a terminal: characters of UTF-8, not bytes */
size_t text_character(const char *text); /* bytes of the well-formed UTF-8 character at `text`, 0 if there is none */

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
bool text_same_letters(const char *a, const char *b); /* equal but for the case of ASCII letters */

/* The nearest of `count` names by Damerau-Levenshtein distance at most max(2, length / 3) and less
 * than the word's length, or NULL. Ties: the first. */
const char *text_nearest(const char *word, const char *const *names, size_t count);

/* FNV-1a, 64 bit, of `size` bytes: identifies inputs in plans; not cryptographic. */
unsigned long long text_digest(const void *data, size_t size);

/* Reads a decimal number in the C locale's grammar whatever the locale; the whole of `size` bytes must be read. Refuses
 * NaN, infinity and hexadecimal. Digits may be grouped with '_' between digits. */
bool text_number(const char *text, size_t size, double *ret_value);
/* The same times 10^tens, rounded once: text_number_scaled("4.35", 4, 2) is 435 although 4.35 * 100 is not. */
bool text_number_scaled(const char *text, size_t size, int tens, double *ret_value);
/* Bytes of the number that `text` begins with, 0 if it begins with none. */
size_t text_number_size(const char *text, size_t size);
bool text_integer(const char *text, size_t size, long long *ret_value);

/* The shortest decimal text that reads back as exactly `value`, locale-free ("0.1", "1e+30", "42"). */
void text_shortest(double value, char buffer[32]);
/* The same for value * 10^tens, without rounding. */
void text_shortest_scaled(double value, int tens, char buffer[32]);
/* With so many decimals, locale-free ("3.50"); for people. */
const char *text_fixed(struct arena *arena, double value, int decimals);

#endif
