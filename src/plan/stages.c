/* The layer sequence cut by rule. */
#include "plan/stages.h"

#include <stddef.h>

int64_t stage_layers(int64_t layers, int64_t stages, bool lighter_ends, int64_t stage) {
    if (lighter_ends) {
        return (layers + 2) / stages - (stage == 0 || stage == stages - 1 ? 1 : 0);
    }
    int64_t rest = layers % stages;
    bool more = rest == stages - 1 ? stage != stages - 1 : stage >= 1 && stage <= rest;
    return layers / stages + (more ? 1 : 0);
}

int64_t stage_first_layer(int64_t layers, int64_t stages, bool lighter_ends, int64_t stage) {
    if (lighter_ends) {
        return stage * ((layers + 2) / stages) - (stage > 0 ? 1 : 0);
    }
    int64_t rest = layers % stages;
    int64_t before = stage > 0 ? stage - 1 : 0; /* stages before this one that may hold one more */
    return stage * (layers / stages) + (rest == stages - 1 ? stage : before < rest ? before : rest);
}

const char *stage_refuse(int64_t layers, int64_t ranks, int64_t chunks, enum placement placement,
                         bool lighter_ends) {
    int64_t stages = placement_stages(placement, ranks, chunks);
    if (ranks > STAGE_RANKS) {
        return "more than 1024 pipeline ranks";
    }
    if (stages > layers) {
        return "more chunks than layers";
    }
    if (lighter_ends && (stages < 2 || (layers + 2) % stages != 0)) {
        return "lighter ends need layers + 2 to be a multiple of the chunks";
    }
    return NULL;
}
