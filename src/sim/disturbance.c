/* Ranks between two neighbouring ends of a scenario's ranges are disturbed alike: they share a profile.
 *
 *   ranges of ranks     |----a----|
 *                             |------b------|
 *   profiles          0 |  1  | 2 |    3    | 4 */
#include "sim/disturbance.h"

#include <math.h>
#include <stddef.h>

#include "base/arena.h"
#include "sim/jitter.h"

struct pause_time { int64_t at, duration, every; };

struct profile {
    struct curve compute, links[AXIS_COUNT];
    const struct pause_time *pauses;
    size_t pause_count;
    int64_t failure;
};

struct disturbance {
    const struct scenario *scenario;
    const struct engine_table *table;
    uint64_t seed;
    const struct profile *profiles;
    const int64_t *firsts; /* of each profile: the lowest rank */
    int64_t profile_count;
    const int64_t *ranks;  /* of each instance */
    const int32_t *used;   /* of each instance: its profile */
};

static int64_t picoseconds(double seconds) {
    return seconds < 4e6 ? (int64_t)llround(seconds * 1e12) : NEVER;
}

static bool covers(int64_t first, int64_t last, int64_t rank) {
    return first < 0 || (rank >= first && rank <= (last > first ? last : first));
}

/* Communication over data- or context-parallel ranks includes that over both, and that of experts' replicas. */
static bool covers_axis(int entry, enum axis axis) {
    return entry == LINK_ANY || entry == (int)axis || (axis == AXIS_DP_CP && (entry == AXIS_DP || entry == AXIS_CP)) ||
           (axis == AXIS_EDP && entry == AXIS_DP);
}

static struct window window_of(double factor, double from, double until) {
    return (struct window){picoseconds(from), until > 0 ? picoseconds(until) : NEVER, factor};
}

static struct curve compute_curve(struct arena *arena, const struct scenario *scenario, int64_t rank) {
    const struct slow_rank *slow = scenario->slow.items;
    struct window *windows = ARENA_ARRAY(arena, struct window, scenario->slow.count);
    size_t count = 0;
    for (size_t i = 0; i < scenario->slow.count; i++) {
        if (covers(slow[i].rank, slow[i].last, rank)) {
            windows[count++] = window_of(slow[i].factor, slow[i].from, slow[i].until);
        }
    }
    return curve_make(arena, windows, count);
}

static struct curve link_curve(struct arena *arena, const struct scenario *scenario, int64_t rank, enum axis axis) {
    const struct slow_link *links = scenario->links.items;
    struct window *windows = ARENA_ARRAY(arena, struct window, scenario->links.count);
    size_t count = 0;
    for (size_t i = 0; i < scenario->links.count; i++) {
        if (covers(links[i].rank, links[i].last, rank) && covers_axis(links[i].axis, axis)) {
            double factor = links[i].down ? (double)INFINITY : links[i].factor;
            windows[count++] = window_of(factor, links[i].from, links[i].until);
        }
    }
    return curve_make(arena, windows, count);
}

static void profile_stops(struct arena *arena, const struct scenario *scenario, int64_t rank, struct profile *ret) {
    const struct pause *pauses = scenario->pauses.items;
    struct pause_time *times = ARENA_ARRAY(arena, struct pause_time, scenario->pauses.count);
    for (size_t i = 0; i < scenario->pauses.count; i++) {
        if (covers(pauses[i].rank, pauses[i].last, rank)) {
            times[ret->pause_count++] = (struct pause_time){picoseconds(pauses[i].at), picoseconds(pauses[i].duration),
                                                            picoseconds(pauses[i].every)};
        }
    }
    ret->pauses = times;
    ret->failure = NEVER;
    const struct failure *failures = scenario->failures.items;
    for (size_t i = 0; i < scenario->failures.count; i++) {
        int64_t at = picoseconds(failures[i].at);
        if (covers(failures[i].rank, failures[i].rank, rank) && at < ret->failure) {
            ret->failure = at;
        }
    }
}

static struct profile profile_make(struct arena *arena, const struct scenario *scenario, int64_t rank) {
    struct profile profile = {.compute = compute_curve(arena, scenario, rank)};
    for (int axis = 0; axis < AXIS_COUNT; axis++) {
        profile.links[axis] = link_curve(arena, scenario, rank, (enum axis)axis);
    }
    profile_stops(arena, scenario, rank, &profile);
    return profile;
}

static int64_t add_range(int64_t *firsts, int64_t count, int64_t first, int64_t last) {
    if (first < 0) {
        return count;
    }
    count = times_insert(firsts, count, first);
    return times_insert(firsts, count, (last > first ? last : first) + 1);
}

/* The lowest ranks of profiles: 0 and wherever a range begins or has ended. */
static int64_t profile_firsts(const struct scenario *scenario, int64_t *firsts) {
    const struct slow_rank *slow = scenario->slow.items;
    const struct slow_link *links = scenario->links.items;
    const struct pause *pauses = scenario->pauses.items;
    const struct failure *failures = scenario->failures.items;
    int64_t count = 1;
    for (size_t i = 0; i < scenario->slow.count; i++) {
        count = add_range(firsts, count, slow[i].rank, slow[i].last);
    }
    for (size_t i = 0; i < scenario->links.count; i++) {
        count = add_range(firsts, count, links[i].rank, links[i].last);
    }
    for (size_t i = 0; i < scenario->pauses.count; i++) {
        count = add_range(firsts, count, pauses[i].rank, pauses[i].last);
    }
    for (size_t i = 0; i < scenario->failures.count; i++) {
        count = add_range(firsts, count, failures[i].rank, failures[i].rank);
    }
    return count;
}

int64_t rank_of_replica(const struct program *program, int64_t replica, int64_t role) {
    const struct parallel *p = &program->parallel;
    struct mesh mesh = mesh_make(p->tp, p->cp, p->dp, p->pp, p->ep, p->etp, (enum mesh_order)p->order);
    struct coordinates at = {.tp = replica % p->tp, .cp = replica / p->tp % p->cp, .dp = replica / (p->tp * p->cp),
                             .pp = program->roles[role].pipeline_rank};
    return mesh_rank(&mesh, &at);
}

static int32_t profile_of(const struct disturbance *d, int64_t rank) {
    int32_t profile = 0;
    while (profile + 1 < d->profile_count && d->firsts[profile + 1] <= rank) {
        profile++;
    }
    return profile;
}

struct disturbance *disturbance_make(struct arena *arena, const struct engine_input *input,
                                     const struct engine_table *table) {
    const struct scenario *scenario = input->scenario;
    if (scenario == NULL) {
        return NULL;
    }
    struct disturbance *d = ARENA_NEW(arena, struct disturbance);
    size_t entries = scenario->slow.count + scenario->links.count + scenario->pauses.count + scenario->failures.count;
    int64_t *firsts = ARENA_ARRAY(arena, int64_t, 2 * entries + 1);
    d->scenario = scenario;
    d->table = table;
    d->seed = (uint64_t)input->seed;
    d->firsts = firsts;
    d->profile_count = profile_firsts(scenario, firsts);
    struct profile *profiles = ARENA_ARRAY(arena, struct profile, (size_t)d->profile_count);
    for (int64_t i = 0; i < d->profile_count; i++) {
        profiles[i] = profile_make(arena, scenario, firsts[i]);
    }
    d->profiles = profiles;
    int64_t instances = table->replicas * table->roles;
    int64_t *ranks = ARENA_ARRAY(arena, int64_t, (size_t)instances);
    int32_t *used = ARENA_ARRAY(arena, int32_t, (size_t)instances);
    for (int64_t i = 0; i < instances; i++) {
        ranks[i] = rank_of_replica(table->program, i / table->roles, i % table->roles);
        used[i] = profile_of(d, ranks[i]);
    }
    d->ranks = ranks;
    d->used = used;
    return d;
}

static int64_t instance_of(const struct disturbance *d, struct spot spot) {
    return spot.replica * d->table->roles + spot.role;
}

static const struct profile *profile_at(const struct disturbance *d, struct spot spot) {
    return &d->profiles[d->used[instance_of(d, spot)]];
}

const struct curve *disturbance_curve(const struct disturbance *disturbance, struct spot spot) {
    if (disturbance == NULL) {
        return NULL;
    }
    const struct profile *profile = profile_at(disturbance, spot);
    const struct instruction *instruction = &disturbance->table->instructions[spot.step];
    const struct curve *curve = NULL;
    if (load_kinds[instruction->action] == LOAD_COMPUTE) {
        curve = &profile->compute;
    } else if (instruction->action == ACTION_SEND) {
        curve = &profile->links[AXIS_PP];
    } else if (instruction->action == ACTION_COLLECTIVE) {
        curve = &profile->links[disturbance->table->program->works[instruction->work].axis];
    }
    return curve != NULL && curve->count > 0 ? curve : NULL;
}

const struct curve *disturbance_far_curve(const struct disturbance *disturbance, struct spot spot) {
    if (disturbance == NULL || disturbance->table->instructions[spot.step].action != ACTION_SEND) {
        return NULL;
    }
    struct spot far = {spot.replica, disturbance->table->instructions[spot.step].peer, spot.step};
    return disturbance_curve(disturbance, far);
}

/* The end of the pause that `time` lies in; `time` itself outside. */
static int64_t pause_end(const struct pause_time *pause, int64_t time) {
    if (time < pause->at) {
        return time;
    }
    int64_t since = time - pause->at;
    since = pause->every > 0 ? since % pause->every : since;
    return since < pause->duration ? time_add(time, pause->duration - since) : time;
}

/* Pauses that repeat may leave no moment between them: after so many in a row nothing begins any more. */
enum { PAUSES_IN_A_ROW = 10000 };

int64_t disturbance_begin(const struct disturbance *disturbance, struct spot spot, int64_t time) {
    if (disturbance == NULL) {
        return time;
    }
    const struct profile *profile = profile_at(disturbance, spot);
    bool moved = profile->pause_count > 0;
    for (int round = 0; moved; round++) {
        moved = false;
        for (size_t i = 0; i < profile->pause_count; i++) {
            int64_t end = pause_end(&profile->pauses[i], time);
            moved = moved || end > time;
            time = end;
        }
        if (round >= PAUSES_IN_A_ROW) {
            return NEVER;
        }
    }
    return time >= profile->failure ? NEVER : time;
}

int64_t disturbance_failure(const struct disturbance *disturbance, struct spot spot) {
    return disturbance == NULL ? NEVER : profile_at(disturbance, spot)->failure;
}

int64_t disturbance_work(const struct disturbance *disturbance, struct spot spot, int64_t picoseconds) {
    if (disturbance == NULL || disturbance->scenario->jitter.count == 0) {
        return picoseconds;
    }
    const struct engine_table *table = disturbance->table;
    int kind = load_kinds[table->instructions[spot.step].action];
    bool communicates = kind == LOAD_COLLECTIVE || kind == LOAD_MESSAGE || kind == LOAD_COPY;
    uint64_t key = (uint64_t)disturbance->ranks[instance_of(disturbance, spot)] << 32 |
                   (uint64_t)(spot.step - table->program->roles[spot.role].first);
    double factor = jitter_factor(disturbance->scenario, disturbance->seed, key, communicates);
    return time_needed((double)picoseconds * factor, 1);
}
