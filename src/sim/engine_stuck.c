/* When nothing can go on: which ranks have stopped for a reason of their own, and who waits for whom. On every rank the
 * first instruction of each stream that has not ended is one of
 *
 *   left = 0   it could begin: its rank has failed, or what it does stands still, or others of its group have not come
 *   left > 0   it waits for a message, or for another stream of its own rank (which tells nothing) */
#include "sim/engine_player.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"

enum { LINES = 8 };

struct report {
    const struct player *player;
    struct arena *arena;
    struct text text;
    int64_t lines; /* found, of which the first LINES are written */
};

static const char *name_of(const struct report *report, struct spot spot) {
    const struct program *program = report->player->table->program;
    return program_describe(report->arena, program, spot.role, spot.step - program->roles[spot.role].first);
}

static long long rank_of(const struct report *report, struct spot spot) {
    return (long long)rank_of_replica(report->player->table->program, spot.replica, spot.role);
}

static bool line_begin(struct report *report) {
    if (++report->lines > LINES) {
        return false;
    }
    text_add(&report->text, report->lines > 1 ? "; " : "");
    return true;
}

static bool may_begin(const struct player *player, struct spot spot, int64_t ready) {
    return disturbance_begin(player->disturbance, spot, ready) < NEVER;
}

/* The instruction waits for nothing more, and its own rank will not begin it. */
static void report_blocked(struct report *report, struct spot spot) {
    int64_t failure = disturbance_failure(report->player->disturbance, spot);
    if (!line_begin(report)) {
        return;
    }
    if (failure < NEVER) {
        text_add_format(&report->text, "rank %lld failed at %s, before %s", rank_of(report, spot),
                        units_exact(report->arena, (double)failure / 1e12, UNIT_SECONDS), name_of(report, spot));
    } else {
        text_add_format(&report->text, "pauses leave rank %lld no moment to begin %s", rank_of(report, spot),
                        name_of(report, spot));
    }
}

/* It has begun, alone or with its group, and does not end; or its group finds no moment to begin together. */
static void report_endless(struct report *report, struct spot spot, bool begins) {
    if (line_begin(report)) {
        text_add_format(&report->text,
                        begins ? "%s of rank %lld never ends: what it runs on stands still"
                               : "pauses leave no moment to begin %s of rank %lld and its group together",
                        name_of(report, spot), rank_of(report, spot));
    }
}

/* The first member that has not come to a gathering; the spot itself when all have. */
static struct spot missing_member(const struct player *player, const struct join *join, struct spot spot) {
    const struct gathering *gathering = &player->gatherings[join_group(join, spot.replica)];
    for (int64_t i = 0; i < join_size(join); i++) {
        struct spot member = player_member(player, join, gathering, i);
        if (player_moment(player, member)->left != 0) {
            return member;
        }
    }
    return spot;
}

/* A group that is complete is reported by those of its members who will not begin; by the first when all would. */
static void report_group(struct report *report, const struct join *join, struct spot spot) {
    const struct player *player = report->player;
    const struct gathering *gathering = &player->gatherings[join_group(join, spot.replica)];
    struct spot first = player_member(player, join, gathering, 0);
    bool all = true;
    for (int64_t i = 0; i < join_size(join) && all; i++) {
        all = may_begin(player, player_member(player, join, gathering, i), gathering->ready);
    }
    if (!may_begin(player, spot, gathering->ready)) {
        report_blocked(report, spot);
    } else if (all && first.replica == spot.replica && first.step == spot.step) {
        report_endless(report, spot, player_start_all(player, join, gathering) < NEVER);
    }
}

/* Instructions that stop for a reason of their own. */
static void report_cause(struct report *report, struct spot spot) {
    const struct player *player = report->player;
    const struct join *join = table_join(player->table, spot.step);
    if (player_moment(player, spot)->left != 0) {
        return;
    }
    if (join != NULL) {
        struct spot missing = missing_member(player, join, spot);
        if (missing.replica == spot.replica && missing.step == spot.step) {
            report_group(report, join, spot);
        }
    } else if (may_begin(player, spot, player_moment(player, spot)->ready)) {
        report_endless(report, spot, true);
    } else {
        report_blocked(report, spot);
    }
}

/* Instructions that wait for another rank. */
static void report_wait(struct report *report, struct spot spot) {
    const struct player *player = report->player;
    const struct instruction *instruction = &player->table->instructions[spot.step];
    const struct join *join = table_join(player->table, spot.step);
    if (join != NULL && player_moment(player, spot)->left == 0) {
        struct spot missing = missing_member(player, join, spot);
        if ((missing.replica != spot.replica || missing.step != spot.step) && line_begin(report)) {
            text_add_format(&report->text, "rank %lld waits for rank %lld in %s", rank_of(report, spot),
                            rank_of(report, missing), name_of(report, spot));
        }
    } else if (instruction->action == ACTION_RECEIVE && instruction->partner != NOTHING) {
        struct spot send = table_partner(player->table, spot);
        if (player_moment(player, send)->left != ENDED && line_begin(report)) {
            text_add_format(&report->text, "rank %lld waits for a message of rank %lld: %s", rank_of(report, spot),
                            rank_of(report, send), name_of(report, send));
        }
    }
}

/* The first instruction of every stream of a role's replica that has not ended. */
static void report_rank(struct report *report, int64_t replica, int64_t index,
                        void (*visit)(struct report *report, struct spot spot)) {
    const struct player *player = report->player;
    const struct role *role = &player->table->program->roles[index];
    unsigned seen = 0;
    for (int64_t i = role->first; i < role->first + role->count; i++) {
        struct spot spot = {(int32_t)replica, (int32_t)index, (int32_t)i};
        unsigned bit = 1U << player->table->instructions[i].stream;
        if (player_moment(player, spot)->left != ENDED && (seen & bit) == 0) {
            seen |= bit;
            visit(report, spot);
        }
    }
}

static void report_all(struct report *report, void (*visit)(struct report *report, struct spot spot)) {
    const struct engine_table *table = report->player->table;
    for (int64_t replica = 0; replica < table->replicas; replica++) {
        for (int64_t role = 0; role < table->roles; role++) {
            report_rank(report, replica, role, visit);
        }
    }
}

const char *engine_stuck(struct arena *arena, const struct player *player) {
    struct report report = {.player = player, .arena = arena};
    text_init(&report.text, arena);
    report_all(&report, report_cause);
    report_all(&report, report_wait);
    if (report.lines > LINES) {
        text_add_format(&report.text, "; and %lld more", (long long)(report.lines - LINES));
    }
    return report.text.data;
}
