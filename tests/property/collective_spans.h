/* Spans for tests of collectives, built by hand: an H100-like node with one 400 Gbit/s NIC a device, or parts of it. */
#ifndef PARPLAN_TESTS_COLLECTIVE_SPANS_H
#define PARPLAN_TESTS_COLLECTIVE_SPANS_H

#include "collective/collective.h"

static inline struct span span_make(enum scaleup_kind kind, int64_t inner, int64_t outer, int library) {
    return (struct span){
        .size = inner * outer,
        .inner = inner,
        .outer = outer,
        .kind = kind,
        .multicast = kind == SCALEUP_SWITCH,
        .domain = inner > 8 ? inner : 8,
        .inner_port = 450e9,
        .inner_rate = 382e9,
        .inner_exchange = 382e9,
        .pair_rate = kind == SCALEUP_MESH ? 382e9 / 7 : 382e9,
        .multicast_rate = 315e9,
        .inner_latency = 0.85e-6,
        .inner_steps = inner - 1,
        .outer_rate = 48.5e9,
        .outer_exchange = 48.5e9,
        .outer_latency = 5e-6,
        .base_latency = 4e-6,
        .all_to_all_efficiency = 0.94,
        .library = library,
    };
}

#endif
