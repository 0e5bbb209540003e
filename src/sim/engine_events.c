/* Playing with contention, event by event. A lane is a stream of an instance and runs one step at a time:
 *
 *   idle ─► timed (until its rank may begin it) ─► moving (at a rate, work remaining) ─► held (others still move) ─►
 * idle
 *      └──► timed (until its message arrives) ──────────────────────────────────────────────────────────────────────┘
 *
 * All that happens at one moment happens before rates are set anew, so the order within a moment changes nothing. Only
 * lanes whose rate changes have their remaining work and end worked out again. */
#include "sim/engine_player.h"

#include "base/arena.h"
#include "sim/earliest.h"

enum lane_state { LANE_IDLE, LANE_TIMED, LANE_MOVING, LANE_HELD };

struct lane {
    int64_t start, end; /* end: when its state ends, NEVER if that depends on others */
    int64_t updated;    /* when `remaining` was true */
    double remaining, rate;
    int32_t step;
    uint8_t state;
};

struct events {
    struct player *player;
    struct lane *lanes;      /* [instance * STREAM_COUNT + stream] */
    uint16_t *busy;          /* of each instance: bit of every stream that is not idle */
    bool *changed;           /* of each instance: in the list */
    int32_t *changes;        /* instances whose rates are to be set */
    int64_t change_count;
    struct earliest earliest; /* of each instance: what happens there next */
    int64_t now;
};

static void note_change(struct events *e, int64_t instance) {
    if (!e->changed[instance]) {
        e->changed[instance] = true;
        e->changes[e->change_count++] = (int32_t)instance;
    }
}

static uint8_t stream_of(const struct events *e, struct spot spot) {
    return e->player->table->instructions[spot.step].stream;
}

static struct lane *lane_of(const struct events *e, struct spot spot) {
    return &e->lanes[player_instance(e->player, spot) * STREAM_COUNT + stream_of(e, spot)];
}

static void lane_open(struct events *e, struct spot spot, enum lane_state state, int64_t end) {
    int64_t instance = player_instance(e->player, spot);
    *lane_of(e, spot) = (struct lane){.start = e->now, .end = end, .updated = e->now, .step = spot.step,
                                      .state = (uint8_t)state};
    e->busy[instance] |= (uint16_t)(1U << stream_of(e, spot));
    note_change(e, instance);
}

static void lane_close(struct events *e, struct spot spot, int64_t start) {
    int64_t instance = player_instance(e->player, spot);
    lane_of(e, spot)->state = LANE_IDLE;
    e->busy[instance] &= (uint16_t)~(1U << stream_of(e, spot));
    note_change(e, instance);
    player_end(e->player, spot, start, e->now);
}

/* A step has done its own part; a join ends with the last of its members. */
static void part_done(struct events *e, struct spot spot) {
    const struct player *player = e->player;
    const struct join *join = table_join(player->table, spot.step);
    if (join == NULL) {
        lane_close(e, spot, lane_of(e, spot)->start);
        return;
    }
    struct gathering *gathering = &player->gatherings[join_group(join, spot.replica)];
    lane_of(e, spot)->state = LANE_HELD;
    lane_of(e, spot)->end = NEVER;
    note_change(e, player_instance(player, spot));
    if (--gathering->left > 0) {
        return;
    }
    for (int64_t i = 0; i < join_size(join); i++) {
        struct spot member = player_member(player, join, gathering, i);
        lane_close(e, member, lane_of(e, member)->start);
    }
}

static void move(struct events *e, struct spot spot) {
    lane_open(e, spot, LANE_MOVING, NEVER);
    struct lane *lane = lane_of(e, spot);
    lane->remaining = (double)player_work(e->player, spot);
    if (lane->remaining <= 0) {
        part_done(e, spot);
    }
}

static void move_at(struct events *e, struct spot spot, int64_t start) {
    if (start > e->now && start < NEVER) {
        lane_open(e, spot, LANE_TIMED, start);
    } else if (start < NEVER) {
        move(e, spot);
    }
}

static void begin_all(struct events *e, const struct join *join, struct gathering *gathering) {
    int64_t start = player_start_all(e->player, join, gathering);
    gathering->left = join_size(join);
    player_share_cause(e->player, join, gathering);
    for (int64_t i = 0; i < join_size(join); i++) {
        move_at(e, player_member(e->player, join, gathering, i), start);
    }
}

static void receive(struct events *e, struct spot spot) {
    int64_t end = player_arrival(e->player, spot);
    if (end > e->now && end < NEVER) {
        lane_open(e, spot, LANE_TIMED, end);
    } else if (end < NEVER) {
        player_end(e->player, spot, player_moment(e->player, spot)->ready, end);
    }
}

static void begin(struct events *e, struct spot spot) {
    struct player *player = e->player;
    const struct join *join = table_join(player->table, spot.step);
    if (join != NULL) {
        struct gathering *gathering;
        if (player_gather(player, join, spot, &gathering)) {
            begin_all(e, join, gathering);
        }
    } else if (player->table->instructions[spot.step].action == ACTION_RECEIVE) {
        receive(e, spot);
    } else {
        move_at(e, spot, disturbance_begin(player->disturbance, spot, e->now));
    }
}

static void begin_ready(struct events *e) {
    struct spot spot;
    while (player_next(e->player, &spot)) {
        begin(e, spot);
    }
}

/* What a lane waited for has come: its begin, its message, its own end. */
static void lane_event(struct events *e, struct spot spot, const struct lane *lane) {
    if (lane->state == LANE_MOVING) {
        part_done(e, spot);
    } else if (e->player->table->instructions[spot.step].action == ACTION_RECEIVE) {
        lane_close(e, spot, player_moment(e->player, spot)->ready);
    } else {
        move(e, spot);
    }
}

/* An instance as a spot without step. */
static struct spot instance_spot(const struct events *e, int64_t instance) {
    int64_t roles = e->player->table->roles;
    return (struct spot){(int32_t)(instance / roles), (int32_t)(instance % roles), NOTHING};
}

static void instance_event(struct events *e, int64_t instance) {
    struct spot spot = instance_spot(e, instance);
    earliest_set(&e->earliest, instance, NEVER);
    note_change(e, instance);
    for (unsigned busy = e->busy[instance]; busy != 0; busy &= busy - 1) {
        const struct lane *lane = &e->lanes[instance * STREAM_COUNT + __builtin_ctz(busy)];
        if (lane->state != LANE_IDLE && lane->end == e->now) {
            spot.step = lane->step;
            lane_event(e, spot, lane);
        }
    }
    begin_ready(e);
}

/* What runs on an instance: its lanes and what each is to the others. */
struct running {
    struct lane *lanes[STREAM_COUNT];
    struct load loads[STREAM_COUNT];
    int count;
    int64_t until; /* a scenario changes something */
};

static void running_add(const struct events *e, struct spot spot, struct lane *lane, struct running *running) {
    const struct player *player = e->player;
    const struct engine_table *table = player->table;
    double cap = 1;
    if (player->disturbance != NULL) {
        int64_t until, until_far;
        double own = curve_rate(disturbance_curve(player->disturbance, spot), e->now, &until);
        double far = curve_rate(disturbance_far_curve(player->disturbance, spot), e->now, &until_far);
        cap = own < far ? own : far;
        until = until < until_far ? until : until_far;
        running->until = until < running->until ? until : running->until;
    }
    running->lanes[running->count] = lane;
    running->loads[running->count++] = (struct load){.price = table_price(table, spot.step),
                                                     .kind = load_kinds[table->instructions[spot.step].action],
                                                     .moving = lane->state == LANE_MOVING, .cap = cap};
}

static void lane_rate(struct lane *lane, double rate, int64_t now) {
    bool same = rate <= lane->rate && rate >= lane->rate;
    if (lane->state != LANE_MOVING || (same && lane->end < NEVER)) {
        return;
    }
    lane->remaining -= lane->rate * (double)(now - lane->updated);
    lane->updated = now;
    lane->rate = rate;
    lane->end = time_add(now, time_needed(lane->remaining, rate));
}

/* Sets the rates of an instance and says what happens there next. */
static void settle(struct events *e, int64_t instance) {
    struct spot spot = instance_spot(e, instance);
    struct running running; /* not set as a whole: it is large, and mostly empty */
    running.count = 0;
    running.until = NEVER;
    int64_t next = NEVER;
    for (unsigned busy = e->busy[instance]; busy != 0; busy &= busy - 1) {
        struct lane *lane = &e->lanes[instance * STREAM_COUNT + __builtin_ctz(busy)];
        if (lane->state == LANE_TIMED) {
            next = lane->end < next ? lane->end : next;
        } else {
            spot.step = lane->step;
            running_add(e, spot, lane, &running);
        }
    }
    contention_rates(&e->player->input->contention, running.loads, running.count);
    for (int i = 0; i < running.count; i++) {
        lane_rate(running.lanes[i], running.loads[i].rate, e->now);
        next = running.lanes[i]->end < next ? running.lanes[i]->end : next;
    }
    earliest_set(&e->earliest, instance, running.until < next ? running.until : next);
}

static void settle_changes(struct events *e) {
    for (int64_t i = 0; i < e->change_count; i++) {
        settle(e, e->changes[i]);
        e->changed[e->changes[i]] = false;
    }
    e->change_count = 0;
}

void engine_events(struct arena *arena, struct player *player) {
    size_t instances = (size_t)(player->table->replicas * player->table->roles);
    struct events e = {
        .player = player,
        .lanes = ARENA_ARRAY(arena, struct lane, instances * STREAM_COUNT),
        .busy = ARENA_ARRAY(arena, uint16_t, instances),
        .changed = ARENA_ARRAY(arena, bool, instances),
        .changes = ARENA_ARRAY(arena, int32_t, instances),
    };
    earliest_open(arena, (int64_t)instances, &e.earliest);
    begin_ready(&e);
    settle_changes(&e);
    for (;;) {
        int64_t first = earliest_first(&e.earliest);
        int64_t time = e.earliest.times[first];
        if (time == NEVER) {
            return;
        }
        e.now = time;
        while (e.earliest.times[earliest_first(&e.earliest)] == time) {
            instance_event(&e, earliest_first(&e.earliest));
        }
        settle_changes(&e);
    }
}
