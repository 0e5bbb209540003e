/* How fast the search is on one core: configurations priced in full a second when nothing is pruned, and the time and
 * memory of whole searches. Each case runs in a process of its own, so that its peak memory is its own. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/field.h"
#include "search/search.h"
#include "yaml/document.h"

struct bench {
    const char *what, *model, *topology;
    int64_t devices, global_batch, seq_len;
    bool exhaustive;
    const char *tp, *cp; /* "auto" or what the exhaustive case is limited to */
};

static const struct bench cases[] = {
    {"Llama-3 70B, 512 H100", "llama3-70b", "h100-sxm", 512, 1024, 4096, false, "auto", "auto"},
    {"GPT-3 175B, 4,096 A100", "gpt3-175b", "a100-sxm-80g", 4096, 4096, 2048, false, "auto", "auto"},
    {"1T, 16,384 A100", "megatron-1t", "a100-sxm-80g", 16384, 16384, 2048, false, "auto", "auto"},
    {"DeepSeek-V3, 2,048 H100", "deepseek-v3", "h100-sxm", 2048, 8192, 4096, false, "auto", "auto"},
    {"GPT-3 175B, 4,096 A100, every legal one", "gpt3-175b", "a100-sxm-80g", 4096, 4096, 2048, true, "4,8", "1"},
    {"Llama-3 70B, 512 H100, every legal one", "llama3-70b", "h100-sxm", 512, 1024, 4096, true, "4,8", "1,2"},
};

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const char *shipped_path(struct arena *arena, const char *folder, const char *name) {
    const char *root = getenv("PARPLAN_SOURCE");
    return arena_format(arena, "%s/%s/%s.yaml", root != NULL ? root : ".", folder, name);
}

static const char *locate(void *context, const char *name, const char *folder) {
    return shipped_path(context, folder, name);
}

static struct node *load(struct arena *arena, const char *folder, const char *name, struct diag *diag) {
    struct node *root = NULL;
    if (document_load(arena, shipped_path(arena, folder, name), &root, diag) != OK ||
        document_extend(arena, root, folder, locate, arena, &root, diag) != OK) {
        fprintf(stderr, "%s: %s\n", name, diag->count > 0 ? diag->entries[0].text : "not read");
        exit(STATUS_ENVIRONMENT);
    }
    return root;
}

static void set_degrees(struct arena *arena, const char *key, const char *text, struct space *space) {
    const struct field *group = field_find(job_fields, "search");
    const char *reason = NULL;
    if (!field_parse(arena, field_find(group->fields, key), text, space, &reason)) {
        fprintf(stderr, "%s: %s\n", key, reason);
        exit(STATUS_BUG);
    }
}

static void run_case(const struct bench *bench) {
    struct arena *arena = arena_open(NULL, NULL);
    struct diag diag;
    struct model model;
    struct topology topology;
    struct job job;
    diag_init(&diag, arena);
    if (model_load(arena, load(arena, "models", bench->model, &diag), &model, &diag) != OK ||
        topology_load(arena, load(arena, "topologies", bench->topology, &diag), &topology, &diag) != OK ||
        topology_scale(arena, &topology, 0, bench->devices, &diag) != OK) {
        exit(STATUS_ENVIRONMENT);
    }
    field_defaults(arena, job_fields, &job);
    job.global_batch = bench->global_batch;
    job.seq_len = bench->seq_len;
    job.threads = 1;
    set_degrees(arena, "tp", bench->tp, &job.space);
    set_degrees(arena, "cp", bench->cp, &job.space);
    struct cost_context context = cost_context_make(&model, &topology, &job);
    struct search_control control = {.clock = seconds_now, .exhaustive = bench->exhaustive};
    struct search_result result;
    if (search_run(arena, &context, &control, &result, &diag) != OK) {
        fprintf(stderr, "%s: nothing found\n", bench->what);
        exit(STATUS_BUG);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double user = (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec;
    long long left_out = (long long)(result.pruned_memory + result.pruned_bound + result.pruned_rule);
    printf("%-42s %9lld %14lld %8.2f %8.2f %10.3f %6.1f\n", bench->what, (long long)result.evaluated, left_out,
           result.seconds, user, (double)result.evaluated / user / 1e6, (double)usage.ru_maxrss / 1024);
    fflush(stdout);
    arena_close(arena);
    exit(OK);
}

int main(void) {
    printf("%-42s %9s %14s %8s %8s %10s %6s\n", "one core", "priced", "left out", "wall s", "user s", "M priced/s",
           "MiB");
    fflush(stdout);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pid_t child = fork();
        if (child == 0) {
            run_case(&cases[i]);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
            fprintf(stderr, "%s failed\n", cases[i].what);
            return STATUS_BUG;
        }
    }
    return OK;
}
