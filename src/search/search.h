/* The search: the best configurations of a space under the cost model, exactly, with a proven bound.
 *
 * Shapes (tp, cp, ep, etp, pp) with a micro-batch are the nodes. A cheap lower bound orders them, and the search opens
 * them best bound first until the bound of all that are left exceeds the worst plan kept (floor.h, frontier.h,
 * explore.h). What a bound rules out, or does not fit, is counted and not priced. Results and counts are the same at
 * any number of threads. */
#ifndef PARPLAN_SEARCH_SEARCH_H
#define PARPLAN_SEARCH_SEARCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "cost/estimate.h"

/* evaluated + pruned_memory + pruned_bound + pruned_rule is the size of the space (space.h) once the search is
 * complete.
 *
 *   evaluated       priced in full
 *   pruned_memory   legal, and proven not to fit
 *   pruned_bound    legal, and in a group of which nothing that fits is better than what is kept, or as fast as
 *                   max_step_time
 *   pruned_rule     refused by a rule or forbidden by the job; counted by the first rule broken */
struct search_result {
    struct list plans; /* struct estimate: best first, one of each family (best.h); or the Pareto front, by its first
                          objective, one of equals */
    bool is_front;
    int64_t evaluated, pruned_memory, pruned_bound, pruned_rule;
    double seconds;
    int64_t threads;
    double lower_bound; /* seconds: no plan of the space has a shorter step, whatever the objective; 0 = none */
    double gap;         /* step of the first plan over that bound, minus one */
    bool complete;      /* false: stopped early, plans are the best so far */
    bool has_nearest;   /* nothing fits: the legal configuration that misses memory by least; if some fit and only
                           max_step_time is in the way, the fastest that fits */
    struct estimate nearest;
    struct list refusals; /* struct search_refusal: rules that refused, most often first */
};
struct search_refusal {
    const char *rule, *doc;
    int64_t count;
};

struct search_control {
    const volatile sig_atomic_t *stop; /* set to 1 by someone else: end with the best so far; may be NULL */
    double (*clock)(void);             /* seconds, monotone; NULL = no time limit and seconds = 0 */
    /* Between rounds; may be NULL. Told are counts, and where time is the objective the best decision with its step. */
    void (*progress)(void *context, const struct search_result *so_far);
    void *context;
    bool exhaustive; /* price everything legal: no pruning by bounds or memory */
    bool plans_only; /* leave out the nearest when nothing fits */
};

/* Searches job->space. STATUS_INFEASIBLE when nothing fits (ret tells the nearest), STATUS_INTERRUPTED when stopped
 * early with or without plans, STATUS_INVALID for a bad constraint. */
enum status search_run(struct arena *arena, const struct cost_context *context, const struct search_control *control,
                       struct search_result *ret, struct diag *diag) MUST_CHECK;

/* What would make a plan fit: each relaxation of the space that does, with the step time it then takes. */
struct relaxation {
    const char *text;
    struct estimate estimate;
};
struct list search_relaxations(struct arena *arena, const struct cost_context *context,
                               const struct search_control *control);

#endif
