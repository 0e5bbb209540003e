#include "sim/to_timeline.h"

#include "base/arena.h"
#include "sim/lanes.h"
#include "sim/rank_report.h"
#include "sim/slice_names.h"

/* Who a group shows. */
struct shown {
    int64_t role, instance;
    int64_t rank, ranks;
    const int64_t *starts, *ends; /* of the role's instructions */
    int32_t *slices;              /* of the role's instructions: the timeline's slice */
    bool *critical;               /* of the role's instructions */
};

struct drawing {
    struct arena *arena;
    const struct simulation *simulation;
    const struct program *program;
    struct mesh mesh;
    struct slice_names names;
    struct shown *shown;
    int64_t shown_count;
    struct timeline *timeline;
    struct timeline_lane *lanes;
    struct slice *slices;
};

static int64_t role_of(const struct program *program, int64_t pipeline_rank) {
    for (int64_t role = 0; role < program->role_count; role++) {
        if (program->roles[role].pipeline_rank == pipeline_rank) {
            return role;
        }
    }
    return 0;
}

static void show(struct drawing *d, int64_t role, int64_t instance, int64_t rank, int64_t ranks) {
    const struct role *of = &d->program->roles[role];
    int64_t place = instance / d->program->role_count * d->program->count + of->first;
    d->shown[d->shown_count++] = (struct shown){
        .role = role,
        .instance = instance,
        .rank = rank,
        .ranks = ranks,
        .starts = &d->simulation->result.starts[place],
        .ends = &d->simulation->result.ends[place],
        .slices = ARENA_ARRAY(d->arena, int32_t, (size_t)of->count),
        .critical = ARENA_ARRAY(d->arena, bool, (size_t)of->count),
    };
}

/* The ranks asked for, else one of each role. */
static void choose(struct drawing *d, const struct list *ranks) {
    const int64_t *asked = ranks->items;
    bool every = d->simulation->result.replicas > 1;
    d->shown = ARENA_ARRAY(d->arena, struct shown, ranks->count + (size_t)d->program->role_count);
    for (size_t i = 0; i < ranks->count; i++) {
        int64_t role = role_of(d->program, mesh_coordinates(&d->mesh, asked[i]).pp);
        int64_t replica = every ? rank_replica(&d->mesh, asked[i]) : 0;
        show(d, role, replica * d->program->role_count + role, asked[i], 1);
    }
    for (int64_t role = 0; role < d->program->role_count && ranks->count == 0; role++) {
        const struct rank_report *report = &d->simulation->ranks[role];
        show(d, role, report->instance, report->rank, report->ranks);
    }
}

static void mark_critical(struct drawing *d) {
    const struct critical_path *path = &d->simulation->path;
    int64_t instances = d->simulation->result.replicas * d->program->role_count;
    struct arena_place begin = arena_mark(d->arena);
    int32_t *group = ARENA_ARRAY(d->arena, int32_t, (size_t)instances); /* 1 + the first group that shows it */
    for (int64_t g = d->shown_count - 1; g >= 0; g--) {
        group[d->shown[g].instance] = (int32_t)g + 1;
    }
    for (int64_t i = 0; i < path->count; i++) {
        int32_t g = group[path->steps[i].instance];
        if (g > 0) {
            d->shown[g - 1].critical[path->steps[i].instruction] = true;
        }
    }
    arena_rewind(d->arena, begin);
}

static void add_slice(struct drawing *d, const struct shown *shown, int32_t lane, int32_t index) {
    const struct instruction *instruction = &d->program->instructions[d->program->roles[shown->role].first + index];
    const struct work *work = &d->program->works[instruction->work];
    shown->slices[index] = (int32_t)d->timeline->slice_count;
    d->slices[d->timeline->slice_count++] = (struct slice){
        .start = shown->starts[index],
        .end = shown->ends[index],
        .lane = lane,
        .name = d->names.of_work[instruction->work],
        .micro_batch = instruction->micro_batch,
        .stage = instruction->stage == NOTHING ? NOTHING : (int32_t)d->program->stages[instruction->stage].index,
        .layer = instruction->layer,
        .sort = (int32_t)slice_sort(d->program, instruction),
        .bytes = work->bytes,
        .critical = shown->critical[index],
    };
}

static void draw_group(struct drawing *d, int64_t group) {
    const struct shown *shown = &d->shown[group];
    struct lane lanes[STREAM_COUNT];
    struct arena_place begin = arena_mark(d->arena);
    lanes_open(d->arena, d->program, shown->role, lanes);
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        if (lanes[stream].count == 0) {
            continue;
        }
        int32_t lane = (int32_t)d->timeline->lane_count++;
        d->lanes[lane] = (struct timeline_lane){(int32_t)group, stream, stream_names[stream]};
        for (int64_t i = 0; i < lanes[stream].count; i++) {
            add_slice(d, shown, lane, lanes[stream].items[i]);
        }
    }
    arena_rewind(d->arena, begin);
}

static void draw_groups(struct drawing *d) {
    struct timeline *timeline = d->timeline;
    struct timeline_group *groups = ARENA_ARRAY(d->arena, struct timeline_group, (size_t)d->shown_count);
    int64_t slices = 0;
    for (int64_t g = 0; g < d->shown_count; g++) {
        slices += d->program->roles[d->shown[g].role].count;
    }
    d->slices = ARENA_ARRAY(d->arena, struct slice, (size_t)slices);
    d->lanes = ARENA_ARRAY(d->arena, struct timeline_lane, (size_t)d->shown_count * STREAM_COUNT);
    for (int64_t g = 0; g < d->shown_count; g++) {
        const struct shown *shown = &d->shown[g];
        int64_t stage = d->program->roles[shown->role].pipeline_rank;
        groups[g] = (struct timeline_group){
            shown->rank, shown->ranks,
            arena_format(d->arena, "rank %lld, stage %lld", (long long)shown->rank, (long long)stage)};
        draw_group(d, g);
    }
    timeline->groups = groups;
    timeline->group_count = d->shown_count;
    timeline->lanes = d->lanes;
    timeline->slices = d->slices;
}

/* The group that shows the other end of a message: the same replica of another role. */
static int64_t group_of_peer(const struct drawing *d, const struct shown *shown, int64_t role) {
    bool every = d->simulation->result.replicas > 1;
    int64_t roles = d->program->role_count;
    int64_t replica = rank_replica(&d->mesh, shown->rank);
    for (int64_t g = 0; g < d->shown_count; g++) {
        bool same = every ? d->shown[g].instance / roles == shown->instance / roles
                          : rank_replica(&d->mesh, d->shown[g].rank) == replica;
        if (d->shown[g].role == role && same) {
            return g;
        }
    }
    return NOTHING;
}

/* Arrows from sends to receives, where both are shown. */
static void draw_arrows(struct drawing *d) {
    struct arrow *arrows = NULL;
    for (int pass = 0; pass < 2; pass++) { /* counts, then draws */
        int64_t count = 0;
        for (int64_t g = 0; g < d->shown_count; g++) {
            const struct role *role = &d->program->roles[d->shown[g].role];
            int64_t known = NOTHING, group = NOTHING;
            for (int64_t i = 0; i < role->count; i++) {
                const struct instruction *instruction = &d->program->instructions[role->first + i];
                if (instruction->action != ACTION_SEND || instruction->partner == NOTHING) {
                    continue;
                }
                group = instruction->peer == known ? group : group_of_peer(d, &d->shown[g], instruction->peer);
                known = instruction->peer;
                if (group != NOTHING && arrows) {
                    arrows[count] = (struct arrow){d->shown[g].slices[i], d->shown[group].slices[instruction->partner]};
                }
                count += group != NOTHING;
            }
        }
        if (!arrows) {
            arrows = ARENA_ARRAY(d->arena, struct arrow, (size_t)count);
        }
        d->timeline->arrow_count = count;
    }
    d->timeline->arrows = arrows;
}

/* Memory over time: tensors, and what lies outside them all the time. */
static void draw_counters(struct drawing *d) {
    struct counter *counters = ARENA_ARRAY(d->arena, struct counter, (size_t)d->shown_count);
    for (int64_t g = 0; g < d->shown_count; g++) {
        const struct shown *shown = &d->shown[g];
        struct memory_curve curve;
        memory_curve(d->arena, d->program, shown->role, shown->starts, shown->ends, &curve);
        struct counter_point *points = ARENA_ARRAY(d->arena, struct counter_point, (size_t)curve.count);
        for (int64_t i = 0; i < curve.count; i++) {
            points[i] = (struct counter_point){curve.points[i].time,
                                               curve.points[i].bytes + d->simulation->ranks[shown->role].outside};
        }
        counters[g] = (struct counter){(int32_t)g, "memory", "B", points, curve.count};
    }
    d->timeline->counters = counters;
    d->timeline->counter_count = d->shown_count;
}

void simulation_timeline(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                         const struct simulation *simulation, const struct list *ranks, struct timeline *ret) {
    struct cut cut = cost_cut(context, &plan->decision.parallel);
    struct drawing d = {.arena = arena,
                        .simulation = simulation,
                        .program = &simulation->program,
                        .mesh = cut.mesh,
                        .timeline = ret};
    *ret = (struct timeline){.end = simulation->result.end};
    slice_names_make(arena, context, plan, d.program, &d.names);
    choose(&d, ranks);
    mark_critical(&d);
    draw_groups(&d);
    draw_arrows(&d);
    draw_counters(&d);
    ret->names = d.names.names;
    ret->name_count = d.names.count;
    ret->title = arena_format(arena, "%s on %lld x %s", context->model->name, (long long)context->world,
                              context->device->name);
}
