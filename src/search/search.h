/* The search: the best configurations of a space under the cost model, exactly, with a proven bound.
 *
 * The space is enumerated as shapes (tp, cp, ep, etp, pp) in the order of a cheap lower bound; a shape is opened into cuts
 * (context kind, sp, mesh order), micro-batches, stage maps, recomputation, schedules and ZeRO stages. What a bound above
 * the worst kept plan, or memory that no choice below can save, rules out is counted and not priced. */
#ifndef PARPLAN_SEARCH_SEARCH_H
#define PARPLAN_SEARCH_SEARCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "cost/estimate.h"

struct search_result {
    struct list plans;   /* struct estimate: best first; or the Pareto front, by its first objective */
    bool is_front;
    int64_t evaluated;   /* configurations priced in full */
    int64_t pruned_memory, pruned_bound, pruned_rule;
    double seconds;
    int64_t threads;
    double lower_bound;  /* seconds: no plan of the space has a shorter step (objective time) */
    double gap;          /* best step over that bound, minus one */
    bool complete;       /* false: stopped early, plans are the best so far */
    bool has_nearest;    /* nothing fits: the configuration that misses memory by least */
    struct estimate nearest;
    struct list refusals; /* struct search_refusal: rules that refused, most often first */
};
struct search_refusal { const char *rule, *doc; int64_t count; };

struct search_control {
    const volatile sig_atomic_t *stop; /* set to 1 by someone else: end with the best so far; may be NULL */
    double (*clock)(void);             /* seconds, monotone; NULL = no time limit and seconds = 0 */
    void (*progress)(void *context, const struct search_result *so_far); /* between rounds; may be NULL */
    void *context;
    bool exhaustive;                   /* price everything that memory allows: no pruning by bounds */
};

/* Searches job->space. STATUS_INFEASIBLE when nothing fits (ret tells the nearest), STATUS_INTERRUPTED when stopped early
 * with or without plans, STATUS_INVALID for a bad constraint. */
enum status search_run(struct arena *arena, const struct cost_context *context, const struct search_control *control,
                       struct search_result *ret, struct diag *diag) MUST_CHECK;

/* What would make a plan fit: each relaxation of the space that does, with the step time it then takes. */
struct relaxation { const char *text; struct estimate estimate; };
struct list search_relaxations(struct arena *arena, const struct cost_context *context,
                               const struct search_control *control);

#endif
