/* Lines, boxes and bars of at most so many columns, in box characters or ASCII. */
#ifndef PARPLAN_TOPOLOGY_CANVAS_H
#define PARPLAN_TOPOLOGY_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

struct canvas {
    struct text *out;
    size_t width;
    bool ascii, boxed; /* boxed: lines stand between the sides of a box */
};

enum { CANVAS_LEAST = 40, CANVAS_USUAL = 100 }; /* columns */

void canvas_init(struct canvas *canvas, struct text *out, int width, bool ascii);
/* A paragraph, broken at blanks; later lines are indented. */
void canvas_line(struct canvas *canvas, const char *text);
/* The top of a box, and its bottom with `legs` leaving downwards (as many as fit). */
void canvas_open(struct canvas *canvas, int64_t legs);
void canvas_close(struct canvas *canvas, int64_t legs);
/* A row of numbered devices on a bar that is cut after every `domain` devices (0 = whole). Where not all fit, the
 * middle is left out. */
void canvas_cells(struct canvas *canvas, int64_t count, int64_t domain);
/* A thick bar across that `legs` come down on. */
void canvas_bar(struct canvas *canvas, int64_t legs);

#endif
