/* Progress on stderr, for people only: nothing before half a second, at most ten times a second, one line that is
 * erased at the end; and the signal that ends a search early. */
#ifndef PARPLAN_CLI_PROGRESS_H
#define PARPLAN_CLI_PROGRESS_H

#include <signal.h>
#include <stdbool.h>

struct search_result;

struct progress {
    bool wanted, shown;
    double started, last; /* seconds */
};

/* Monotone seconds. */
double progress_clock(void);
/* Wanted on a terminal unless `quiet`. */
void progress_init(struct progress *progress, bool quiet);
/* search_control.progress; `context` is the struct progress. */
void progress_show(void *context, const struct search_result *so_far);
void progress_clear(struct progress *progress);

/* Set to 1 by the first SIGINT or SIGTERM after progress_catch; the second one ends the program. */
const volatile sig_atomic_t *progress_catch(void);

#endif
