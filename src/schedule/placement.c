/* Stages and ranks: where each stands in the other's count. */
#include "schedule/placement.h"

int64_t placement_stages(enum placement placement, int64_t ranks, int64_t chunks) {
    return placement == PLACEMENT_TWO_WAY ? ranks : ranks * chunks;
}

int64_t placement_held(enum placement placement, int64_t chunks) {
    return placement == PLACEMENT_TWO_WAY ? 2 : chunks;
}

int64_t placement_stage(enum placement placement, int64_t ranks, int64_t rank, int64_t i) {
    if (placement == PLACEMENT_TWO_WAY) {
        return i == 0 ? rank : ranks - 1 - rank;
    }
    bool back = placement == PLACEMENT_WAVE && i % 2 == 1;
    return i * ranks + (back ? ranks - 1 - rank : rank);
}

int64_t placement_rank(enum placement placement, int64_t ranks, int64_t stage, int64_t way) {
    int64_t along = stage % ranks;
    bool back = placement == PLACEMENT_TWO_WAY ? way == 1 : placement == PLACEMENT_WAVE && stage / ranks % 2 == 1;
    return back ? ranks - 1 - along : along;
}

int64_t placement_backward_rank(enum placement placement, int64_t ranks, int64_t stages, int64_t stage, int64_t way) {
    return placement == PLACEMENT_ROUND ? (2 * stages - 2 - stage) % ranks
                                        : placement_rank(placement, ranks, stage, way);
}

int64_t placement_chunk(enum placement placement, int64_t ranks, int64_t stage, int64_t way) {
    return placement == PLACEMENT_TWO_WAY ? way : stage / ranks;
}
