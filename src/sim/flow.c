/* Flow-level simulation. A flow waits for its latency, then moves; rates change only when a flow begins or ends, and
 * only for flows that share links with it, directly or through others:
 *
 *   flow a ── link 0 ── flow b ── link 1 ── flow c          flow d ── link 2
 *
 * The end of a changes b and c, never d. Every moment costs a look at all flows that have not ended. */
#include "sim/flow.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"

/* Ends that differ by rounding alone are one moment. */
static const double MOMENT = 1e-12;

enum flow_state { FLOW_WAITING, FLOW_MOVING, FLOW_ENDED };

struct movement {
    enum flow_state state;
    double remaining, rate, updated;
    bool found; /* by the flood */
};

struct network {
    struct flow *flows;
    struct movement *movements;
    int64_t flow_count, link_count;
    const double *capacities;
    const int64_t *first; /* flows over link l: over[first[l]] up to before over[first[l + 1]] */
    const int32_t *over;
    int32_t *links, *local; /* of the component: its links; each link's number in it, or -1 */
    int64_t links_found;
    int32_t *found;         /* its flows */
    int64_t flows_found;
    struct share_flow *shares;
    struct share_use *uses;
    double *room; /* capacities of the component, then share_solve's scratch */
};

static void find_link(struct network *n, int32_t link) {
    if (n->local[link] < 0) {
        n->local[link] = (int32_t)n->links_found;
        n->links[n->links_found++] = link;
    }
}

static void find_flow(struct network *n, int32_t flow) {
    if (n->movements[flow].state != FLOW_MOVING || n->movements[flow].found) {
        return;
    }
    n->movements[flow].found = true;
    n->found[n->flows_found++] = flow;
    for (int32_t u = 0; u < n->flows[flow].hops; u++) {
        find_link(n, n->flows[flow].path[u].link);
    }
}

/* All flows and links connected with the links found so far. */
static void flood(struct network *n) {
    for (int64_t i = 0; i < n->links_found; i++) {
        int32_t link = n->links[i];
        for (int64_t f = n->first[link]; f < n->first[link + 1]; f++) {
            find_flow(n, n->over[f]);
        }
    }
}

static void share_component(struct network *n) {
    struct share_use *uses = n->uses;
    for (int64_t i = 0; i < n->flows_found; i++) {
        const struct flow *flow = &n->flows[n->found[i]];
        n->shares[i] = (struct share_flow){.uses = uses, .use_count = flow->hops, .weight = flow->weight,
                                           .cap = flow->cap};
        for (int32_t u = 0; u < flow->hops; u++) {
            *uses++ = (struct share_use){n->local[flow->path[u].link], flow->path[u].coefficient};
        }
    }
    for (int64_t l = 0; l < n->links_found; l++) {
        n->room[l] = n->capacities[n->links[l]];
    }
    share_solve(n->shares, n->flows_found, n->room, n->links_found, n->room + n->links_found);
}

/* New rates for the component found; it is forgotten afterwards. */
static void set_rates(struct network *n, double now) {
    flood(n);
    share_component(n);
    for (int64_t i = 0; i < n->flows_found; i++) {
        struct movement *m = &n->movements[n->found[i]];
        double rate = n->shares[i].rate;
        if (rate < m->rate || rate > m->rate) {
            m->remaining -= m->rate * (now - m->updated);
            m->updated = now;
            m->rate = rate;
        }
        m->found = false;
    }
    for (int64_t l = 0; l < n->links_found; l++) {
        n->local[n->links[l]] = -1;
    }
    n->links_found = 0;
    n->flows_found = 0;
}

/* When something happens to a flow next. */
static double next_of(const struct network *n, int64_t i) {
    const struct flow *flow = &n->flows[i];
    const struct movement *m = &n->movements[i];
    if (m->state == FLOW_WAITING) {
        return flow->start + flow->latency;
    }
    if (m->state == FLOW_ENDED || !(m->rate > 0)) {
        return (double)INFINITY;
    }
    return m->remaining > 0 && isfinite(m->rate) ? m->updated + m->remaining / m->rate : m->updated;
}

static void flow_event(struct network *n, int32_t i, double now) {
    struct flow *flow = &n->flows[i];
    struct movement *m = &n->movements[i];
    bool begins = m->state == FLOW_WAITING && flow->bytes > 0;
    if (begins) {
        *m = (struct movement){.state = FLOW_MOVING, .remaining = flow->bytes, .updated = now};
        find_flow(n, i);
    } else {
        m->state = FLOW_ENDED;
        flow->end = now;
        for (int32_t u = 0; u < flow->hops; u++) {
            find_link(n, flow->path[u].link);
        }
    }
}

static void list_flows(struct arena *arena, struct network *n) {
    int64_t *first = ARENA_ARRAY(arena, int64_t, (size_t)n->link_count + 2);
    int64_t uses = 0;
    for (int64_t i = 0; i < n->flow_count; i++) {
        for (int32_t u = 0; u < n->flows[i].hops; u++, uses++) {
            first[n->flows[i].path[u].link + 2]++;
        }
    }
    for (int64_t l = 0; l < n->link_count; l++) {
        first[l + 2] += first[l + 1];
    }
    int32_t *over = ARENA_ARRAY(arena, int32_t, (size_t)uses);
    for (int64_t i = 0; i < n->flow_count; i++) {
        for (int32_t u = 0; u < n->flows[i].hops; u++) {
            over[first[n->flows[i].path[u].link + 1]++] = (int32_t)i;
        }
    }
    n->first = first;
    n->over = over;
    n->uses = ARENA_ARRAY(arena, struct share_use, (size_t)uses);
}

static void network_open(struct arena *arena, struct network *n) {
    size_t links = (size_t)n->link_count, flows = (size_t)n->flow_count;
    n->movements = ARENA_ARRAY(arena, struct movement, flows);
    n->links = ARENA_ARRAY(arena, int32_t, links);
    n->local = ARENA_ARRAY(arena, int32_t, links);
    n->found = ARENA_ARRAY(arena, int32_t, flows);
    n->shares = ARENA_ARRAY(arena, struct share_flow, flows);
    n->room = ARENA_ARRAY(arena, double, 4 * links);
    memset(n->local, -1, links * sizeof(n->local[0]));
    list_flows(arena, n);
}

void flow_run(struct arena *arena, struct flow *flows, int64_t flow_count, const double *capacities,
              int64_t link_count) {
    struct arena_place place = arena_mark(arena);
    struct network n = {.flows = flows, .flow_count = flow_count, .link_count = link_count, .capacities = capacities};
    network_open(arena, &n);
    for (int64_t i = 0; i < flow_count; i++) {
        flows[i].end = (double)INFINITY;
    }
    for (;;) {
        double now = (double)INFINITY;
        for (int64_t i = 0; i < flow_count; i++) {
            double next = next_of(&n, i);
            now = next < now ? next : now;
        }
        if (!isfinite(now)) {
            break;
        }
        for (int64_t i = 0; i < flow_count; i++) {
            if (next_of(&n, i) <= now + MOMENT * fabs(now)) {
                flow_event(&n, (int32_t)i, now);
            }
        }
        set_rates(&n, now);
    }
    arena_rewind(arena, place);
}
