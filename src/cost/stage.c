/* Cutting the layer sequence into chunks and chunks to ranks. */
#include "cost/stage.h"

#include <string.h>

enum placement stage_placement(const struct schedule *schedule) {
    if (schedule->ways == 2) {
        return PLACEMENT_TWO_WAY;
    }
    return schedule->both_ends ? PLACEMENT_V : PLACEMENT_LINEAR;
}

int64_t stage_layers(int64_t layers, int64_t chunks, bool lighter_ends, int64_t chunk) {
    if (lighter_ends) {
        return (layers + 2) / chunks - (chunk == 0 || chunk == chunks - 1 ? 1 : 0);
    }
    int64_t rest = layers % chunks;
    bool more = rest == chunks - 1 ? chunk != chunks - 1 : chunk >= 1 && chunk <= rest;
    return layers / chunks + (more ? 1 : 0);
}

int64_t stage_first_layer(int64_t layers, int64_t chunks, bool lighter_ends, int64_t chunk) {
    if (lighter_ends) {
        return chunk * ((layers + 2) / chunks) - (chunk > 0 ? 1 : 0);
    }
    int64_t rest = layers % chunks;
    int64_t before = chunk > 0 ? chunk - 1 : 0; /* chunks before this one that may hold one more */
    return chunk * (layers / chunks) + (rest == chunks - 1 ? chunk : before < rest ? before : rest);
}

static int64_t total_chunks(int64_t ranks, int64_t chunks_per_rank, enum placement placement) {
    return placement == PLACEMENT_TWO_WAY ? ranks : ranks * chunks_per_rank;
}

const char *stage_refuse(int64_t layers, int64_t ranks, int64_t chunks_per_rank, enum placement placement,
                         bool lighter_ends) {
    int64_t chunks = total_chunks(ranks, chunks_per_rank, placement);
    if (ranks > STAGE_RANKS) {
        return "more than 1024 pipeline ranks";
    }
    if (chunks > layers) {
        return "more chunks than layers";
    }
    if (lighter_ends && (chunks < 2 || (layers + 2) % chunks != 0)) {
        return "lighter ends need layers + 2 to be a multiple of the chunks";
    }
    return NULL;
}

int64_t stage_chunk(enum placement placement, int64_t ranks, int64_t rank, int64_t i) {
    if (i == 0 || placement == PLACEMENT_LINEAR) {
        return rank + i * ranks;
    }
    return placement == PLACEMENT_V ? 2 * ranks - 1 - rank : ranks - 1 - rank;
}

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
    int64_t chunks = total_chunks(ranks, chunks_per_rank, placement);
    int64_t held = placement == PLACEMENT_LINEAR ? chunks_per_rank : 2;
    ret->ranks = ranks;
    ret->chunks = chunks_per_rank;
    ret->placement = placement;
    ret->class_count = 0;
    for (int64_t rank = 0; rank < ranks; rank++) {
        struct stage_class class = {.first_rank = rank};
        for (int64_t i = 0; i < held; i++) {
            int64_t chunk = stage_chunk(placement, ranks, rank, i);
            int64_t first = stage_first_layer(layers, chunks, lighter_ends, chunk);
            class_add_chunk(context, &class, first, stage_layers(layers, chunks, lighter_ends, chunk), chunk == 0,
                            chunk == chunks - 1);
        }
        if (context->job->vocab_parallel) {
            class.embedding = class.head = (placement == PLACEMENT_TWO_WAY ? 2.0 : 1.0) / (double)ranks;
        }
        ret->rank_class[rank] = class_find(ret, &class);
    }
}
