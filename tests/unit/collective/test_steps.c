/* The steps of every algorithm, over group shapes: bytes are conserved, every port sends and receives what the closed
 * form charges it, the result depends on every rank it must depend on, and steps come in order. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../../property/collective_spans.h"
#include "collective/rate.h"
#include "collective/tree.h"

enum { RANKS = 64 };

struct tally {
    const struct span *span;
    double inside[RANKS], between[RANKS], received[RANKS]; /* bytes by rank */
    double sent, got;                                      /* ranks to ranks */
    uint64_t known[RANKS + 1], before[RANKS + 1];          /* whose data a rank, or the switch, has seen */
    int64_t step;
    bool ordered, legal;
};

static void visit(void *context, const struct transfer *transfer) {
    struct tally *tally = context;
    int64_t n = tally->span->size;
    tally->ordered &= transfer->step >= tally->step;
    if (transfer->step > tally->step) {
        memcpy(tally->before, tally->known, sizeof(tally->known));
        tally->step = transfer->step;
    }
    tally->legal &= transfer->from >= TRANSFER_SWITCH && transfer->from < n && transfer->to >= TRANSFER_SWITCH &&
                    transfer->to < n && transfer->from != transfer->to && transfer->bytes > 0;
    bool same = transfer->from / tally->span->inner == transfer->to / tally->span->inner;
    bool local = transfer->from < 0 || transfer->to < 0 || same;
    if (transfer->from >= 0) {
        (local ? tally->inside : tally->between)[transfer->from] += transfer->bytes;
        tally->sent += transfer->to >= 0 ? transfer->bytes : 0;
    }
    if (transfer->to >= 0) {
        tally->received[transfer->to] += transfer->bytes;
        tally->got += transfer->from >= 0 ? transfer->bytes : 0;
    }
    /* The switch keeps nothing, but within a step of its own it has what the step before brought. */
    int64_t from = transfer->from < 0 ? RANKS : transfer->from;
    int64_t to = transfer->to < 0 ? RANKS : transfer->to;
    tally->known[to] |= tally->before[from];
}

static struct tally tally_of(const struct algorithm *algorithm, const struct span *span, enum collective kind,
                             double bytes, int64_t *ret_steps) {
    struct tally tally = {.span = span, .ordered = true, .legal = true};
    for (int64_t rank = 0; rank < span->size; rank++) {
        tally.known[rank] = tally.before[rank] = UINT64_C(1) << rank;
    }
    struct visitor visitor = {visit, &tally};
    *ret_steps = algorithm->steps(span, kind, bytes, &visitor);
    return tally;
}

static double most(const double *values, int64_t count) {
    double best = 0;
    for (int64_t i = 0; i < count; i++) {
        best = fmax(best, values[i]);
    }
    return best;
}

/* Buffers the busiest rank sends inside its domain and beyond, by the formulas; negative = not stated. */
struct load {
    double inside, between;
};

static double bruck_blocks(int64_t n) {
    double sum = 0;
    for (int64_t i = 1; i < n; i++) {
        sum += __builtin_popcountll((unsigned long long)i);
    }
    return sum / (double)n;
}

static struct load load_of(const char *name, const struct span *span, enum collective kind) {
    double n = (double)span->size, g = (double)span->inner, N = (double)span->outer;
    double k = collective_bus_factor(kind, span->size);
    bool all = kind == COLLECTIVE_ALL_REDUCE;
    int64_t power = INT64_C(1) << log2_floor(span->size);
    double p = (double)power;
    bool folded = power != span->size;
    double total = -1;
    if (strcmp(name, "ring") == 0) {
        return N > 1 ? (struct load){g > 1 ? k * (g - 1) / g : 0, k / g} : (struct load){k, 0};
    } else if (strcmp(name, "hierarchical") == 0 || strcmp(name, "hierarchical_pipelined") == 0) {
        double passes = all ? 2 : 1;
        return (struct load){passes * (g - 1) / g, passes * (N - 1) / (N * g)};
    } else if (strcmp(name, "double_tree") == 0) {
        return (struct load){2 * (g - 1) / g, double_tree_factor(span->outer) / g};
    } else if (strcmp(name, "nvls_tree") == 0) {
        return (struct load){(g + 1) / g, double_tree_factor(span->outer) / g};
    } else if (strcmp(name, "two_level") == 0) {
        return (struct load){(g - 1) / g, (N - 1) / N};
    } else if (strcmp(name, "pairwise") == 0) {
        return (struct load){(g - 1) / n, (N - 1) / N};
    } else if (strcmp(name, "in_switch") == 0) {
        total = all ? (n + 1) / n : kind == COLLECTIVE_ALL_GATHER ? 1 / n : k;
    } else if (strcmp(name, "halving_doubling") == 0) {
        total = (all ? 2 : 1) * (p - 1) / p + (folded ? 1 : 0);
    } else if (strcmp(name, "recursive_doubling") == 0) {
        total = (double)log2_floor(span->size) + (folded ? 1 : 0);
    } else if (strcmp(name, "bruck") == 0) {
        total = kind == COLLECTIVE_ALL_TO_ALL ? bruck_blocks(span->size) : k;
    } else if (strcmp(name, "binomial") == 0) {
        total = kind == COLLECTIVE_BROADCAST ? (double)log2_ceil(span->size) : 1;
    } else if (strcmp(name, "star") == 0) {
        total = kind == COLLECTIVE_REDUCE ? 1 : n - 1;
    } else if (strcmp(name, "scatter_gather") == 0) {
        total = 2 * (n - 1) / n;
    } else if (strcmp(name, "chain") == 0 || strcmp(name, "send") == 0) {
        total = 1;
    } else {
        total = k; /* direct, torus, bidirectional ring */
    }
    return (struct load){total, -1};
}

/* Whether every rank that must know everybody's data does. */
static bool complete(const struct tally *tally, enum collective kind) {
    int64_t n = tally->span->size;
    uint64_t all = n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
    bool done = true;
    for (int64_t rank = 0; rank < n; rank++) {
        bool whole = (tally->known[rank] & all) == all;
        bool root = (tally->known[rank] & 1) != 0;
        if (kind == COLLECTIVE_REDUCE) {
            done &= rank > 0 || whole;
        } else if (kind == COLLECTIVE_BROADCAST) {
            done &= root;
        } else if (kind == COLLECTIVE_SEND) {
            done &= rank != 1 || root;
        } else {
            done &= whole;
        }
    }
    return done;
}

static void check(const struct algorithm *algorithm, const struct span *span, enum collective kind) {
    double bytes = 720720; /* divisible by every n here */
    int64_t count = 0;
    struct tally tally = tally_of(algorithm, span, kind, bytes, &count);
    char name[96];
    snprintf(name, sizeof(name), "%s %s %lldx%lld", algorithm->name, collective_names[kind], (long long)span->outer,
             (long long)span->inner);
    cr_expect(tally.legal, "%s: a message from or to nowhere, or without bytes", name);
    cr_expect(tally.ordered && tally.step == count - 1, "%s: steps out of order, last %lld of %lld", name,
              (long long)tally.step, (long long)count);
    cr_expect(fabs(tally.sent - tally.got) <= 1e-9 * bytes, "%s: sent %g, received %g", name, tally.sent, tally.got);
    cr_expect(complete(&tally, kind), "%s: the result misses somebody's data", name);
    struct load load = load_of(algorithm->name, span, kind);
    double inside = most(tally.inside, span->size) / bytes;
    double between = most(tally.between, span->size) / bytes;
    if (load.between >= 0) {
        cr_expect(fabs(inside - load.inside) < 1e-9, "%s: inside %g, formula %g", name, inside, load.inside);
        cr_expect(fabs(between - load.between) < 1e-9, "%s: between %g, formula %g", name, between, load.between);
    } else {
        double total = 0;
        for (int64_t rank = 0; rank < span->size; rank++) {
            total = fmax(total, tally.inside[rank] + tally.between[rank]);
        }
        cr_expect(fabs(total / bytes - load.inside) < 1e-9, "%s: egress %g, formula %g", name, total / bytes,
                  load.inside);
    }
}

/* All ranks send and receive the same where the algorithm treats them alike. */
static void check_balance(const struct algorithm *algorithm, const struct span *span, enum collective kind) {
    int64_t count = 0;
    struct tally tally = tally_of(algorithm, span, kind, 720720, &count);
    for (int64_t rank = 0; rank < span->size; rank++) {
        double sent = tally.inside[rank] + tally.between[rank];
        cr_expect(fabs(sent - tally.inside[0] - tally.between[0]) < 1e-6 && fabs(sent - tally.received[rank]) < 1e-6,
                  "%s %s n=%lld: rank %lld sends %g, receives %g", algorithm->name, collective_names[kind],
                  (long long)span->size, (long long)rank, sent, tally.received[rank]);
    }
}

static const struct {
    enum scaleup_kind kind;
    int64_t inner, outer;
} shapes[] = {
    {SCALEUP_SWITCH, 2, 1},  {SCALEUP_SWITCH, 3, 1}, {SCALEUP_SWITCH, 4, 1},  {SCALEUP_SWITCH, 5, 1},
    {SCALEUP_SWITCH, 7, 1},  {SCALEUP_SWITCH, 8, 1}, {SCALEUP_SWITCH, 16, 1}, {SCALEUP_SWITCH, 24, 1},
    {SCALEUP_SWITCH, 1, 2},  {SCALEUP_SWITCH, 1, 3}, {SCALEUP_SWITCH, 1, 7},  {SCALEUP_SWITCH, 1, 24},
    {SCALEUP_SWITCH, 2, 2},  {SCALEUP_SWITCH, 3, 2}, {SCALEUP_SWITCH, 8, 2},  {SCALEUP_SWITCH, 4, 4},
    {SCALEUP_SWITCH, 2, 12}, {SCALEUP_SWITCH, 8, 8}, {SCALEUP_MESH, 8, 1},    {SCALEUP_MESH, 8, 3},
    {SCALEUP_TORUS, 8, 1},   {SCALEUP_TORUS, 16, 2}, {SCALEUP_PCIE, 4, 2},
};

Test(steps, volumes) {
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct span span = span_make(shapes[i].kind, shapes[i].inner, shapes[i].outer, LIBRARY_ANY);
        for (size_t a = 0; algorithms[a] != NULL; a++) {
            for (enum collective kind = 0; kind < COLLECTIVE_KINDS; kind++) {
                if (algorithm_offers(algorithms[a], &span, kind)) {
                    check(algorithms[a], &span, kind);
                }
            }
        }
    }
}

Test(steps, balance) {
    const char *const names[] = {"ring", "direct", "torus", "bruck", "hierarchical", "pairwise", "two_level"};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct span span = span_make(shapes[i].kind, shapes[i].inner, shapes[i].outer, LIBRARY_ANY);
        for (size_t a = 0; a < sizeof(names) / sizeof(names[0]); a++) {
            const struct algorithm *algorithm = algorithm_find(names[a]);
            cr_assert(algorithm != NULL, "%s", names[a]);
            for (enum collective kind = 0; kind < COLLECTIVE_KINDS; kind++) {
                if (algorithm_offers(algorithm, &span, kind)) {
                    check_balance(algorithm, &span, kind);
                }
            }
        }
    }
}

Test(steps, counts) {
    const struct {
        const char *name;
        enum collective kind;
        int64_t inner, outer, steps;
    } rows[] = {
        {"ring", COLLECTIVE_ALL_REDUCE, 8, 1, 14},
        {"ring", COLLECTIVE_ALL_GATHER, 4, 4, 15},
        {"halving_doubling", COLLECTIVE_ALL_REDUCE, 8, 1, 6},
        {"halving_doubling", COLLECTIVE_ALL_REDUCE, 6, 1, 6},
        {"direct", COLLECTIVE_ALL_REDUCE, 8, 1, 2},
        {"bruck", COLLECTIVE_ALL_TO_ALL, 7, 1, 3},
        {"double_tree", COLLECTIVE_ALL_REDUCE, 4, 4, 10},
        {"in_switch", COLLECTIVE_ALL_REDUCE, 8, 1, 4},
        {"hierarchical", COLLECTIVE_ALL_REDUCE, 4, 4, 12},
        {"two_level", COLLECTIVE_ALL_TO_ALL, 8, 4, 10},
        {"chain", COLLECTIVE_BROADCAST, 4, 1, 10},
        {"star", COLLECTIVE_ALL_REDUCE, 8, 1, 2},
        {"scatter_gather", COLLECTIVE_BROADCAST, 8, 1, 10},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = span_make(SCALEUP_SWITCH, rows[i].inner, rows[i].outer, LIBRARY_ANY);
        int64_t count = 0;
        tally_of(algorithm_find(rows[i].name), &span, rows[i].kind, 1e6, &count);
        cr_expect(count == rows[i].steps, "%s: %lld steps, want %lld", rows[i].name, (long long)count,
                  (long long)rows[i].steps);
    }
}

/* A root that reduces only receives; ranks that get a broadcast only receive. */
Test(steps, roots) {
    const char *const names[] = {"in_switch", "chain", "binomial", "star"};
    struct span span = span_make(SCALEUP_SWITCH, 8, 1, LIBRARY_ANY);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int64_t count = 0;
        struct tally reduce = tally_of(algorithm_find(names[i]), &span, COLLECTIVE_REDUCE, 1e6, &count);
        struct tally broadcast = tally_of(algorithm_find(names[i]), &span, COLLECTIVE_BROADCAST, 1e6, &count);
        cr_expect(reduce.inside[0] == 0 && reduce.received[0] >= 1e6 * (1 - 1e-12), "%s: the root of a reduction sends",
                  names[i]);
        cr_expect(broadcast.received[0] == 0 && broadcast.inside[7] == 0, "%s: a leaf of a broadcast sends", names[i]);
        for (int64_t rank = 1; rank < 8; rank++) {
            cr_expect(fabs(broadcast.received[rank] - 1e6) < 1e-3, "%s: rank %lld gets %g of a broadcast", names[i],
                      (long long)rank, broadcast.received[rank]);
        }
    }
}
