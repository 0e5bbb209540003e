/* What if: the same plan on a machine that is better in one thing, simulated again. */
#ifndef PARPLAN_CLI_WHATIF_H
#define PARPLAN_CLI_WHATIF_H

#include "cli/simulating.h"

/* One thing that could be better. */
struct whatif {
    const char *key, *doc;                    /* "hbm_bandwidth", "memory bandwidth +10%" */
    void (*apply)(struct topology *topology); /* to a copy whose devices, nodes and tiers are its own */
    const char *resource;                     /* what binds when this helps most */
    double factor;                            /* better by this; 0: it is taken away altogether */
};
extern const struct whatif whatifs[]; /* ends with key NULL */
enum { WHATIFS_MOST = 16 };

struct whatif_answer {
    const struct whatif *what;
    double step_time, saved; /* seconds; saved: relative, negative when it is slower */
};

/* Simulates every change; `ret` is sorted, what saves most first. Returns how many in `ret_count`. */
enum status whatif_ask(struct context *context, const struct simulating *simulating,
                       const struct simulate_options *options, double step_time,
                       struct whatif_answer ret[WHATIFS_MOST], size_t *ret_count) MUST_CHECK;

/* The resource of which a small relative improvement saves most: saved per logarithm of the factor; NULL when none
 * saves a thousandth. */
const char *whatif_binding(const struct whatif_answer *answers, size_t count);

#endif
