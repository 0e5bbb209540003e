/* Playing without contention. An instruction's end follows from its start alone, its start from the ends of what it
 * waits for: the longest path through the program, found in one sweep in any order that respects the waits. No queue
 * of events is needed; a stack keeps neighbours in the cache together. */
#include "sim/engine_player.h"

static int64_t end_of(const struct player *player, struct spot spot, int64_t start) {
    const struct disturbance *disturbance = player->disturbance;
    if (disturbance == NULL) {
        return time_add(start, table_price(player->table, spot.step)->picoseconds);
    }
    return curve_end(disturbance_curve(disturbance, spot), disturbance_far_curve(disturbance, spot), start,
                     player_work(player, spot));
}

/* All begin when the last may, and end with the slowest. */
static void begin_all(struct player *player, const struct join *join, const struct gathering *gathering) {
    int64_t start = player_start_all(player, join, gathering), end = start;
    for (int64_t i = 0; i < join_size(join) && end < NEVER; i++) {
        int64_t own = end_of(player, player_member(player, join, gathering, i), start);
        end = own > end ? own : end;
    }
    player_share_cause(player, join, gathering);
    for (int64_t i = 0; i < join_size(join) && end < NEVER; i++) {
        player_end(player, player_member(player, join, gathering, i), start, end);
    }
}

static void begin(struct player *player, struct spot spot) {
    const struct join *join = table_join(player->table, spot.step);
    if (join != NULL) {
        struct gathering *gathering;
        if (player_gather(player, join, spot, &gathering)) {
            begin_all(player, join, gathering);
        }
        return;
    }
    int64_t start = player_moment(player, spot)->ready, end;
    if (player->table->instructions[spot.step].action == ACTION_RECEIVE) {
        end = player_arrival(player, spot);
    } else {
        start = disturbance_begin(player->disturbance, spot, start);
        end = start < NEVER ? end_of(player, spot, start) : NEVER;
    }
    if (end < NEVER) {
        player_end(player, spot, start, end);
    }
}

void engine_direct(struct player *player) {
    struct spot spot;
    while (player_next(player, &spot)) {
        begin(player, spot);
    }
}
