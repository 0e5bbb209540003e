/* What a user reads of a price: rates, money, energy, reasons, JSON, rank map and stages. */
#include "decision.h"

#include "base/json.h"
#include "model/count.h"

/* Throughput, utilisation, money and energy from the step time alone. */
Test(estimate, rates) {
    struct arena *arena = support_arena();
    const struct topology *topology = setup_topology(arena, "h100-sxm", 16); /* 2.95 USD/h, 120 W idle, 700 W busy */
    const struct model *model = setup_model(arena, "llama3-8b");
    struct cost_context c = cost_context_make(model, topology, setup_job(arena, "global_batch: 64\nseq_len: 8192\n"));
    struct decision d = alone;
    d.parallel = filled((struct parallel){.tp = 2, .dp = 8, .sp = true, .zero = 1});
    d.micro_batches = 8;
    struct estimate e = cost_estimate(arena, &c, &d, NULL);
    double tokens = 64.0 * 8192, flops = tokens * count_flops_per_token(model, 8192, FLOPS_OURS, false);
    cr_expect(near(e.tokens_per_s, tokens / e.step_time, 1e-12));
    cr_expect(near(e.model_tflops_per_gpu, flops / 16 / e.step_time / 1e12, 1e-12));
    cr_expect(near(e.mfu, flops / 16 / e.step_time / 989.4e12, 1e-12), "mfu %g", e.mfu);
    cr_expect(e.hfu == e.mfu && near(e.hardware_tflops_per_gpu, e.model_tflops_per_gpu, 1e-12));
    cr_expect(near(e.cost_per_mtoken, 16 * 2.95 * e.step_time / 3600 / tokens * 1e6, 1e-12), "%g", e.cost_per_mtoken);
    double joules = 16 * (120 * (e.step_time - e.time.compute) + 700 * e.time.compute);
    cr_expect(near(e.energy_per_mtoken, joules / tokens * 1e6, 1e-12), "%g J", e.energy_per_mtoken);
    cr_expect(near(cost_energy(&c, 2, 3), 16 * 700 * 2.0, 1e-12), "no busier than the step is long");
    cr_expect(near(e.step_time_low, e.step_time * (1 - topology->runtime.error), 1e-12) &&
              near(e.step_time_high, e.step_time * (1 + topology->runtime.error), 1e-12));
    cr_expect(e.feasible && e.reasons.count == 0 && e.global_batch == 64 && e.sequence_length == 8192);
    cr_expect(memcmp(&e.decision, &d, sizeof d) == 0);
    arena_close(arena);
}

/* Hardware FLOPs are the model's and every layer's forward once more; head and embedding are not computed again. */
Test(estimate, recomputed_flops) {
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, DENSE);
    const struct topology *topology = setup_topology(arena, "h100-sxm", 8);
    static const struct {
        struct parallel parallel;
        int schedule;
    } rows[] = {
        {{.dp = 8}, SCHEDULE_NONE}, {{.tp = 2, .pp = 4}, SCHEDULE_1F1B}, {{.cp = 4, .dp = 2}, SCHEDULE_NONE},
        {{.pp = 4, .dp = 2}, SCHEDULE_DUALPIPE}, {{.pp = 2, .dp = 4, .vpp = 2}, SCHEDULE_ZB_V},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = cost_context_make(model, topology, setup_job(arena, "global_batch: 64\n"));
        struct decision d = alone;
        d.parallel = filled(rows[i].parallel);
        d.schedule = rows[i].schedule;
        d.micro_batches = 64 / d.parallel.dp;
        d.recompute = RECOMPUTE_FULL;
        struct estimate e = cost_estimate(arena, &c, &d, NULL);
        double tokens = 64.0 * 4096;
        double head = tokens * 2 * 1024 * 51200, forward = c.model_flops / 3 - head;
        double extra = (e.hfu / e.mfu - 1) * c.model_flops;
        cr_expect(near(extra, forward, 1e-9), "row %zu: %g FLOPs again, by hand %g", i, extra, forward);
    }
    arena_close(arena);
}

/* What does not fit says by how much, on which rank and what takes most; what is illegal names every rule. */
Test(estimate, reasons) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, "llama3-70b"), setup_topology(arena, "h100-sxm", 16),
                                              setup_job(arena, "global_batch: 64\n"));
    struct decision d = alone;
    d.parallel = filled((struct parallel){.pp = 2, .dp = 8});
    d.schedule = SCHEDULE_1F1B;
    d.micro_batches = 8;
    struct estimate e = cost_estimate(arena, &c, &d, NULL);
    cr_expect(!e.feasible && e.step_time > 0 && e.memory.peak > e.memory.limit && e.reasons.count == 1);
    const char *reason = ((const char **)e.reasons.items)[0];
    cr_expect(text_starts(reason, "memory: rank ") && strstr(reason, "optimizer state take") != NULL, "%s", reason);
    cr_expect(near(e.memory.limit, 0.95 * device_usable_memory(c.device), 1e-12));
    d.parallel.tp = 3;
    d.micro_batches = 7;
    e = cost_estimate(arena, &c, &d, NULL);
    cr_expect(!e.feasible && e.step_time <= 0 && e.memory.peak <= 0 && e.reasons.count >= 2, "%zu reasons",
              e.reasons.count);
    cr_expect(text_starts(((const char **)e.reasons.items)[0], "world: "), "%s", ((const char **)e.reasons.items)[0]);
    arena_close(arena);
}

/* The keys and units that scripts rely on. */
Test(estimate, json_keys) {
    static const char *const outer[] = {
        "feasible", "reasons", "parallel", "micro_batch", "micro_batches", "global_batch", "sequence_length",
        "schedule", "recompute", "step_time_s", "step_time_low_s", "step_time_high_s", "tokens_per_s",
        "model_tflops_per_gpu", "hardware_tflops_per_gpu", "mfu", "hfu", "time", "memory",
    };
    static const char *const parallel[] = {"tp", "pp", "vpp", "dp", "cp", "ep", "etp", "sp", "zero"};
    static const char *const time[] = {"compute_s", "bubble_s", "tp_exposed_s", "pp_exposed_s", "dp_exposed_s",
                                       "cp_exposed_s", "ep_exposed_s", "optimizer_s", "overhead_s"};
    static const char *const memory[] = {
        "peak_bytes", "limit_bytes", "rank", "weights_bytes", "gradients_bytes", "optimizer_bytes", "activations_bytes",
        "logits_bytes", "communication_bytes", "runtime_bytes", "allocator_bytes",
    };
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, "llama3-8b"), setup_topology(arena, "h100-sxm", 8),
                                              setup_job(arena, "global_batch: 64\n"));
    struct decision d = alone;
    d.parallel = filled((struct parallel){.tp = 2, .dp = 4});
    d.micro_batches = 16;
    struct estimate e = cost_estimate(arena, &c, &d, NULL);
    struct text text;
    struct json json;
    struct diag diag;
    struct node *root = NULL;
    text_init(&text, arena);
    json_init(&json, &text, false);
    json_fields(&json, estimate_fields, &e);
    diag_init(&diag, arena);
    cr_assert(document_parse(arena, "e.json", text.data, strlen(text.data), &root, &diag) == OK, "%s", text.data);
    const struct {
        const char *in;
        const char *const *keys;
        size_t count;
    } objects[] = {{NULL, outer, ROWS(outer)},
                   {"parallel", parallel, ROWS(parallel)},
                   {"time", time, ROWS(time)},
                   {"memory", memory, ROWS(memory)}};
    for (size_t i = 0; i < ROWS(objects); i++) {
        const struct node *node = objects[i].in == NULL ? root : node_find(root, objects[i].in);
        cr_assert(node != NULL, "no %s", objects[i].in);
        for (size_t k = 0; k < objects[i].count; k++) {
            cr_expect(node_find(node, objects[i].keys[k]) != NULL, "no %s in\n%s", objects[i].keys[k], text.data);
        }
    }
    const struct {
        const char *object, *key;
        double value;
    } values[] = {{"time", "compute_s", e.time.compute},          {"memory", "peak_bytes", e.memory.peak},
                  {"memory", "limit_bytes", e.memory.limit},      {"memory", "weights_bytes", e.memory.parts.weights},
                  {"time", "tp_exposed_s", e.time.tp_exposed},    {"time", "overhead_s", e.time.overhead},
                  {"memory", "rank", (double)e.memory.rank}};
    for (size_t i = 0; i < ROWS(values); i++) {
        const struct node *node = node_find(node_find(root, values[i].object), values[i].key);
        cr_expect(strtod(node->text, NULL) == values[i].value, "%s: %s, %.17g", values[i].key, node->text,
                  values[i].value);
    }
    cr_expect(strtod(node_find(root, "step_time_s")->text, NULL) == e.step_time);
    arena_close(arena);
}

/* Groups of every axis with their stride, and the layers of every chunk, in the order of ranks. */
Test(estimate, description) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, "deepseek-v3"), setup_topology(arena, "h100-sxm", 64),
                                              setup_job(arena, "global_batch: 64\n"));
    static const struct {
        int schedule;
        int64_t vpp, chunks, last; /* chunks in all, the rank that holds the head */
    } rows[] = {{SCHEDULE_1F1B, 1, 4, 3},
                {SCHEDULE_INTERLEAVED, 3, 12, 3},
                {SCHEDULE_ZB_V, 2, 8, 0},
                {SCHEDULE_DUALPIPE, 1, 8, 0}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct plan plan = {.decision = alone};
        plan.decision.parallel = filled((struct parallel){.tp = 2, .pp = 4, .dp = 8, .ep = 16, .vpp = rows[i].vpp});
        plan.decision.schedule = rows[i].schedule;
        cost_describe(arena, &c, &plan);
        const struct plan_axis *axes = plan.axes.items;
        const struct plan_stage *stages = plan.layout.items;
        int64_t layers = 0, heads = 0, embeddings = 0;
        cr_assert_eq(plan.layout.count, (size_t)rows[i].chunks, "%s: %zu chunks", schedule_names[rows[i].schedule],
                     plan.layout.count);
        for (size_t k = 0; k < plan.layout.count; k++) {
            const char *extra = stages[k].extra != NULL ? stages[k].extra : "";
            layers += stages[k].layers;
            embeddings += stages[k].first == 0 && text_equal(extra, "embedding");
            heads += stages[k].first + stages[k].layers == 61 && text_equal(extra, "head, mtp") &&
                     (stages[k].rank == rows[i].last || rows[i].schedule == SCHEDULE_DUALPIPE);
        }
        int copies = rows[i].schedule == SCHEDULE_DUALPIPE ? 2 : 1;
        cr_expect(layers == 61 * copies && heads == copies && embeddings == copies, "%s: %lld layers, %lld heads",
                  schedule_names[rows[i].schedule], (long long)layers, (long long)heads);
        static const struct { const char *axis; int64_t size, stride; const char *scope; } groups[] = {
            {"tp", 2, 1, "domain"}, {"dp", 8, 2, "cluster"}, {"pp", 4, 16, "cluster"}, {"ep", 16, 1, "cluster"},
            {"dp-cp", 8, 2, "cluster"},
        };
        cr_assert_eq(plan.axes.count, ROWS(groups), "%zu axes", plan.axes.count);
        for (size_t k = 0; k < ROWS(groups); k++) {
            cr_expect(text_equal(axes[k].axis, groups[k].axis) && axes[k].size == groups[k].size &&
                      axes[k].stride == groups[k].stride && text_equal(axes[k].scope, groups[k].scope),
                      "axis %zu: %s %lld at %lld, %s", k, axes[k].axis, (long long)axes[k].size,
                      (long long)axes[k].stride, axes[k].scope);
        }
    }
    arena_close(arena);
}

/* The last stage's own peak, of which logs of the last rank tell. */
Test(estimate, last_stage) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, DENSE), setup_topology(arena, "h100-sxm", 8),
                                              setup_job(arena, "global_batch: 64\n"));
    struct decision d = alone;
    d.parallel = filled((struct parallel){.pp = 4, .dp = 2});
    d.schedule = SCHEDULE_1F1B;
    d.micro_batches = 32;
    struct memory_parts first = cost_estimate(arena, &c, &d, NULL).memory.parts, last;
    double library = 0, whole = 0;
    double peak = cost_last_stage_peak(arena, &c, &d, &last, &library);
    struct estimate e = cost_estimate(arena, &c, &d, &whole);
    cr_expect(near(peak, memory_sum(&last), 1e-12) && peak <= e.memory.peak && library == whole && library > 0);
    cr_expect(last.logits > 0 && first.logits >= 0 && near(last.weights, 2.0 * (15730688 + 52428800 + 1024), 1e-12),
              "%.0f bytes of weights", last.weights);
    arena_close(arena);
}

/* Every sort of model, end to end: FLOPs near 6 N a token, states of 6 + 12/d bytes a parameter. */
Test(estimate, every_sort_of_model) {
    static const struct {
        const char *model, *job;
        struct parallel parallel;
        int64_t devices;
        double flops; /* a token and active parameter */
    } rows[] = {
        {"llama3-8b", "", {.dp = 8, .zero = 1}, 8, 6.0},
        {"t5-11b", "seq_len: 512\n", {.dp = 8, .zero = 1}, 8, 6.0}, /* encoder and decoder tokens both */
        {"vit-h-14", "", {.dp = 8, .zero = 1}, 8, 6.0},
        {"dit-xl-2", "", {.dp = 8, .zero = 1}, 8, 4.2}, /* a third in modulations, once an image */
        {"qwen3-next-80b-a3b", "", {.dp = 64, .ep = 64, .zero = 1}, 64, 6.0},
        {"minimax-text-01", "", {.tp = 8, .sp = true, .dp = 32, .ep = 32, .zero = 1}, 256, 6.0},
        {"gpt-oss-120b", "", {.dp = 64, .ep = 64, .zero = 1}, 64, 6.0},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *job = arena_format(arena, "global_batch: 512\n%s", rows[i].job);
        struct cost_context c = cost_context_make(setup_model(arena, rows[i].model),
                                                  setup_topology(arena, "h100-sxm", rows[i].devices),
                                                  setup_job(arena, job));
        struct decision d = alone;
        d.parallel = filled(rows[i].parallel);
        d.micro_batches = 512 / d.parallel.dp;
        struct estimate e = cost_estimate(arena, &c, &d, NULL);
        cr_assert(e.step_time > 0, "%s: %s", rows[i].model, ((const char **)e.reasons.items)[0]);
        double tokens = 512.0 * (double)c.tokens, active = (double)count_active(c.model);
        double per = c.model_flops / tokens / active;
        cr_expect(per > 0.75 * rows[i].flops && per < 1.35 * rows[i].flops, "%s: %.2f FLOPs a token and parameter",
                  rows[i].model, per);
        double states = e.memory.parts.weights + e.memory.parts.gradients;
        const struct parallel *p = &d.parallel;
        double experts = c.mtp ? (double)(c.model->mtp_layers * c.params[c.model->mtp_kind].experts) : 0;
        for (int64_t l = 0; l < c.model->layer_count; l++) {
            experts += (double)c.params[c.model->layers[l]].experts;
        }
        double all = (double)count_total(c.model) + (c.mtp ? (double)count_mtp(c.model) : 0);
        double least = 6 * ((all - experts) / (double)p->tp + experts / (double)(p->ep * p->etp));
        cr_expect(states >= 0.99 * least && states <= 1.25 * least, "%s: %g bytes of weights and gradients, not %g",
                  rows[i].model, states, least);
        cr_expect(e.mfu > 0.05 && e.mfu < 0.7, "%s: mfu %.3f", rows[i].model, e.mfu);
    }
    arena_close(arena);
}
