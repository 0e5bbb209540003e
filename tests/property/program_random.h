/* Random programs that are sound by construction: instructions are drawn in one order over all roles, and wait only for
 * what was drawn before. */
#ifndef PARPLAN_TESTS_PROPERTY_PROGRAM_RANDOM_H
#define PARPLAN_TESTS_PROPERTY_PROGRAM_RANDOM_H

#include "../unit/sim/programs.h"
#include "base/random.h"

static inline int64_t draw(struct random *random, int64_t low, int64_t high) {
    return low + (int64_t)random_below(random, (uint32_t)(high - low + 1));
}

static inline double draw_share(struct random *random) {
    return (double)draw(random, 0, 4) / 4;
}

/* An instruction not yet in its role's place. */
struct drawn {
    int64_t role, picoseconds, latency;
    enum action action;
    enum stream stream;
    int32_t partner, meeting;  /* drawn; NOTHING */
    int32_t waits[3], wait_count;
    bool pass;
    struct work_price price;
};

struct drawing {
    struct random *random;
    struct parallel parallel;
    struct drawn items[400];
    int32_t count;
    struct meeting meetings[400];
    struct work parts[400]; /* of meetings: size and step */
    int32_t meeting_count;
};

static inline void draw_waits(struct drawing *d, struct drawn *item) {
    for (int i = 0; i < 3 && d->count > 0; i++) {
        int32_t other = (int32_t)draw(d->random, d->count > 12 ? d->count - 12 : 0, d->count - 1);
        if (d->items[other].role == item->role) {
            item->waits[item->wait_count++] = other;
        }
    }
}

static inline struct drawn *draw_item(struct drawing *d, int64_t role, enum action action, enum stream stream) {
    struct drawn *item = &d->items[d->count];
    struct random *random = d->random;
    *item = (struct drawn){.role = role, .action = action, .stream = stream, .partner = NOTHING, .meeting = NOTHING,
                           .picoseconds = draw(random, 0, 3) == 0 ? 10 * draw(random, 0, 3) : draw(random, 0, 1000)};
    item->price = (struct work_price){.port = (int32_t)draw(random, 0, PORT_COUNT - 1), .use = draw_share(random),
                                      .sms = draw_share(random) / 4, .memory = draw_share(random)};
    if (stream == STREAM_COMPUTE) {
        item->price.tiles = (double)(draw(random, 0, 1) * draw(random, 1, 400));
        item->price.memory_bound = draw(random, 0, 3) == 0;
    }
    draw_waits(d, item);
    d->count++;
    return item;
}

static inline void draw_message(struct drawing *d) {
    int64_t from = draw(d->random, 0, d->parallel.pp - 1), to = draw(d->random, 0, d->parallel.pp - 1);
    int32_t send = d->count;
    struct drawn *item = draw_item(d, from, ACTION_SEND, draw(d->random, 0, 1) == 0 ? STREAM_SEND_NEXT
                                                                                    : STREAM_SEND_PREVIOUS);
    item->latency = draw(d->random, 0, 50);
    item->partner = send + 1;
    item = draw_item(d, to, ACTION_RECEIVE, draw(d->random, 0, 1) == 0 ? STREAM_RECEIVE_NEXT : STREAM_RECEIVE_PREVIOUS);
    item->partner = send;
}

/* A collective of one role or, along pp, of all. */
static inline void draw_collective(struct drawing *d) {
    static const enum axis axes[] = {AXIS_TP, AXIS_CP, AXIS_DP, AXIS_PP, AXIS_EP, AXIS_ETP, AXIS_EDP, AXIS_DP_CP};
    const struct parallel *p = &d->parallel;
    enum axis axis = axes[draw(d->random, 0, (int64_t)ROWS(axes) - 1)];
    const int64_t sizes[AXIS_COUNT] = {
        [AXIS_TP] = p->tp, [AXIS_CP] = p->cp,   [AXIS_DP] = p->dp,
        [AXIS_PP] = p->pp, [AXIS_EP] = p->ep,   [AXIS_ETP] = p->etp,
        [AXIS_EDP] = p->tp * p->cp * p->dp / (p->ep * p->etp), [AXIS_DP_CP] = p->dp * p->cp};
    int64_t size = sizes[axis], step = 1, picoseconds = draw(d->random, 0, 500);
    if (axis != AXIS_PP && size % 4 == 0 && draw(d->random, 0, 1) == 0) {
        size /= 2;
        step = draw(d->random, 1, 2); /* half of the axis: neighbours, or every second */
    }
    int64_t first = axis == AXIS_PP ? 0 : draw(d->random, 0, p->pp - 1), count = axis == AXIS_PP ? p->pp : 1;
    d->meetings[d->meeting_count] = (struct meeting){axis, size, 0};
    d->parts[d->meeting_count] = (struct work){.size = size, .step = step};
    for (int64_t i = 0; i < count; i++) {
        struct drawn *item = draw_item(d, first + i, ACTION_COLLECTIVE,
                                       (enum stream)draw(d->random, STREAM_TENSOR, STREAM_DATA));
        item->meeting = d->meeting_count;
        item->picoseconds = picoseconds;
    }
    d->meeting_count++;
}

static inline void draw_one(struct drawing *d) {
    int64_t role = draw(d->random, 0, d->parallel.pp - 1), kind = draw(d->random, 0, 9);
    if (kind < 4) {
        draw_item(d, role, ACTION_FORWARD, STREAM_COMPUTE)->pass = draw(d->random, 0, 1) == 0;
    } else if (kind < 7) {
        draw_message(d);
    } else if (kind < 9) {
        draw_collective(d);
    } else {
        draw_item(d, role, ACTION_LOAD, draw(d->random, 0, 1) == 0 ? STREAM_COPY_IN : STREAM_COPY_OUT);
    }
}

/* Writes the drawing with its roles in the order `roles` (position to drawn role); sets where each item went. */
static inline struct making *drawing_make(struct arena *arena, const struct drawing *d, const int64_t *roles,
                                          int32_t *places) {
    struct making *m = making_open(arena);
    for (int64_t r = 0; r < d->parallel.pp; r++) {
        making_role(m);
        m->roles[r].pipeline_rank = roles[r];
        for (int32_t i = 0; i < d->count; i++) {
            const struct drawn *item = &d->items[i];
            if (item->role == roles[r]) {
                places[i] = making_add(m, item->action, item->stream, item->picoseconds, NOTHING);
                struct work_price price = item->price;
                price.picoseconds = item->picoseconds;
                m->prices[places[i]] = price;
                m->works[places[i]].kind = item->pass ? WORK_PASS : WORK_KERNEL;
            }
        }
    }
    for (int32_t k = 0; k < d->meeting_count; k++) {
        making_meeting(m, d->meetings[k].axis, d->meetings[k].size);
    }
    for (int32_t i = 0; i < d->count; i++) {
        const struct drawn *item = &d->items[i];
        for (int32_t w = 0; w < item->wait_count; w++) {
            making_wait(m, places[i], places[item->waits[w]]);
        }
        if (item->action == ACTION_SEND) {
            making_link(m, places[i], places[item->partner], item->latency);
        }
        if (item->meeting != NOTHING) {
            making_meet(m, places[i], item->meeting);
            m->works[places[i]].step = d->parts[item->meeting].step;
        }
    }
    m->program.parallel = d->parallel;
    m->program.replicas = d->parallel.tp * d->parallel.cp * d->parallel.dp;
    m->program.lockstep = d->parallel.tp * d->parallel.cp;
    making_close(m);
    return m;
}

/* At most `most` instructions, more than that by a collective. */
static inline void drawing_draw(struct random *random, int64_t most, struct drawing *d) {
    static const int64_t experts[][2] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}, {1, 4}};
    memset(d, 0, sizeof *d);
    d->random = random;
    d->parallel = (struct parallel){.tp = draw(random, 1, 3), .cp = draw(random, 1, 2), .dp = draw(random, 1, 4),
                                    .pp = draw(random, 1, 5), .vpp = 1, .ep = 1, .etp = 1,
                                    .order = (int)draw(random, 0, ORDER_KINDS - 1)};
    const int64_t *expert = experts[draw(random, 0, (int64_t)ROWS(experts) - 1)];
    if (d->parallel.tp * d->parallel.cp * d->parallel.dp % (expert[0] * expert[1]) == 0) {
        d->parallel.etp = expert[0];
        d->parallel.ep = expert[1];
    }
    while (d->count < most) {
        draw_one(d);
    }
}

static inline const int64_t *in_order(void) {
    static const int64_t roles[] = {0, 1, 2, 3, 4};
    return roles;
}

#endif
