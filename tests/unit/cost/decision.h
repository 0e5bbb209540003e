/* What tests of costs share: a decision to begin with, a decision priced part by part, a machine of slow links. */
#ifndef PARPLAN_TESTS_COST_DECISION_H
#define PARPLAN_TESTS_COST_DECISION_H

#include <math.h>

#include "../plan/setup.h"
#include "cost/estimate.h"
#include "cost/rule.h"

/* One device of everything, one sequence a micro-batch. */
static const struct decision alone = {
    .parallel = {.tp = 1, .pp = 1, .vpp = 1, .dp = 1, .cp = 1, .ep = 1, .etp = 1, .ulysses = 1},
    .micro_batch = 1,
    .micro_batches = 1,
    .schedule = SCHEDULE_NONE,
    .recompute = RECOMPUTE_NONE,
    .stages = STAGES_EVEN,
};

/* Documents of tests: 4 layers of 1024, 16 heads of 64, 8 for keys and values, and what stands for the feed-forward. */
#define HEAVY MODEL "hidden_size: 1024\nnum_attention_heads: 16\nnum_key_value_heads: 8\nvocab_size: 51200\n" \
                    "num_hidden_layers: 4\n"
#define DENSE HEAVY "intermediate_size: 4096\n"
#define EXPERTS HEAVY "moe: {num_experts: 16, experts_per_token: 2, expert_intermediate_size: 512}\n"

/* Degrees that are left out are 1. */
static inline struct parallel filled(struct parallel p) {
    int64_t *const degrees[] = {&p.tp, &p.pp, &p.vpp, &p.dp, &p.cp, &p.ep, &p.etp, &p.ulysses};
    for (size_t i = 0; i < ROWS(degrees); i++) {
        *degrees[i] = *degrees[i] == 0 ? 1 : *degrees[i];
    }
    return p;
}

static inline bool near(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b));
}

static inline double time_sum(const struct time_parts *t) {
    return t->compute + t->bubble + t->tp_exposed + t->pp_exposed + t->dp_exposed + t->cp_exposed + t->ep_exposed +
           t->optimizer + t->overhead;
}

static inline double memory_sum(const struct memory_parts *m) {
    return m->weights + m->gradients + m->optimizer + m->activations + m->logits + m->communication + m->runtime +
           m->allocator;
}

/* All that a price is made of. */
struct priced {
    struct cut cut;
    struct stage_map map;
    struct state_spans spans;
    struct state_cost states[STAGE_CLASSES];
    struct work_cost work;
    struct stage_load load;
    struct price price;
};

/* Prices a legal decision from its parts, as a search does; stages 0 and 1 of ZeRO share a load. */
static inline struct priced *price_apart(struct arena *arena, const struct cost_context *c,
                                         const struct decision *d) {
    struct priced *p = ARENA_NEW(arena, struct priced);
    const struct schedule *schedule = schedules[d->schedule];
    p->cut = cost_cut(c, &d->parallel);
    p->spans = state_spans(c, &p->cut);
    stage_map_make(c, d->parallel.pp, d->parallel.vpp, schedule->placement, d->stages == STAGES_ENDS, &p->map);
    int64_t zero = d->parallel.zero, shared = zero < 2 ? 0 : zero;
    cost_work(c, &p->cut, d->micro_batch, &p->work);
    for (int64_t i = 0; i < p->map.class_count; i++) {
        cost_state(c, &p->cut, &p->spans, &p->map.classes[i], schedule->ways == 2, shared, &p->states[i]);
    }
    cost_load(c, &p->map, &p->work, p->states, d->recompute, shared, &p->load);
    for (int64_t i = 0; i < p->map.class_count; i++) {
        cost_state(c, &p->cut, &p->spans, &p->map.classes[i], schedule->ways == 2, zero, &p->states[i]);
    }
    cost_price(c, &p->cut, &p->map, p->states, &p->load, schedule, d->micro_batches, &p->price);
    return p;
}

static inline const char *decision_text(struct arena *arena, const struct cost_context *c, const struct decision *d) {
    const struct parallel *p = &d->parallel;
    return arena_format(arena,
                        "%s %s %lld: tp %lld pp %lld vpp %lld dp %lld cp %lld %d/%lld ep %lld etp %lld zero %lld sp %d "
                        "order %d mb %lld x %lld %s recompute %d stages %d",
                        c->model->name, c->topology->name, (long long)c->world, (long long)p->tp, (long long)p->pp,
                        (long long)p->vpp, (long long)p->dp, (long long)p->cp, p->cp_kind, (long long)p->ulysses,
                        (long long)p->ep, (long long)p->etp, (long long)p->zero, p->sp, p->order,
                        (long long)d->micro_batch, (long long)d->micro_batches, schedule_names[d->schedule],
                        d->recompute, d->stages);
}

/* H100 nodes whose links are a million times too slow, with nothing around kernels and exchanges; `instant`: kernels
 * take no time either, so that a step is what is communicated. */
static inline struct topology *setup_slow(struct arena *arena, int64_t devices, bool instant) {
    struct topology *topology = setup_topology(arena, "h100-sxm", devices);
    struct device *device = topology->devices.items;
    struct node_type *node = topology->nodes.items;
    struct diag diag;
    if (instant) {
        device->peak.bf16 = device->peak.fp16 = device->peak.fp32 = device->hbm_bandwidth = 1e30;
        device->kernels.launch = device->kernels.host_launch = device->kernels.memory_ramp = 0;
    }
    node->scaleup.bandwidth = 1e6;
    node->scaleup.multicast = false;
    node->nics.rate = 1e5;
    topology->runtime = (struct runtime){.memory_rate = 1, .allocator_overhead = 0.05, .overlap_slowdown = 0.25};
    diag_init(&diag, arena);
    cr_assert(topology_complete(arena, topology, NULL, &diag) == OK, "%s", first_of(&diag));
    return topology;
}

#endif
