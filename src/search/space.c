/* Axes, variants, sequence choices and orders of the space. */
#include "search/space.h"

#include <string.h>

#include "base/arena.h"
#include "plan/mesh.h"
#include "schedule/schedule.h"

/* Divisors of n, ascending. */
static struct values divisors(struct arena *arena, int64_t n, int64_t limit) {
    int64_t room = 0;
    for (int64_t d = 1; d * d <= n; d++) {
        room += n % d == 0 ? 2 : 0;
    }
    int64_t *items = ARENA_ARRAY(arena, int64_t, (size_t)room + 1);
    int64_t count = 0;
    for (int64_t d = 1; d * d <= n; d++) {
        if (n % d == 0 && d <= limit) {
            items[count++] = d;
        }
    }
    for (int64_t i = count - 1; i >= 0; i--) {
        if (items[i] * items[i] != n && n / items[i] <= limit) {
            items[count++] = n / items[i];
        }
    }
    /* when the limit lies below the root, larger divisors of kept small ones are already out */
    return (struct values){items, count};
}

/* A list as it was given, without repetitions. */
static struct values listed(struct arena *arena, const struct degrees *degrees) {
    int64_t *items = ARENA_ARRAY(arena, int64_t, degrees->count + 1);
    int64_t count = 0;
    for (size_t i = 0; i < degrees->count; i++) {
        bool seen = false;
        for (int64_t j = 0; j < count && !seen; j++) {
            seen = items[j] == degrees->values[i];
        }
        if (!seen) {
            items[count++] = degrees->values[i];
        }
    }
    return (struct values){items, count};
}

static struct values chosen(struct arena *arena, const struct degrees *degrees, int64_t number, int64_t limit) {
    return degrees->any ? divisors(arena, number, limit) : listed(arena, degrees);
}

void space_make(struct arena *arena, const struct cost_context *context, struct space_axes *ret) {
    static const int64_t stages[] = {0, 1, 2, 3};
    const struct space *space = &context->job->space;
    const struct moe *moe = context->model->moe;
    int64_t world = context->world;
    *ret = (struct space_axes){.context = context};
    ret->tp = chosen(arena, &space->tp, world, context->model->num_attention_heads);
    ret->pp = chosen(arena, &space->pp, world, context->model->layer_count);
    ret->cp = chosen(arena, &space->cp, world, context->job->kernels.flash_attention ? context->tokens : 1);
    ret->ep = chosen(arena, &space->ep, moe != NULL ? moe->num_experts : 1, world);
    ret->etp = chosen(arena, &space->etp, moe != NULL ? moe->expert_intermediate_size : 1, world);
    ret->micro_batch = chosen(arena, &space->micro_batch, context->job->global_batch, context->job->global_batch);
    ret->vpp = listed(arena, &space->vpp);
    ret->zero = space->zero.any ? (struct values){stages, 4} : listed(arena, &space->zero);
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        if ((space->recompute >> mode & 1) != 0) {
            ret->recompute[ret->recompute_count++] = mode;
        }
    }
}

static bool allowed(const struct degrees *degrees, int64_t value) {
    for (size_t i = 0; i < degrees->count && !degrees->any; i++) {
        if (degrees->values[i] == value) {
            return true;
        }
    }
    return degrees->any;
}

int64_t space_dp(const struct space_axes *axes, int64_t tp, int64_t cp, int64_t pp) {
    int64_t world = axes->context->world;
    if (tp > world || cp > world / tp || pp > world / (tp * cp) || world % (tp * cp * pp) != 0) {
        return 0;
    }
    int64_t dp = world / (tp * cp * pp);
    return allowed(&axes->context->job->space.dp, dp) ? dp : 0;
}

struct variants {
    struct variant *items;
    int64_t count, room;
    int stages; /* enum stages_kind of the job */
};

static void add_variant(struct variants *list, int schedule, int64_t vpp) {
    for (int stages = STAGES_EVEN; stages <= STAGES_ENDS; stages++) {
        bool wanted = list->stages == STAGES_AUTO || list->stages == stages;
        if (wanted && (schedule != SCHEDULE_NONE || stages == STAGES_EVEN || list->stages == STAGES_ENDS)) {
            if (list->count < list->room) {
                list->items[list->count] = (struct variant){schedule, stages, vpp};
            }
            list->count++;
        }
    }
}

int64_t space_variants(const struct space_axes *axes, int64_t pp, struct variant *ret, int64_t room) {
    const struct space *space = &axes->context->job->space;
    struct variants list = {ret, 0, room, space->stages};
    int64_t most = axes->context->model->layer_count / pp;
    for (int name = 0; name < SCHEDULE_COUNT; name++) {
        const struct schedule *schedule = schedules[name];
        if (!job_tries(axes->context->job, name) || (name == SCHEDULE_NONE) != (pp == 1)) {
            continue;
        }
        int64_t chunks = schedule->fixed_chunks > 0 ? schedule->fixed_chunks : 1;
        if (!schedule->chunked || schedule->fixed_chunks > 0) {
            if (allowed(&space->vpp, chunks)) {
                add_variant(&list, name, chunks);
            }
            continue;
        }
        if (space->vpp.any) {
            for (int64_t vpp = 2; vpp <= most; vpp++) {
                add_variant(&list, name, vpp);
            }
        }
        for (int64_t i = 0; i < axes->vpp.count && !space->vpp.any; i++) {
            if (axes->vpp.items[i] > 1) {
                add_variant(&list, name, axes->vpp.items[i]);
            }
        }
    }
    return list.count;
}

/* Whether two orders put every axis of more than one rank at the same stride. */
static bool same_mesh(const struct mesh *a, const struct mesh *b) {
    for (int axis = 0; axis < AXIS_COUNT; axis++) {
        const struct mesh_axis *x = &a->axes[axis], *y = &b->axes[axis];
        if (x->size > 1 && (x->stride != y->stride || x->inner != y->inner || x->outer_stride != y->outer_stride)) {
            return false;
        }
    }
    return true;
}

int64_t space_orders(const struct space_axes *axes, const struct parallel *shape, int ret[ORDER_KINDS]) {
    const struct parallel *p = shape;
    struct mesh meshes[ORDER_KINDS];
    int64_t kept = 0;
    for (int order = 0; order < ORDER_KINDS; order++) {
        if ((axes->context->job->space.order >> order & 1) == 0) {
            continue;
        }
        struct mesh mesh = mesh_make(p->tp, p->cp, p->dp, p->pp, p->ep, p->etp, (enum mesh_order)order);
        bool seen = false;
        for (int64_t i = 0; i < kept && !seen; i++) {
            seen = same_mesh(&mesh, &meshes[i]);
        }
        if (!seen) {
            meshes[kept] = mesh;
            ret[kept++] = order;
        }
    }
    return kept;
}

struct sequences {
    struct sequence_choice *items;
    int64_t count, room;
    int64_t tp;
    uint64_t sp; /* bits of the job */
};

/* With and without sequence parallelism; with one tensor-parallel rank only without, unless the job wants nothing
 * else. */
static void add_sequence(struct sequences *list, int cp_kind, int64_t ulysses) {
    for (int on = 0; on < 2; on++) {
        bool pointless = on == 1 && list->tp == 1 && (list->sp & 1) != 0;
        if ((list->sp >> on & 1) == 0 || pointless) {
            continue;
        }
        if (list->count < list->room) {
            list->items[list->count] = (struct sequence_choice){cp_kind, ulysses, on == 1};
        }
        list->count++;
    }
}

int64_t space_sequences(const struct space_axes *axes, int64_t tp, int64_t cp, struct sequence_choice *ret,
                        int64_t room) {
    const struct space *space = &axes->context->job->space;
    struct sequences list = {ret, 0, room, tp, space->sp};
    if (cp == 1) { /* all kinds are the same: the first allowed one */
        int kind = CONTEXT_RING;
        while (kind + 1 < CONTEXT_KINDS && (space->cp_kind >> kind & 1) == 0) {
            kind++;
        }
        add_sequence(&list, kind, 1);
        return list.count;
    }
    for (int kind = CONTEXT_RING; kind < CONTEXT_USP; kind++) {
        if ((space->cp_kind >> kind & 1) != 0) {
            add_sequence(&list, kind, kind == CONTEXT_ULYSSES ? cp : 1);
        }
    }
    bool usp = (space->cp_kind >> CONTEXT_USP & 1) != 0;
    int degrees = 0;
    for (int64_t u = 2; usp && u < cp && tp * u <= axes->context->model->num_attention_heads; u++) {
        if (cp % u == 0 && (space->ulysses == 0 || space->ulysses == u) && degrees < SPACE_USP) {
            add_sequence(&list, CONTEXT_USP, u);
            degrees++;
        }
    }
    return list.count;
}
