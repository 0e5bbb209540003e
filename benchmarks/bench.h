/* What benchmarks share: shipped documents, a clock, an end with a message when something is missing. */
#ifndef PARPLAN_BENCHMARKS_BENCH_H
#define PARPLAN_BENCHMARKS_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/arena.h"
#include "base/field.h"
#include "search/search.h"
#include "yaml/document.h"

static inline double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Of this process, in user mode: what other processes do meanwhile does not count. */
static inline double seconds_used(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec;
}

static inline const char *shipped_path(struct arena *arena, const char *folder, const char *name) {
    const char *root = getenv("PARPLAN_SOURCE");
    return arena_format(arena, "%s/%s/%s.yaml", root != NULL ? root : ".", folder, name);
}

static inline const char *locate_shipped(void *context, const char *name, const char *folder) {
    return shipped_path(context, folder, name);
}

static inline struct node *load_shipped(struct arena *arena, const char *folder, const char *name, struct diag *diag) {
    struct node *root = NULL;
    if (document_load(arena, shipped_path(arena, folder, name), &root, diag) != OK ||
        document_extend(arena, root, folder, locate_shipped, arena, &root, diag) != OK) {
        fprintf(stderr, "%s: %s\n", name, diag->count > 0 ? diag->entries[0].text : "not read");
        exit(STATUS_ENVIRONMENT);
    }
    return root;
}

/* A case in the arena: a shipped model on so many devices of a shipped topology, and a job of one thread. */
static inline struct cost_context bench_context(struct arena *arena, const char *model, const char *topology,
                                                int64_t devices, int64_t global_batch, int64_t seq_len) {
    struct diag diag;
    struct model *m = ARENA_NEW(arena, struct model);
    struct topology *t = ARENA_NEW(arena, struct topology);
    struct job *job = ARENA_NEW(arena, struct job);
    diag_init(&diag, arena);
    if (model_load(arena, load_shipped(arena, "models", model, &diag), m, &diag) != OK ||
        topology_load(arena, load_shipped(arena, "topologies", topology, &diag), t, &diag) != OK ||
        topology_scale(arena, t, 0, devices, &diag) != OK) {
        exit(STATUS_ENVIRONMENT);
    }
    field_defaults(arena, job_fields, job);
    job->global_batch = global_batch;
    job->seq_len = seq_len;
    job->threads = 1;
    return cost_context_make(m, t, job);
}

#endif
