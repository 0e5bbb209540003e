/* The topology as text: one node with its scale-up fabric and NICs, the tiers above, rates on every link. */
#ifndef PARPLAN_TOPOLOGY_DRAW_H
#define PARPLAN_TOPOLOGY_DRAW_H

#include <stdbool.h>

struct text;
struct topology;

/* Appends the drawing, at most `width` columns; `ascii` avoids box characters. */
void draw_topology(const struct topology *topology, int width, bool ascii, struct text *out);

#endif
