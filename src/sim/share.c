/* Progressive filling. Each round raises the common level theta until the next link is full or the next flow is at its
 * cap:
 *
 *   theta_l = (C_l - sum of frozen a x) / (sum of unfrozen a w)      theta_f = cap_f / w_f
 *
 * Links that are full at the same level but for rounding saturate in one round, so that symmetric flows freeze at the
 * same theta, bit for bit. At most min(links, flows) rounds over all uses. */
#include "sim/share.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* Levels nearer than this are one: relative to the level, and to the capacity that a difference was taken from. */
static const double LEVEL = 1e-12, CAPACITY = 1e-15;

struct filling {
    struct share_flow *flows;
    int64_t flow_count, link_count;
    const double *capacities;
    double *left, *load, *full; /* of each link: capacity left, weight of unfrozen flows, nonzero = saturated now */
};

enum { UNFROZEN = -1 };

static bool frozen(const struct share_flow *flow) {
    return flow->rate >= 0;
}

static void freeze(const struct filling *f, struct share_flow *flow, double rate) {
    flow->rate = rate;
    for (int32_t u = 0; u < flow->use_count; u++) {
        if (flow->uses[u].coefficient > 0) {
            f->left[flow->uses[u].link] -= flow->uses[u].coefficient * rate;
        }
    }
}

/* Weights of unfrozen flows on every link; the next level at which something freezes. */
static double next_level(const struct filling *f) {
    double level = (double)INFINITY;
    for (int64_t l = 0; l < f->link_count; l++) {
        f->load[l] = 0;
    }
    for (int64_t i = 0; i < f->flow_count; i++) {
        const struct share_flow *flow = &f->flows[i];
        if (frozen(flow)) {
            continue;
        }
        for (int32_t u = 0; u < flow->use_count; u++) {
            f->load[flow->uses[u].link] += flow->uses[u].coefficient * flow->weight;
        }
        if (flow->cap > 0 && flow->cap / flow->weight < level) {
            level = flow->cap / flow->weight;
        }
    }
    for (int64_t l = 0; l < f->link_count; l++) {
        double left = f->left[l] > 0 ? f->left[l] : 0;
        if (f->load[l] > 0 && left / f->load[l] < level) {
            level = left / f->load[l];
        }
    }
    return level;
}

static void mark_full(const struct filling *f, double level) {
    for (int64_t l = 0; l < f->link_count; l++) {
        double left = f->left[l] > 0 ? f->left[l] : 0;
        double taken = level * f->load[l];
        f->full[l] = f->load[l] > 0 && isfinite(f->capacities[l]) &&
                     left - taken <= LEVEL * taken + CAPACITY * f->capacities[l];
    }
}

/* Freezes what cannot rise above the level; returns how many flows are left. */
static int64_t freeze_at(const struct filling *f, double level) {
    int64_t rising = 0;
    for (int64_t i = 0; i < f->flow_count; i++) {
        struct share_flow *flow = &f->flows[i];
        if (frozen(flow)) {
            continue;
        }
        bool stops = !isfinite(level) || (flow->cap > 0 && flow->cap <= level * flow->weight * (1 + LEVEL));
        double rate = stops && isfinite(level) ? flow->cap : level * flow->weight;
        for (int32_t u = 0; u < flow->use_count && !stops; u++) {
            stops = flow->uses[u].coefficient > 0 && f->full[flow->uses[u].link] > 0;
        }
        if (stops) {
            freeze(f, flow, rate);
        } else {
            rising++;
        }
    }
    return rising;
}

void share_solve(struct share_flow *flows, int64_t flow_count, const double *capacities, int64_t link_count,
                 double *scratch) {
    double own[3 * SHARE_LINKS];
    double *room = scratch != NULL ? scratch : own;
    const struct filling f = {flows, flow_count, link_count, capacities, room, room + link_count,
                              room + 2 * link_count};
    for (int64_t l = 0; l < link_count; l++) {
        f.left[l] = capacities[l];
    }
    for (int64_t i = 0; i < flow_count; i++) {
        flows[i].rate = UNFROZEN;
    }
    for (int64_t rising = flow_count; rising > 0;) {
        double level = next_level(&f);
        mark_full(&f, level);
        rising = freeze_at(&f, level);
    }
}
