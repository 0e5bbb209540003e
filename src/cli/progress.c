#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "plan/plan.h"
#include "search/search.h"

static volatile sig_atomic_t interrupted;
static double interrupted_at; /* written and read by the handler alone */

/* Wrappers such as timeout(1) send a signal both to the program and to its group: the same moment counts once. */
static void interrupt(int number) {
    double now = progress_clock();
    if (interrupted && now - interrupted_at > 0.2) {
        signal(number, SIG_DFL);
        raise(number);
    } else if (!interrupted) {
        interrupted = 1;
        interrupted_at = now;
    }
}

const volatile sig_atomic_t *progress_catch(void) {
    struct sigaction action = {.sa_handler = interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &interrupted;
}

double progress_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_init(struct progress *progress, bool quiet) {
    bool terminal = isatty(STDERR_FILENO) && !text_equal(getenv("TERM"), "dumb");
    *progress = (struct progress){.wanted = terminal && !quiet, .started = progress_clock()};
}

void progress_show(void *context, const struct search_result *so_far) {
    struct progress *progress = context;
    double now = progress_clock();
    if (!progress->wanted || now - progress->started < 0.5 || now - progress->last < 0.1) {
        return;
    }
    progress->last = now;
    progress->shown = true;
    fprintf(stderr, "\r\033[K%lld priced, %lld left out", (long long)so_far->evaluated,
            (long long)(so_far->pruned_memory + so_far->pruned_bound + so_far->pruned_rule));
    if (so_far->plans.count > 0) {
        const struct estimate *best = so_far->plans.items;
        fprintf(stderr, ", best %.4g s a step", best->step_time);
    }
    fflush(stderr);
}

void progress_clear(struct progress *progress) {
    if (progress->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}
