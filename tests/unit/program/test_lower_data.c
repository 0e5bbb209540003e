/* Data parallelism in programs: buckets of gradients, shards of parameters, copies that are summed; what overlaps. */
#include "lowered.h"

#include <math.h>

/* The last backward fills buckets of 20 million from the head down: table 51200 x 1024 and norm, eight layers of
 * 15730688 parameters, table. A bucket follows the block that fills it. */
Test(lower_data, buckets_follow_the_blocks_that_fill_them) {
    struct arena *arena = support_arena();
    struct wish wish = {.parallel = {.dp = 4}, .job = "bucket: 20e6\n", .schedule = SCHEDULE_NONE, .micro_batches = 2};
    const struct program *program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    cr_expect_eq(count_of(program, 0, ACTION_FORWARD, WORK_PASS), 2);
    cr_expect_eq(count_of(program, 0, ACTION_FULL, WORK_PASS), 1, "the last backward is written by blocks");
    cr_expect_eq(count_of(program, 0, ACTION_FULL, WORK_BLOCK), 10);
    /* Elements complete behind head, layer 7, ... 0, embedding; and how many buckets are full then. */
    const double table = 51200.0 * 1024, layer = 15730688;
    double complete = 1024;
    int64_t full = 0;
    for (int block = 0; block < 10; block++) {
        complete += block == 0 || block == 9 ? table : layer;
        int64_t now = block == 9 ? (int64_t)ceil(complete / 20e6) : (int64_t)(complete / 20e6);
        for (; full < now; full++) {
            int64_t reduce = find_nth(program, 0, ACTION_COLLECTIVE, WORK_REDUCE, full);
            cr_expect(has_wait(program, 0, reduce, find_nth(program, 0, ACTION_FULL, WORK_BLOCK, block)),
                      "bucket %lld behind block %d", (long long)full, block);
            const struct work *work = &program->works[instruction_of(program, 0, reduce)->work];
            double elements = full < 11 ? 20e6 : complete - 11 * 20e6;
            cr_expect(fabs(work->bytes - 4 * elements) < 1 && work->axis == AXIS_DP_CP && work->size == 4 &&
                      work->collective == COLLECTIVE_ALL_REDUCE, "bucket %lld: %g", (long long)full, work->bytes);
        }
    }
    cr_expect_eq(count_of(program, 0, ACTION_COLLECTIVE, WORK_REDUCE), full);
    arena_close(arena);
}

/* Experts are reduced over their own group. */
Test(lower_data, experts_have_buckets_of_their_own) {
    struct arena *arena = support_arena();
    struct wish wish = {.model = EXPERTS, .parallel = {.dp = 8, .ep = 4, .zero = 1}, .schedule = SCHEDULE_NONE};
    const struct program *program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    double dense = 0, experts = 0;
    for (int64_t i = 0; i < program->roles[0].count; i++) {
        const struct work *work = &program->works[instruction_of(program, 0, i)->work];
        if (work->kind == WORK_REDUCE && work->bytes > 4) {
            cr_expect_eq(work->collective, COLLECTIVE_REDUCE_SCATTER);
            dense += work->axis == AXIS_DP_CP && work->size == 8 ? work->bytes : 0;
            experts += work->axis == AXIS_EDP && work->size == 2 ? work->bytes : 0;
        }
    }
    cr_expect(fabs(experts - 4.0 * 8 * 4 * 3 * 1024 * 512) < 1, "%g", experts);
    const double layer = 3145728.0 + 2 * 1024 + 16 * 1024;
    cr_expect(fabs(dense - 4.0 * (2 * 51200.0 * 1024 + 1024 + 8 * layer)) < 1, "%g", dense);
    arena_close(arena);
}

/* What overlaps by the job's word, and what does not. */
Test(lower_data, overlap_is_the_jobs) {
    struct arena *arena = support_arena();
    struct wish wish = {.parallel = {.dp = 4, .zero = 1}, .schedule = SCHEDULE_NONE, .micro_batches = 3};
    const struct program *program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    /* Ten blocks are gathered first, and the first forward waits for each. */
    cr_expect_eq(count_of(program, 0, ACTION_COLLECTIVE, WORK_GATHER), 10);
    for (int64_t block = 0; block < 10; block++) {
        cr_expect_eq(find_nth(program, 0, ACTION_COLLECTIVE, WORK_GATHER, block), block);
        cr_expect(has_wait(program, 0, find_nth(program, 0, ACTION_FORWARD, WORK_BLOCK, block), block));
    }
    wish.job = "overlap: {gradients: false, parameters: false}\n";
    program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    int64_t last = find_nth(program, 0, ACTION_FULL, WORK_PASS, 2);
    int64_t optimizer = find_nth(program, 0, ACTION_OPTIMIZER, WORK_UPDATE, 0);
    cr_expect_eq(count_of(program, 0, ACTION_FORWARD, WORK_PASS), 3);
    cr_expect_eq(count_of(program, 0, ACTION_COLLECTIVE, WORK_GATHER), 1);
    cr_expect(has_wait(program, 0, find_nth(program, 0, ACTION_COLLECTIVE, WORK_GATHER, 0), optimizer));
    for (int64_t i = 0; i < count_of(program, 0, ACTION_COLLECTIVE, WORK_REDUCE) - 1; i++) { /* the last is the norm */
        cr_expect(has_wait(program, 0, find_nth(program, 0, ACTION_COLLECTIVE, WORK_REDUCE, i), last));
    }
    arena_close(arena);
}

/* ZeRO-3, one micro-batch: what stands outside the layers is gathered once and first, each layer before its forward and
 * before its backward while the block before runs; reductions come behind the gather that is due sooner. */
Test(lower_data, shards_are_gathered_ahead) {
    struct arena *arena = support_arena();
    struct wish wish = {.parallel = {.dp = 4, .zero = 3}, .schedule = SCHEDULE_NONE, .micro_batches = 2};
    for (int detail = DETAIL_PASS; detail <= DETAIL_LAYER; detail++) {
        const struct program *program = &lower_wish(arena, &wish, (enum detail)detail)->program;
        cr_expect_eq(count_of(program, 0, ACTION_COLLECTIVE, WORK_GATHER), 2 * (1 + 8 + 8));
        cr_expect_eq(count_of(program, 0, ACTION_COLLECTIVE, WORK_REDUCE), 2 * (8 + 1) + 1); /* and the norm */
        for (int64_t layer = 1; layer < 8; layer++) {
            int64_t gather = find_nth(program, 0, ACTION_COLLECTIVE, WORK_GATHER, 1 + layer);
            cr_expect_eq(instruction_of(program, 0, gather)->layer, layer);
            cr_expect(has_wait(program, 0, gather, find_nth(program, 0, ACTION_FORWARD, WORK_BLOCK, layer - 1)),
                      "layer %lld is gathered while the one before runs", (long long)layer);
            cr_expect(has_wait(program, 0, find_nth(program, 0, ACTION_FORWARD, WORK_BLOCK, layer + 1), gather));
            int64_t again = find_nth(program, 0, ACTION_COLLECTIVE, WORK_GATHER, 9 + layer);
            cr_expect_eq(instruction_of(program, 0, again)->layer, 7 - layer);
            cr_expect(has_wait(program, 0, find_nth(program, 0, ACTION_FULL, WORK_BLOCK, layer + 1), again));
            int64_t reduce = find_nth(program, 0, ACTION_COLLECTIVE, WORK_REDUCE, layer);
            cr_expect_eq(instruction_of(program, 0, reduce)->layer, 7 - layer);
            cr_expect(has_wait(program, 0, reduce, find_nth(program, 0, ACTION_FULL, WORK_BLOCK, layer + 1)));
        }
    }
    wish.job = "overlap: {gradients: false, parameters: false}\n";
    const struct program *program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    for (int64_t layer = 1; layer < 8; layer++) {
        int64_t gather = find_nth(program, 0, ACTION_COLLECTIVE, WORK_GATHER, 1 + layer);
        cr_expect(has_wait(program, 0, gather, find_nth(program, 0, ACTION_FORWARD, WORK_BLOCK, layer)), "nothing beside");
    }
    arena_close(arena);
}

/* Hybrid shards: inside a node of 8 scattered and gathered, across the nodes all-reduced. */
Test(lower_data, hybrid_shards_stay_in_the_node) {
    struct arena *arena = support_arena();
    struct wish wish = {.parallel = {.dp = 32, .zero = 3}, .job = "search: {hybrid_shard: true}\n",
                        .schedule = SCHEDULE_NONE, .micro_batches = 1};
    const struct program *program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    double scattered = 0, reduced = 0, gathered = 0;
    for (int64_t i = 0; i < program->roles[0].count; i++) {
        const struct work *work = &program->works[instruction_of(program, 0, i)->work];
        bool near = work->size == 8 && work->step == 1, far = work->size == 4 && work->step == 8;
        scattered += work->collective == COLLECTIVE_REDUCE_SCATTER && near ? work->bytes : 0;
        reduced += work->kind == WORK_REDUCE && work->collective == COLLECTIVE_ALL_REDUCE && far ? work->bytes : 0;
        gathered += work->kind == WORK_GATHER && near ? work->bytes : 0;
    }
    const double outer = 2 * 51200.0 * 1024 + 1024, layers = 8 * 15730688.0;
    cr_expect(fabs(scattered - 4 * (outer + layers)) < 1 && fabs(reduced - scattered / 8) < 1, "%g %g", scattered,
              reduced);
    cr_expect(fabs(gathered - 2 * (outer + 2 * layers)) < 1, "%g", gathered);
    arena_close(arena);
}

/* Tables held twice, norms of tensor-parallel ranks, stages held twice: each summed once behind the last pass, by all
 * who hold them. */
Test(lower_data, copies_are_summed_together) {
    struct arena *arena = support_arena();
    struct wish wish = {.model = DENSE "tie_word_embeddings: true\n", .parallel = {.tp = 2, .pp = 4, .sp = true},
                        .schedule = SCHEDULE_1F1B};
    const struct program *program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    int64_t tables = 0, norms = 0;
    for (int64_t i = 0; i < program->count; i++) {
        const struct work *work = &program->works[program->instructions[i].work];
        if (work->kind == WORK_REDUCE && work->axis == AXIS_PP && work->size == 2) {
            tables++;
            cr_expect(fabs(work->bytes - 4 * 51200.0 / 2 * 1024) < 1 && work->step == 3);
            cr_expect_eq(program->meetings[program->instructions[i].meeting].members, 2);
        }
        norms += work->kind == WORK_REDUCE && work->axis == AXIS_TP && work->bytes > 4;
    }
    cr_expect(tables == 2 && norms == 4);
    wish = (struct wish){.parallel = {.pp = 4, .vpp = schedules[SCHEDULE_DUALPIPE]->fixed_chunks},
                         .schedule = SCHEDULE_DUALPIPE};
    program = &lower_wish(arena, &wish, DETAIL_PASS)->program;
    int64_t mirrors = 0;
    for (int64_t role = 0; role < 4; role++) {
        for (int64_t i = 0; i < program->roles[role].count; i++) {
            const struct instruction *instruction = instruction_of(program, role, i);
            const struct work *work = &program->works[instruction->work];
            if (work->kind == WORK_REDUCE && work->size == 2) {
                mirrors++;
                cr_expect(work->step == (role == 0 || role == 3 ? 3 : 1));
                cr_expect_eq(program->meetings[instruction->meeting].members, 2);
            }
        }
    }
    cr_expect_eq(mirrors, 4);
    arena_close(arena);
}
