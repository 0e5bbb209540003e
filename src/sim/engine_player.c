#include "sim/engine_player.h"

#include <string.h>

#include "base/arena.h"

static bool earlier_cause(const struct cause *a, const struct cause *b) {
    return a->instance != b->instance ? a->instance < b->instance : a->instruction < b->instruction;
}

/* Of several that ended last at the same time the first in order of (instance, instruction) is the cause. */
static void note_cause(struct cause *cause, int64_t ready, const struct cause *by, int64_t time) {
    if (cause->instance < 0 || time > ready || (time == ready && earlier_cause(by, cause))) {
        *cause = *by;
    }
}

static struct cause cause_of(const struct player *player, struct spot spot) {
    int64_t first = player->table->program->roles[spot.role].first;
    return (struct cause){player_instance(player, spot), (int32_t)(spot.step - first)};
}

static struct cause *cause_at(const struct player *player, struct spot spot) {
    return &player->result->causes[spot.replica * player->table->count + spot.step];
}

/* What every replica begins with. */
static void open_moments(struct player *player) {
    const struct engine_table *table = player->table;
    for (int64_t i = 0; i < table->count; i++) {
        player->moments[i].left = table->needs[i];
    }
    for (int64_t replica = 1; replica < table->replicas; replica++) {
        memcpy(player->moments + replica * table->count, player->moments,
               (size_t)table->count * sizeof(struct moment));
    }
}

static void open_ready(struct player *player) {
    const struct engine_table *table = player->table;
    for (int64_t role = 0; role < table->roles; role++) {
        const struct role *r = &table->program->roles[role];
        for (int64_t i = r->first; i < r->first + r->count; i++) {
            for (int64_t replica = 0; replica < table->replicas && table->needs[i] == 0; replica++) {
                player->ready[player->ready_count++] = (struct spot){(int32_t)replica, (int32_t)role, (int32_t)i};
            }
        }
    }
}

static void open_gatherings(struct player *player) {
    const struct engine_table *table = player->table;
    for (int64_t j = 0; j < table->join_count; j++) {
        int64_t last = j + 1 < table->join_count ? table->joins[j + 1].first_group : table->group_count;
        for (int64_t group = table->joins[j].first_group; group < last; group++) {
            player->gatherings[group].left = join_size(&table->joins[j]);
        }
    }
}

static void open_causes(struct cause *causes, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        causes[i].instance = -1;
    }
}

void player_open(struct arena *arena, const struct engine_input *input, const struct engine_table *table,
                 struct engine_result *result, struct player *ret) {
    size_t moments = (size_t)table->count * (size_t)table->replicas;
    size_t lanes = (size_t)table->replicas * (size_t)table->roles * STREAM_COUNT;
    *ret = (struct player){
        .input = input,
        .table = table,
        .disturbance = disturbance_make(arena, input, table),
        .moments = ARENA_ARRAY(arena, struct moment, moments),
        .gatherings = ARENA_ARRAY(arena, struct gathering, (size_t)table->group_count),
        .ready = ARENA_ARRAY(arena, struct spot, lanes),
        .reached = ARENA_ARRAY(arena, struct spot, lanes),
        .result = result,
    };
    open_moments(ret);
    open_ready(ret);
    open_gatherings(ret);
    if (result->causes != NULL) {
        ret->gathering_causes = ARENA_ARRAY(arena, struct cause, (size_t)table->group_count);
        open_causes(ret->gathering_causes, table->group_count);
        open_causes(result->causes, (int64_t)moments);
    }
}

static void record(const struct player *player, struct spot spot, int64_t start, int64_t end) {
    const struct engine_table *table = player->table;
    struct engine_result *result = player->result;
    result->events++;
    result->end = end > result->end ? end : result->end;
    int64_t lane = player_instance(player, spot) * STREAM_COUNT + table->instructions[spot.step].stream;
    result->busy[lane] += end - start;
    if (result->starts != NULL) {
        int64_t index = spot.replica * table->count + spot.step;
        result->starts[index] = start;
        result->ends[index] = end;
    }
}

/* One thing less that an instruction waits for; true when it was the last. */
static inline bool release(struct moment *moment, int64_t time) {
    moment->ready = time > moment->ready ? time : moment->ready;
    return --moment->left == 0;
}

static void release_after(struct player *player, struct spot spot, int64_t time) {
    const struct engine_table *table = player->table;
    const int32_t *after = table->after + table->first_after[spot.step];
    const int32_t *behind = table->after + table->first_after[spot.step + 1];
    struct moment *moments = player->moments + spot.replica * table->count;
    struct spot *ready = player->ready + player->ready_count;
    for (; after < behind; after++) {
        if (release(&moments[*after], time)) {
            *ready++ = (struct spot){spot.replica, spot.role, *after};
        }
    }
    player->ready_count = ready - player->ready;
}

/* Before the release, which changes what the causes are compared with. */
static void note_causes(const struct player *player, struct spot spot, int64_t time) {
    const struct engine_table *table = player->table;
    const struct cause cause = cause_of(player, spot);
    for (int32_t i = table->first_after[spot.step]; i < table->first_after[spot.step + 1]; i++) {
        struct spot after = {spot.replica, spot.role, table->after[i]};
        note_cause(cause_at(player, after), player_moment(player, after)->ready, &cause, time);
    }
}

static void send_message(struct player *player, struct spot spot, int64_t start, int64_t end) {
    struct spot receive = table_partner(player->table, spot);
    if (receive.step != NOTHING) {
        int64_t latency = table_price(player->table, spot.step)->latency;
        player_moment(player, spot)->ready = time_add(end, latency);
        if (release(player_moment(player, receive), time_add(start, latency))) {
            player->reached[player->reached_count++] = receive;
        }
    }
}

void player_end(struct player *player, struct spot spot, int64_t start, int64_t end) {
    record(player, spot, start, end);
    player_moment(player, spot)->left = ENDED;
    if (player->result->causes != NULL) {
        note_causes(player, spot, end);
    }
    release_after(player, spot, end);
    if (player->table->instructions[spot.step].action == ACTION_SEND) {
        send_message(player, spot, start, end);
    }
}

bool player_next(struct player *player, struct spot *ret_spot) {
    if (player->ready_count > 0) {
        *ret_spot = player->ready[--player->ready_count];
        return true;
    }
    if (player->reached_count > 0) {
        *ret_spot = player->reached[--player->reached_count];
        return true;
    }
    return false;
}

bool player_gather(struct player *player, const struct join *join, struct spot spot,
                   struct gathering **ret_gathering) {
    int64_t group = join_group(join, spot.replica);
    struct gathering *gathering = &player->gatherings[group];
    int64_t ready = player_moment(player, spot)->ready;
    if (player->gathering_causes != NULL && cause_at(player, spot)->instance >= 0) {
        note_cause(&player->gathering_causes[group], gathering->ready, cause_at(player, spot), ready);
    }
    gathering->ready = ready > gathering->ready ? ready : gathering->ready;
    *ret_gathering = gathering;
    return --gathering->left == 0;
}

struct spot player_member(const struct player *player, const struct join *join, const struct gathering *gathering,
                          int64_t index) {
    return join_member(player->table, join, gathering - player->gatherings, index);
}

void player_share_cause(struct player *player, const struct join *join, const struct gathering *gathering) {
    for (int64_t i = 0; i < join_size(join) && player->gathering_causes != NULL; i++) {
        *cause_at(player, player_member(player, join, gathering, i)) =
            player->gathering_causes[gathering - player->gatherings];
    }
}

/* Pauses of different members may follow one another; so many in a row leave no moment for all. */
enum { ROUNDS = 10000 };

int64_t player_start_all(const struct player *player, const struct join *join, const struct gathering *gathering) {
    int64_t start = gathering->ready, before = -1;
    for (int round = 0; player->disturbance != NULL && before < start && start < NEVER; round++) {
        before = start;
        for (int64_t i = 0; i < join_size(join) && start < NEVER; i++) {
            start = disturbance_begin(player->disturbance, player_member(player, join, gathering, i), start);
        }
        start = round < ROUNDS ? start : NEVER;
    }
    return start;
}

int64_t player_arrival(struct player *player, struct spot spot) {
    struct spot send = table_partner(player->table, spot);
    int64_t ready = player_moment(player, spot)->ready;
    if (send.step == NOTHING) {
        return ready;
    }
    int64_t arrival = player_moment(player, send)->ready;
    if (player->result->causes != NULL && arrival >= ready) {
        *cause_at(player, spot) = cause_of(player, send);
    }
    return arrival > ready ? arrival : ready;
}
