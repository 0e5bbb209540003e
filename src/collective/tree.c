/* Trees.
 *
 *   binomial      ceil(log2 n) rounds; in round k the ranks below 2^k send the whole buffer to rank + 2^k
 *
 *   double tree   tree 0, n = 14:       0              each half of the buffer goes up one tree and down again, the two
 *                                       |              halves through two trees whose interior ranks are disjoint (n
 *                                       8              even) or share one rank (n odd), so that a rank sends at most
 *                                   /       \          f(n) = 2 buffers in all: T = 2 ceil(log2 n) a + f(n) S/B
 *                                 4          12
 *                               /   \       /  \
 *                              2     6    10    13
 *                             / \   / \   / \
 *                            1   3 5   7 9   11
 *
 * Sanders, Speck, Traeff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan", Parallel Computing 35
 * (2009); NCCL, src/graph/trees.cc (the trees span nodes; within a node a chain leads to the rank that has the NIC).
 * NVLS tree: the chain is replaced by the switch's reduction and multicast (NCCL, src/graph/search.cc). */
#include "collective/tree.h"

#include <math.h>

#include "collective/in_switch.h"
#include "collective/rate.h"

/* NCCL's tuner gives trees 0.92 of the bus bandwidth of their graph (src/graph/tuning.cc). */
static const double TREE_EFFICIENCY = 0.92;

double binomial_seconds(int64_t size, double bytes, double rate, double latency) {
    return (double)log2_ceil(size) * (latency + bytes / rate);
}

static struct tree_place power_tree_place(int64_t size, int64_t rank) {
    struct tree_place place = {.parent = -1, .child = {-1, -1}, .depth = 0};
    if (rank == 0) {
        place.child[0] = size > 1 ? INT64_C(1) << log2_floor(size - 1) : -1;
        return place;
    }
    int64_t bit = rank & -rank;
    int64_t up = (rank ^ bit) | bit << 1;
    place.parent = up < size ? up : rank ^ bit;
    int64_t low = bit >> 1;
    place.child[0] = low > 0 ? rank - low : -1;
    while (low > 0 && rank + low >= size) {
        low >>= 1;
    }
    place.child[1] = low > 0 ? rank + low : -1;
    for (int64_t at = rank; at != 0; place.depth++) {
        int64_t lowest = at & -at;
        int64_t parent = (at ^ lowest) | lowest << 1;
        at = parent < size ? parent : at ^ lowest;
    }
    return place;
}

/* Rank of the second tree to place in the first and back. */
static int64_t second_rank(int64_t size, int64_t rank, int64_t shift) {
    if (rank < 0) {
        return rank;
    }
    return size % 2 == 0 ? size - 1 - rank : (rank + shift + size) % size;
}

struct tree_place tree_place(int tree, int64_t size, int64_t rank) {
    if (tree == 0) {
        return power_tree_place(size, rank);
    }
    struct tree_place place = power_tree_place(size, second_rank(size, rank, -1));
    place.parent = second_rank(size, place.parent, 1);
    place.child[0] = second_rank(size, place.child[0], 1);
    place.child[1] = second_rank(size, place.child[1], 1);
    return place;
}

double double_tree_factor(int64_t size) {
    return size <= 1 ? 0 : size == 2 ? 1 : size == 3 ? 1.5 : 2;
}

double double_tree_seconds(int64_t size, double bytes, double rate, double latency, double chunk) {
    return 2 * (double)log2_ceil(size) * (latency + chunk / rate) + double_tree_factor(size) * bytes / rate;
}

static double binomial_span_seconds(const struct span *span, enum collective kind, double bytes) {
    (void)kind;
    double rate = span->outer > 1 ? span->outer_rate : span->inner_rate;
    if (span->outer > 1 && span->inner > 1) {
        rate = fmin(rate, span->inner_rate);
    }
    return binomial_seconds(span->size, bytes, rate, rate_hop(span));
}

static int64_t binomial_steps(const struct span *span, enum collective kind, double bytes,
                              const struct visitor *visitor) {
    int64_t rounds = log2_ceil(span->size);
    for (int64_t round = 0; round < rounds; round++) {
        int64_t distance = INT64_C(1) << (kind == COLLECTIVE_BROADCAST ? round : rounds - 1 - round);
        for (int64_t rank = 0; rank < distance && rank + distance < span->size; rank++) {
            bool down = kind == COLLECTIVE_BROADCAST;
            transfer_visit(visitor, round, down ? rank : rank + distance, down ? rank + distance : rank, bytes);
        }
    }
    return rounds;
}

static bool double_tree_supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->outer > 1;
}

/* Between domains f(N) S over the NICs of a domain; inside, a chain up and down: 2(g-1) buffers over g ports. */
static double double_tree_span_seconds(const struct span *span, enum collective kind, double bytes) {
    (void)kind;
    double g = (double)span->inner;
    double between = double_tree_factor(span->outer) * bytes / (g * span->outer_rate);
    double inside = span->inner > 1 ? 2 * (g - 1) / g * bytes / span->inner_rate : 0;
    double latency = 2 * ((g - 1) * span->inner_latency + (double)log2_ceil(span->outer) * span->outer_latency);
    return latency + pipeline_seconds(fmax(between, inside) / TREE_EFFICIENCY, rate_hop(span));
}

struct walk {
    const struct visitor *visitor;
    double bytes;    /* of one rail and tree */
    int64_t rails;   /* pairs of trees, one headed by each member of a domain */
    int64_t domains; /* in a tree; single ranks where the group fills its domains unevenly */
    int64_t levels;  /* of the trees */
};

/* Chain inside every domain, to (up) or from the head of each rail; one hop a step. */
static void visit_chains(const struct walk *walk, int64_t step, bool up) {
    int64_t g = walk->rails;
    for (int64_t pass = 0; pass < g - 1; pass++) {
        int64_t hop = up ? g - 1 - pass : pass + 1;
        for (int64_t rank = 0; rank < walk->domains * g; rank++) {
            int64_t head = rank / g * g;
            int64_t far = head + (rank + hop) % g;
            int64_t near = head + (rank + hop - 1) % g;
            transfer_visit(walk->visitor, step + pass, up ? far : near, up ? near : far, 2 * walk->bytes);
        }
    }
}

/* The two trees between the heads of every rail, leaves first (up) or root first. */
static void visit_trees(const struct walk *walk, int64_t step, bool up) {
    int64_t g = walk->rails;
    for (int64_t pass = 0; pass < walk->levels; pass++) {
        int64_t level = up ? walk->levels - pass : pass + 1;
        for (int64_t at = 0; at < 2 * walk->domains; at++) {
            int64_t domain = at / 2;
            struct tree_place place = tree_place((int)(at % 2), walk->domains, domain);
            if (place.depth != level) {
                continue;
            }
            for (int64_t rail = 0; rail < g; rail++) {
                int64_t low = domain * g + rail;
                int64_t high = place.parent * g + rail;
                transfer_visit(walk->visitor, step + pass, up ? low : high, up ? high : low, walk->bytes);
            }
        }
    }
}

static struct walk walk_of(const struct span *span, double bytes, const struct visitor *visitor) {
    int64_t rails = span->inner * span->outer == span->size ? span->inner : 1;
    int64_t domains = span->size / rails;
    return (struct walk){visitor, bytes / (2 * (double)rails), rails, domains, log2_ceil(domains)};
}

static int64_t double_tree_steps(const struct span *span, enum collective kind, double bytes,
                                 const struct visitor *visitor) {
    (void)kind;
    struct walk walk = walk_of(span, bytes, visitor);
    int64_t chain = walk.rails - 1;
    visit_chains(&walk, 0, true);
    visit_trees(&walk, chain, true);
    visit_trees(&walk, chain + walk.levels, false);
    visit_chains(&walk, chain + 2 * walk.levels, false);
    return 2 * (chain + walk.levels);
}

static bool nvls_tree_supports(const struct span *span, enum collective kind) {
    (void)kind;
    return span->multicast && span->outer > 1 && span->inner > 1 && span->inner * span->outer == span->size;
}

static double nvls_tree_seconds(const struct span *span, enum collective kind, double bytes) {
    double between = double_tree_factor(span->outer) * bytes / ((double)span->inner * span->outer_rate);
    double inside = multicast_seconds(kind, span->inner, bytes, span->multicast_rate, 0);
    double latency = MULTICAST_SETUP + 2 * (double)log2_ceil(span->outer) * span->outer_latency;
    return latency + pipeline_seconds(fmax(between, inside), rate_hop(span));
}

static int64_t nvls_tree_steps(const struct span *span, enum collective kind, double bytes,
                               const struct visitor *visitor) {
    (void)kind;
    struct walk walk = walk_of(span, bytes, visitor);
    int64_t up = visit_switch_reduce(visitor, 0, span->size, span->inner, bytes);
    visit_trees(&walk, up, true);
    visit_trees(&walk, up + walk.levels, false);
    return visit_switch_multicast(visitor, up + 2 * walk.levels, span->size, span->inner, bytes);
}

const struct algorithm binomial_algorithm = {
    .name = "binomial",
    .doc = "ceil(log2 n) rounds of the whole buffer",
    .libraries = LIBRARIES_HCCL,
    .kinds = KINDS_ROOTED,
    .seconds = binomial_span_seconds,
    .steps = binomial_steps,
};

const struct algorithm double_tree_algorithm = {
    .name = "double_tree",
    .doc = "two binary trees between domains, chains inside: f(N) S over the NICs of a domain",
    .libraries = LIBRARIES_GPU,
    .kinds = KINDS_ALL_REDUCE,
    .supports = double_tree_supports,
    .seconds = double_tree_span_seconds,
    .steps = double_tree_steps,
};

const struct algorithm nvls_tree_algorithm = {
    .name = "nvls_tree",
    .doc = "in-switch reduction and multicast inside, two binary trees between domains",
    .libraries = LIBRARIES_NCCL,
    .kinds = KINDS_ALL_REDUCE,
    .supports = nvls_tree_supports,
    .seconds = nvls_tree_seconds,
    .steps = nvls_tree_steps,
};
