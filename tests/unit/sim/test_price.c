/* Prices of works: levels of detail agree where nothing overlaps, and with the closed form. */
#include "../cost/draw.h"

#include <dirent.h>

#include "program/check.h"
#include "program/lower.h"
#include "sim/price.h"

/* Models of every kind: dense, MoE, MLA, linear attention, encoder-decoder, images; machines and jobs beside them. */
static const struct {
    const char *model, *topology, *job;
    int64_t devices;
} settings[] = {
    {"llama3-8b", "h100-sxm", "global_batch: 32\nseq_len: 8192\n", 16},
    {"llama3-70b", "gb200-nvl72", "global_batch: 144\nprecision: fp8\n", 72},
    {"megatron-22b", "a100-sxm-80g", "global_batch: 64\nseq_len: 2048\nkernels: {flash_attention: false}\n", 64},
    {"deepseek-v2-lite", "h800-sxm", "global_batch: 64\ndispatch: flex\noverlap: {experts: true}\n", 32},
    {"deepseek-v3", "h100-sxm", "global_batch: 256\n", 256},
    {"deepseek-v3", "h100-sxm", "global_batch: 256\ntrain_mtp: true\n", 256},
    {"qwen2.5-7b", "h100-sxm", "global_batch: 56\nvocab_parallel: true\n", 56},
    {"mixtral-8x7b", "mi300x", "global_batch: 64\ndispatch: allgather\n", 32},
    {"qwen3-next-80b-a3b", "h200-sxm", "global_batch: 64\n", 64},
    {"minimax-text-01", "ascend-910b", "global_batch: 64\n", 64},
    {"gemma3-27b-text", "tpu-v5p", "global_batch: 64\n", 64},
    {"t5-11b", "v100-dgx2", "global_batch: 64\nseq_len: 512\nprecision: fp16\n", 32},
    {"palm-540b", "h100-sxm", "global_batch: 64\n", 64},
    {"falcon-180b", "h100-sxm", "global_batch: 64\n", 64},
    {"vit-h-14", "rtx-4090", "global_batch: 64\n", 16},
    {"dit-xl-2", "l40s", "global_batch: 64\noptimizer: muon\n", 16},
    {"gpt2-xl", "a100-pcie-80g", "global_batch: 40\nseq_len: 1024\nkernels: {fused_cross_entropy: true}\n", 40},
};

enum { DRAWS = 6 };

/* A decision lowered and priced. */
struct played {
    struct program program;
    struct work_price *prices;
};

static struct plan plan_of(const struct cost_context *c, const struct decision *d) {
    return (struct plan){.model = "m", .topology = "t", .devices = c->world, .job = *c->job, .decision = *d};
}

static struct played play(struct arena *arena, const struct cost_context *c, const struct decision *d,
                          enum detail detail) {
    struct played played;
    struct plan plan = plan_of(c, d);
    struct diag diag;
    diag_init(&diag, arena);
    enum status status = lower(arena, c->model, c->topology, &plan, NULL, detail, &played.program, &diag);
    cr_assert(status == OK, "%s: %s", decision_text(arena, c, d), first_of(&diag));
    price_program(arena, c, &plan, &played.program, &played.prices);
    return played;
}

static bool is_of_pass(const struct work *work) {
    return work->kind == WORK_PASS || work->kind == WORK_BLOCK || work->kind == WORK_KERNEL ||
           work->kind == WORK_EXCHANGE || work->kind == WORK_HOST;
}

/* Picoseconds that a role spends in passes, all their instructions one after another. */
static int64_t pass_time(const struct played *played, int64_t role, int64_t *ret_count) {
    const struct role *at = &played->program.roles[role];
    int64_t sum = 0;
    *ret_count = 0;
    for (int64_t i = at->first; i < at->first + at->count; i++) {
        int32_t work = played->program.instructions[i].work;
        if (is_of_pass(&played->program.works[work])) {
            sum += played->prices[work].picoseconds;
            ++*ret_count;
        }
    }
    return sum;
}

/* What runs beside something costs as much as if it did not. `graphs`: the host takes no time. */
static struct cost_context context_at(struct arena *arena, size_t i, bool graphs) {
    struct topology *topology = setup_topology(arena, settings[i].topology, settings[i].devices);
    struct job *job = setup_job(arena, settings[i].job);
    topology->runtime.overlap_slowdown = 1;
    job->kernels.graphs = graphs;
    return cost_context_make(setup_model(arena, settings[i].model), topology, job);
}

static void expect_sound(struct arena *arena, const struct cost_context *c, const struct decision *d,
                         const struct program *program) {
    struct diag diag;
    diag_init(&diag, arena);
    cr_expect(program_check(arena, program, c->model, &diag) == OK, "%s: %s", decision_text(arena, c, d),
              first_of(&diag));
}

static void expect_levels(struct arena *arena, const struct cost_context *c, const struct decision *d) {
    struct played played[DETAIL_COUNT];
    const char *name = decision_text(arena, c, d);
    for (int detail = 0; detail < DETAIL_COUNT; detail++) {
        played[detail] = play(arena, c, d, (enum detail)detail);
    }
    expect_sound(arena, c, d, &played[DETAIL_OPERATION].program);
    for (int64_t role = 0; role < played[0].program.role_count; role++) {
        int64_t counts[DETAIL_COUNT], times[DETAIL_COUNT];
        for (int detail = 0; detail < DETAIL_COUNT; detail++) {
            times[detail] = pass_time(&played[detail], role, &counts[detail]);
            cr_expect(llabs(times[detail] - times[0]) <= counts[detail] + counts[0],
                      "%s: role %lld: %s %lld ps, pass %lld ps", name, (long long)role, detail_names[detail],
                      (long long)times[detail], (long long)times[0]);
        }
    }
}

/* A random legal decision that has a program: stages stay on their ranks. */
static struct decision draw(struct random *random, const struct cost_context *c, struct arena *arena) {
    struct decision d = draw_decision(random, c, arena);
    while (schedules[d.schedule]->placement == PLACEMENT_ROUND) {
        d = draw_decision(random, c, arena);
    }
    return d;
}

/* Passes of a role against the cost model's load of its class, where micro-batches visit all stages. The host is fast
 * enough for every block, so that it is for every pass. */
static void expect_closed_form(struct arena *arena, const struct cost_context *c, const struct decision *d) {
    const struct priced *p = price_apart(arena, c, d);
    struct played played = play(arena, c, d, DETAIL_PASS);
    const struct schedule *schedule = schedules[d->schedule];
    double passes = (double)d->micro_batches / (double)schedule->ways;
    double held = (double)placement_held(schedule->placement, d->parallel.vpp);
    for (int64_t role = 0; d->schedule != SCHEDULE_SKIPPIPE && role < played.program.role_count; role++) {
        const struct class_load *load = &p->load.classes[p->map.rank_class[role]];
        int64_t count, time = pass_time(&played, role, &count);
        double wanted = passes * (load->forward + load->backward + load->weight - load->dp_exposed -
                                  load->pp_exposed) +
                        2 * passes * held * c->topology->runtime.micro_batch_overhead;
        cr_expect(fabs((double)time - 1e12 * wanted) <= (double)count + 1e-12 * 1e12 * wanted,
                  "%s: role %lld: %lld ps, closed form %.1f ps", decision_text(arena, c, d), (long long)role,
                  (long long)time, 1e12 * wanted);
    }
}

static void for_draws(const char *purpose, bool graphs,
                      void (*law)(struct arena *arena, const struct cost_context *c, const struct decision *d)) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(settings); i++) {
        struct cost_context c = context_at(arena, i, graphs);
        struct random random;
        random_stream(&random, 1, purpose, i);
        for (int drawn = 0; drawn < DRAWS; drawn++) {
            struct arena *own = support_arena();
            struct decision d = draw(&random, &c, own);
            law(own, &c, &d);
            arena_close(own);
        }
    }
    arena_close(arena);
}

Test(price, equals_closed_form) {
    for_draws("price-closed", true, expect_closed_form);
}

/* Rounded to picoseconds once an instruction, a role's passes take the same as passes, layers or operations. */
Test(price, levels_agree) {
    for_draws("price-levels", false, expect_levels);
}

/* The same for every shipped model, overlaps of experts on. */
Test(price, every_model) {
    struct arena *arena = support_arena();
    DIR *folder = opendir(support_path(arena, "models"));
    uint64_t count = 0;
    cr_assert(folder != NULL);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        size_t size = strlen(entry->d_name);
        if (size <= 5 || strcmp(entry->d_name + size - 5, ".yaml") != 0) {
            continue;
        }
        struct arena *own = support_arena();
        struct topology *topology = setup_topology(own, "h100-sxm", 128);
        topology->runtime.overlap_slowdown = 1;
        struct cost_context c = cost_context_make(setup_model(own, arena_copy(own, entry->d_name, size - 5)), topology,
                                                  setup_job(own, "global_batch: 128\noverlap: {experts: true}\n"));
        struct random random;
        random_stream(&random, 1, entry->d_name, 0);
        for (int drawn = 0; drawn < 2; drawn++) {
            struct decision d = draw(&random, &c, own);
            expect_levels(own, &c, &d);
        }
        count++;
        arena_close(own);
    }
    closedir(folder);
    cr_expect(count >= 50, "%llu models", (unsigned long long)count);
    arena_close(arena);
}
