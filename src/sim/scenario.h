/* What may disturb a step: slow ranks and links, jitter, pauses, failures. A YAML document (parplan-scenario(5)); every
 * random number comes from a PCG stream of (seed, purpose, rank), so equal seeds give equal steps. */
#ifndef PARPLAN_SIM_SCENARIO_H
#define PARPLAN_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/field.h"

struct node;
struct arena;

/* Ranks: `rank` alone, or from rank to `last`; -1 and 0 in both: every rank. */
struct slow_rank { int64_t rank, last; double factor; double from, until; };       /* times its compute takes factor x */
enum { LINK_ANY = -1 };
/* Communication of `axis` (enum axis by name, or all) that these ranks take part in takes factor x as long. */
struct slow_link { int64_t rank, last; int axis; double factor; double from, until; };
enum jitter_kind { JITTER_NORMAL, JITTER_LOGNORMAL, JITTER_UNIFORM, JITTER_EXPONENTIAL };
enum jitter_of { JITTER_COMPUTE, JITTER_COMMUNICATION, JITTER_ALL };
/* Every instruction's time is multiplied by a draw of mean 1 + mean and standard deviation `deviation`, at least 0. */
struct jitter { int kind, of; double mean, deviation; };
struct pause { int64_t rank, last; double at, duration, every; };                  /* nothing begins on it meanwhile */
struct failure { int64_t rank; double at; };                                       /* begins nothing afterwards */

struct scenario {
    const char *name, *source;
    struct list slow, links, jitter, pauses, failures;
};

extern const struct field scenario_fields[];

enum status scenario_load(struct arena *arena, struct node *root, struct scenario *ret, struct diag *diag) MUST_CHECK;
/* Ranks beyond `ranks`, factors that stop everything and the like: reported at `root`'s places. */
enum status scenario_check(const struct scenario *scenario, int64_t ranks, const struct node *root,
                           struct diag *diag) MUST_CHECK;
/* Whether ranks that share a role are disturbed differently: then every rank must be played. */
bool scenario_is_uneven(const struct scenario *scenario);

#endif
