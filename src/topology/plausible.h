/* Numbers that no machine has. */
#ifndef PARPLAN_TOPOLOGY_PLAUSIBLE_H
#define PARPLAN_TOPOLOGY_PLAUSIBLE_H

#include "topology/topology.h"

/* An error for every number of the document that is not 0 and too small or too large to be meant; `root` gives places.
 * What is computed from the numbers that are left stays finite. */
enum status topology_plausible(struct arena *arena, const struct topology *topology, const struct node *root,
                               struct diag *diag) MUST_CHECK;

#endif
