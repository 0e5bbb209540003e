/* Model states: parameters of a rank counted by hand, and what data parallelism sends for them. */
#include "decision.h"

#include "collective/collective.h"
#include "cost/kernel.h"

#define TIED DENSE "tie_word_embeddings: true\n"
#define LEARNED DENSE "position: learned\nmax_position_embeddings: 2048\nembedding_norm: true\n"
#define BLOCKS DENSE "extra_blocks:\n  - {name: a, params: 7000000}\n  - {name: b, params: 300000, place: head}\n"
#define AHEAD "schema: parplan/model/v1\nname: t\nhidden_size: 1024\nnum_attention_heads: 16\nvocab_size: 51200\n" \
              "num_hidden_layers: 4\nintermediate_size: 4096\nmtp_layers: 1\n"

/* Of a layer: 2 x 1024 x 1024 + 2 x 1024 x 512 attention, 3 x 1024 x 4096 feed-forward, two norms. */
enum { ATTENTION = 3145728, FEED = 12582912, NORMS = 2048, LAYER = ATTENTION + FEED + NORMS, TABLE = 51200 * 1024 };
/* Of a layer of experts: 16 x 3 x 1024 x 512, and a router of 16 x 1024. */
enum { EXPERT = 3 * 1024 * 512, ROUTER = 16 * 1024 };

struct held_row {
    const char *name, *model;
    struct parallel parallel;
    int schedule;
    int64_t rank;
    double dense, expert, replicated, outer;
};

static const struct held_row held[] = {
    {"all", DENSE, {.dp = 8}, SCHEDULE_NONE, 0, 4 * LAYER + 2 * TABLE + 1024, 0, 4 * NORMS + 1024, 2 * TABLE + 1024},
    {"tp 4", DENSE, {.tp = 4, .dp = 2}, SCHEDULE_NONE, 0, ATTENTION + FEED + 4 * NORMS + TABLE / 2 + 1024, 0,
     4 * NORMS + 1024, TABLE / 2 + 1024},
    {"tied", TIED, {.dp = 8}, SCHEDULE_NONE, 0, 4 * LAYER + TABLE + 1024, 0, 4 * NORMS + 1024, TABLE + 1024},
    {"tied, first of 2", TIED, {.pp = 2, .dp = 4}, SCHEDULE_1F1B, 0, 2 * LAYER + TABLE, 0, 2 * NORMS, TABLE},
    {"tied, last of 2", TIED, {.pp = 2, .dp = 4}, SCHEDULE_1F1B, 1, 2 * LAYER + TABLE + 1024, 0, 2 * NORMS + 1024,
     TABLE + 1024},
    {"first of 4", DENSE, {.pp = 4, .dp = 2}, SCHEDULE_1F1B, 0, LAYER + TABLE, 0, NORMS, TABLE},
    {"second of 4", DENSE, {.pp = 4, .dp = 2}, SCHEDULE_1F1B, 1, LAYER, 0, NORMS, 0},
    {"V, first of 2", DENSE, {.pp = 2, .vpp = 2, .dp = 4}, SCHEDULE_ZB_V, 0, 2 * LAYER + 2 * TABLE + 1024, 0,
     2 * NORMS + 1024, 2 * TABLE + 1024},
    {"V, last of 2", DENSE, {.pp = 2, .vpp = 2, .dp = 4}, SCHEDULE_ZB_V, 1, 2 * LAYER, 0, 2 * NORMS, 0},
    {"two-way, first of 2", DENSE, {.pp = 2, .dp = 4}, SCHEDULE_DUALPIPE, 0, 4 * LAYER + 2 * TABLE + 1024, 0,
     4 * NORMS + 1024, 2 * TABLE + 1024},
    {"two-way, second of 4", DENSE, {.pp = 4, .dp = 2}, SCHEDULE_DUALPIPE, 1, 2 * LAYER, 0, 2 * NORMS, 0},
    {"experts", EXPERTS, {.dp = 8, .ep = 4}, SCHEDULE_NONE, 0, 4 * (ATTENTION + NORMS + ROUTER) + 2 * TABLE + 1024,
     16 * EXPERT, 4 * (NORMS + ROUTER) + 1024, 2 * TABLE + 1024},
    {"experts cut twice", EXPERTS, {.dp = 8, .ep = 4, .etp = 2}, SCHEDULE_NONE, 0,
     4 * (ATTENTION + NORMS + ROUTER) + 2 * TABLE + 1024, 8 * EXPERT, 4 * (NORMS + ROUTER) + 1024, 2 * TABLE + 1024},
    /* Positions of 2048 and a norm stay whole. */
    {"learned positions", LEARNED, {.tp = 4, .dp = 2}, SCHEDULE_NONE, 0,
     ATTENTION + FEED + 4 * NORMS + TABLE / 2 + 1024 + 2048 * 1024 + 1024, 0, 4 * NORMS + 1024 + 2048 * 1024 + 1024,
     TABLE / 2 + 1024 + 2048 * 1024 + 1024},
    {"blocks, first", BLOCKS, {.pp = 2, .dp = 4}, SCHEDULE_1F1B, 0, 2 * LAYER + TABLE + 7000000, 0, 2 * NORMS,
     TABLE + 7000000},
    {"blocks, last", BLOCKS, {.pp = 2, .dp = 4}, SCHEDULE_1F1B, 1, 2 * LAYER + TABLE + 1024 + 300000, 0,
     2 * NORMS + 1024, TABLE + 1024 + 300000},
    /* One more layer of 16 key-value heads, a projection of 2048 x 1024 with three norms, a copy of the embedding. */
    {"prediction ahead, last", AHEAD, {.pp = 2, .dp = 4}, SCHEDULE_1F1B, 1,
     3 * (LAYER + 1024 * 1024) + 2 * TABLE + 1024 + 2048 * 1024 + 3 * 1024, 0, 2 * NORMS + 1024,
     LAYER + 1024 * 1024 + 2 * TABLE + 1024 + 2048 * 1024 + 3 * 1024},
};

Test(state, parameters_by_hand) {
    struct arena *arena = support_arena();
    const struct topology *topology = setup_slow(arena, 8, true);
    for (size_t i = 0; i < ROWS(held); i++) {
        const struct held_row *row = &held[i];
        struct cost_context c = cost_context_make(setup_model(arena, row->model), topology, setup_job(arena, ""));
        struct decision d = alone;
        d.parallel = filled(row->parallel);
        d.schedule = row->schedule;
        d.micro_batches = 1024 / d.parallel.dp;
        struct priced *p = price_apart(arena, &c, &d);
        const struct state_cost *s = &p->states[p->map.rank_class[row->rank]];
        cr_expect(s->dense == row->dense && s->expert == row->expert, "%s: %.0f + %.0f parameters, by hand %.0f + %.0f",
                  row->name, s->dense, s->expert, row->dense, row->expert);
        cr_expect(s->replicated == row->replicated && s->outer_dense == row->outer,
                  "%s: %.0f on every tp rank, %.0f outside the layers; by hand %.0f, %.0f", row->name, s->replicated,
                  s->outer_dense, row->replicated, row->outer);
    }
    arena_close(arena);
}

#define AR COLLECTIVE_ALL_REDUCE
#define AG COLLECTIVE_ALL_GATHER
#define RS COLLECTIVE_REDUCE_SCATTER
#define ALL (4.0 * LAYER + 2.0 * TABLE + 1024)
#define ENDS (2.0 * TABLE + 1024)
#define MOST (4.0 * (ATTENTION + NORMS + ROUTER) + 2.0 * TABLE + 1024)
#define OURS (16.0 * EXPERT)
#define BUCKET 40e6

/* Steps of two micro-batches: what a rank sends for them, nothing beside anything. */
struct sent_row {
    const char *name, *model, *job;
    struct parallel parallel;
    struct { enum collective kind; int64_t stride, size; double bytes, count; } calls[8];
};

static const struct sent_row sent[] = {
    {"ZeRO 0", DENSE, "", {.dp = 8}, {{AR, 1, 8, 4 * BUCKET, ALL / BUCKET}}},
    {"ZeRO 0, buckets of 10e6", DENSE, "bucket: 10e6\n", {.dp = 8}, {{AR, 1, 8, 4 * 10e6, ALL / 10e6}}},
    {"ZeRO 0, one bucket", DENSE, "bucket: 1e12\n", {.dp = 8}, {{AR, 1, 8, 4 * ALL, 1}}},
    {"ZeRO 0, 16 bit", DENSE, "gradient_precision: bf16\n", {.dp = 8}, {{AR, 1, 8, 2 * BUCKET, ALL / BUCKET}}},
    {"ZeRO 0, context", DENSE, "", {.dp = 2, .cp = 4}, {{AR, 1, 8, 4 * BUCKET, ALL / BUCKET}}},
    {"ZeRO 1", DENSE, "", {.dp = 8, .zero = 1}, {{RS, 1, 8, 4 * BUCKET, ALL / BUCKET}, {AG, 1, 8, 2 * ALL, 1}}},
    {"ZeRO 2", DENSE, "", {.dp = 8, .zero = 2},
     {{RS, 1, 8, 4.0 * LAYER, 2 * 4}, {RS, 1, 8, 4 * ENDS, 2}, {AG, 1, 8, 2 * ALL, 1}}},
    {"ZeRO 3", DENSE, "", {.dp = 8, .zero = 3},
     {{AG, 1, 8, 2.0 * LAYER, 2 * 8}, {AG, 1, 8, 2 * ENDS, 2}, {RS, 1, 8, 4.0 * LAYER, 2 * 4},
      {RS, 1, 8, 4 * ENDS, 2}}},
    {"hybrid shards", DENSE, "search: {hybrid_shard: true}\n", {.dp = 16, .zero = 3},
     {{AG, 1, 8, 2.0 * LAYER, 2 * 8}, {AG, 1, 8, 2 * ENDS, 2}, {RS, 1, 8, 4.0 * LAYER, 2 * 4}, {RS, 1, 8, 4 * ENDS, 2},
      {AR, 8, 2, 4.0 * LAYER / 8, 2 * 4}, {AR, 8, 2, 4 * ENDS / 8, 2}}},
    {"hybrid shards are of ZeRO 3", DENSE, "search: {hybrid_shard: true}\n", {.dp = 16, .zero = 1},
     {{RS, 1, 16, 4 * BUCKET, ALL / BUCKET}, {AG, 1, 16, 2 * ALL, 1}}},
    /* 16 ranks: experts on 4 of them, so that 4 ranks have the same; another stride than the dense ones. */
    {"experts, ZeRO 0", EXPERTS, "", {.dp = 16, .ep = 4},
     {{AR, 1, 16, 4 * BUCKET, MOST / BUCKET}, {AR, 4, 4, 4 * OURS, 1}}},
    {"experts, ZeRO 1", EXPERTS, "", {.dp = 16, .ep = 4, .zero = 1},
     {{RS, 1, 16, 4 * BUCKET, MOST / BUCKET}, {RS, 4, 4, 4 * OURS, 1}, {AG, 1, 16, 2 * MOST, 1},
      {AG, 4, 4, 2 * OURS, 1}}},
    {"experts, ZeRO 3", EXPERTS, "", {.dp = 16, .ep = 4, .zero = 3},
     {{AG, 1, 16, 2 * (MOST - ENDS) / 4, 16}, {AG, 4, 4, 2 * OURS / 4, 16}, {AG, 1, 16, 2 * ENDS, 2},
      {RS, 1, 16, 4 * (MOST - ENDS) / 4, 8}, {RS, 4, 4, 4 * OURS / 4, 8}, {RS, 1, 16, 4 * ENDS, 2}}},
    {"experts everywhere", EXPERTS, "", {.dp = 16, .ep = 16}, {{AR, 1, 16, 4 * BUCKET, MOST / BUCKET}}},
};

Test(state, every_stage_costs_what_it_sends) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(sent); i++) {
        const struct sent_row *row = &sent[i];
        struct decision d = alone;
        d.parallel = filled(row->parallel);
        d.micro_batches = 2;
        int64_t world = d.parallel.dp * d.parallel.cp;
        const struct topology *topology = setup_slow(arena, world, true);
        int ways = d.parallel.cp * d.parallel.ep > 1 ? 1 : 2; /* other exchanges take time that may hide these */
        for (int beside = 0; beside < ways; beside++) {       /* instant kernels hide nothing */
            const char *job = arena_format(arena, "global_batch: %lld\noverlap: {gradients: %s, parameters: %s}\n%s",
                                           (long long)(2 * d.parallel.dp), beside ? "true" : "false",
                                           beside ? "true" : "false", row->job);
            struct cost_context c = cost_context_make(setup_model(arena, row->model), topology, setup_job(arena, job));
            struct estimate e = cost_estimate(arena, &c, &d, NULL);
            cr_assert(e.step_time > 0, "%s: %s", row->name, ((const char **)e.reasons.items)[0]);
            double wanted = 0;
            for (size_t k = 0; k < ROWS(row->calls) && row->calls[k].count > 0; k++) {
                struct span span = route_span(topology, row->calls[k].stride, row->calls[k].size);
                wanted += row->calls[k].count *
                          collective_seconds(&span, row->calls[k].kind, row->calls[k].bytes, NULL);
            }
            cr_expect(near(e.time.dp_exposed, wanted, 1e-9), "%s: %.12g s visible, %.12g s sent", row->name,
                      e.time.dp_exposed, wanted);
        }
    }
    arena_close(arena);
}

/* What tp ranks, the two ends of the pipeline and the two ways of a schedule share, summed once a step in fp32. */
Test(state, shared_gradients) {
    static const struct {
        const char *name, *model;
        struct parallel parallel;
        int schedule;
        int64_t rank;
        double replicated, table, mirrored; /* elements */
    } rows[] = {
        {"nothing", DENSE, {.pp = 4, .tp = 2}, SCHEDULE_1F1B, 0, 0, 0, 0},
        {"sequence parallelism", DENSE, {.pp = 4, .tp = 2, .sp = true}, SCHEDULE_1F1B, 1, NORMS, 0, 0},
        {"with a router", EXPERTS, {.pp = 4, .tp = 2, .sp = true}, SCHEDULE_1F1B, 1, NORMS + ROUTER, 0, 0},
        {"tied, first", TIED, {.pp = 4, .tp = 2}, SCHEDULE_1F1B, 0, 0, TABLE / 2.0, 0},
        {"tied, second", TIED, {.pp = 4, .tp = 2}, SCHEDULE_1F1B, 1, 0, 0, 0},
        {"tied, last", TIED, {.pp = 4, .tp = 2}, SCHEDULE_1F1B, 3, 0, TABLE / 2.0, 0},
        {"prediction ahead, last", AHEAD, {.pp = 4, .tp = 2}, SCHEDULE_1F1B, 3, 0, TABLE / 2.0, 0},
        {"tied, V", TIED, {.pp = 2, .vpp = 2, .dp = 4}, SCHEDULE_ZB_V, 0, 0, 0, 0},
        {"two ways", TIED, {.pp = 4, .dp = 2}, SCHEDULE_DUALPIPE, 0, 0, 0, 2.0 * LAYER + TABLE + 1024},
        {"two ways, second", TIED, {.pp = 4, .dp = 2}, SCHEDULE_DUALPIPE, 1, 0, 0, 2.0 * LAYER},
    };
    struct arena *arena = support_arena();
    const struct topology *topology = setup_slow(arena, 8, true);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = cost_context_make(setup_model(arena, rows[i].model), topology,
                                                  setup_job(arena, "bucket: 1e12\n"));
        struct decision d = alone;
        d.parallel = filled(rows[i].parallel);
        d.schedule = rows[i].schedule;
        d.micro_batches = 1024 / d.parallel.dp;
        struct priced *p = price_apart(arena, &c, &d);
        const struct state_cost *s = &p->states[p->map.rank_class[rows[i].rank]];
        struct span tensor = route_span(topology, 1, d.parallel.tp);
        int64_t stride = d.parallel.tp * d.parallel.dp; /* of neighbours in the pipeline */
        struct span ends = route_span(topology, stride * (d.parallel.pp - 1), 2), data = route_span(topology, 1, 2);
        double replicated = collective_seconds(&tensor, AR, 4 * rows[i].replicated, NULL);
        double table = collective_seconds(&ends, AR, 4 * rows[i].table, NULL);
        double mirrored = collective_seconds(&ends, AR, 4 * rows[i].mirrored, NULL);
        double reduced = collective_seconds(&data, AR, 4 * rows[i].mirrored, NULL) + mirrored;
        cr_expect(near(s->replicated_seconds, replicated, 1e-12), "%s: replicated %g s, %g s", rows[i].name,
                  s->replicated_seconds, replicated);
        cr_expect(near(s->table_seconds, table, 1e-12), "%s: table %g s, %g s", rows[i].name, s->table_seconds, table);
        cr_expect(rows[i].mirrored <= 0 || near(s->reduce_seconds, reduced, 1e-12), "%s: reduced in %g s, %g s",
                  rows[i].name, s->reduce_seconds, reduced);
        cr_expect(p->price.time.tp_exposed >= replicated && p->price.time.pp_exposed >= table, "%s", rows[i].name);
    }
    arena_close(arena);
}

/* Bytes that an update reads and writes for each parameter it owns; ZeRO divides them, clipping reads gradients once
 * more. */
Test(state, update) {
    static const struct {
        const char *job;
        int64_t zero;
        double bytes, clipped; /* a parameter */
    } rows[] = {
        {"", 0, 4 + 2 * 12 + 2, 4}, /* fp32 gradient, master and two moments twice, bf16 weight */
        {"", 1, 30, 4},
        {"", 3, 30, 4},
        {"clip_gradients: false\n", 0, 30, 0},
        {"optimizer: sgd\n", 0, 4 + 2 * 8 + 2, 4},
        {"gradient_precision: bf16\nmoment_precision: bf16\n", 1, 2 + 2 * 8 + 2, 2},
        {"precision: fp32\n", 0, 4 + 2 * 8 + 2 * 4, 4}, /* the weight itself is read and written */
        {"master_weights: false\n", 0, 4 + 2 * 8 + 2 * 2, 4},
    };
    struct arena *arena = support_arena();
    const struct topology *topology = setup_topology(arena, "h100-sxm", 8);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = cost_context_make(setup_model(arena, DENSE), topology, setup_job(arena, rows[i].job));
        struct decision d = alone;
        d.parallel = filled((struct parallel){.dp = 8, .zero = rows[i].zero});
        d.micro_batches = 128;
        double owned = ALL / (rows[i].zero > 0 ? 8 : 1);
        double wanted = kernel_memory(c.device, owned * rows[i].bytes);
        wanted += kernel_memory(c.device, owned * rows[i].clipped);
        double seconds = cost_estimate(arena, &c, &d, NULL).time.optimizer;
        cr_expect(near(seconds, wanted, 1e-12), "row %zu: %.12g s, by hand %.12g s", i, seconds, wanted);
    }
    arena_close(arena);
}

/* Hybrid shards and copies make the whole group, whatever lies between its ranks. */
Test(state, hybrid_groups) {
    struct arena *arena = support_arena();
    struct cost_context c = cost_context_make(setup_model(arena, EXPERTS), setup_topology(arena, "h100-sxm", 48),
                                              setup_job(arena, "search: {hybrid_shard: true}\n"));
    int inside = 0, whole = 0;
    for (int64_t tp = 1; tp <= 48; tp++) {
        for (int64_t ep = 1; 48 % tp == 0 && ep <= 48; ep++) {
            if (48 % ep != 0) {
                continue;
            }
            struct parallel parallel = filled((struct parallel){.tp = tp, .dp = 48 / tp, .ep = ep});
            struct cut cut = cost_cut(&c, &parallel);
            struct state_spans s = state_spans(&c, &cut);
            cr_expect(s.dense_node.size * s.dense_far.size == s.dense.size && s.dense.size == 48 / tp &&
                          s.dense_part == (double)s.dense_node.size && s.dense_shard == (double)s.dense.size,
                      "tp %lld: %lld x %lld of %lld", (long long)tp, (long long)s.dense_node.size,
                      (long long)s.dense_far.size, (long long)s.dense.size);
            cr_expect(s.expert_node.size * s.expert_far.size == s.expert.size && s.expert.size == 48 / ep,
                      "ep %lld: %lld x %lld of %lld", (long long)ep, (long long)s.expert_node.size,
                      (long long)s.expert_far.size, (long long)s.expert.size);
            bool divides = s.dense.size % s.dense.inner == 0, aligned = 8 % tp == 0 || tp % 8 == 0;
            cr_expect(!aligned || s.dense_node.outer == 1, "tp %lld: shards in %lld nodes", (long long)tp,
                      (long long)s.dense_node.outer);
            cr_expect(divides || s.dense_far.size == 1, "tp %lld: not evenly", (long long)tp);
            inside += divides && s.dense_far.size > 1;
            whole += !divides;
        }
    }
    cr_expect(inside > 0 && whole > 0, "%d inside nodes, %d whole", inside, whole);
    arena_close(arena);
}

/* Beside the shards: ZeRO-2 has a bucket of whole gradients; ZeRO-3 two layers' weights, what stands outside the
 * layers, and the gradients of the largest of these. */
Test(state, gathered_bytes) {
    static const struct {
        const char *model, *job;
        int64_t zero;
        double bytes;
    } rows[] = {
        {DENSE, "", 0, 0},
        {DENSE, "", 1, 0},
        {DENSE, "", 2, 4 * BUCKET},
        {DENSE, "bucket: 1e12\n", 2, 4 * ALL},
        {DENSE, "", 3, 2 * (2.0 * LAYER + ENDS) + 4 * ENDS},
        {DENSE, "gradient_precision: bf16\n", 3, 2 * (2.0 * LAYER + ENDS) + 2 * ENDS},
        {EXPERTS, "", 3, 2 * (2.0 * (ATTENTION + NORMS + ROUTER + 16 * EXPERT) + ENDS) + 4 * ENDS},
    };
    struct arena *arena = support_arena();
    const struct topology *topology = setup_topology(arena, "h100-sxm", 8);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = cost_context_make(setup_model(arena, rows[i].model), topology,
                                                  setup_job(arena, rows[i].job));
        struct decision d = alone;
        d.parallel = filled((struct parallel){.dp = 8, .zero = rows[i].zero});
        d.micro_batches = 128;
        double bytes = price_apart(arena, &c, &d)->states[0].gathered;
        cr_expect(fabs(bytes - rows[i].bytes) <= 1e-12 * bytes, "row %zu: %.0f bytes, by hand %.0f", i, bytes,
                  rows[i].bytes);
    }
    arena_close(arena);
}

/* A bucket is 40e6 elements, or 1e6 for each rank; an update waits for the rank that owns most. */
Test(state, buckets_and_slowest_update) {
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, DENSE);
    for (int64_t ranks = 16; ranks <= 128; ranks *= 2) {
        const struct topology *topology = setup_slow(arena, ranks, true);
        struct cost_context c = cost_context_make(model, topology, setup_job(arena, ""));
        struct decision d = alone;
        d.parallel = filled((struct parallel){.dp = ranks});
        d.micro_batches = 1024 / ranks;
        struct span data = route_span(topology, 1, ranks);
        double last = collective_seconds(&data, AR, 4 * fmax(40e6, 1e6 * (double)ranks), NULL);
        double bucket = price_apart(arena, &c, &d)->states[0].bucket_seconds;
        cr_expect(near(bucket, last, 1e-12), "%lld ranks: %g s, by hand %g s", (long long)ranks, bucket, last);
    }
    struct cost_context c = cost_context_make(model, setup_topology(arena, "h100-sxm", 8), setup_job(arena, ""));
    struct decision d = alone;
    d.parallel = filled((struct parallel){.pp = 2, .vpp = 2, .dp = 4});
    d.schedule = SCHEDULE_ZB_V; /* the first rank has both ends */
    d.micro_batches = 256;
    struct priced *p = price_apart(arena, &c, &d);
    double first = p->states[p->map.rank_class[0]].update_seconds;
    double second = p->states[p->map.rank_class[1]].update_seconds;
    cr_expect(first > second && p->price.time.optimizer == first, "%g s and %g s", first, second);
    arena_close(arena);
}
