/* Stages to rank classes. */
#include "cost/stage.h"

#include <string.h>

#include "plan/stages.h"

static void class_add_chunk(const struct cost_context *context, struct stage_class *class, int64_t first,
                            int64_t count, bool is_first, bool is_last) {
    for (int64_t layer = first; layer < first + count; layer++) {
        class->layers[context->model->layers[layer]]++;
    }
    class->total += count;
    class->embedding += is_first ? 1 : 0;
    class->head += is_last ? 1 : 0;
    class->mtp += is_last && context->mtp ? (double)context->model->mtp_layers : 0;
}

static bool class_equal(const struct stage_class *a, const struct stage_class *b) {
    bool same_ends = !(a->embedding < b->embedding || b->embedding < a->embedding || a->head < b->head ||
                       b->head < a->head || a->mtp < b->mtp || b->mtp < a->mtp);
    return same_ends && memcmp(a->layers, b->layers, sizeof a->layers) == 0;
}

/* The class of what a rank holds; when all classes are taken, the rank joins the one with the most layers, which can
 * only make it dearer. */
static unsigned char class_find(struct stage_map *map, const struct stage_class *class) {
    int64_t most = 0;
    for (int64_t i = 0; i < map->class_count; i++) {
        if (class_equal(&map->classes[i], class)) {
            return (unsigned char)i;
        }
        if (map->classes[i].total > map->classes[most].total) {
            most = i;
        }
    }
    if (map->class_count == STAGE_CLASSES) {
        return (unsigned char)most;
    }
    map->classes[map->class_count] = *class;
    return (unsigned char)map->class_count++;
}

void stage_map_make(const struct cost_context *context, int64_t ranks, int64_t chunks_per_rank,
                    enum placement placement, bool lighter_ends, struct stage_map *ret) {
    int64_t layers = context->model->layer_count;
    int64_t chunks = placement_stages(placement, ranks, chunks_per_rank);
    int64_t held = placement_held(placement, chunks_per_rank);
    ret->ranks = ranks;
    ret->chunks = chunks_per_rank;
    ret->placement = placement;
    ret->class_count = 0;
    for (int64_t rank = 0; rank < ranks; rank++) {
        struct stage_class class = {.first_rank = rank};
        for (int64_t i = 0; i < held; i++) {
            int64_t chunk = placement_stage(placement, ranks, rank, i);
            int64_t first = stage_first_layer(layers, chunks, lighter_ends, chunk);
            class_add_chunk(context, &class, first, stage_layers(layers, chunks, lighter_ends, chunk), chunk == 0,
                            chunk == chunks - 1);
        }
        if (context->job->vocab_parallel) {
            class.embedding = class.head = (placement == PLACEMENT_TWO_WAY ? 2.0 : 1.0) / (double)ranks;
        }
        ret->rank_class[rank] = class_find(ret, &class);
        ret->classes[ret->rank_class[rank]].last_rank = rank;
    }
}
