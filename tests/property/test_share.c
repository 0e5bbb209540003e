/* Max-min shares of random networks carry their own proof: no link is over its capacity, and every flow is at its cap
 * or crosses a full link on which no flow has a larger rate for its weight (Bertsekas & Gallager 1992, "Data
 * Networks", section 6.5.2). */
#include <criterion/criterion.h>
#include <math.h>

#include "../unit/support.h"
#include "base/random.h"
#include "sim/flow.h"

enum { NETWORKS = 3000, FLOWS = 40, LINKS = 12, HOPS = 4 };

struct network {
    struct share_flow flows[FLOWS];
    struct share_use uses[FLOWS][HOPS];
    double capacities[LINKS];
    int flow_count, link_count;
};

static double draw(struct random *random, double low, double high) {
    return low + (high - low) * random_unit(random);
}

/* Every third network has whole numbers, so that levels coincide. */
static void network_draw(struct random *random, bool whole, struct network *n) {
    n->flow_count = 1 + (int)random_below(random, FLOWS);
    n->link_count = 1 + (int)random_below(random, LINKS);
    for (int l = 0; l < n->link_count; l++) {
        n->capacities[l] = whole ? 1 + random_below(random, 3) : exp(draw(random, -7, 7));
    }
    for (int f = 0; f < n->flow_count; f++) {
        int hops = 1 + (int)random_below(random, HOPS);
        for (int u = 0; u < hops; u++) {
            double coefficient = whole || random_below(random, 2) == 0 ? 1 : draw(random, 0.1, 2);
            n->uses[f][u] = (struct share_use){(int32_t)random_below(random, (uint32_t)n->link_count), coefficient};
        }
        n->flows[f] = (struct share_flow){.uses = n->uses[f], .use_count = hops,
                                          .weight = whole ? 1 : draw(random, 0.5, 2),
                                          .cap = random_below(random, 4) == 0 ? draw(random, 0.1, 5) : 0};
    }
}

static double load_of(const struct network *n, int link) {
    double load = 0;
    for (int f = 0; f < n->flow_count; f++) {
        for (int u = 0; u < n->flows[f].use_count; u++) {
            load += n->uses[f][u].link == link ? n->uses[f][u].coefficient * n->flows[f].rate : 0;
        }
    }
    return load;
}

/* The largest level (rate for weight) of the flows over a link. */
static double level_of(const struct network *n, int link) {
    double level = 0;
    for (int f = 0; f < n->flow_count; f++) {
        for (int u = 0; u < n->flows[f].use_count; u++) {
            double own = n->flows[f].rate / n->flows[f].weight;
            level = n->uses[f][u].link == link && own > level ? own : level;
        }
    }
    return level;
}

static bool has_bottleneck(const struct network *n, int flow) {
    const struct share_flow *f = &n->flows[flow];
    if (f->cap > 0 && f->rate >= f->cap * (1 - 1e-12)) {
        return true;
    }
    for (int u = 0; u < f->use_count; u++) {
        int link = n->uses[flow][u].link;
        bool full = load_of(n, link) >= n->capacities[link] * (1 - 1e-9);
        if (full && level_of(n, link) <= f->rate / f->weight * (1 + 1e-9)) {
            return true;
        }
    }
    return false;
}

Test(share, certificate) {
    struct network n;
    for (int i = 0; i < NETWORKS; i++) {
        struct random random;
        random_stream(&random, 3, "share", (uint64_t)i);
        network_draw(&random, i % 3 == 0, &n);
        share_solve(n.flows, n.flow_count, n.capacities, n.link_count, NULL);
        for (int l = 0; l < n.link_count; l++) {
            cr_assert(load_of(&n, l) <= n.capacities[l] * (1 + 1e-9), "network %d: link %d is over", i, l);
        }
        for (int f = 0; f < n.flow_count; f++) {
            cr_assert(n.flows[f].rate > 0 && (n.flows[f].cap <= 0 || n.flows[f].rate <= n.flows[f].cap));
            cr_assert(has_bottleneck(&n, f), "network %d: flow %d could have more", i, f);
        }
    }
}

/* Two copies of a network side by side: every flow and its twin get the same, bit for bit, as shares and as ends. */
Test(share, twins) {
    struct arena *arena = support_arena();
    struct network n;
    for (int i = 0; i < NETWORKS / 3; i++) {
        struct random random;
        struct share_use twin_uses[FLOWS][HOPS];
        struct share_flow both[2 * FLOWS];
        struct flow flows[2 * FLOWS];
        double capacities[2 * LINKS];
        random_stream(&random, 4, "twins", (uint64_t)i);
        network_draw(&random, i % 3 == 0, &n);
        for (int l = 0; l < 2 * n.link_count; l++) {
            capacities[l] = n.capacities[l % n.link_count];
        }
        for (int f = 0; f < n.flow_count; f++) {
            int twin = n.flow_count + (f + i) % n.flow_count; /* in another order */
            for (int u = 0; u < n.flows[f].use_count; u++) {
                twin_uses[f][u] = n.uses[f][u];
                twin_uses[f][u].link += n.link_count;
            }
            both[f] = both[twin] = n.flows[f];
            both[twin].uses = twin_uses[f];
            flows[f] = (struct flow){.bytes = 1 + random_below(&random, 3), .latency = random_below(&random, 3),
                                     .weight = n.flows[f].weight, .cap = n.flows[f].cap, .path = n.uses[f],
                                     .hops = n.flows[f].use_count};
            flows[twin] = flows[f];
            flows[twin].path = twin_uses[f];
        }
        share_solve(both, 2 * n.flow_count, capacities, 2 * n.link_count, NULL);
        flow_run(arena, flows, 2 * n.flow_count, capacities, 2 * n.link_count);
        for (int f = 0; f < n.flow_count; f++) {
            int twin = n.flow_count + (f + i) % n.flow_count;
            cr_assert(both[f].rate == both[twin].rate, "network %d flow %d", i, f);
            cr_assert(isfinite(flows[f].end) && flows[f].end == flows[twin].end, "network %d flow %d", i, f);
        }
    }
    arena_close(arena);
}
