/* The load of a pipeline: what a rank class runs and keeps a micro-batch, and what passes between stages. */
#include "decision.h"

#include "collective/collective.h"

#define TALL "schema: parplan/model/v1\nname: t\nhidden_size: 1024\nnum_attention_heads: 16\nvocab_size: 51200\n" \
             "num_hidden_layers: 8\nintermediate_size: 4096\n"
#define PAIR TALL "encoder: {seq_len: 512}\n"
#define IMAGE "schema: parplan/model/v1\nname: t\nhidden_size: 1024\nnum_attention_heads: 16\nnum_hidden_layers: 8\n" \
              "intermediate_size: 4096\nimage: {image_size: 224, patch_size: 14, channels: 3, classes: 1000}\n"

enum { SEQUENCE = 2048 };
#define U (2.0 * SEQUENCE * 1024)

/* Bytes that a rank sends to its neighbour, each tensor-parallel rank a part, gathered behind the wire where all need
 * the whole (arXiv:2104.04473, section 4.1). */
Test(load, messages) {
    static const struct {
        const char *name, *model;
        struct parallel parallel;
        int64_t micro_batch, stride;
        double bytes, gathered;
    } rows[] = {
        {"whole", TALL, {.pp = 8, .dp = 2}, 1, 2, U, 0},
        {"two sequences", TALL, {.pp = 8, .dp = 2}, 2, 2, 2 * U, 0},
        {"across nodes", TALL, {.pp = 2, .dp = 8}, 1, 8, U, 0},
        {"in the node", TALL, {.pp = 2, .dp = 8, .order = ORDER_PP_TP_CP_DP}, 1, 1, U, 0},
        {"tp", TALL, {.pp = 4, .tp = 4}, 1, 4, U / 4, U},
        {"tp, sp", TALL, {.pp = 4, .tp = 4, .sp = true}, 1, 4, U / 4, 0},
        {"context", TALL, {.pp = 4, .cp = 4}, 1, 4, U / 4, 0},
        {"encoder's output too", PAIR, {.pp = 8, .dp = 2}, 1, 2, U * (SEQUENCE + 512) / SEQUENCE, 0},
        {"patches", IMAGE, {.pp = 8, .dp = 2}, 1, 2, 2.0 * 256 * 1024, 0},
    };
    struct arena *arena = support_arena();
    const struct topology *topology = setup_topology(arena, "h100-sxm", 16);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = cost_context_make(setup_model(arena, rows[i].model), topology,
                                                  setup_job(arena, "seq_len: 2048\n"));
        struct parallel parallel = filled(rows[i].parallel);
        struct cut cut = cost_cut(&c, &parallel);
        struct work_cost work;
        cost_work(&c, &cut, rows[i].micro_batch, &work);
        struct link link = route_hop(topology, rows[i].stride, parallel.pp);
        struct span tensor = route_span(topology, 1, parallel.tp);
        double seconds = link.latency + rows[i].bytes / link.rate +
                         collective_seconds(&tensor, COLLECTIVE_ALL_GATHER, rows[i].gathered, NULL);
        cr_expect(work.message == rows[i].bytes, "%s: %.0f bytes, by hand %.0f", rows[i].name, work.message,
                  rows[i].bytes);
        cr_expect(near(work.hop_seconds, seconds, 1e-12), "%s: %g s, by hand %g s", rows[i].name, work.hop_seconds,
                  seconds);
    }
    arena_close(arena);
}

/* One micro-batch alone crosses all stages there and back: p - 1 messages each way are visible. Without sends beside
 * compute every rank waits for each of its two passes. */
Test(load, one_micro_batch_crosses_the_pipeline) {
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, TALL);
    const struct topology *topology = setup_slow(arena, 8, true);
    for (int64_t pp = 2; pp <= 8; pp *= 2) {
        for (int schedule = SCHEDULE_GPIPE; schedule <= SCHEDULE_1F1B; schedule++) {
            for (int beside = 0; beside < 2; beside++) {
                const char *job = arena_format(arena, "global_batch: %lld\nseq_len: 2048\noverlap: {pipeline: %s}\n",
                                               (long long)(8 / pp), beside ? "true" : "false");
                struct cost_context c = cost_context_make(model, topology, setup_job(arena, job));
                struct decision d = alone;
                d.schedule = schedule;
                d.parallel = filled((struct parallel){.pp = pp, .dp = 8 / pp, .order = ORDER_PP_TP_CP_DP});
                struct link link = route_hop(topology, 1, pp);
                double hop = link.latency + U / link.rate;
                double seconds = cost_estimate(arena, &c, &d, NULL).time.pp_exposed;
                double wanted = 2 * hop * (double)(beside ? pp - 1 : pp);
                cr_expect(near(seconds, wanted, 1e-9), "pp %lld %s: %.12g s, by hand %.12g s", (long long)pp,
                          schedule_names[schedule], seconds, wanted);
            }
        }
    }
    arena_close(arena);
}

/* A vocabulary over all stages: its embedding is summed and the head's input broadcast, forward and backward. */
Test(load, spread_vocabulary) {
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, TALL);
    const struct topology *topology = setup_slow(arena, 8, true);
    double visible[2];
    for (int spread = 0; spread < 2; spread++) {
        const char *job = arena_format(arena, "global_batch: 3\nseq_len: 2048\nvocab_parallel: %s\n",
                                       spread ? "true" : "false");
        struct cost_context c = cost_context_make(model, topology, setup_job(arena, job));
        struct decision d = alone;
        d.schedule = SCHEDULE_1F1B;
        d.parallel = filled((struct parallel){.pp = 8});
        d.micro_batches = 3;
        visible[spread] = cost_estimate(arena, &c, &d, NULL).time.pp_exposed;
    }
    struct span stages = route_span(topology, 1, 8);
    double each = collective_seconds(&stages, COLLECTIVE_REDUCE, U, NULL) +
                  collective_seconds(&stages, COLLECTIVE_BROADCAST, U, NULL) +
                  collective_seconds(&stages, COLLECTIVE_ALL_REDUCE, 4.0 * SEQUENCE, NULL);
    cr_expect(near(visible[1] - visible[0], 3 * 2 * each, 1e-9), "%.12g s more, by hand %.12g s",
              visible[1] - visible[0], 3 * 2 * each);
    arena_close(arena);
}

static void expect_sum(const struct cost_context *c, const struct priced *p, int64_t rank, int recompute) {
    const struct stage_class *class = &p->map.classes[p->map.rank_class[rank]];
    const struct class_load *load = &p->load.classes[p->map.rank_class[rank]];
    struct pass_cost forward = {0}, backward = {0}, weight = {0};
    double saved = 0;
    const struct layer_cost *parts[] = {&p->work.kinds[0], &p->work.embedding, &p->work.head};
    const double times[] = {(double)class->total, class->embedding, class->head};
    for (int i = 0; i < 3; i++) {
        cost_pass_add(&forward, &parts[i]->forward, times[i]);
        cost_pass_add(&backward, &parts[i]->backward, times[i]);
        cost_pass_add(&backward, &parts[i]->again[i == 0 ? recompute : RECOMPUTE_NONE], times[i]);
        cost_pass_add(&weight, &parts[i]->weight, times[i]);
        saved += times[i] * parts[i]->saved[i == 0 ? recompute : RECOMPUTE_NONE];
    }
    cr_expect(near(load->forward, cost_pass_seconds(c, &forward), 1e-12) &&
                  near(load->backward, cost_pass_seconds(c, &backward), 1e-12) &&
                  near(load->weight, cost_pass_seconds(c, &weight), 1e-12), "rank %lld: seconds", (long long)rank);
    cr_expect(near(load->compute, forward.compute + backward.compute + weight.compute, 1e-12) &&
                  near(load->exposed.tp, forward.exposed.tp + backward.exposed.tp, 1e-12),
              "rank %lld", (long long)rank);
    cr_expect(near(load->saved, saved, 1e-12), "rank %lld: %g bytes, %g", (long long)rank, load->saved, saved);
    cr_expect(load->logits == (class->head > 0 ? p->work.head.logits : 0), "rank %lld: logits", (long long)rank);
    double widest = p->work.kinds[0].working - p->work.kinds[0].saved[recompute] + p->work.kinds[0].transient;
    double ends = fmax(class->embedding * p->work.embedding.transient, class->head * p->work.head.transient);
    cr_expect(load->extra == fmax(widest, ends), "rank %lld: %g bytes beside, %g", (long long)rank, load->extra,
              widest);
    cr_expect(near(load->recompute_flops, (double)class->total * p->work.kinds[0].again[recompute].flops, 1e-12));
}

/* A rank runs its layers, the first the embedding too and the last the head; recomputation is part of backward. */
Test(load, ranks_run_what_they_hold) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, TALL), setup_topology(arena, "h100-sxm", 8),
                                              setup_job(arena, "seq_len: 2048\n"));
    for (int recompute = 0; recompute < RECOMPUTE_KINDS; recompute++) {
        struct decision d = alone;
        d.parallel = filled((struct parallel){.pp = 4, .tp = 2});
        d.schedule = SCHEDULE_1F1B;
        d.micro_batches = 1024;
        d.recompute = recompute;
        struct priced *p = price_apart(arena, &c, &d);
        for (int64_t rank = 0; rank < 4; rank++) {
            expect_sum(&c, p, rank, recompute);
        }
        cr_expect_eq(p->load.heaviest, p->map.rank_class[3]);
        double overhead = c.topology->runtime.micro_batch_overhead;
        const struct class_load *load = &p->load.classes[p->map.rank_class[1]];
        const struct pass_times *times = &p->load.ranks[1];
        cr_expect(times->forward == load->forward + overhead && times->backward == load->backward + overhead &&
                  times->weight == load->weight);
    }
    arena_close(arena);
}

/* Kernels in a row take as long as the device needs for them and for what is visible, or the host to launch them. */
Test(load, device_or_host) {
    struct arena *arena = support_arena();
    const struct topology *topology = setup_topology(arena, "h100-sxm", 8); /* 6 us a launch */
    const struct model *model = setup_model(arena, TALL);
    struct cost_context host = cost_context_make(model, topology, setup_job(arena, ""));
    struct cost_context graphs = cost_context_make(model, topology, setup_job(arena, "kernels: {cuda_graphs: true}\n"));
    static const struct {
        struct pass_cost pass;
        double host, graphs;
    } rows[] = {
        {{.compute = 1, .kernels = 1}, 1, 1},
        {{.compute = 1e-6, .kernels = 10}, 60e-6, 1e-6},
        {{.compute = 1e-6, .kernels = 10, .exposed = {.tp = 2e-6, .cp = 3e-6, .ep = 4e-6}}, 60e-6, 10e-6},
        {{.compute = 50e-6, .kernels = 10, .exposed = {.tp = 20e-6, .cp = 30e-6, .ep = 40e-6}}, 140e-6, 140e-6},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        double seconds = cost_pass_seconds(&host, &rows[i].pass), captured = cost_pass_seconds(&graphs, &rows[i].pass);
        cr_expect(near(seconds, rows[i].host, 1e-12) && near(captured, rows[i].graphs, 1e-12), "row %zu: %g s, %g s", i,
                  seconds, captured);
    }
    arena_close(arena);
}

/* An overlapped pair hides the experts' exchanges of one micro-batch behind the other's passes, slowing them down. */
Test(load, pairs) {
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, EXPERTS);
    for (int slow = 0; slow < 2; slow++) { /* exchanges shorter, and longer than the rest */
        struct topology *topology = slow ? setup_slow(arena, 8, false) : setup_topology(arena, "h100-sxm", 8);
        double slowdown = topology->runtime.overlap_slowdown;
        struct cost_context c = cost_context_make(model, topology, setup_job(arena, ""));
        struct decision d = alone;
        d.parallel = filled((struct parallel){.pp = 2, .dp = 4, .ep = 4});
        d.schedule = SCHEDULE_DUALPIPE;
        d.micro_batches = 256;
        struct priced *p = price_apart(arena, &c, &d);
        const struct class_load *load = &p->load.classes[0];
        double full = load->forward + load->backward + load->weight, rest = full - load->exposed.ep;
        cr_expect(load->exposed.ep > 0 && (load->exposed.ep > rest) == (slow == 1), "exchanges %g s, rest %g s",
                  load->exposed.ep, rest);
        double hidden = (1 - slowdown) * fmin(rest, load->exposed.ep);
        double wanted = (full - hidden) / 2 + 2 * topology->runtime.micro_batch_overhead;
        cr_expect(near(p->load.ranks[0].pair, wanted, 1e-12), "pair %g s, by hand %g s", p->load.ranks[0].pair, wanted);
    }
    arena_close(arena);
}

/* ZeRO-3 on links so slow that all compute beside is filled: gathers of 8 layers hide behind the others' forward,
 * gathers and reductions behind their backward. What stands outside the layers comes first and last, beside nothing. */
Test(load, shard_traffic) {
    static const struct {
        int64_t zero;
        bool gradients, parameters, slow;
    } rows[] = {{3, true, true, true},  {3, false, true, true}, {3, true, false, true}, {3, false, false, true},
                {2, true, true, true},  {2, false, true, true}, {2, true, false, true}, {3, true, true, false},
                {2, true, true, false}};
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, TALL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct topology *topology = rows[i].slow ? setup_slow(arena, 8, false) : setup_topology(arena, "h100-sxm", 8);
        const char *job = arena_format(arena, "overlap: {gradients: %s, parameters: %s}\nseq_len: 65536\n",
                                       rows[i].gradients ? "true" : "false", rows[i].parameters ? "true" : "false");
        struct cost_context c = cost_context_make(model, topology, setup_job(arena, job));
        struct decision d = alone;
        d.parallel = filled((struct parallel){.dp = 8, .zero = rows[i].zero});
        d.micro_batches = 128;
        struct priced *p = price_apart(arena, &c, &d), *without;
        d.parallel.zero = 0;
        without = price_apart(arena, &c, &d);
        const struct shard_traffic *t = &p->states[0].traffic;
        const struct class_load *load = &p->load.classes[0], *bare = &without->load.classes[0];
        double gathers = rows[i].parameters ? t->layers_gather * 7 / 8 : 0;
        double reduces = rows[i].gradients ? t->layers_reduce : 0; /* the embedding's come last */
        double felt = 1 - topology->runtime.overlap_slowdown;
        double forward = t->layers_gather + t->outer_gather - felt * fmin(gathers, bare->forward * 7 / 8);
        double backward = t->layers_gather + t->layers_reduce + t->outer_reduce -
                          felt * fmin(gathers + reduces, (bare->backward + bare->weight) * 7 / 8);
        cr_expect(near(load->forward - bare->forward, forward, 1e-9), "row %zu: %g s more forward, by hand %g s", i,
                  load->forward - bare->forward, forward);
        cr_expect(near(load->backward - bare->backward, backward, 1e-9), "row %zu: %g s more backward, by hand %g s", i,
                  load->backward - bare->backward, backward);
        cr_expect(near(load->dp_exposed, forward + backward, 1e-9), "row %zu: %g s visible", i, load->dp_exposed);
        cr_expect((t->layers_gather > bare->forward) == (rows[i].slow && rows[i].zero == 3), "row %zu: %g s of %g s", i,
                  t->layers_gather, bare->forward);
        cr_expect(rows[i].zero == 3 ? t->outer_gather > 0 : t->layers_gather <= 0, "row %zu", i);
    }
    arena_close(arena);
}
