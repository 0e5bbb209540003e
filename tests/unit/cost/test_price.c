/* A price from its parts: what hides behind what, what a schedule keeps in flight, what communicators hold. */
#include "decision.h"

#include "collective/collective.h"
#include "schedule/schedule.h"

#define TALL "schema: parplan/model/v1\nname: t\nhidden_size: 1024\nnum_attention_heads: 16\nvocab_size: 51200\n" \
             "num_hidden_layers: 16\nintermediate_size: 4096\n"

/* The last stage has most to send. */
#define LONG TALL "mtp_layers: 1\n"

static struct cost_context slow_context(struct arena *arena, const char *model, int64_t devices, bool beside,
                                        const char *keys) {
    const char *job = arena_format(arena, "global_batch: 64\noverlap: {gradients: %s, parameters: %s}\n%s",
                                   beside ? "true" : "false", beside ? "true" : "false", keys);
    return cost_context_make(setup_model(arena, model), setup_slow(arena, devices, false), setup_job(arena, job));
}

/* Gradients are reduced beside the last backward passes, weights gathered beside the first forward passes. On links so
 * slow all of that time is filled, of which a quarter is felt:
 *
 *   one chunk       all layers but one of the last backward; further down the pipeline that of every rank before it
 *   v chunks        backward of p micro-batches of the other chunks; forward of p micro-batches of the other chunks */
Test(price, windows) {
    static const struct {
        const char *name, *model;
        struct parallel parallel;
        int schedule;
        double backward, forward; /* of a rank's passes of a micro-batch; 16 layers on pp ranks */
    } rows[] = {
        {"ZeRO 0", TALL, {.dp = 8}, SCHEDULE_NONE, 15.0 / 16, 0},
        {"ZeRO 1", TALL, {.dp = 8, .zero = 1}, SCHEDULE_NONE, 15.0 / 16, 1},
        {"ZeRO 0, pipeline", TALL, {.pp = 4, .dp = 2}, SCHEDULE_1F1B, 3.0 / 4, 0},
        {"ZeRO 1, pipeline", TALL, {.pp = 4, .dp = 2, .zero = 1}, SCHEDULE_1F1B, 3.0 / 4, 1},
        {"two chunks", TALL, {.pp = 4, .dp = 2, .zero = 1, .vpp = 2}, SCHEDULE_INTERLEAVED, 4 / 2.0, 4 / 2.0},
        {"four chunks", TALL, {.pp = 4, .dp = 2, .zero = 1, .vpp = 4}, SCHEDULE_INTERLEAVED, 4 * 3 / 4.0, 4 * 3 / 4.0},
        {"last rank", LONG, {.pp = 4, .dp = 2}, SCHEDULE_1F1B, 3.0 / 4, 0},
        {"last rank, two chunks", LONG, {.pp = 4, .dp = 2, .vpp = 2}, SCHEDULE_INTERLEAVED, 4 / 2.0, 0},
        {"V", TALL, {.pp = 4, .dp = 2, .zero = 1, .vpp = 2}, SCHEDULE_ZB_V, 3.0 / 4, 1},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context apart = slow_context(arena, rows[i].model, 8, false, "");
        struct cost_context beside = slow_context(arena, rows[i].model, 8, true, "");
        struct decision d = alone;
        d.parallel = filled(rows[i].parallel);
        d.schedule = rows[i].schedule;
        d.micro_batches = 64 / d.parallel.dp;
        struct priced *p = price_apart(arena, &beside, &d);
        double all = 0; /* the rank that takes longest decides */
        for (int64_t rank = 0; rank < d.parallel.pp; rank++) {
            int64_t class = p->map.rank_class[rank];
            const struct class_load *load = &p->load.classes[class];
            const struct state_cost *s = &p->states[class];
            bool linear = p->map.placement == PLACEMENT_LINEAR;
            double earlier = linear ? (double)(p->map.classes[class].first_rank) / (double)d.parallel.vpp : 0;
            double window = (rows[i].backward + earlier) * (load->backward + load->weight);
            double first = rows[i].forward * load->forward;
            double seconds = s->reduce_seconds + s->gather_seconds;
            double visible = seconds - 0.75 * (window + first);
            all = fmax(all, visible);
            cr_expect(s->reduce_seconds - s->bucket_seconds > window, "%s: the window is longer", rows[i].name);
        }
        double seconds = cost_estimate(arena, &beside, &d, NULL).time.dp_exposed;
        double off = cost_estimate(arena, &apart, &d, NULL).time.dp_exposed;
        cr_expect(near(seconds, all, 1e-9) && off > seconds, "%s: %.12g s visible, by hand %.12g s, apart %.12g s",
                  rows[i].name, seconds, all, off);
    }
    arena_close(arena);
}

/* The last bucket and the first layer's weights have nothing beside them, however fast the links. */
Test(price, ends_are_visible) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, "llama3-8b"), setup_topology(arena, "h100-sxm", 8),
                                              setup_job(arena, "global_batch: 64\nseq_len: 8192\n"));
    struct decision d = alone;
    d.parallel = filled((struct parallel){.dp = 8, .zero = 1});
    d.micro_batches = 8;
    struct priced *p = price_apart(arena, &c, &d);
    const struct state_cost *s = &p->states[0];
    double slow = c.topology->runtime.overlap_slowdown;
    double visible = s->bucket_seconds + slow * (s->reduce_seconds - s->bucket_seconds) + s->first_gather_seconds +
                     slow * (s->gather_seconds - s->first_gather_seconds);
    cr_expect(near(p->price.time.dp_exposed, visible, 1e-9), "%g s visible, %g s", p->price.time.dp_exposed, visible);
    double layer = (double)(c.params[0].attention + c.params[0].mlp + c.params[0].replicated);
    cr_expect(near(s->first_gather_seconds, s->gather_seconds * layer / s->dense, 1e-12));
    arena_close(arena);
}

/* Micro-batches in flight on the first rank, in copies of what its chunks keep; weights of two-way schedules twice. */
Test(price, in_flight) {
    static const struct {
        int schedule;
        int64_t vpp;
        double kept, layers;
    } rows[] = {
        {SCHEDULE_GPIPE, 1, 16, 4}, {SCHEDULE_1F1B, 1, 4, 4},       {SCHEDULE_INTERLEAVED, 2, (2 * 3 + 4 + 1) / 2.0, 4},
        {SCHEDULE_ZB_H1, 1, 4, 4},  {SCHEDULE_ZB_H2, 1, 7, 4},      {SCHEDULE_ZB_V, 2, 4, 4},
        {SCHEDULE_DUALPIPE, 1, 2.5, 8}, {SCHEDULE_DUALPIPEV, 2, 4.5, 4},
    };
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, TALL), setup_slow(arena, 4, false),
                                              setup_job(arena, "global_batch: 16\n"));
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct decision d = alone;
        d.parallel = filled((struct parallel){.pp = 4, .vpp = rows[i].vpp});
        d.schedule = rows[i].schedule;
        d.micro_batches = 16;
        struct priced *p = price_apart(arena, &c, &d);
        const struct class_load *load = &p->load.classes[p->map.rank_class[0]];
        struct memory_parts m;
        double library;
        cost_peak(&c, &p->cut, &p->map, &p->states[0], load, schedules[d.schedule], 16, 0, &m, &library);
        double copies = (m.activations - fmax(0, load->extra - load->logits)) / load->saved;
        cr_expect(near(copies, rows[i].kept, 1e-9), "%s: %g micro-batches in flight, not %g",
                  schedule_names[d.schedule], copies, rows[i].kept);
        cr_expect_eq(p->map.classes[p->map.rank_class[0]].total, (int64_t)rows[i].layers);
        double weights = p->states[p->map.rank_class[1]].weights;
        cr_expect(near(weights, 2 * rows[i].layers * (double)(4 * 1024 * 1024 + 3 * 1024 * 4096 + 2048), 1e-12),
                  "%s: %.0f bytes of weights", schedule_names[d.schedule], weights);
        cr_expect(p->price.memory.communication > library && near(m.communication - library, 2 * load->message, 1e-12),
                  "%s: one message each way", schedule_names[d.schedule]);
    }
    arena_close(arena);
}

/* Bytes of the loss: 16-bit logits, a 32-bit copy and its 16-bit gradient; fused, the logits alone. */
Test(price, logits) {
    static const struct {
        const char *job;
        int64_t tp, micro_batch;
        double bytes; /* a logit */
    } rows[] = {
        {"", 1, 1, 8}, {"", 4, 1, 8}, {"", 4, 2, 8}, {"kernels: {fused_cross_entropy: true}\n", 4, 1, 2},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = slow_context(arena, TALL, 4, true, rows[i].job);
        struct decision d = alone;
        d.parallel = filled((struct parallel){.tp = rows[i].tp, .dp = 4 / rows[i].tp});
        d.micro_batch = rows[i].micro_batch;
        d.micro_batches = 64 / d.parallel.dp / d.micro_batch;
        double logits = cost_estimate(arena, &c, &d, NULL).memory.parts.logits;
        double wanted = rows[i].bytes * 4096 * 51200 / (double)rows[i].tp * (double)rows[i].micro_batch;
        cr_expect(logits == wanted, "row %zu: %.0f bytes, by hand %.0f", i, logits, wanted);
    }
    arena_close(arena);
}

/* A communicator for each group of more than one rank, two for the pipeline's neighbours, one for the world. */
Test(price, communicators) {
    static const struct {
        const char *model;
        struct parallel parallel;
        int count;
    } rows[] = {
        {TALL, {.dp = 16}, 2},         {TALL, {.tp = 16}, 2},
        {TALL, {.tp = 4, .dp = 4}, 3}, {TALL, {.cp = 16}, 3}, /* context, and gradients over it */
        {TALL, {.pp = 16}, 3},         {TALL, {.tp = 2, .cp = 2, .dp = 2, .pp = 2}, 6},
        {EXPERTS, {.dp = 16, .ep = 8}, 4}, /* dp, experts, and who has the same experts */
        {EXPERTS, {.dp = 16, .ep = 4, .etp = 2}, 5},
    };
    struct arena *arena = support_arena();
    const struct topology *topology = setup_topology(arena, "h100-sxm", 16);
    double each = topology->library.communicator + (double)topology->library.channels * topology->library.buffer;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = cost_context_make(setup_model(arena, rows[i].model), topology,
                                                  setup_job(arena, "global_batch: 16\n"));
        struct decision d = alone;
        d.parallel = filled(rows[i].parallel);
        d.schedule = d.parallel.pp > 1 ? SCHEDULE_1F1B : SCHEDULE_NONE;
        d.micro_batches = 16 / d.parallel.dp;
        double library = 0;
        struct estimate e = cost_estimate(arena, &c, &d, &library);
        cr_assert(e.step_time > 0, "row %zu: %s", i, ((const char **)e.reasons.items)[0]);
        cr_expect(near(library, rows[i].count * each, 1e-12), "row %zu: %g communicators, not %d", i, library / each,
                  rows[i].count);
    }
    struct cost_context c = cost_context_make(setup_model(arena, TALL), setup_topology(arena, "h100-sxm", 1),
                                              setup_job(arena, "global_batch: 1\n"));
    double library = 1;
    cost_estimate(arena, &c, &alone, &library);
    cr_expect_eq(library, 0, "one device needs no communicator");
    arena_close(arena);
}

/* Rounding of the allocator is a share of what it hands out: everything but the library's and the driver's own. */
Test(price, allocator) {
    struct arena *arena = support_arena();
    struct cost_context c = slow_context(arena, TALL, 8, true, "");
    struct decision d = alone;
    d.parallel = filled((struct parallel){.tp = 2, .pp = 2, .dp = 2});
    d.schedule = SCHEDULE_1F1B;
    d.micro_batches = 32;
    double library = 0;
    struct memory_parts m = cost_estimate(arena, &c, &d, &library).memory.parts;
    double handed = m.weights + m.gradients + m.optimizer + m.activations + m.logits + m.communication - library;
    cr_expect(near(m.allocator, 0.05 * handed, 1e-12), "%g of %g", m.allocator, handed);
    cr_expect(near(m.runtime, c.device->context + c.device->workspace, 1e-12));
    arena_close(arena);
}

/* Host work: two passes a chunk and micro-batch, and once a step; late nodes stretch all of it but that. */
Test(price, overheads) {
    static const struct {
        struct parallel parallel;
        int schedule;
        int64_t passes;
    } rows[] = {
        {{.dp = 16}, SCHEDULE_NONE, 2 * 4},
        {{.pp = 4, .dp = 4}, SCHEDULE_1F1B, 2 * 16},
        {{.pp = 4, .dp = 4, .vpp = 4}, SCHEDULE_INTERLEAVED, 2 * 64},
        {{.pp = 4, .dp = 4, .vpp = 2}, SCHEDULE_ZB_V, 2 * 32},
        {{.pp = 4, .dp = 4}, SCHEDULE_DUALPIPE, 2 * 16},
    };
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, TALL);
    const struct job *job = setup_job(arena, "global_batch: 64\nkernels: {cuda_graphs: true}\n");
    struct topology *still = setup_slow(arena, 16, false), *busy = setup_slow(arena, 16, false);
    busy->runtime.micro_batch_overhead = 1e-3;
    busy->runtime.step_overhead = 0.5;
    busy->runtime.jitter = 0.01;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context calm = cost_context_make(model, still, job), late = cost_context_make(model, busy, job);
        struct decision d = alone;
        d.parallel = filled(rows[i].parallel);
        d.schedule = rows[i].schedule;
        d.micro_batches = 64 / d.parallel.dp;
        struct estimate quiet = cost_estimate(arena, &calm, &d, NULL), noisy = cost_estimate(arena, &late, &d, NULL);
        double host = 1e-3 * (double)rows[i].passes;
        double without = (noisy.step_time - 0.5) / 1.01; /* one doubling: 2 nodes */
        double overhead = host + 0.5 + 0.01 * without;
        cr_expect(near(noisy.time.overhead, overhead, 1e-9), "row %zu: %.12g s, by hand %.12g s", i,
                  noisy.time.overhead, overhead);
        cr_expect(fabs(quiet.time.overhead) <= 1e-12 * quiet.step_time, "row %zu: %g s of nothing", i,
                  quiet.time.overhead);
        cr_expect(near(noisy.time.compute, quiet.time.compute, 1e-9) || d.schedule == SCHEDULE_DUALPIPE, "row %zu", i);
    }
    arena_close(arena);
}

/* With a vocabulary over all stages two more micro-batches wait for it, if there are so many (arXiv:2411.05288). */
Test(price, in_flight_with_spread_vocabulary) {
    static const struct {
        int64_t micro_batches;
        double kept;
    } rows[] = {{2, 2}, {4, 4}, {5, 5}, {6, 6}, {16, 6}};
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, TALL), setup_slow(arena, 4, false),
                                              setup_job(arena, "vocab_parallel: true\n"));
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct decision d = alone;
        d.parallel = filled((struct parallel){.pp = 4});
        d.schedule = SCHEDULE_1F1B;
        d.micro_batches = rows[i].micro_batches;
        struct priced *p = price_apart(arena, &c, &d);
        const struct class_load *load = &p->load.classes[0];
        double kept = (p->price.memory.activations - fmax(0, load->extra - load->logits)) / load->saved;
        cr_expect(near(kept, rows[i].kept, 1e-9), "%lld micro-batches: %g in flight, not %g",
                  (long long)rows[i].micro_batches, kept, rows[i].kept);
        cr_expect(near(load->logits, p->work.head.logits / 4, 1e-12), "a quarter of the logits");
    }
    arena_close(arena);
}
