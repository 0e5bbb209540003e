/* Variants, their maps, and which of them are legal. */
#include "search/pipeline.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "cost/price.h"
#include "schedule/schedule.h"

bool search_overlaps(int schedule) {
    return schedules[schedule]->pairs;
}

static bool same_map(const struct variant *a, const struct variant *b) {
    return a->vpp == b->vpp && a->stages == b->stages &&
           schedules[a->schedule]->placement == schedules[b->schedule]->placement;
}

/* Map of variant `index`: an earlier one's that cuts alike, or a new one. */
static int add_map(const struct cost_context *c, struct pipeline *p, int64_t index) {
    const struct variant *v = &p->variants[index];
    enum placement placement = schedules[v->schedule]->placement;
    bool ends = v->stages == STAGES_ENDS;
    if (stage_refuse(c->model->layer_count, p->pp, v->vpp, placement, ends) != NULL) {
        return -1;
    }
    for (int64_t i = 0; i < index; i++) {
        if (p->variant_map[i] >= 0 && same_map(v, &p->variants[i])) {
            return p->variant_map[i];
        }
    }
    stage_map_make(c, p->pp, v->vpp, placement, ends, &p->maps[p->map_count]);
    return p->map_count++;
}

static bool same_first_rank(const struct stage_map *a, const struct stage_map *b) {
    const struct stage_class *x = &a->classes[a->rank_class[0]], *y = &b->classes[b->rank_class[0]];
    bool ends = x->embedding < y->embedding || y->embedding < x->embedding || x->head < y->head || y->head < x->head ||
                x->mtp < y->mtp || y->mtp < x->mtp;
    return !ends && (a->placement == PLACEMENT_TWO_WAY) == (b->placement == PLACEMENT_TWO_WAY) &&
           memcmp(x->layers, y->layers, sizeof x->layers) == 0;
}

/* Fewest layers a rank has: copies of a two-way map count half. */
static double least_layers(const struct stage_map *map) {
    double least = (double)map->classes[0].total;
    for (int64_t i = 1; i < map->class_count; i++) {
        double total = (double)map->classes[i].total;
        least = total < least ? total : least;
    }
    return map->placement == PLACEMENT_TWO_WAY ? least / 2 : least;
}

static void index_maps(struct arena *arena, struct pipeline *p) {
    p->members = ARENA_ARRAY(arena, int, (size_t)p->variant_count + 1);
    p->first_member = ARENA_ARRAY(arena, int, (size_t)p->map_count + 1);
    p->first_rank = ARENA_ARRAY(arena, int, (size_t)p->map_count + 1);
    int count = 0;
    for (int map = 0; map < p->map_count; map++) {
        p->first_member[map] = count;
        for (int v = 0; v < p->variant_count; v++) {
            if (p->variant_map[v] == map) {
                p->members[count++] = v;
            }
        }
        while (!same_first_rank(&p->maps[p->first_rank[map]], &p->maps[map])) {
            p->first_rank[map]++;
        }
        p->first_rank_count += p->first_rank[map] == map ? 1 : 0;
        double least = least_layers(&p->maps[map]);
        p->least_layers = map == 0 || least < p->least_layers ? least : p->least_layers;
    }
    p->first_member[p->map_count] = count;
}

static void make_pipeline(struct arena *arena, const struct space_axes *axes, int64_t pp, struct pipeline *ret) {
    int64_t count = space_variants(axes, pp, NULL, 0);
    *ret = (struct pipeline){.pp = pp, .variant_count = count};
    ret->variants = ARENA_ARRAY(arena, struct variant, (size_t)count + 1);
    ret->variant_map = ARENA_ARRAY(arena, int, (size_t)count + 1);
    (void)space_variants(axes, pp, ret->variants, count);
    ret->maps = ARENA_ARRAY(arena, struct stage_map, (size_t)count + 1);
    for (int64_t i = 0; i < count; i++) {
        ret->variant_map[i] = add_map(axes->context, ret, i);
    }
    index_maps(arena, ret);
}

static double micro_batches_held(const struct pipeline *p, const struct variant *v, int map, int64_t micro_batches) {
    struct schedule_shape shape = {.ranks = p->pp, .micro_batches = micro_batches, .chunks = v->vpp};
    double held = (double)placement_held(p->maps[map].placement, v->vpp);
    const struct schedule *schedule = schedules[v->schedule];
    int64_t fullest = cost_fullest_rank(&p->maps[map], p->maps[map].rank_class[0], schedule, micro_batches);
    return schedule->in_flight_to_weight(&shape, fullest) / held;
}

static void note_lightest(struct legality *l, int64_t variant, int64_t micro_batches) {
    const struct pipeline *p = l->pipeline;
    const struct variant *v = &p->variants[variant];
    int map = p->variant_map[variant];
    double in_flight = micro_batches_held(p, v, map, micro_batches);
    for (int i = 0; i < l->lightest_count; i++) {
        if (p->first_rank[l->lightest[i].map] == p->first_rank[map]) {
            if (in_flight < l->lightest[i].in_flight) {
                l->lightest[i] = (struct lightest){map, v->schedule, in_flight};
            }
            return;
        }
    }
    l->lightest[l->lightest_count++] = (struct lightest){map, v->schedule, in_flight};
}

/* Rules about the whole configuration ask for pp, vpp, schedule, stages, ZeRO, micro-batches and whether dp * cp >
 * 1. */
static void make_legality(struct arena *arena, const struct space_axes *axes, const struct pipeline *p,
                          int64_t micro_batches, bool data_parallel, struct legality *ret) {
    *ret = (struct legality){.pipeline = p};
    ret->zeros = ARENA_ARRAY(arena, unsigned char, (size_t)p->variant_count + 1);
    ret->lightest = ARENA_ARRAY(arena, struct lightest, (size_t)p->first_rank_count + 1);
    struct decision d = {.parallel = {.tp = 1, .pp = p->pp, .dp = data_parallel ? 2 : 1, .cp = 1, .ep = 1, .etp = 1},
                         .micro_batch = 1,
                         .micro_batches = micro_batches};
    for (int64_t i = 0; i < p->variant_count; i++) {
        d.schedule = p->variants[i].schedule;
        d.stages = p->variants[i].stages;
        d.parallel.vpp = p->variants[i].vpp;
        for (int64_t z = 0; z < axes->zero.count; z++) {
            d.parallel.zero = axes->zero.items[z];
            const struct rule *rule = rule_broken(axes->context, &d, RULE_WHOLE);
            if (rule != NULL) {
                assert(rule - rules < RULES_MAX);
                ret->refused[rule - rules]++;
            } else {
                ret->zeros[i] = (unsigned char)(ret->zeros[i] | 1U << z);
                ret->pairs++;
            }
        }
        if (ret->zeros[i] != 0) {
            bool overlaps = search_overlaps(d.schedule);
            ret->overlapped = ret->overlapped || overlaps;
            ret->plain = ret->plain || !overlaps;
            note_lightest(ret, i, micro_batches);
        }
    }
}

static struct values divisors_of(struct arena *arena, int64_t number) {
    int64_t count = 0;
    for (int64_t d = 1; d * d <= number; d++) {
        count += number % d == 0 ? (d * d == number ? 1 : 2) : 0;
    }
    int64_t *items = ARENA_ARRAY(arena, int64_t, (size_t)count);
    int64_t low = 0;
    for (int64_t d = 1; d * d <= number; d++) {
        if (number % d == 0) {
            items[low] = d;
            items[count - 1 - low] = number / d;
            low++;
        }
    }
    return (struct values){items, count};
}

void pipelines_make(struct arena *arena, const struct space_axes *axes, struct pipelines *ret) {
    int64_t pps = axes->pp.count;
    *ret = (struct pipelines){.axes = axes, .micro_batches = divisors_of(arena, axes->context->job->global_batch)};
    int64_t numbers = ret->micro_batches.count;
    ret->items = ARENA_ARRAY(arena, struct pipeline, (size_t)pps + 1);
    ret->legal = ARENA_ARRAY(arena, struct legality, (size_t)(2 * pps * numbers) + 1);
    for (int64_t i = 0; i < pps; i++) {
        make_pipeline(arena, axes, axes->pp.items[i], &ret->items[i]);
        for (int64_t j = 0; j < 2 * numbers; j++) {
            struct legality *legality = &ret->legal[i * 2 * numbers + j];
            make_legality(arena, axes, &ret->items[i], ret->micro_batches.items[j / 2], j % 2 == 1, legality);
            for (int64_t v = 0; v < ret->items[i].variant_count; v++) {
                ret->items[i].zeros[j % 2] |= legality->zeros[v];
            }
        }
    }
}

static int64_t find_value(const struct values *values, int64_t value) {
    int64_t i = 0;
    while (values->items[i] != value) {
        i++;
    }
    return i;
}

const struct pipeline *pipelines_find(const struct pipelines *pipelines, int64_t pp) {
    return &pipelines->items[find_value(&pipelines->axes->pp, pp)];
}

const struct legality *pipelines_legality(const struct pipelines *pipelines, const struct parallel *shape,
                                          int64_t micro_batches) {
    int64_t number = find_value(&pipelines->micro_batches, micro_batches);
    int64_t pp = find_value(&pipelines->axes->pp, shape->pp);
    bool data_parallel = shape->dp * shape->cp > 1;
    return &pipelines->legal[(pp * pipelines->micro_batches.count + number) * 2 + (data_parallel ? 1 : 0)];
}
