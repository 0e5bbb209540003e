/* Stages and ranks count each other: by hand, and there and back for many sizes. */
#include <criterion/criterion.h>

#include "../support.h"
#include "schedule/placement.h"

Test(placement, by_hand) {
    const struct {
        enum placement placement;
        int64_t ranks, stage, way, rank, chunk;
    } rows[] = {
        {PLACEMENT_LINEAR, 4, 0, 0, 0, 0},  {PLACEMENT_LINEAR, 4, 3, 0, 3, 0}, {PLACEMENT_LINEAR, 4, 4, 0, 0, 1},
        {PLACEMENT_LINEAR, 4, 11, 0, 3, 2}, {PLACEMENT_WAVE, 4, 3, 0, 3, 0},   {PLACEMENT_WAVE, 4, 4, 0, 3, 1},
        {PLACEMENT_WAVE, 4, 7, 0, 0, 1},    {PLACEMENT_WAVE, 4, 8, 0, 0, 2},   {PLACEMENT_WAVE, 4, 12, 0, 3, 3},
        {PLACEMENT_WAVE, 4, 15, 0, 0, 3},   {PLACEMENT_TWO_WAY, 4, 1, 0, 1, 0}, {PLACEMENT_TWO_WAY, 4, 1, 1, 2, 1},
        {PLACEMENT_TWO_WAY, 4, 0, 1, 3, 1}, {PLACEMENT_ROUND, 4, 6, 0, 2, 1},  {PLACEMENT_LINEAR, 1, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t rank = placement_rank(rows[i].placement, rows[i].ranks, rows[i].stage, rows[i].way);
        int64_t chunk = placement_chunk(rows[i].placement, rows[i].ranks, rows[i].stage, rows[i].way);
        cr_expect(rank == rows[i].rank && chunk == rows[i].chunk, "row %zu: rank %ld, chunk %ld", i, (long)rank,
                  (long)chunk);
    }
    /* backwards of 8 stages go on round: slot 14 - s */
    cr_expect_eq(placement_backward_rank(PLACEMENT_ROUND, 4, 8, 7, 0), 3);
    cr_expect_eq(placement_backward_rank(PLACEMENT_ROUND, 4, 8, 6, 0), 0);
    cr_expect_eq(placement_backward_rank(PLACEMENT_ROUND, 4, 8, 0, 0), 2);
    cr_expect_eq(placement_backward_rank(PLACEMENT_WAVE, 4, 8, 5, 0), 2);
    cr_expect_eq(placement_backward_rank(PLACEMENT_TWO_WAY, 4, 4, 0, 1), 3);
}

Test(placement, there_and_back) {
    for (int placement = PLACEMENT_LINEAR; placement <= PLACEMENT_TWO_WAY; placement++) {
        for (int64_t ranks = 1; ranks <= 9; ranks++) {
            for (int64_t chunks = 1; chunks <= (placement == PLACEMENT_TWO_WAY ? 1 : 6); chunks++) {
                int64_t held = placement_held(placement, chunks);
                int64_t stages = placement_stages(placement, ranks, chunks);
                int64_t ways = placement == PLACEMENT_TWO_WAY ? 2 : 1;
                cr_expect(ranks * held == stages * ways, "all stages are held");
                for (int64_t rank = 0; rank < ranks; rank++) {
                    for (int64_t i = 0; i < held; i++) {
                        int64_t stage = placement_stage(placement, ranks, rank, i);
                        int64_t way = ways == 2 ? i : 0;
                        cr_expect(stage >= 0 && stage < stages);
                        cr_expect(placement_rank(placement, ranks, stage, way) == rank);
                        cr_expect(placement_chunk(placement, ranks, stage, way) == i);
                    }
                }
            }
        }
    }
}
