/* Overlap as a program against overlap as a formula: one forward and one full backward on one rank, played with nothing
 * slowed down, beside the cost model's visible seconds (cost/layer.c) with a slow-down of zero. Where they differ:
 *
 *   gradients   a kernel hides what its seconds with slack and launch are; the formula counts its product alone. Without
 *               both they agree
 *   tensor      pieces of a product have waves of tiles of their own, so that all take longer, and hide more
 *   ring        as gradients
 *   experts     backward has weight gradients and shared experts' backward beside; the formula their forward alone */
#include "../cost/draw.h"

#include "program/lower.h"
#include "sim/price.h"

struct setting {
    const char *model, *keys, *overlap; /* keys of the job */
    struct parallel parallel;
    int recompute;
    bool bare;            /* without slack and launch gaps */
    double least, most;   /* of the program's seconds over the formula's */
};

#define LONG "seq_len: 131072\n"
#define SHORT "seq_len: 8192\n"

static const struct setting settings[] = {
    /* exchanges beside gradients that do not need them */
    {"llama3-70b", SHORT, "", {.tp = 8}, RECOMPUTE_NONE, true, 1, 1},
    {"llama3-70b", SHORT, "", {.tp = 8, .sp = true}, RECOMPUTE_NONE, true, 1, 1},
    {"llama3-70b", SHORT, "", {.tp = 8, .sp = true}, RECOMPUTE_SELECTIVE, true, 1, 1},
    {"llama3-70b", SHORT, "", {.tp = 8, .sp = true}, RECOMPUTE_FULL, true, 1, 1},
    {"llama3-70b", SHORT, "", {.tp = 8, .sp = true}, RECOMPUTE_NONE, false, 0.99, 1},
    {"deepseek-v3", SHORT, "", {.tp = 8, .sp = true}, RECOMPUTE_NONE, false, 0.99, 1},
    {"palm-540b", SHORT, "", {.tp = 8, .sp = true}, RECOMPUTE_NONE, false, 0.99, 1},
    /* products in pieces */
    {"llama3-8b", SHORT, "tensor: true", {.tp = 2, .sp = true}, RECOMPUTE_NONE, false, 1, 1.01},
    {"llama3-70b", SHORT, "tensor: true", {.tp = 8}, RECOMPUTE_NONE, false, 0.99, 1.01},
    {"llama3-70b", SHORT, "tensor: true", {.tp = 8, .sp = true}, RECOMPUTE_NONE, false, 1.01, 1.06},
    {"llama3-70b", SHORT, "tensor: true", {.tp = 16, .sp = true}, RECOMPUTE_NONE, false, 1.01, 1.06},
    /* ring attention: nothing visible but the ends; then sends that are longer than their blocks */
    {"llama3-8b", LONG, "", {.cp = 8}, RECOMPUTE_NONE, true, 1, 1},
    {"llama3-8b", LONG, "", {.cp = 16}, RECOMPUTE_NONE, true, 1, 1},
    {"llama3-8b", SHORT, "", {.cp = 8}, RECOMPUTE_NONE, true, 1, 1},
    {"llama3-8b", SHORT, "", {.cp = 8}, RECOMPUTE_FULL, false, 0.99, 1},
    {"llama3-8b", SHORT, "", {.cp = 8, .cp_kind = CONTEXT_USP, .ulysses = 2}, RECOMPUTE_NONE, true, 1, 1},
    {"llama3-8b", SHORT, "", {.cp = 8, .cp_kind = CONTEXT_ALL_GATHER}, RECOMPUTE_NONE, false, 1, 1},
    /* tokens on their way beside shared experts */
    {"deepseek-v2-lite", SHORT, "", {.ep = 8, .dp = 8}, RECOMPUTE_NONE, false, 1, 1},
    {"deepseek-v2-lite", SHORT, "experts: true", {.ep = 8, .dp = 8}, RECOMPUTE_NONE, false, 0.94, 0.99},
    {"deepseek-v3", SHORT, "experts: true", {.ep = 64, .dp = 64}, RECOMPUTE_NONE, false, 0.93, 0.99},
    {"deepseek-v3", SHORT, "experts: true", {.ep = 64, .dp = 64}, RECOMPUTE_FULL, false, 0.93, 0.99},
};

/* The end of the last instruction of a pass, were the role alone and its streams as wide as needed; its kernels. */
static int64_t play(struct arena *arena, const struct program *program, const struct work_price *prices,
                    int64_t *ret_kernels) {
    const struct role *role = &program->roles[0];
    const struct instruction *at = &program->instructions[role->first];
    int64_t *ends = ARENA_ARRAY(arena, int64_t, (size_t)role->count);
    int64_t free_at[STREAM_COUNT] = {0}, last = 0;
    *ret_kernels = 0;
    for (int64_t i = 0; i < role->count; i++) {
        int kind = program->works[at[i].work].kind;
        int64_t start = free_at[at[i].stream];
        for (int32_t w = at[i].first_wait; w < at[i + 1].first_wait; w++) {
            int64_t end = ends[program->waits[w]];
            cr_assert(program->waits[w] < i, "an instruction waits for a later one");
            start = end > start ? end : start;
        }
        bool of_pass = kind == WORK_KERNEL || kind == WORK_EXCHANGE || kind == WORK_HOST;
        int64_t taken = of_pass ? prices[at[i].work].picoseconds : 0;
        ends[i] = free_at[at[i].stream] = start + taken;
        last = of_pass && ends[i] > last ? ends[i] : last;
        *ret_kernels += at[i].stream == STREAM_COMPUTE ? taken : 0;
    }
    return last;
}

static struct cost_context context_of(struct arena *arena, const struct setting *s, const struct parallel *p) {
    struct topology *topology = setup_topology(arena, "h100-sxm", p->tp * p->cp * p->dp);
    struct diag diag;
    topology->runtime.overlap_slowdown = 0;
    if (s->bare) {
        struct device *device = topology->devices.items;
        device->kernels.launch = 0;
        topology->runtime.slack = 0;
        diag_init(&diag, arena);
        cr_assert(topology_complete(arena, topology, NULL, &diag) == OK, "%s", first_of(&diag));
    }
    const char *keys = arena_format(arena, "global_batch: %lld\n%skernels: {cuda_graphs: true}\noverlap: {%s}\n",
                                    (long long)p->dp, s->keys, s->overlap);
    return cost_context_make(setup_model(arena, s->model), topology, setup_job(arena, keys));
}

Test(overlap, program_and_formula) {
    for (size_t i = 0; i < ROWS(settings); i++) {
        struct arena *arena = support_arena();
        const struct setting *s = &settings[i];
        struct decision d = alone;
        d.parallel = filled(s->parallel);
        d.recompute = s->recompute;
        struct cost_context c = context_of(arena, s, &d.parallel);
        struct plan plan = {.model = "m", .topology = "t", .devices = c.world, .job = *c.job, .decision = d};
        struct program program;
        struct work_price *prices;
        struct diag diag;
        diag_init(&diag, arena);
        cr_assert(lower(arena, c.model, c.topology, &plan, NULL, DETAIL_OPERATION, &program, &diag) == OK, "%s",
                  first_of(&diag));
        price_program(arena, &c, &plan, &program, &prices);
        const struct class_load *load = &price_apart(arena, &c, &d)->load.classes[0];
        double formula = load->forward + load->backward + load->weight + 2 * c.topology->runtime.micro_batch_overhead;
        int64_t kernels, end = play(arena, &program, prices, &kernels);
        double ratio = 1e-12 * (double)end / formula;
        cr_expect(ratio > s->least - 1e-8 && ratio < s->most + 1e-8,
                  "row %zu: %s: %.6f s, formula %.6f s: %.6f; kernels alone %.6f s", i, s->model, 1e-12 * (double)end,
                  formula, ratio, 1e-12 * (double)kernels);
        cr_expect(end >= kernels, "row %zu", i);
        arena_close(arena);
    }
}
