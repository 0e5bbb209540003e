/* Nodes with another number of devices. */
#ifndef PARPLAN_TOPOLOGY_RESIZE_H
#define PARPLAN_TOPOLOGY_RESIZE_H

#include "topology/topology.h"

/* Gives the node `name` (its own text, not a copy) `count` devices; adapters and host stay. Places are stale then. */
enum status resize_node(struct arena *arena, struct topology *topology, const char *name, int64_t count,
                        struct diag *diag) MUST_CHECK;

#endif
