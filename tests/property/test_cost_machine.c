/* A better machine is never slower and never holds less: every decision priced again with more of one thing. */
#include "cost_settings.h"

#include "schedule/schedule.h"

enum change {
    LINKS_TWICE, ADAPTERS_TWICE, LATENCY_HALF, MEMORY_RATE_TWICE, PEAK_TWICE, MEMORY_TWICE, NO_JITTER, CHANGES
};
static const char *const change_names[CHANGES] = {"scale-up bandwidth", "adapters", "latency", "memory bandwidth",
                                                 "peak FLOP/s", "memory", "jitter"};

static void change_nodes(struct topology *topology, enum change change) {
    struct node_type *node = topology->nodes.items;
    for (size_t i = 0; i < topology->nodes.count; i++) {
        node[i].scaleup.bandwidth *= change == LINKS_TWICE ? 2 : 1;
        node[i].nics.rate *= change == ADAPTERS_TWICE ? 2 : 1;
        node[i].scaleup.latency *= change == LATENCY_HALF ? 0.5 : 1;
        node[i].nics.latency *= change == LATENCY_HALF ? 0.5 : 1;
    }
}

static void change_devices(struct topology *topology, enum change change) {
    struct device *device = topology->devices.items;
    for (size_t i = 0; i < topology->devices.count; i++) {
        device[i].memory *= change == MEMORY_TWICE ? 2 : 1;
        device[i].memory_usable *= change == MEMORY_TWICE ? 2 : 1;
        device[i].hbm_bandwidth *= change == MEMORY_RATE_TWICE ? 2 : 1;
        if (change == PEAK_TWICE) {
            struct peak *p = &device[i].peak;
            *p = (struct peak){2 * p->fp32, 2 * p->tf32, 2 * p->bf16, 2 * p->fp16, 2 * p->fp8, 2 * p->fp4};
        }
    }
}

static struct topology *changed(struct arena *arena, size_t setting, enum change change) {
    struct diag diag;
    struct topology *topology = setup_topology(arena, settings[setting].topology, settings[setting].devices);
    change_nodes(topology, change);
    change_devices(topology, change);
    struct tier *tier = topology->fabric.tiers.items;
    for (size_t i = 0; i < topology->fabric.tiers.count; i++) {
        tier[i].latency *= change == LATENCY_HALF ? 0.5 : 1;
    }
    topology->library.base_latency *= change == LATENCY_HALF ? 0.5 : 1;
    topology->runtime.jitter *= change == NO_JITTER ? 0 : 1;
    diag_init(&diag, arena);
    cr_assert(topology_complete(arena, topology, NULL, &diag) == OK, "%s", first_of(&diag));
    return topology;
}

/* Which part may not grow by which change. */
static void expect_better(const struct estimate *before, const struct estimate *after, enum change change,
                          const char *name) {
    cr_expect(after->step_time <= before->step_time * (1 + 1e-9), "%s: %s: %.12g s after %.12g s", name,
              change_names[change], after->step_time, before->step_time);
    cr_expect(after->feasible || !before->feasible, "%s: %s: feasible no more", name, change_names[change]);
    if (change == MEMORY_TWICE) {
        cr_expect(after->step_time == before->step_time && after->memory.peak == before->memory.peak &&
                      after->memory.limit == 2 * before->memory.limit, "%s: memory: limit %g after %g", name,
                  after->memory.limit, before->memory.limit);
    } else {
        cr_expect(after->memory.peak == before->memory.peak, "%s: %s: peak", name, change_names[change]);
    }
    bool links = change == LINKS_TWICE || change == ADAPTERS_TWICE || change == LATENCY_HALF;
    bool pairs = schedules[before->decision.schedule]->pairs; /* which hide less when there is less to hide */
    cr_expect(!links || pairs || near(after->time.compute, before->time.compute, 1e-6) ||
                  after->time.bubble != before->time.bubble,
              "%s: %s: compute %g after %g", name, change_names[change], after->time.compute, before->time.compute);
    bool kernels = change == MEMORY_RATE_TWICE || change == PEAK_TWICE;
    cr_expect(!kernels || after->time.optimizer <= before->time.optimizer, "%s: %s: optimizer", name,
              change_names[change]);
}

Test(cost_machine, better_is_never_slower) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(settings); i++) {
        struct cost_context c = context_at(arena, i), better[CHANGES];
        for (int change = 0; change < CHANGES; change++) {
            better[change] = cost_context_make(c.model, changed(arena, i, (enum change)change), c.job);
        }
        struct random random;
        random_stream(&random, 1, "machine", i);
        int faster[CHANGES] = {0};
        for (int draw = 0; draw < DRAWS; draw++) {
            struct arena *own = support_arena();
            struct decision d = draw_decision(&random, &c, own);
            const char *name = decision_text(own, &c, &d);
            struct estimate before = cost_estimate(own, &c, &d, NULL);
            for (int change = 0; change < CHANGES; change++) {
                struct estimate after = cost_estimate(own, &better[change], &d, NULL);
                expect_better(&before, &after, (enum change)change, name);
                faster[change] += after.step_time < before.step_time;
            }
            arena_close(own);
        }
        cr_expect(faster[MEMORY_RATE_TWICE] == DRAWS && faster[PEAK_TWICE] == DRAWS && faster[LATENCY_HALF] > DRAWS / 2,
                  "%s: %d of %d faster by memory, %d by peak, %d by latency", settings[i].model,
                  faster[MEMORY_RATE_TWICE], DRAWS, faster[PEAK_TWICE], faster[LATENCY_HALF]);
        cr_expect(faster[LINKS_TWICE] > 0 || c.nodes == c.world, "%s: links do not matter", settings[i].model);
        bool staged = !topology_node(c.topology, 0)->nics.rdma; /* the host's memory may be the narrower way */
        cr_expect(faster[ADAPTERS_TWICE] > 0 || staged, "%s: adapters do not matter", settings[i].model);
    }
    arena_close(arena);
}
