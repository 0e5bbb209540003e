/* Bytes of a rank: model states under every ZeRO stage and precision, activations in flight, parts that add up. */
#include "../plan/setup.h"

#include <math.h>

#include "cost/estimate.h"
#include "cost/price.h"
#include "schedule/schedule.h"

static const struct decision plain = {
    .parallel = {.tp = 1, .pp = 1, .vpp = 1, .dp = 1, .cp = 1, .ep = 1, .etp = 1, .ulysses = 1},
    .micro_batch = 1,
    .micro_batches = 1,
    .schedule = SCHEDULE_NONE,
    .recompute = RECOMPUTE_NONE,
    .stages = STAGES_EVEN,
};

static struct cost_context context_of(struct arena *arena, const char *model, const char *job, int64_t devices) {
    return cost_context_make(setup_model(arena, model), setup_topology(arena, "h100-sxm", devices),
                             setup_job(arena, job));
}

/* States of a class of the pipeline. */
static struct state_cost states_of(const struct cost_context *c, const struct decision *d, int64_t rank) {
    static struct stage_map map;
    struct cut cut = cost_cut(c, &d->parallel);
    struct state_spans spans = state_spans(c, &cut);
    struct state_cost state;
    stage_map_make(c, d->parallel.pp, d->parallel.vpp, schedules[d->schedule]->placement, false, &map);
    const struct stage_class *class = &map.classes[map.rank_class[rank]];
    cost_state(c, &cut, &spans, class, schedules[d->schedule]->ways == 2, d->parallel.zero, &state);
    double kept = cost_state_bytes(c, &cut, &spans, class, d->parallel.zero);
    cr_expect(fabs(kept - state.weights - state.gradients - state.optimizer - state.gathered) <= 1e-9 * kept);
    return state;
}

/* What ZeRO shards: optimizer state, and gradients, and weights; over dp x cp ranks the dense parameters, over edp the
 * experts' (Megatron-LM: 18 = 6 + 12/d bytes; ZeRO paper: 16, 4 + 12/d, 2 + 14/d, 16/d). */
Test(memory, zero_stages) {
    static const struct {
        const char *model, *job;
        int64_t tp, dp, cp, ep, etp;
        double weight, gradient, optimizer;
    } rows[] = {
        {"llama3-8b", "", 1, 16, 1, 1, 1, 2, 4, 12},
        {"llama3-8b", "precision: fp16\ngradient_precision: fp16\n", 2, 4, 2, 1, 1, 2, 2, 12},
        {"llama3-8b", "precision: fp32\n", 4, 4, 1, 1, 1, 4, 4, 8},
        {"llama3-8b", "moment_precision: bf16\noptimizer: muon\n", 1, 8, 2, 1, 1, 2, 4, 6},
        {"mixtral-8x7b", "", 1, 16, 1, 8, 1, 2, 4, 12},
        {"mixtral-8x7b", "", 4, 2, 2, 4, 2, 2, 4, 12},
        {"mixtral-8x7b", "", 4, 4, 1, 8, 2, 2, 4, 12},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = context_of(arena, rows[i].model, rows[i].job, 16);
        const struct layer_params p = c.params[0];
        double h = (double)c.model->hidden_size, t = (double)rows[i].tp, layers = (double)c.model->layer_count;
        double table = (double)model_padded_vocab(c.model, rows[i].tp) * h / t;
        double dense = layers * ((double)(p.attention + p.mlp) / t + (double)p.replicated) + 2 * table + h;
        double expert = layers * (double)p.experts / (double)(rows[i].ep * rows[i].etp);
        double d = (double)(rows[i].dp * rows[i].cp), e = d * t / (double)(rows[i].ep * rows[i].etp);
        for (int64_t zero = 0; zero < 4; zero++) {
            struct decision decision = plain;
            decision.parallel = (struct parallel){.tp = rows[i].tp,
                                                  .pp = 1,
                                                  .vpp = 1,
                                                  .dp = rows[i].dp,
                                                  .cp = rows[i].cp,
                                                  .ep = rows[i].ep,
                                                  .etp = rows[i].etp,
                                                  .zero = zero,
                                                  .ulysses = 1};
            struct state_cost s = states_of(&c, &decision, 0);
            double whole = dense + expert, part = dense / d + expert / e;
            cr_expect(s.dense == dense && s.expert == expert, "row %zu: %.0f + %.0f parameters", i, s.dense, s.expert);
            const double kept[][2] = {{s.weights, rows[i].weight * (zero >= 3 ? part : whole)},
                                      {s.gradients, rows[i].gradient * (zero >= 2 ? part : whole)},
                                      {s.optimizer, rows[i].optimizer * (zero >= 1 ? part : whole)}};
            for (size_t j = 0; j < ROWS(kept); j++) {
                cr_expect(fabs(kept[j][0] - kept[j][1]) <= 1e-12 * kept[j][1],
                          "row %zu zero %lld part %zu: %.1f, "
                          "expected %.1f",
                          i, (long long)zero, j, kept[j][0], kept[j][1]);
            }
            cr_expect_eq(s.gathered > 0, zero >= 2, "row %zu zero %lld: %.1f", i, (long long)zero, s.gathered);
        }
    }
    arena_close(arena);
}

/* HSDP shards weights inside a node of 8 and repeats them in the others. */
Test(memory, hybrid_shards) {
    struct arena *arena = support_arena();
    struct cost_context all = context_of(arena, "llama3-8b", "", 32);
    struct cost_context node = context_of(arena, "llama3-8b", "search: {hybrid_shard: true}\n", 32);
    struct decision decision = plain;
    decision.parallel.dp = 32;
    decision.parallel.zero = 3;
    struct state_cost wide = states_of(&all, &decision, 0), narrow = states_of(&node, &decision, 0);
    cr_expect_eq(wide.weights, 2 * wide.dense / 32);
    cr_expect_eq(narrow.weights, 2 * wide.dense / 8);
    cr_expect_eq(narrow.optimizer, 12 * wide.dense / 8);
    arena_close(arena);
}

/* Stages hold their own layers: all ranks of a pipeline together hold the model once, a tied table twice. */
Test(memory, stages_hold_the_model_once) {
    static const struct {
        const char *model;
        int64_t pp, vpp;
        int schedule;
        double copies; /* of everything */
    } rows[] = {
        {"llama3-70b", 8, 1, SCHEDULE_1F1B, 1},     {"llama3-70b", 8, 5, SCHEDULE_INTERLEAVED, 1},
        {"gpt3-175b", 16, 1, SCHEDULE_GPIPE, 1},    {"llama3-70b", 16, 2, SCHEDULE_ZB_V, 1},
        {"llama3-70b", 8, 1, SCHEDULE_DUALPIPE, 2}, {"mixtral-8x7b", 4, 1, SCHEDULE_ZB_H2, 1},
        {"deepseek-v3", 8, 1, SCHEDULE_1F1B, 1},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = context_of(arena, rows[i].model, "", rows[i].pp);
        struct decision decision = plain;
        decision.parallel.pp = rows[i].pp;
        decision.parallel.vpp = rows[i].vpp;
        decision.schedule = rows[i].schedule;
        double parameters = 0;
        for (int64_t rank = 0; rank < rows[i].pp; rank++) {
            struct state_cost s = states_of(&c, &decision, rank);
            parameters += s.dense + s.expert;
        }
        double table = (double)(model_padded_vocab(c.model, 1) * c.model->hidden_size);
        double padding = table - (double)(c.model->vocab_size * c.model->hidden_size);
        double expected = (double)(count_total(c.model) + count_mtp(c.model)) + 2 * padding;
        expected += c.model->tie_word_embeddings ? table - padding : 0;
        expected += c.mtp ? table : 0; /* MTP blocks look tokens up on the last stage */
        cr_expect_eq(parameters, rows[i].copies * expected, "%s %s: %.0f, expected %.0f", rows[i].model,
                     schedule_names[rows[i].schedule], parameters, rows[i].copies * expected);
    }
    arena_close(arena);
}

static struct estimate estimate_of(struct arena *arena, const struct cost_context *c, const struct decision *decision) {
    struct decision d = *decision;
    d.micro_batches = c->job->global_batch / (d.parallel.dp * d.micro_batch);
    struct estimate e = cost_estimate(arena, c, &d, NULL);
    cr_assert(e.memory.peak > 0, "%s", e.reasons.count > 0 ? ((const char **)e.reasons.items)[0] : "no price");
    const struct memory_parts *p = &e.memory.parts;
    double sum = p->weights + p->gradients + p->optimizer + p->activations + p->logits + p->communication + p->runtime +
                 p->allocator;
    cr_expect(fabs(sum - e.memory.peak) <= 1e-9 * sum, "parts add up to %.0f of %.0f", sum, e.memory.peak);
    cr_expect(e.feasible == (e.memory.peak <= e.memory.limit));
    return e;
}

/* What saves memory does, and the parts that it concerns alone change. */
Test(memory, savings) {
    struct arena *arena = support_arena();
    struct cost_context c = context_of(arena, "llama3-8b", "global_batch: 64\n", 16);
    struct decision d = plain;
    d.parallel.tp = 2;
    d.parallel.dp = 8;
    d.parallel.sp = true;
    struct memory_parts last = estimate_of(arena, &c, &d).memory.parts;
    for (int recompute = RECOMPUTE_SELECTIVE; recompute <= RECOMPUTE_FULL; recompute++) {
        d.recompute = recompute;
        struct memory_parts now = estimate_of(arena, &c, &d).memory.parts;
        cr_expect_lt(now.activations, last.activations, "recompute %d", recompute);
        cr_expect(now.weights == last.weights && now.optimizer == last.optimizer && now.logits == last.logits);
        last = now;
    }
    d.recompute = RECOMPUTE_NONE;
    last = estimate_of(arena, &c, &d).memory.parts;
    for (int64_t zero = 1; zero < 4; zero++) {
        d.parallel.zero = zero;
        struct memory_parts now = estimate_of(arena, &c, &d).memory.parts;
        double states = now.weights + now.gradients + now.optimizer;
        cr_expect_lt(states, last.weights + last.gradients + last.optimizer, "zero %lld", (long long)zero);
        cr_expect(now.activations == last.activations && now.logits == last.logits);
        last = now;
    }
    d.parallel.zero = 0;
    last = estimate_of(arena, &c, &d).memory.parts;
    d.micro_batch = 2;
    struct memory_parts twice = estimate_of(arena, &c, &d).memory.parts;
    cr_expect(fabs(twice.logits - 2 * last.logits) < 1 && fabs(twice.activations / last.activations - 2) < 1e-9);
    cr_expect(twice.weights == last.weights && twice.runtime == last.runtime);
    arena_close(arena);
}

/* Micro-batches in flight: stage 0 of 1F1B keeps p, of GPipe all of them, of interleaved chunks 1 + (p-1)/(pv) times p.
 */
Test(memory, in_flight) {
    struct arena *arena = support_arena();
    struct cost_context c = context_of(arena, "llama3-70b", "global_batch: 16\n", 4);
    static struct stage_map map;
    static struct work_cost work;
    static struct stage_load load;
    static const struct {
        int schedule;
        int64_t vpp;
        double micro_batches;
    } rows[] = {
        {SCHEDULE_1F1B, 1, 4},  {SCHEDULE_GPIPE, 1, 16}, {SCHEDULE_INTERLEAVED, 2, 4 + 3 / 2.0},
        {SCHEDULE_ZB_H1, 1, 4}, {SCHEDULE_ZB_H2, 1, 7},  {SCHEDULE_INTERLEAVED, 5, 4 + 3 / 5.0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct decision d = plain;
        d.parallel.pp = 4;
        d.parallel.vpp = rows[i].vpp;
        struct cut cut = cost_cut(&c, &d.parallel);
        struct state_cost states[STAGE_CLASSES] = {0};
        const struct schedule *schedule = schedules[rows[i].schedule];
        stage_map_make(&c, 4, rows[i].vpp, PLACEMENT_LINEAR, false, &map);
        cost_work(&c, &cut, 1, &work);
        cost_load(&c, &map, &work, states, RECOMPUTE_FULL, 0, &load);
        struct memory_parts parts;
        double nccl;
        int64_t class = map.rank_class[0];
        const struct class_load *rank = &load.classes[class];
        double peak = cost_peak(&c, &cut, &map, &states[0], rank, schedule, 16, class, &parts, &nccl);
        double kept = 20 * 2 * 4096.0 * 8192; /* the inputs of 20 layers */
        cr_expect_eq(rank->saved, kept, "%s: %.0f of %.0f", schedule->name, rank->saved, kept);
        double working = parts.activations - rows[i].micro_batches * kept;
        cr_expect(working >= 0 && fabs(working - fmax(0, rank->extra - rank->logits)) <= 1e-6 * kept,
                  "%s v %lld: %.3f micro-batches in flight", schedule->name, (long long)rows[i].vpp,
                  parts.activations / kept);
        cr_expect(peak > parts.activations && nccl > 0);
    }
    arena_close(arena);
}
