/* The layer sequence cut by rule, and stages written as a layout. */
#include "plan/stages.h"

#include "base/arena.h"
#include "model/model.h"
#include "plan/plan.h"
#include "plan/stages_internal.h"
#include "schedule/schedule.h"

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

struct stage *stages_open(struct arena *arena, const struct decision *decision, struct stages *ret) {
    enum placement placement = schedules[decision->schedule]->placement;
    int64_t ranks = decision->parallel.pp, held = placement_held(placement, decision->parallel.vpp);
    struct stage *items = ARENA_ARRAY(arena, struct stage, (size_t)(ranks * held));
    for (int64_t i = 0; i < ranks * held; i++) {
        items[i] = (struct stage){
            .rank = i / held,
            .chunk = i % held,
            .index = placement_stage(placement, ranks, i / held, i % held),
            .way = placement == PLACEMENT_TWO_WAY ? i % held : 0,
        };
    }
    *ret = (struct stages){.items = items,
                           .count = ranks * held,
                           .ranks = ranks,
                           .held = held,
                           .stages = placement_stages(placement, ranks, decision->parallel.vpp)};
    return items;
}

void stages_by_rule(struct arena *arena, const struct decision *decision, const struct model *model, bool mtp,
                    struct stages *ret) {
    bool ends = decision->stages == STAGES_ENDS;
    struct stage *items = stages_open(arena, decision, ret);
    for (int64_t i = 0; i < ret->count; i++) {
        struct stage *stage = &items[i];
        stage->first = stage_first_layer(model->layer_count, ret->stages, ends, stage->index);
        stage->layers = stage_layers(model->layer_count, ret->stages, ends, stage->index);
        stage->embedding = stage->index == 0;
        stage->head = stage->index == ret->stages - 1;
        stage->mtp = stage->head && mtp ? model->mtp_layers : 0;
    }
}

static const char *extra_text(const struct stage *stage) {
    if (stage->embedding && stage->head) {
        return stage->mtp > 0 ? "embedding, mtp, head" : "embedding, head";
    }
    if (stage->head) {
        return stage->mtp > 0 ? "head, mtp" : "head";
    }
    return stage->embedding ? "embedding" : NULL;
}

void plan_lay_out(struct arena *arena, const struct stages *stages, struct plan *plan) {
    struct plan_stage *rows = ARENA_ARRAY(arena, struct plan_stage, (size_t)stages->count);
    for (int64_t i = 0; i < stages->count; i++) {
        const struct stage *stage = &stages->items[i];
        rows[i] = (struct plan_stage){.rank = stage->rank,
                                      .chunk = stage->chunk,
                                      .first = stage->first,
                                      .layers = stage->layers,
                                      .extra = extra_text(stage)};
    }
    plan->layout = (struct list){rows, (size_t)stages->count};
}
