/* No cyclic wait. The program is run without times, one rank of each role: an instruction ends when all it waits for
 * has ended, a collective when all its members have come (Kahn 1962, "Topological sorting of large networks"). What is
 * left waits for itself in the end; following who waits for whom shows the cycle:
 *
 *   role 0: backward of stage 0 ─► role 0: receive ─► role 1: send ─► ... ─► role 0: backward of stage 0 */
#include "base/arena.h"
#include "base/text.h"
#include "program/check_parts.h"

struct waiting {
    int32_t *needs;                /* of each instruction: what it still waits for; NOTHING: it has ended */
    int32_t *next;                 /* on its stream; NOTHING: the last */
    int32_t *first_after, *after;  /* who waits for it: after[first_after[i]] up to before that of i + 1 */
    int32_t *to_come;              /* of each meeting: members */
    int32_t *first_member, *members;
    int32_t *heads;                /* of role and stream: the first that has not ended; NOTHING */
};

static int64_t head_index(const struct checking *c, int64_t i) {
    return (int64_t)c->role_of[i] * STREAM_COUNT + check_at(c, i)->stream;
}

static void count_needs(struct checking *c, struct waiting *w) {
    const struct program *program = c->program;
    int32_t *last = w->heads;
    for (int64_t i = 0; i < program->role_count * STREAM_COUNT; i++) {
        last[i] = NOTHING;
    }
    for (int64_t i = 0; i < program->count; i++) {
        const struct instruction *instruction = check_at(c, i);
        int32_t *before = &last[head_index(c, i)];
        w->needs[i] = instruction[1].first_wait - instruction[0].first_wait + (*before != NOTHING) +
                      (instruction->action == ACTION_RECEIVE);
        w->next[i] = NOTHING;
        if (*before != NOTHING) {
            w->next[*before] = (int32_t)i;
        }
        *before = (int32_t)i;
        for (int32_t j = instruction[0].first_wait; j < instruction[1].first_wait; j++) {
            w->first_after[check_role(c, i)->first + program->waits[j] + 1]++;
        }
        if (instruction->meeting != NOTHING) {
            w->first_member[instruction->meeting + 1]++;
            w->to_come[instruction->meeting]++;
        }
    }
}

/* Turns counts into begins and fills the lists from their ends. */
static void fill_lists(struct checking *c, struct waiting *w) {
    const struct program *program = c->program;
    for (int64_t i = 0; i < program->count; i++) {
        w->first_after[i + 1] += w->first_after[i];
    }
    for (int64_t m = 0; m < program->meeting_count; m++) {
        w->first_member[m + 1] += w->first_member[m];
    }
    w->first_after[program->count + 1] = w->first_after[program->count];
    w->first_member[program->meeting_count + 1] = w->first_member[program->meeting_count];
    for (int64_t i = program->count - 1; i >= 0; i--) {
        const struct instruction *instruction = check_at(c, i);
        for (int32_t j = instruction[0].first_wait; j < instruction[1].first_wait; j++) {
            int64_t before = check_role(c, i)->first + program->waits[j];
            w->after[--w->first_after[before + 1]] = (int32_t)i;
        }
        if (instruction->meeting != NOTHING) {
            w->members[--w->first_member[instruction->meeting + 1]] = (int32_t)i;
        }
    }
    /* Entry i + 1 now says where the list of i begins. */
    w->first_after++;
    w->first_member++;
}

static void waiting_open(struct checking *c, struct waiting *w) {
    const struct program *program = c->program;
    size_t count = (size_t)program->count, meetings = (size_t)program->meeting_count;
    w->needs = ARENA_ARRAY(c->arena, int32_t, count);
    w->next = ARENA_ARRAY(c->arena, int32_t, count);
    w->first_after = ARENA_ARRAY(c->arena, int32_t, count + 2);
    w->after = ARENA_ARRAY(c->arena, int32_t, (size_t)program->wait_count);
    w->to_come = ARENA_ARRAY(c->arena, int32_t, meetings);
    w->first_member = ARENA_ARRAY(c->arena, int32_t, meetings + 2);
    w->members = ARENA_ARRAY(c->arena, int32_t, count);
    w->heads = ARENA_ARRAY(c->arena, int32_t, (size_t)program->role_count * STREAM_COUNT);
    count_needs(c, w);
    fill_lists(c, w);
}

/* It waits for nothing more of its own: it ends, unless others of its group are still to come. */
static void come(struct checking *c, struct waiting *w, int64_t i) {
    int32_t meeting = check_at(c, i)->meeting;
    if (meeting == NOTHING) {
        c->ended[c->ended_count++] = (int32_t)i;
    } else if (--w->to_come[meeting] == 0) {
        for (int32_t m = w->first_member[meeting]; m < w->first_member[meeting + 1]; m++) {
            c->ended[c->ended_count++] = w->members[m];
        }
    }
}

static void release(struct checking *c, struct waiting *w, int64_t i) {
    if (--w->needs[i] == 0) {
        come(c, w, i);
    }
}

static void end(struct checking *c, struct waiting *w, int64_t i) {
    const struct instruction *instruction = check_at(c, i);
    w->needs[i] = NOTHING;
    if (w->next[i] != NOTHING) {
        release(c, w, w->next[i]);
    }
    for (int32_t j = w->first_after[i]; j < w->first_after[i + 1]; j++) {
        release(c, w, w->after[j]);
    }
    if (instruction->action == ACTION_SEND) {
        release(c, w, check_partner(c, instruction));
    }
}

/* The first of each stream that has not ended. */
static void find_heads(struct checking *c, struct waiting *w) {
    for (int64_t i = 0; i < c->program->role_count * STREAM_COUNT; i++) {
        w->heads[i] = NOTHING;
    }
    for (int64_t i = c->program->count - 1; i >= 0; i--) {
        if (w->needs[i] != NOTHING) {
            w->heads[head_index(c, i)] = (int32_t)i;
        }
    }
}

/* What an instruction waits for that has not ended: the head of its stream, or if it is that, something else. */
static int64_t blocker_of(struct checking *c, const struct waiting *w, int64_t i, const char **ret_how) {
    const struct instruction *instruction = check_at(c, i);
    int64_t head = w->heads[head_index(c, i)];
    *ret_how = "stands behind";
    if (head != i) {
        return head;
    }
    *ret_how = "waits for";
    for (int32_t j = instruction[0].first_wait; j < instruction[1].first_wait; j++) {
        int64_t before = check_role(c, i)->first + c->program->waits[j];
        if (w->needs[before] != NOTHING) {
            return before;
        }
    }
    if (instruction->action == ACTION_RECEIVE && w->needs[check_partner(c, instruction)] != NOTHING) {
        return check_partner(c, instruction);
    }
    *ret_how = "meets";
    for (int32_t m = w->first_member[instruction->meeting]; m < w->first_member[instruction->meeting + 1]; m++) {
        if (w->needs[w->members[m]] > 0) {
            return w->members[m];
        }
    }
    return i;
}

enum { SHOWN_MOST = 16 };

/* Goes along until something comes again, then once round. */
static void report_cycle(struct checking *c, const struct waiting *w) {
    bool *met = ARENA_ARRAY(c->arena, bool, (size_t)c->program->count);
    const char *how = "";
    int64_t begin = 0, at;
    while (w->needs[begin] == NOTHING) {
        begin++;
    }
    for (at = begin; !met[at]; at = blocker_of(c, w, at, &how)) {
        met[at] = true;
    }
    struct text text;
    text_init(&text, c->arena);
    text_add(&text, "a wait that never ends: ");
    text_add(&text, check_name(c, at));
    begin = at;
    for (int shown = 0; shown == 0 || at != begin; shown++) {
        if (shown == SHOWN_MOST) {
            text_add(&text, ", and so on");
            break;
        }
        at = blocker_of(c, w, at, &how);
        text_add_format(&text, "%s%s %s", shown == 0 ? " " : ", which ", how, check_name(c, at));
    }
    check_fault(c, "%s", text.data);
}

void check_waits(struct checking *c) {
    struct waiting w;
    waiting_open(c, &w);
    c->ended = ARENA_ARRAY(c->arena, int32_t, (size_t)c->program->count);
    for (int64_t i = 0; i < c->program->count; i++) {
        if (w.needs[i] == 0) {
            come(c, &w, i);
        }
    }
    for (int64_t i = 0; i < c->ended_count; i++) {
        end(c, &w, c->ended[i]);
    }
    if (c->ended_count < c->program->count) {
        find_heads(c, &w);
        report_cycle(c, &w);
    }
}
