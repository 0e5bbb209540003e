/* What all ranks that play one program share: who waits for whom on a rank, and who begins together. */
#ifndef PARPLAN_SIM_ENGINE_TABLE_H
#define PARPLAN_SIM_ENGINE_TABLE_H

#include <stdint.h>

#include "sim/contention.h"
#include "sim/engine.h"
#include "sim/grouping.h"

/* One instruction of a role, counted over the whole program, of one replica. */
struct spot { int32_t replica, role, step; };

/* Instructions that begin together and end together: a collective, or one pass of ranks in lockstep. Its members are
 * instructions of one or several roles, each in all replicas of a group. */
struct join {
    int32_t first_member, member_count; /* table->members */
    const struct grouping *grouping;    /* NULL: every replica by itself */
    int64_t first_group;                /* of all groups of all joins */
};

struct engine_table {
    const struct program *program;
    const struct instruction *instructions; /* the program's */
    const struct work_price *prices;
    int64_t replicas, roles, count; /* count: instructions of all roles, once each */
    /* Those on its own rank that wait for instruction i: after[first_after[i]] up to before after[first_after[i + 1]].
     * Next on its stream, or by an explicit wait. */
    const int32_t *first_after, *after;
    const int32_t *needs; /* how many things each waits for: its stream, its waits, its message */
    const int32_t *join_of; /* of each instruction, NOTHING: it begins alone; NULL: all do */
    const struct join *joins;
    const struct spot *members; /* replica 0 */
    int64_t join_count, group_count;
};

/* `replicas`: 1, or all of them. In the arena. */
void engine_table_make(struct arena *arena, const struct engine_input *input, int64_t replicas,
                       struct engine_table *ret);

extern const uint8_t load_kinds[ACTION_COUNT]; /* enum load_kind of every action */

static inline const struct work_price *table_price(const struct engine_table *table, int32_t step) {
    return &table->prices[table->instructions[step].work];
}
/* The join of an instruction, NULL: it begins alone. */
static inline const struct join *table_join(const struct engine_table *table, int32_t step) {
    return table->join_of == NULL || table->join_of[step] == NOTHING ? NULL : &table->joins[table->join_of[step]];
}
/* The other end of a message; its step is NOTHING when there is none. */
static inline struct spot table_partner(const struct engine_table *table, struct spot spot) {
    const struct instruction *i = &table->instructions[spot.step];
    int64_t first = i->partner == NOTHING ? 0 : table->program->roles[i->peer].first;
    return (struct spot){spot.replica, i->peer, (int32_t)first + i->partner};
}

/* The group, of all groups of all joins, that a replica belongs to; its size, over all roles; its members: the
 * index-th, index < join_size. */
static inline int64_t join_group(const struct join *join, int64_t replica) {
    return join->first_group + (join->grouping == NULL ? replica : join->grouping->group_of[replica]);
}
static inline int64_t join_size(const struct join *join) {
    return join->grouping == NULL ? join->member_count : join->grouping->part * join->member_count;
}
static inline struct spot join_member(const struct engine_table *table, const struct join *join, int64_t group,
                                      int64_t index) {
    struct spot member = table->members[join->first_member + index % join->member_count];
    int64_t own = group - join->first_group;
    if (join->grouping == NULL) {
        member.replica = (int32_t)own;
    } else {
        member.replica = join->grouping->members[own * join->grouping->part + index / join->member_count];
    }
    return member;
}

#endif
