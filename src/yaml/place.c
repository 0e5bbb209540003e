/* Lines end at line feeds, columns count characters. Where the text libyaml reads was rewritten (see flow.c), its
 * characters lead to the byte and the source's bytes give line and column. */
#include "yaml/place.h"

#include <limits.h>
#include <stdbool.h>

struct place place_start(const struct source *source, const char *read) {
    return (struct place){.source = source, .read = read, .line = 1, .column = 1};
}

static bool byte_continues(char c) {
    return ((unsigned char)c & 0xC0U) == 0x80;
}

void place_move(struct place *place, size_t index) {
    size_t size = place->source->size;
    while (place->index < index && place->offset < size) {
        do {
            char c = place->source->text[place->offset++];
            if (c == '\n') {
                place->line++;
                place->column = 1;
            } else if (!byte_continues(c)) {
                place->column++;
            }
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
        if (source->text[i] == '\n') {
            mark.line++;
            mark.column = 1;
        } else if (!byte_continues(source->text[i])) {
            mark.column++;
        }
    }
    return mark;
}
