/* The short form of a topology on the command line: COUNTxDEVICE[*NODES][@NICSxRATE], such as 8xh100-sxm*64@8x400G.
 * DEVICE is the name of a shipped topology whose node it takes over; RATE is in Gbit/s ("400G") or with a unit. */
#ifndef PARPLAN_TOPOLOGY_SHORTFORM_H
#define PARPLAN_TOPOLOGY_SHORTFORM_H

#include <stdbool.h>

#include "topology/topology.h"

struct shortform { const char *device; int64_t count, nodes, nics; double rate; }; /* 0 = not given */

bool shortform_is(const char *text); /* digits, then 'x', then a name */
enum status shortform_parse(struct arena *arena, const char *text, struct shortform *ret, struct diag *diag)
    MUST_CHECK;
/* Applies it to the topology of that device. */
enum status shortform_apply(struct arena *arena, const struct shortform *form, struct topology *topology,
                            struct diag *diag) MUST_CHECK;

#endif
