/* Messages and collectives: what has several ends has them all, and they agree.
 *
 *   role 0   m1 ─── m2         a group's members may come to its meetings at different times, but in one order: each
 *   role 1      m1 ─── m2      launches them one after another on the group's one communicator */
#include "base/arena.h"
#include "program/check_parts.h"

/* One end of a message; `last` of each role: the send of it that was received last. */
static void check_message(struct checking *c, int64_t i, int32_t *last) {
    const struct instruction *here = check_at(c, i), *there = check_at(c, check_partner(c, here));
    const struct role *role = check_role(c, i);
    bool opposite = check_is_message(there) && there->action != here->action;
    if (!opposite || there->peer != c->role_of[i] || there->partner != i - role->first) {
        check_fault(c, "%s: its other end, %s, does not name it", check_name(c, i),
                    check_name(c, check_partner(c, here)));
    } else if (there->micro_batch != here->micro_batch || there->work != here->work) {
        check_fault(c, "%s: its other end is of another micro-batch or size", check_name(c, i));
    } else if (here->action == ACTION_RECEIVE) {
        if (here->partner < last[here->peer]) {
            check_fault(c, "%s: what was sent before it is received behind it", check_name(c, i));
        }
        last[here->peer] = here->partner;
    }
}

void check_messages(struct checking *c) {
    const struct program *program = c->program;
    int32_t *last = ARENA_ARRAY(c->arena, int32_t, (size_t)program->role_count);
    for (int64_t r = 0; r < program->role_count; r++) {
        const struct role *role = &program->roles[r];
        for (int64_t other = 0; other < program->role_count; other++) {
            last[other] = NOTHING;
        }
        for (int64_t i = role->first; i < role->first + role->count; i++) {
            if (check_is_message(check_at(c, i))) {
                check_message(c, i, last);
            }
        }
    }
}

/* Members of each meeting, by role: members[first[m]] up to before members[first[m + 1]]. */
struct members {
    int32_t *first, *items;
};

static struct members members_make(struct checking *c) {
    const struct program *program = c->program;
    int64_t meetings = program->meeting_count;
    struct members members = {ARENA_ARRAY(c->arena, int32_t, (size_t)meetings + 2),
                              ARENA_ARRAY(c->arena, int32_t, (size_t)program->count)};
    for (int64_t i = 0; i < program->count; i++) {
        if (check_at(c, i)->meeting != NOTHING) {
            members.first[check_at(c, i)->meeting + 2]++;
        }
    }
    for (int64_t m = 0; m < meetings; m++) {
        members.first[m + 2] += members.first[m + 1];
    }
    for (int64_t i = 0; i < program->count; i++) {
        if (check_at(c, i)->meeting != NOTHING) {
            members.items[members.first[check_at(c, i)->meeting + 1]++] = (int32_t)i;
        }
    }
    return members;
}

static int32_t member_count(const struct members *members, int64_t meeting) {
    return members->first[meeting + 1] - members->first[meeting];
}

static bool agree(const struct work *a, const struct work *b) {
    bool same_bytes = !(a->bytes < b->bytes || b->bytes < a->bytes);
    return a->kind == b->kind && a->collective == b->collective && a->axis == b->axis && a->size == b->size &&
           a->step == b->step && same_bytes;
}

static void check_member(struct checking *c, const struct meeting *meeting, int64_t member, int64_t first) {
    const struct work *works = c->program->works;
    const struct work *work = &works[check_at(c, member)->work];
    if (work->axis != meeting->axis || work->size != meeting->size ||
        !agree(work, &works[check_at(c, first)->work])) {
        check_fault(c, "%s: the others of its group do something else", check_name(c, member));
    }
}

/* Ranks of one role are members together; along pp every member is a role. */
static void check_meeting(struct checking *c, const struct members *members, int64_t m) {
    const struct meeting *meeting = &c->program->meetings[m];
    const int32_t *items = &members->items[members->first[m]];
    int32_t count = member_count(members, m);
    if (count != meeting->members || (count > 0 && count != (meeting->axis == AXIS_PP ? meeting->size : 1))) {
        check_fault(c, "meeting %lld: %d instructions come to it, but it is for %lld", (long long)m, count,
                    (long long)(meeting->axis == AXIS_PP ? meeting->size : 1));
    }
    for (int32_t i = 0; i < count; i++) {
        check_member(c, meeting, items[i], items[0]);
        if (i > 0 && c->role_of[items[i]] == c->role_of[items[i - 1]]) {
            check_fault(c, "%s: its role comes to the same meeting twice", check_name(c, items[i]));
        }
    }
}

/* Groups: meetings of the same axis, part and roles share a communicator. */
struct groups {
    const struct members *members;
    int32_t *slots; /* hash table: a meeting of the group + 1, 0 = free */
    uint64_t mask;
    int32_t *of;    /* of each meeting: the first of its group; NOTHING: of one role alone */
};

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

static const struct work *work_at(const struct checking *c, int32_t instruction) {
    return &c->program->works[check_at(c, instruction)->work];
}

static uint64_t group_hash(const struct checking *c, const struct members *members, int64_t m) {
    const int32_t *items = &members->items[members->first[m]];
    uint64_t hash = mix((uint64_t)c->program->meetings[m].axis, (uint64_t)work_at(c, items[0])->step);
    for (int32_t i = 0; i < member_count(members, m); i++) {
        hash = mix(hash, (uint64_t)c->role_of[items[i]]);
    }
    return hash;
}

static bool same_group(const struct checking *c, const struct members *members, int64_t a, int64_t b) {
    const int32_t *x = &members->items[members->first[a]], *y = &members->items[members->first[b]];
    int32_t count = member_count(members, a);
    bool same = c->program->meetings[a].axis == c->program->meetings[b].axis && count == member_count(members, b) &&
                work_at(c, x[0])->step == work_at(c, y[0])->step;
    for (int32_t i = 0; same && i < count; i++) {
        same = c->role_of[x[i]] == c->role_of[y[i]];
    }
    return same;
}

static int32_t group_find(const struct checking *c, struct groups *groups, int64_t m) {
    for (uint64_t at = group_hash(c, groups->members, m) & groups->mask;; at = (at + 1) & groups->mask) {
        int32_t *slot = &groups->slots[at];
        if (*slot == 0) {
            *slot = (int32_t)m + 1;
        }
        if (same_group(c, groups->members, *slot - 1, m)) {
            return *slot - 1;
        }
    }
}

static void groups_make(struct checking *c, const struct members *members, struct groups *groups) {
    int64_t meetings = c->program->meeting_count;
    *groups = (struct groups){.members = members, .mask = 1};
    while (groups->mask < 2 * (uint64_t)meetings) {
        groups->mask = 2 * groups->mask + 1;
    }
    groups->slots = ARENA_ARRAY(c->arena, int32_t, (size_t)groups->mask + 1);
    groups->of = ARENA_ARRAY(c->arena, int32_t, (size_t)meetings);
    for (int64_t m = 0; m < meetings; m++) {
        groups->of[m] = member_count(members, m) > 1 ? group_find(c, groups, m) : NOTHING;
    }
}

/* Every role counts what it does in each of its groups; the first to come says what number a meeting is. */
static void check_orders(struct checking *c, const struct members *members) {
    const struct program *program = c->program;
    struct groups groups;
    groups_make(c, members, &groups);
    size_t meetings = (size_t)program->meeting_count;
    int32_t *numbers = ARENA_ARRAY(c->arena, int32_t, meetings);   /* of each meeting in its group, from 1 */
    int32_t *counted = ARENA_ARRAY(c->arena, int32_t, meetings);   /* of each group: meetings of the role so far */
    int32_t *counts_for = ARENA_ARRAY(c->arena, int32_t, meetings); /* the role counted, from 1 */
    for (int64_t i = 0; i < program->count; i++) {
        int32_t m = check_at(c, i)->meeting;
        int32_t group = m == NOTHING ? NOTHING : groups.of[m];
        if (group == NOTHING) {
            continue;
        }
        counted[group] = counts_for[group] == c->role_of[i] + 1 ? counted[group] + 1 : 1;
        counts_for[group] = c->role_of[i] + 1;
        if (numbers[m] == 0) {
            numbers[m] = counted[group];
        } else if (numbers[m] != counted[group]) {
            check_fault(c, "%s: number %d of its group's collectives in this role, but number %d in %s",
                        check_name(c, i), counted[group], numbers[m],
                        check_name(c, members->items[members->first[m]]));
        }
    }
}

void check_meetings(struct checking *c) {
    struct members members = members_make(c);
    for (int64_t m = 0; m < c->program->meeting_count; m++) {
        check_meeting(c, &members, m);
    }
    check_orders(c, &members);
}
