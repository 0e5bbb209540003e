/* How fast the search is on one core: the time and memory of whole searches, and configurations priced in full a second
 * when nothing is left out. Each case runs in a process of its own, so that its peak memory is its own. */
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

struct bench {
    const char *what, *model, *topology;
    int64_t devices, global_batch, seq_len;
    bool exhaustive;
};

static const struct bench cases[] = {
    {"Llama-3 70B, 512 H100", "llama3-70b", "h100-sxm", 512, 1024, 8192, false},
    {"GPT-3 175B, 4,096 A100", "gpt3-175b", "a100-sxm-80g", 4096, 4096, 2048, false},
    {"1T, 16,384 A100", "megatron-1t", "a100-sxm-80g", 16384, 16384, 2048, false},
    {"DeepSeek-V3, 2,048 H100", "deepseek-v3", "h100-sxm", 2048, 15360, 4096, false},
    {"Llama-3 70B, 512 H100, all legal priced", "llama3-70b", "h100-sxm", 512, 1024, 8192, true},
    {"GPT-3 175B, 4,096 A100, all legal priced", "gpt3-175b", "a100-sxm-80g", 4096, 4096, 2048, true},
};

static void run_case(const struct bench *bench) {
    struct arena *arena = arena_open(NULL, NULL);
    struct cost_context context =
        bench_context(arena, bench->model, bench->topology, bench->devices, bench->global_batch, bench->seq_len);
    struct search_control control = {.clock = seconds_now, .exhaustive = bench->exhaustive};
    struct search_result result;
    struct diag diag;
    diag_init(&diag, arena);
    if (search_run(arena, &context, &control, &result, &diag) != OK) {
        fprintf(stderr, "%s: nothing found\n", bench->what);
        exit(STATUS_BUG);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-41s %9lld %11lld %11lld %12lld %7.2f %7.2f %10.2f %6.1f\n", bench->what, (long long)result.evaluated,
           (long long)result.pruned_memory, (long long)result.pruned_bound, (long long)result.pruned_rule,
           result.seconds, seconds_used(), (double)result.evaluated / seconds_used() / 1e6,
           (double)usage.ru_maxrss / 1024);
    fflush(stdout);
    arena_close(arena);
    exit(OK);
}

int main(void) {
    printf("%-41s %9s %11s %11s %12s %7s %7s %10s %6s\n", "one core", "priced", "not fitting", "bounded", "illegal",
           "wall s", "user s", "M priced/s", "MiB");
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
