/* What may disturb a step: slow ranks and links, jitter, pauses, failures. A YAML document (parplan-scenario(5)); every
 * random number comes from a PCG stream of (seed, purpose, rank), so equal seeds give equal steps. */
#ifndef PARPLAN_SIM_SCENARIO_H
#define PARPLAN_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/field.h"
#include "plan/mesh.h"

struct node;
struct arena;

/* Ranks: `rank` alone, or from rank to `last` when that is not -1; rank -1: every rank. Seconds since the step began;
 * until 0: to its end. */
struct slow_rank { int64_t rank, last; double factor; double from, until; };       /* its compute takes factor x */
enum { LINK_ANY = AXIS_COUNT };
/* Communication of `axis` (enum axis, or any; pp: messages between stages) that these ranks take part in takes factor x
 * as long, or stands still (down). dp includes dp-cp and edp, cp includes dp-cp. */
struct slow_link { int64_t rank, last; int axis; bool down; double factor; double from, until; };
enum jitter_kind { JITTER_NORMAL, JITTER_LOGNORMAL, JITTER_UNIFORM, JITTER_EXPONENTIAL };
enum jitter_of { JITTER_COMPUTE, JITTER_COMMUNICATION, JITTER_ALL };
/* Every instruction's time is multiplied by a draw of mean 1 + mean and standard deviation `deviation`, at least 0. */
struct jitter { int kind, of; double mean, deviation; };
/* Nothing begins on it meanwhile; every 0: once. */
struct pause { int64_t rank, last; double at, duration, every; };
struct failure { int64_t rank; double at; }; /* it begins nothing from then on */

enum { SCENARIO_ENTRIES = 256 }; /* more of a kind are refused */

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
