/* The table of algorithms, the choice among them and the bound below them. */
#include "collective/collective.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "collective/all_to_all.h"
#include "collective/bruck.h"
#include "collective/chain.h"
#include "collective/direct.h"
#include "collective/halving_doubling.h"
#include "collective/hierarchical.h"
#include "collective/in_switch.h"
#include "collective/rate.h"
#include "collective/ring.h"
#include "collective/send.h"
#include "collective/star.h"
#include "collective/torus.h"
#include "collective/tree.h"

const char *const collective_names[] = {"all_reduce", "all_gather", "reduce_scatter", "all_to_all",
                                        "broadcast",  "reduce",     "send",           NULL};

const struct algorithm *const algorithms[] = {
    &ring_algorithm,           &in_switch_algorithm,
    &double_tree_algorithm,    &nvls_tree_algorithm,
    &pairwise_algorithm,       &two_level_algorithm,
    &chain_algorithm,          &send_algorithm,
    &direct_algorithm,         &halving_doubling_algorithm,
    &hierarchical_algorithm,   &binomial_algorithm,
    &torus_algorithm,          &bidirectional_ring_algorithm,
    &bruck_algorithm,          &recursive_doubling_algorithm,
    &scatter_gather_algorithm, &hierarchical_pipelined_algorithm,
    &star_algorithm,           NULL,
};

const struct algorithm *algorithm_find(const char *name) {
    for (size_t i = 0; algorithms[i] != NULL; i++) {
        if (strcmp(algorithms[i]->name, name) == 0) {
            return algorithms[i];
        }
    }
    return NULL;
}

bool algorithm_offers(const struct algorithm *algorithm, const struct span *span, enum collective kind) {
    return (algorithm->libraries >> span->library & algorithm->kinds >> kind & 1U) != 0 &&
           (algorithm->supports == NULL || algorithm->supports(span, kind));
}

double collective_seconds(const struct span *span, enum collective kind, double bytes,
                          const struct algorithm **ret_choice) {
    const struct algorithm *choice = NULL;
    bool moves = span->size > 1 && bytes > 0;
    double best = HUGE_VAL;
    for (size_t i = 0; moves && algorithms[i] != NULL; i++) {
        if (!algorithm_offers(algorithms[i], span, kind)) {
            continue;
        }
        double seconds = algorithms[i]->seconds(span, kind, bytes);
        if (seconds < best) {
            best = seconds;
            choice = algorithms[i];
        }
    }
    if (ret_choice != NULL) {
        *ret_choice = choice;
    }
    return moves ? span->base_latency + best : 0;
}

/* Buffers that some member must send or receive; with in-switch reduction an all-reduce needs one each way. */
static double port_factor(const struct span *span, enum collective kind) {
    double k = collective_bus_factor(kind, span->size);
    return kind == COLLECTIVE_ALL_REDUCE && span->multicast ? fmin(k, 1) : k;
}

double collective_bound(const struct span *span, enum collective kind, double bytes) {
    if (span->size <= 1 || bytes <= 0) {
        return 0;
    }
    bool crosses = span->outer > 1;
    double out = crosses ? fmax(span->outer_rate, kind == COLLECTIVE_ALL_TO_ALL ? span->outer_exchange : 0) : 0;
    double port = (span->inner > 1 ? span->inner_port : 0) + out;
    double bound = fmax(crosses ? span->outer_latency : span->inner_latency, port_factor(span, kind) * bytes / port);
    if (crosses) {
        double members = kind == COLLECTIVE_ALL_TO_ALL || kind == COLLECTIVE_SEND ? 1 : (double)span->inner;
        bound = fmax(bound, collective_bus_factor(kind, span->outer) * bytes / (members * out));
    }
    return bound;
}

double collective_bus_factor(enum collective kind, int64_t size) {
    double n = (double)(size > 1 ? size : 1);
    switch (kind) {
    case COLLECTIVE_ALL_REDUCE:
        return 2 * (n - 1) / n;
    case COLLECTIVE_ALL_GATHER:
    case COLLECTIVE_REDUCE_SCATTER:
    case COLLECTIVE_ALL_TO_ALL:
        return (n - 1) / n;
    case COLLECTIVE_BROADCAST:
    case COLLECTIVE_REDUCE:
    case COLLECTIVE_SEND:
    case COLLECTIVE_KINDS:
        break;
    }
    return 1;
}
