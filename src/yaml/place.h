/* Where a character of a text is: libyaml counts characters, a mark has line, column and bytes. A place only moves
 * forward, so that all marks of a document together cost one pass. */
#ifndef PARPLAN_YAML_PLACE_H
#define PARPLAN_YAML_PLACE_H

#include <stddef.h>

#include "base/diag.h"

struct place {
    const struct source *source;
    const char *read; /* the text libyaml reads: as the source, or rewritten with the same number of bytes */
    size_t index;     /* characters before this place, as read */
    size_t offset;    /* bytes before it */
    unsigned line, column;
};

struct place place_start(const struct source *source, const char *read);
/* Moves to a character at or behind the place; beyond the end it stops there. */
void place_move(struct place *place, size_t index);
/* A mark at the place that covers the text up to character `end`, at most the rest of the line. */
struct mark place_mark(const struct place *place, size_t end);
/* A mark of one byte at a byte of the source. */
struct mark place_of_byte(const struct source *source, size_t offset);

#endif
