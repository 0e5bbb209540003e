/* What instructions are, in words. */
#include "broken.h"
#include "program/program.h"

Test(program_describe, says_what_an_instruction_is) {
    static const struct wish wishes[] = {
        {.parallel = {.tp = 2, .pp = 2, .dp = 2, .sp = true, .zero = 1}, .schedule = SCHEDULE_1F1B},
        {.parallel = {.pp = 4}, .micro_batches = 8, .schedule = SCHEDULE_DUALPIPE},
    };
    static const struct {
        int wish;
        enum detail detail;
        const char *says;
    } rows[] = {
        {0, DETAIL_PASS, "forward of stage 0, micro-batch 2"},
        {0, DETAIL_PASS, "backward of stage 1, micro-batch 3"},
        {0, DETAIL_PASS, "send to rank 1, micro-batch 0"},
        {0, DETAIL_PASS, "receive from rank 0, micro-batch 7"},
        {0, DETAIL_PASS, "optimizer"},
        {0, DETAIL_LAYER, "forward of layer 3, micro-batch 2"},
        {0, DETAIL_LAYER, "forward of the embedding, micro-batch 1"},
        {0, DETAIL_LAYER, "backward of the head, micro-batch 1"},
        {0, DETAIL_LAYER, "all-gather of parameters over dp-cp, layer 2"},
        {0, DETAIL_LAYER, "all-reduce of gradients over pp"},
        {0, DETAIL_OPERATION, "weight gradient of layer 5, operation 1, micro-batch 0"},
        {0, DETAIL_OPERATION, "all-gather 0 in forward of layer 5, micro-batch 0"},
        {1, DETAIL_PASS, "forward of stage 0 of the second direction, micro-batch 4"},
        {1, DETAIL_PASS, "forward of stage 0, micro-batch 3, beside backward of stage 3 of the second direction, "
                         "micro-batch 5"},
        {1, DETAIL_PASS, "weight gradient of stage 3 of the second direction, micro-batch 4"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        const struct program *program = &lower_wish(arena, &wishes[rows[i].wish], rows[i].detail)->program;
        bool found = false;
        for (int64_t role = 0; role < program->role_count && !found; role++) {
            for (int64_t at = 0; at < program->roles[role].count && !found; at++) {
                found = strcmp(program_describe(arena, program, role, at), rows[i].says) == 0;
            }
        }
        cr_expect(found, "%s", rows[i].says);
        arena_close(arena);
    }
}
