/* Lines end at line feeds, columns count bytes. Where the text libyaml reads was rewritten (see flow.c), its characters
 * lead to the byte and the source's bytes give line and column. */
#include "yaml/place.h"

#include <limits.h>
#include <stdbool.h>

struct place place_start(const struct source *source, const char *read) {
    return (struct place){.source = source, .read = read, .line = 1, .column = 1};
}

/* Whether a byte is a later one of a character in UTF-8. */
static bool byte_continues(char c) {
    return ((unsigned char)c & 0xC0U) == 0x80;
}

/* Counts one byte of the source. */
static void count_byte(char c, unsigned *line, unsigned *column) {
    if (c == '\n') {
        ++*line;
        *column = 1;
    } else {
        ++*column;
    }
}

void place_move(struct place *place, size_t index) {
    size_t size = place->source->size;
    while (place->index < index && place->offset < size) {
        do {
            count_byte(place->source->text[place->offset++], &place->line, &place->column);
        } while (place->offset < size && byte_continues(place->read[place->offset]));
        place->index++;
    }
}

struct mark place_mark(const struct place *place, size_t end) {
    struct place last = *place;
    place_move(&last, end);
    size_t stop = place->offset;
    while (stop < last.offset && place->source->text[stop] != '\n') {
        stop++;
    }
    size_t length = stop - place->offset;
    return (struct mark){.source = place->source,
                         .line = place->line,
                         .column = place->column,
                         .length = length == 0 ? 1 : (unsigned)(length < UINT_MAX ? length : UINT_MAX)};
}

struct mark place_of_byte(const struct source *source, size_t offset) {
    struct mark mark = {.source = source, .line = 1, .column = 1, .length = 1};
    for (size_t i = 0; i < offset && i < source->size; i++) {
        count_byte(source->text[i], &mark.line, &mark.column);
    }
    return mark;
}
