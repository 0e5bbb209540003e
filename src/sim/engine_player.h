/* The state of a program being played: what every rank's instructions still wait for, which may begin, what has ended.
 * How long they take is the business of the two ways to play: engine_direct (nothing slows anything) and engine_events
 * (rates change while instructions run). */
#ifndef PARPLAN_SIM_ENGINE_PLAYER_H
#define PARPLAN_SIM_ENGINE_PLAYER_H

#include "sim/disturbance.h"

/* What is known of an instruction before its end. */
struct moment {
    int64_t ready; /* the latest end of what it waited for; of a send that has ended: when its message arrives */
    int32_t left;  /* things it still waits for, or ENDED */
};
enum { ENDED = -1 };

/* What is known of one group of a join. */
struct gathering {
    int64_t ready; /* when the last so far came */
    int64_t left;  /* members still to come; while they run: still to end */
};

struct player {
    const struct engine_input *input;
    const struct engine_table *table;
    struct disturbance *disturbance; /* NULL: none */
    struct moment *moments;          /* [replica * table->count + step] */
    struct gathering *gatherings;
    struct cause *gathering_causes;  /* NULL: not recorded */
    /* What waits for nothing more, at most one a stream and rank: two stacks, so that a rank runs on in the cache as
     * far as it can before those that its messages reach. */
    struct spot *ready, *reached;
    int64_t ready_count, reached_count;
    struct engine_result *result;
};

/* Everything waits; what waits for nothing may begin. `result` has its arrays. */
void player_open(struct arena *arena, const struct engine_input *input, const struct engine_table *table,
                 struct engine_result *result, struct player *ret);

/* An instruction has ended: records it and releases what waited for it. Of a send: its message arrives a latency later,
 * and its receive seems to begin a latency after `start`. */
void player_end(struct player *player, struct spot spot, int64_t start, int64_t end);

/* Takes what may begin now; false when nothing may. */
bool player_next(struct player *player, struct spot *ret_spot);

/* A member of a join has come; true when it was the last of its group. */
bool player_gather(struct player *player, const struct join *join, struct spot spot,
                   struct gathering **ret_gathering);
/* The members of a gathering: the index-th, index < join_size; and their common cause to begin. */
struct spot player_member(const struct player *player, const struct join *join, const struct gathering *gathering,
                          int64_t index);
void player_share_cause(struct player *player, const struct join *join, const struct gathering *gathering);
/* When all of a gathering may begin. */
int64_t player_start_all(const struct player *player, const struct join *join, const struct gathering *gathering);

/* When a receive ends that waits for nothing more: its message may still be on its way. */
int64_t player_arrival(struct player *player, struct spot spot);

static inline struct moment *player_moment(const struct player *player, struct spot spot) {
    return &player->moments[spot.replica * player->table->count + spot.step];
}
static inline int64_t player_instance(const struct player *player, struct spot spot) {
    return spot.replica * player->table->roles + spot.role;
}
/* Picoseconds of an instruction alone, with jitter. */
static inline int64_t player_work(const struct player *player, struct spot spot) {
    return disturbance_work(player->disturbance, spot, table_price(player->table, spot.step)->picoseconds);
}

/* The two ways to play. */
void engine_direct(struct player *player);
void engine_events(struct arena *arena, struct player *player);

/* Who waits for what when nothing can go on. */
const char *engine_stuck(struct arena *arena, const struct player *player);

#endif
