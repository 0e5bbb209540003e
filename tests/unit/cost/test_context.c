/* What is counted once: the device that all wait for, what all together cost, the tokens of a sequence. */
#include "decision.h"

#include "cost/kernel.h"
#include "model/count.h"

/* Two A100 groups, one of them slowed down, and one of V100s. */
static struct topology *mixed(struct arena *arena, double derate) {
    struct topology *topology = setup_topology(arena, "mixed-a100-v100", 0);
    struct group *groups = topology->groups.items;
    struct diag diag;
    groups[0].derate = derate;
    diag_init(&diag, arena);
    cr_assert(topology_complete(arena, topology, NULL, &diag) == OK, "%s", first_of(&diag));
    return topology;
}

Test(context, slowest_device_and_smallest_memory) {
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, DENSE);
    const struct job *job = setup_job(arena, "precision: fp16\nmemory_fraction: 0.9\n");
    static const struct {
        double derate;
        const char *slowest;
    } rows[] = {{1, "v100-sxm-32g"}, {0.9, "v100-sxm-32g"}, {0.3, "a100-sxm-80g"}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct topology *topology = mixed(arena, rows[i].derate);
        struct cost_context c = cost_context_make(model, topology, job);
        double rate = HUGE_VAL, memory = HUGE_VAL, price = 0, idle = 0, busy = 0;
        const struct group *group = topology->groups.items;
        for (size_t g = 0; g < topology->groups.count; g++) {
            const struct device *device = topology_device(topology, (int64_t)g);
            double count = (double)(group[g].count * topology_node(topology, (int64_t)g)->count);
            rate = fmin(rate, group[g].derate * kernel_gemm_rate(device, DTYPE_FP16));
            memory = fmin(memory, device_usable_memory(device));
            price += count * device->price;
            idle += count * device->power.idle;
            busy += count * device->power.busy;
        }
        cr_expect(text_starts(c.device->name, rows[i].slowest) || text_starts(rows[i].slowest, c.device->name),
                  "derate %.1f: %s", rows[i].derate, c.device->name);
        cr_expect(near(kernel_gemm_rate(c.device, DTYPE_FP16), rate, 1e-12), "derate %.1f: %g FLOP/s of %g",
                  rows[i].derate, kernel_gemm_rate(c.device, DTYPE_FP16), rate);
        cr_expect(near(c.memory_limit, 0.9 * memory, 1e-12), "%g bytes of %g", c.memory_limit, memory);
        cr_expect(price > 0 && near(c.price, price, 1e-12), "%g USD/h, %g", c.price, price);
        cr_expect(near(c.power.idle, idle, 1e-12) && near(c.power.busy, busy, 1e-12) && busy > idle, "%g W",
                  c.power.busy);
        cr_expect_eq(c.world, topology_devices(topology));
        cr_expect_eq(c.nodes, topology_node_count(topology));
    }
    arena_close(arena);
}

/* A slowed-down group slows down the step, by no more than its derate. */
Test(context, derate_of_a_group) {
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, DENSE);
    const struct job *job = setup_job(arena, "precision: fp16\nglobal_batch: 64\n");
    double before = 0;
    for (int tenths = 10; tenths >= 1; tenths--) {
        struct cost_context c = cost_context_make(model, mixed(arena, tenths / 10.0), job);
        struct decision d = alone;
        d.parallel = filled((struct parallel){.dp = c.world});
        d.micro_batches = 64 / c.world;
        double compute = cost_estimate(arena, &c, &d, NULL).time.compute;
        cr_expect(compute > 0 && compute >= before, "derate %.1f: %g s, before %g s", tenths / 10.0, compute, before);
        cr_expect(tenths > 3 || compute > before, "derate %.1f: still %g s", tenths / 10.0, compute);
        before = compute;
    }
    arena_close(arena);
}

/* An image has as many tokens as patches, a text as many as the job says; an encoder's tokens come on top. */
Test(context, tokens_and_flops) {
    static const struct {
        const char *model, *job;
        int64_t tokens;
    } rows[] = {
        {"llama3-8b", "", 4096},
        {"llama3-8b", "seq_len: 8192\nglobal_batch: 3\n", 8192},
        {"vit-h-14", "seq_len: 8192\n", 257}, /* 16 x 16 patches and a class */
        {"dit-xl-2", "global_batch: 256\n", 256},
        {"t5-11b", "seq_len: 128\n", 128},
        {"deepseek-v3", "train_mtp: false\n", 4096},
        {"deepseek-v3", "", 4096},
    };
    struct arena *arena = support_arena();
    const struct topology *topology = setup_topology(arena, "h100-sxm", 8);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct model *model = setup_model(arena, rows[i].model);
        const struct job *job = setup_job(arena, rows[i].job);
        struct cost_context c = cost_context_make(model, topology, job);
        bool ahead = text_equal(rows[i].model, "deepseek-v3") && rows[i].job[0] == '\0';
        double tokens = (double)(job->global_batch * rows[i].tokens);
        double flops = tokens * count_flops_per_token(model, rows[i].tokens, FLOPS_OURS, ahead);
        cr_expect_eq(c.tokens, rows[i].tokens, "%s: %lld tokens", rows[i].model, (long long)c.tokens);
        cr_expect_eq(c.mtp, ahead, "%s", rows[i].model);
        cr_expect(near(c.model_flops, flops, 1e-12), "%s: %g FLOPs, %g", rows[i].model, c.model_flops, flops);
        cr_expect_eq(c.outer.head, count_outer(model).head);
        cr_expect_eq(c.params[0].attention, count_layer(model, &model->kinds[0]).attention);
    }
    arena_close(arena);
}

/* How a layer is cut follows from the decision, how it is executed from the job. */
Test(context, shards) {
    struct arena *arena = support_arena();
    const struct topology *topology = setup_topology(arena, "h100-sxm", 8);
    const struct model *busy = setup_model(arena, HEAVY "moe: {num_experts: 16, experts_per_token: 2, "
                                                        "expert_intermediate_size: 512, imbalance: 1.5}\n");
    struct parallel p = filled((struct parallel){.tp = 2, .cp = 4, .ep = 2, .etp = 4, .cp_kind = CONTEXT_ULYSSES,
                                                 .ulysses = 4, .sp = true});
    struct cost_context c = cost_context_make(busy, topology, setup_job(arena, "seq_len: 512\n"));
    struct shard s = cost_shard(&c, &p, 3);
    cr_expect(s.tp == 2 && s.cp == 4 && s.ep == 2 && s.etp == 4 && s.ulysses == 4 && s.micro_batch == 3);
    cr_expect(s.sequence_parallel && s.ulysses_only && !s.gathers_keys && s.seq_len == 512 && s.expert_load == 1.5);
    cr_expect(s.element == 2 && !s.fp8 && s.flash && s.fused_norm && s.fused_activation);
    c = cost_context_make(busy, topology,
                          setup_job(arena, "precision: fp8\nkernels: {flash_attention: false, fused_norm: "
                                           "false, fused_activation: false}\n"));
    p = filled((struct parallel){.tp = 1, .sp = true, .cp = 2, .cp_kind = CONTEXT_ALL_GATHER});
    s = cost_shard(&c, &p, 1);
    cr_expect(!s.sequence_parallel && s.gathers_keys && !s.ulysses_only && s.expert_load == 1);
    cr_expect(s.element == 2 && s.fp8 && !s.flash && !s.fused_norm && !s.fused_activation);
    c = cost_context_make(busy, topology, setup_job(arena, "precision: tf32\n"));
    cr_expect(cost_shard(&c, &p, 1).element == 4);
    arena_close(arena);
}
