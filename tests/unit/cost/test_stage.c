/* Layers of pipeline ranks: every layer once, ends and remainders by rule, classes that cover all ranks. */
#include "../plan/setup.h"

#include <math.h>

#include "base/random.h"
#include "cost/stage.h"
#include "schedule/schedule.h"

/* Chunks are consecutive, cover all layers, and differ by at most one layer. */
static void check_cut(int64_t layers, int64_t chunks, bool ends) {
    int64_t next = 0, least = layers, most = 0;
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t count = stage_layers(layers, chunks, ends, chunk);
        cr_assert_eq(stage_first_layer(layers, chunks, ends, chunk), next, "%lld layers, chunk %lld of %lld",
                     (long long)layers, (long long)chunk, (long long)chunks);
        cr_assert_geq(count, 1);
        next += count;
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    cr_assert_eq(next, layers, "%lld layers in %lld chunks: %lld", (long long)layers, (long long)chunks,
                 (long long)next);
    cr_assert_leq(most - least, 1);
}

Test(stage, chunks_cover_all_layers) {
    struct random random;
    random_stream(&random, 1, "stage", 0);
    for (int round = 0; round < 5000; round++) {
        int64_t layers = 1 + random_below(&random, 200);
        check_cut(layers, 1 + random_below(&random, (uint32_t)layers), false);
        int64_t chunks = 2 + random_below(&random, 30), each = 2 + random_below(&random, 8);
        check_cut(chunks * each - 2, chunks, true);
    }
}

Test(stage, where_the_rest_goes) {
    static const struct {
        int64_t layers, chunks;
        bool ends;
        int64_t counts[6];
    } rows[] = {
        {12, 4, false, {3, 3, 3, 3}},
        {13, 4, false, {3, 4, 3, 3}},
        {14, 4, false, {3, 4, 4, 3}},
        {15, 4, false, {4, 4, 4, 3}},
        {7, 6, false, {1, 2, 1, 1, 1, 1}},
        {11, 6, false, {2, 2, 2, 2, 2, 1}},
        {5, 1, false, {5}},
        {3, 2, false, {2, 1}},
        {6, 4, true, {1, 2, 2, 1}},
        {10, 4, true, {2, 3, 3, 2}},
        {6, 2, true, {3, 3}},
        {126, 4, true, {31, 32, 32, 31}},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        for (int64_t chunk = 0; chunk < rows[i].chunks; chunk++) {
            int64_t count = stage_layers(rows[i].layers, rows[i].chunks, rows[i].ends, chunk);
            cr_expect_eq(count, rows[i].counts[chunk], "row %zu, chunk %lld: %lld layers", i, (long long)chunk,
                         (long long)count);
        }
    }
}

Test(stage, refuses) {
    static const struct {
        int64_t layers, ranks, chunks;
        enum placement placement;
        bool ends;
        const char *part;
    } rows[] = {
        {32, 8, 1, PLACEMENT_LINEAR, false, NULL},
        {32, 8, 4, PLACEMENT_LINEAR, false, NULL},
        {32, 8, 5, PLACEMENT_LINEAR, false, "more chunks than layers"},
        {32, 33, 1, PLACEMENT_LINEAR, false, "more chunks than layers"},
        {15, 8, 2, PLACEMENT_WAVE, false, "more chunks than layers"},
        {16, 8, 2, PLACEMENT_WAVE, false, NULL},
        {8, 8, 1, PLACEMENT_TWO_WAY, false, NULL},
        {7, 8, 1, PLACEMENT_TWO_WAY, false, "more chunks than layers"},
        {126, 16, 1, PLACEMENT_LINEAR, true, NULL},
        {126, 8, 2, PLACEMENT_LINEAR, true, NULL},
        {128, 16, 1, PLACEMENT_LINEAR, true, "lighter ends"},
        {14, 16, 1, PLACEMENT_LINEAR, true, "more chunks than layers"},
        {2, 1, 1, PLACEMENT_LINEAR, true, "lighter ends"},
        {2, 2, 1, PLACEMENT_LINEAR, true, NULL},
        {2000, 1025, 1, PLACEMENT_LINEAR, false, "1024"},
        {2000, 1024, 1, PLACEMENT_LINEAR, false, NULL},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *why = stage_refuse(rows[i].layers, rows[i].ranks, rows[i].chunks, rows[i].placement, rows[i].ends);
        bool expected = rows[i].part == NULL ? why == NULL : why != NULL && strstr(why, rows[i].part) != NULL;
        cr_expect(expected, "row %zu: %s", i, why);
    }
}

/* Each placement hands out every chunk once (two ways: twice), where the header's table says. */
Test(stage, placements) {
    static const enum placement of_schedule[] = {
        [SCHEDULE_ZB_V] = PLACEMENT_WAVE,     [SCHEDULE_DUALPIPE] = PLACEMENT_TWO_WAY,
        [SCHEDULE_DUALPIPEV] = PLACEMENT_WAVE, [SCHEDULE_CHIMERA] = PLACEMENT_TWO_WAY,
        [SCHEDULE_WAVE] = PLACEMENT_WAVE};
    for (int i = 0; i <= SCHEDULE_WAVE; i++) {
        cr_expect_eq(schedules[i]->placement, of_schedule[i], "%s", schedule_names[i]);
    }
    static const int64_t linear[] = {2, 6, 10}, v[] = {2, 5}, two_way[] = {2, 1};
    for (int64_t i = 0; i < 3; i++) {
        cr_expect_eq(placement_stage(PLACEMENT_LINEAR, 4, 2, i), linear[i]);
    }
    for (int64_t i = 0; i < 2; i++) {
        cr_expect_eq(placement_stage(PLACEMENT_WAVE, 4, 2, i), v[i]);
        cr_expect_eq(placement_stage(PLACEMENT_TWO_WAY, 4, 2, i), two_way[i]);
    }
    for (int placement = PLACEMENT_LINEAR; placement <= PLACEMENT_TWO_WAY; placement++) {
        for (int64_t ranks = 2; ranks <= 12; ranks += 2) {
            int64_t times[48] = {0}, held = placement == PLACEMENT_LINEAR ? 4 : 2;
            for (int64_t rank = 0; rank < ranks; rank++) {
                for (int64_t i = 0; i < held; i++) {
                    times[placement_stage((enum placement)placement, ranks, rank, i)]++;
                }
            }
            int64_t chunks = placement == PLACEMENT_TWO_WAY ? ranks : ranks * held;
            for (int64_t chunk = 0; chunk < chunks; chunk++) {
                cr_expect_eq(times[chunk], placement == PLACEMENT_TWO_WAY ? 2 : 1, "placement %d, chunk %lld",
                             placement, (long long)chunk);
            }
        }
    }
}

struct map_case {
    const char *model, *job;
    int64_t ranks, chunks;
    enum placement placement;
    bool ends;
    int64_t classes;
};

/* What a rank holds, layer by layer. */
static void hold(const struct cost_context *c, const struct map_case *m, int64_t rank, struct stage_class *ret) {
    int64_t layers = c->model->layer_count, held = m->placement == PLACEMENT_LINEAR ? m->chunks : 2;
    int64_t chunks = m->placement == PLACEMENT_TWO_WAY ? m->ranks : m->ranks * m->chunks;
    *ret = (struct stage_class){0};
    for (int64_t i = 0; i < held; i++) {
        int64_t chunk = placement_stage(m->placement, m->ranks, rank, i), first = 0;
        for (int64_t before = 0; before < chunk; before++) {
            first += stage_layers(layers, chunks, m->ends, before);
        }
        for (int64_t layer = first; layer < first + stage_layers(layers, chunks, m->ends, chunk); layer++) {
            ret->layers[c->model->layers[layer]]++;
            ret->total++;
        }
        ret->embedding += chunk == 0 ? 1 : 0;
        ret->head += chunk == chunks - 1 ? 1 : 0;
        ret->mtp += chunk == chunks - 1 && c->mtp ? (double)c->model->mtp_layers : 0;
    }
    if (c->job->vocab_parallel) {
        ret->embedding = ret->head = (m->placement == PLACEMENT_TWO_WAY ? 2.0 : 1.0) / (double)m->ranks;
    }
}

Test(stage, classes_cover_all_ranks) {
    static const struct map_case cases[] = {
        {"llama3-70b", "", 1, 1, PLACEMENT_LINEAR, false, 1},
        {"llama3-70b", "", 8, 1, PLACEMENT_LINEAR, false, 3},
        {"llama3-70b", "", 7, 1, PLACEMENT_LINEAR, false, 4}, /* 11 and three of 12, 80 = 7 x 11 + 3 */
        {"llama3-70b", "", 8, 5, PLACEMENT_LINEAR, false, 3},
        {"llama3.1-405b", "", 16, 1, PLACEMENT_LINEAR, true, 3},
        {"llama3-70b", "", 8, 2, PLACEMENT_WAVE, false, 2}, /* the first rank has both ends */
        {"llama3-70b", "", 8, 1, PLACEMENT_TWO_WAY, false, 2},
        {"deepseek-v3", "", 8, 1, PLACEMENT_TWO_WAY, false, 3},
        {"deepseek-v3", "", 16, 1, PLACEMENT_LINEAR, false, 4},
        {"deepseek-v3", "train_mtp: false\n", 16, 1, PLACEMENT_LINEAR, false, 4},
        {"deepseek-v3", "vocab_parallel: true\n", 16, 1, PLACEMENT_LINEAR, false, 4},
        {"llama3-70b", "vocab_parallel: true\n", 8, 1, PLACEMENT_LINEAR, false, 1},
        {"llama3-70b", "vocab_parallel: true\n", 8, 1, PLACEMENT_TWO_WAY, false, 1},
        {"gemma3-27b-text", "", 31, 1, PLACEMENT_LINEAR, false, 4},
        {"t5-11b", "", 8, 2, PLACEMENT_LINEAR, false, 3},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(cases); i++) {
        const struct map_case *m = &cases[i];
        const struct model *model = setup_model(arena, m->model);
        struct cost_context context =
            cost_context_make(model, setup_topology(arena, "h100-sxm", 0), setup_job(arena, m->job));
        struct stage_map *map = ARENA_NEW(arena, struct stage_map);
        stage_map_make(&context, m->ranks, m->chunks, m->placement, m->ends, map);
        cr_expect_eq(map->class_count, m->classes, "case %zu: %lld classes", i, (long long)map->class_count);
        double embedding = 0, head = 0, mtp = 0;
        int64_t layers = 0;
        bool seen[STAGE_CLASSES] = {false};
        for (int64_t rank = 0; rank < m->ranks; rank++) {
            int64_t index = map->rank_class[rank];
            cr_assert_lt(index, map->class_count);
            const struct stage_class *class = &map->classes[index];
            struct stage_class own;
            hold(&context, m, rank, &own);
            cr_expect(memcmp(own.layers, class->layers, sizeof own.layers) == 0 && own.total == class->total &&
                          own.embedding == class->embedding && own.head == class->head && own.mtp == class->mtp,
                      "case %zu, rank %lld: %lld layers, embedding %.2f, head %.2f", i, (long long)rank,
                      (long long)class->total, class->embedding, class->head);
            cr_expect(seen[index] || class->first_rank == rank, "case %zu: the lowest rank of its class", i);
            cr_expect(class->last_rank >= rank && map->rank_class[class->last_rank] == index, "case %zu: the highest",
                      i);
            seen[index] = true;
            embedding += class->embedding;
            head += class->head;
            mtp += class->mtp;
            layers += class->total;
        }
        double copies = m->placement == PLACEMENT_TWO_WAY ? 2 : 1;
        cr_expect_eq(layers, (int64_t)copies * model->layer_count, "case %zu", i);
        cr_expect(fabs(embedding - copies) < 1e-9 && fabs(head - copies) < 1e-9, "case %zu: ends", i);
        cr_expect_eq(mtp, context.mtp ? copies * (double)model->mtp_layers : 0, "case %zu: mtp", i);
        cr_expect_eq(context.mtp, text_equal(m->model, "deepseek-v3") && m->job[0] != 't', "case %zu", i);
    }
    arena_close(arena);
}

/* More sorts of ranks than classes: the rest joins the class with the most layers. */
Test(stage, classes_run_out) {
    struct arena *arena = support_arena();
    struct text pattern;
    text_init(&pattern, arena);
    for (int word = 1; word <= 20; word++) { /* rank r of 40 has a mixture of its own */
        text_add_format(&pattern, "%sfull*%d, sliding*%d, none*%d, full/none*%d", word > 1 ? ", " : "", word % 7 + 1,
                        word % 5 + 1, word % 3 + 1, word % 11 + 1);
    }
    const char *text =
        arena_format(arena, SMALL "num_hidden_layers: 400\nsliding_window: 64\nlayer_pattern: [%s]\n", pattern.data);
    struct cost_context context =
        cost_context_make(setup_model(arena, text), setup_topology(arena, "h100-sxm", 0), setup_job(arena, ""));
    struct stage_map *map = ARENA_NEW(arena, struct stage_map);
    stage_map_make(&context, 40, 1, PLACEMENT_LINEAR, false, map);
    int64_t most = 0, differing = 0;
    struct map_case m = {.ranks = 40, .chunks = 1};
    for (int64_t i = 0; i < map->class_count; i++) {
        most = map->classes[i].total > most ? map->classes[i].total : most;
    }
    for (int64_t rank = 0; rank < 40; rank++) {
        struct stage_class own;
        hold(&context, &m, rank, &own);
        const struct stage_class *class = &map->classes[map->rank_class[rank]];
        bool same = memcmp(own.layers, class->layers, sizeof own.layers) == 0;
        differing += same ? 0 : 1;
        cr_expect(same || class->total == most, "rank %lld", (long long)rank);
        cr_expect_leq(class->first_rank, rank);
    }
    cr_expect(map->class_count == STAGE_CLASSES && differing > 0, "%lld classes, %lld ranks differ",
              (long long)map->class_count, (long long)differing);
    arena_close(arena);
}
