/* Proves what every interpreter of a program relies on. */
#ifndef PARPLAN_PROGRAM_CHECK_H
#define PARPLAN_PROGRAM_CHECK_H

#include "base/diag.h"
#include "program/program.h"

struct arena;

/* Every send has its receive and the reverse; groups come to their collectives in the same order; no cyclic wait (the
 * cycle is printed); every layer and micro-batch forward and backward exactly once; every tensor is allocated and freed
 * exactly once, in that order; indices lie in their arrays. All faults found are reported, at most DIAG_LIMIT. */
enum status program_check(struct arena *arena, const struct program *program, const struct model *model,
                          struct diag *diag) MUST_CHECK;

#endif
