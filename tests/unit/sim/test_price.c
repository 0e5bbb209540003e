/* Prices of works: levels of detail agree where nothing overlaps, and with the closed form. */
#include "../cost/draw.h"

#include <dirent.h>

#include "program/block_work.h"
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
    /* so little to do that the host is late everywhere */
    {SMALL "num_hidden_layers: 4\n", "h100-sxm", "global_batch: 8\nseq_len: 128\n", 8},
    {SMALL "num_hidden_layers: 4\nmoe: {num_experts: 8, experts_per_token: 2, expert_intermediate_size: 256}\n",
     "h100-sxm", "global_batch: 8\nseq_len: 128\n", 8},
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

static bool has_work(const struct program *program, enum work_kind kind) {
    for (int64_t i = 0; i < program->work_count; i++) {
        if (program->works[i].kind == kind) {
            return true;
        }
    }
    return false;
}

/* Micro-batches visit all stages, and the cost model knows whether the vocabulary is spread. */
static bool is_comparable(const struct cost_context *c, const struct decision *d, const struct program *program) {
    return d->schedule != SCHEDULE_SKIPPIPE && has_work(program, WORK_BARRIER) == c->job->vocab_parallel;
}

/* Passes of a role against the cost model's load of its class. The host is fast enough for every block, so that it is
 * for every pass. */
static void expect_closed_form(struct arena *arena, const struct cost_context *c, const struct decision *d) {
    const struct priced *p = price_apart(arena, c, d);
    struct played played = play(arena, c, d, DETAIL_PASS);
    const struct schedule *schedule = schedules[d->schedule];
    double passes = (double)d->micro_batches / (double)schedule->ways;
    double held = (double)placement_held(schedule->placement, d->parallel.vpp);
    for (int64_t role = 0; is_comparable(c, d, &played.program) && role < played.program.role_count; role++) {
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

/* Wire and latency of a message are the cost model's hop; what a rank uses of anything is a share of it. */
static void expect_uses(struct arena *arena, const struct cost_context *c, const struct decision *d) {
    struct played played = play(arena, c, d, DETAIL_OPERATION);
    const struct priced *p = price_apart(arena, c, d);
    const char *name = decision_text(arena, c, d);
    for (int64_t i = 0; i < played.program.work_count; i++) {
        const struct work *work = &played.program.works[i];
        const struct work_price *price = &played.prices[i];
        bool compute = work->kind == WORK_KERNEL || work->kind == WORK_BLOCK || work->kind == WORK_UPDATE;
        bool moves = work->kind == WORK_EXCHANGE || work->kind == WORK_REDUCE || work->kind == WORK_GATHER ||
                     work->kind == WORK_MESSAGE;
        cr_expect(price->picoseconds >= 0 && price->use >= 0 && price->use <= 1 && price->sms >= 0 && price->sms <= 1 &&
                      price->memory >= 0 && price->memory <= 1 && price->tiles >= 0,
                  "%s: work %lld: use %g, sms %g, memory %g", name, (long long)i, price->use, price->sms,
                  price->memory);
        cr_expect(!compute || (price->port == PORT_NONE && price->sms == 0 && price->use == 0), "%s: %lld", name,
                  (long long)i);
        cr_expect(!moves || price->picoseconds == 0 || (price->port != PORT_NONE && price->sms > 0 && price->use > 0 &&
                                                        price->tiles == 0 && !price->memory_bound),
                  "%s: work %lld of kind %d on port %d", name, (long long)i, work->kind, price->port);
        if (work->kind == WORK_MESSAGE) {
            double hop = 1e12 * p->work.hop_seconds;
            cr_expect(fabs((double)(price->picoseconds + price->latency) - hop) <= 2, "%s: %lld + %lld ps, hop %.1f",
                      name, (long long)price->picoseconds, (long long)price->latency, hop);
        }
    }
}

Test(price, uses_are_shares) {
    for_draws("price-uses", false, expect_uses);
}

/* What single kernels and collectives of a layer of llama3-8b on 8 H100 are: shapes by hand. */
Test(price, shapes) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, "llama3-8b"), setup_topology(arena, "h100-sxm", 8),
                                              setup_job(arena, "global_batch: 1\nseq_len: 8192\n"));
    const struct kernels *kernels = &c.device->kernels;
    struct decision d = alone;
    d.parallel.tp = 8;
    d.parallel.sp = true;
    struct played played = play(arena, &c, &d, DETAIL_OPERATION);
    double tokens = ceil(8192 / (double)kernels->tile_m), hidden = ceil(4096 / (double)kernels->tile_n);
    for (int64_t i = 0; i < played.program.work_count; i++) {
        const struct work *work = &played.program.works[i];
        const struct work_price *price = &played.prices[i];
        bool layer = work->block == BLOCK_LAYER, kernel = work->kind == WORK_KERNEL;
        if (layer && kernel && work->item == 1 && work->action != ACTION_RECOMPUTE) { /* qkv: 4096 to 6 heads of 128 */
            double m = work->action == ACTION_WEIGHT ? ceil(4096 / (double)kernels->tile_m) : tokens;
            double n = work->action == ACTION_BACKWARD ? hidden : ceil(768 / (double)kernels->tile_n);
            cr_expect(price->tiles == m * n && !price->memory_bound && price->memory > 0 && price->memory < 1,
                      "qkv: %g tiles, memory %g", price->tiles, price->memory);
        }
        if (layer && kernel && (work->item == 0 || work->item == 2)) { /* norm, rotary */
            cr_expect(price->memory_bound && price->memory == 1 && price->tiles == 0);
        }
        if (layer && work->kind == WORK_EXCHANGE) {
            double sms = (double)c.topology->library.channels / (double)c.device->sms;
            double trips = work->collective == COLLECTIVE_REDUCE_SCATTER ? 3 : 2;
            double memory = trips * 7 / 8 * 2 * 8192 * 4096 / c.device->hbm_bandwidth;
            cr_expect(price->port == PORT_DOMAIN && price->use > 0.5 && fabs(price->sms / sms - 1) < 1e-12);
            cr_expect(fabs(price->memory * 1e-12 * (double)price->picoseconds / memory - 1) < 1e-6, "memory %g",
                      price->memory);
        }
    }
    arena_close(arena);
}

/* Experts of one rank are groups: their rows lie behind one another in forward, their weights are apart. */
Test(price, tiles_of_experts) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, "mixtral-8x7b"), setup_topology(arena, "h100-sxm", 8),
                                              setup_job(arena, "global_batch: 8\nseq_len: 4096\n"));
    double tile_m = (double)c.device->kernels.tile_m, tile_n = (double)c.device->kernels.tile_n;
    struct decision d = alone;
    d.parallel.ep = 4;
    d.parallel.dp = 8;
    struct plan plan = plan_of(&c, &d);
    struct block_work block;
    struct shard shard = cost_shard(&c, &d.parallel, 1);
    block_work(c.model, c.job, &shard, CONTEXT_RING, BLOCK_LAYER, 0, &block);
    for (int i = 0; i < block.work.operation_count; i++) {
        if (block.work.operations[i].kind == OPERATION_GROUPED) {
            const struct operation *o = &block.work.operations[i];
            struct work works[] = {
                {.kind = WORK_KERNEL, .item = i, .pieces = 1, .action = ACTION_FORWARD},
                {.kind = WORK_KERNEL, .item = i, .pieces = 1, .action = ACTION_WEIGHT},
            };
            struct program program = {.works = works, .work_count = 2};
            struct work_price *prices;
            price_program(arena, &c, &plan, &program, &prices);
            cr_expect_eq(prices[0].tiles, ceil(o->m / tile_m) * ceil(o->n / tile_n));
            cr_expect_eq(prices[1].tiles, 2 * ceil(o->k / tile_m) * ceil(o->n / tile_n));
        }
    }
    arena_close(arena);
}

/* A projection in pieces has tiles and waves of its own; attention and exchanges are cut evenly. */
Test(price, pieces) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, "llama3-8b"), setup_topology(arena, "h100-sxm", 8),
                                              setup_job(arena, "global_batch: 1\nkernels: {cuda_graphs: true}\n"));
    struct decision d = alone;
    d.parallel.tp = 8;
    struct plan plan = plan_of(&c, &d);
    struct work works[] = {
        {.kind = WORK_KERNEL, .block = BLOCK_LAYER, .item = 1, .pieces = 1},
        {.kind = WORK_KERNEL, .block = BLOCK_LAYER, .item = 1, .pieces = 8},
        {.kind = WORK_KERNEL, .block = BLOCK_LAYER, .item = 3, .pieces = 1},
        {.kind = WORK_KERNEL, .block = BLOCK_LAYER, .item = 3, .pieces = 8},
        {.kind = WORK_EXCHANGE, .block = BLOCK_LAYER, .pieces = 1, .axis = AXIS_TP, .size = 8, .step = 1, .bytes = 1e9},
        {.kind = WORK_EXCHANGE, .block = BLOCK_LAYER, .pieces = 8, .axis = AXIS_TP, .size = 8, .step = 1, .bytes = 1e9},
        {.kind = WORK_UPDATE, .parameters = 1e9},
        {.kind = WORK_COPY, .bytes = 1e9},
        {.kind = WORK_EXCHANGE, .block = BLOCK_LAYER, .pieces = 1, .axis = AXIS_TP, .size = 8, .step = 1, .bytes = 1e3},
    };
    struct program program = {.works = works, .work_count = ROWS(works)};
    struct work_price *prices;
    price_program(arena, &c, &plan, &program, &prices);
    cr_expect(8 * prices[1].picoseconds > prices[0].picoseconds && prices[1].picoseconds < prices[0].picoseconds);
    cr_expect(8 * prices[1].tiles >= prices[0].tiles);
    cr_expect(llabs(8 * prices[3].picoseconds - prices[2].picoseconds) <= 8);
    cr_expect(llabs(8 * prices[5].picoseconds - prices[4].picoseconds) <= 8);
    cr_expect(prices[4].use > 0.8 && prices[8].use < 0.01, "latency uses no port: %g, %g", prices[4].use,
              prices[8].use);
    cr_expect_eq(prices[6].picoseconds, llround(1e12 * cost_update_seconds(&c, 1e9)));
    const struct host *host = &topology_node(c.topology, 0)->host;
    double rate = fmin(host->pcie_bandwidth / (double)host->pcie_shared_by, host->bandwidth / 8);
    cr_expect(prices[7].port == PORT_HOST && prices[7].sms == 0 && prices[7].picoseconds == llround(1e12 * (1e9 / rate)),
              "%lld ps", (long long)prices[7].picoseconds);
    arena_close(arena);
}
