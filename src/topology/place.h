/* Places the groups of a cluster: ranks, scale-up domains and torus extents (struct group_place). */
#ifndef PARPLAN_TOPOLOGY_PLACE_H
#define PARPLAN_TOPOLOGY_PLACE_H

#include "topology/topology.h"

/* Sets group->place of every group; names must have been checked. Refuses clusters that are too large and nodes that
 * cannot reach each other. */
enum status topology_place(struct topology *topology, const struct node *root, struct diag *diag) MUST_CHECK;

/* The place of a dotted key, or of the nearest key above it that is there; NO_MARK without a document. */
struct mark topology_mark(const struct node *root, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
