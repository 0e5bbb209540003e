/* Traffic between groups of the cluster that a link of limited bandwidth joins.
 *
 * Ranks are cut into blocks of stride * size; a block that holds ranks of two groups of the cluster sends between
 * them. All its groups of ranks do so at the same time and share the link: as rings, each crosses once per shard;
 * as all-to-all, left * right / size parts of every group cross. */
#include "base/text.h"
#include "topology/reach.h"

const struct group_link *reach_link(const struct topology *topology, size_t a, size_t b) {
    const struct group *group = topology->groups.items;
    const struct group_link *link = topology->links.items;
    for (size_t i = 0; i < topology->links.count; i++) {
        bool forward = text_equal(link[i].from, group[a].name) && text_equal(link[i].to, group[b].name);
        bool backward = text_equal(link[i].from, group[b].name) && text_equal(link[i].to, group[a].name);
        if (forward || backward) {
            return &link[i];
        }
    }
    return NULL;
}

/* Ranks of `place` that lie in [begin, end). */
static int64_t ranks_within(const struct group_place *place, int64_t begin, int64_t end) {
    int64_t from = place->first > begin ? place->first : begin;
    int64_t last = place->first + place->devices, to = last < end ? last : end;
    return to > from ? to - from : 0;
}

/* Block `begin` .. `begin + length` holds ranks of a and b: applies their link. */
static void limit_by(const struct group_link *link, double length, double left, double right, struct span *span) {
    double groups = length / (double)span->size; /* of ranks in this block */
    double leaving = (double)(span->size - span->inner) / (double)span->size;
    double rate = link->bandwidth / (groups * (double)span->inner);
    double crossing = groups * (left / groups) * (right / groups) / (double)span->size;
    double exchange = link->bandwidth * (leaving > 0 ? leaving : 1) / crossing;
    span->outer_rate = rate < span->outer_rate ? rate : span->outer_rate;
    span->outer_exchange = exchange < span->outer_exchange ? exchange : span->outer_exchange;
}

void reach_across(const struct topology *topology, const struct members *members, struct span *span) {
    const struct group *group = topology->groups.items;
    int64_t length = members->far_size > 1 ? members->far_stride * members->far_size : members->stride * members->size;
    double added = 0;
    if (span->size < 2) {
        return;
    }
    for (size_t b = 1; b < topology->groups.count; b++) {
        int64_t begin = group[b].place.first / length * length;
        for (size_t a = 0; a < b; a++) {
            int64_t left = ranks_within(&group[a].place, begin, begin + length);
            int64_t right = ranks_within(&group[b].place, begin, begin + length);
            if (left == 0 || right == 0) {
                continue;
            }
            if (span->outer == 1) { /* two domains in truth */
                span->outer = 2;
                span->inner = (span->size + 1) / 2;
            }
            const struct group_link *link = reach_link(topology, a, b);
            if (link != NULL) {
                limit_by(link, (double)length, (double)left, (double)right, span);
                added = link->latency > added ? link->latency : added;
            }
        }
    }
    span->outer_latency += added;
}
