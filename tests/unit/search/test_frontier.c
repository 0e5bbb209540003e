/* Nodes come best bound first, every legal configuration belongs to one of them, and bounds leave little to do. */
#include "instance.h"
#include "search/frontier.h"

struct listing {
    struct search_space space;
    struct space_axes axes;
    struct pipelines pipelines;
    struct frontier frontier;
    struct shape_cuts cuts;
    struct tally tally;
    int64_t legal; /* below nodes that stay */
};

/* Lists and bounds the nodes; without limits all stay. */
static struct listing *listing_make(struct arena *arena, const struct cost_context *c, double limit, bool bounded) {
    struct listing *l = ARENA_NEW(arena, struct listing);
    space_make(arena, c, &l->axes);
    pipelines_make(arena, &l->axes, &l->pipelines);
    l->space = (struct search_space){.context = c,
                                     .axes = &l->axes,
                                     .pipelines = &l->pipelines,
                                     .memory_limit = limit,
                                     .longest = INFINITY,
                                     .wants_bytes = true};
    struct floors *floors = floors_open(arena, &l->space);
    frontier_list(arena, &l->space, &l->frontier, &l->tally);
    for (int64_t i = 0; i < l->frontier.shape_count; i++) {
        frontier_bound(&l->frontier, i, OBJECTIVE_STEP_TIME, bounded ? floors : NULL, &l->cuts, &l->tally);
    }
    frontier_order(&l->frontier);
    for (int64_t i = 0; i < l->frontier.count; i++) {
        l->legal += frontier_size(&l->frontier, &l->frontier.nodes[i]);
    }
    return l;
}

Test(frontier, best_bound_first) {
    for (uint64_t i = 0; i < 30; i++) {
        struct arena *arena = support_arena();
        struct instance instance = instance_draw(arena, "frontier", i);
        struct listing *l = listing_make(arena, &instance.context, INFINITY, true);
        struct listing *all = listing_make(arena, &instance.context, INFINITY, false);
        cr_expect(l->legal == all->legal && l->tally.pruned_rule == all->tally.pruned_rule &&
                      l->tally.pruned_memory == 0 && l->tally.pruned_bound == 0,
                  "%scounts", instance.name);
        double before = 0;
        int64_t taken = 0, count = l->frontier.count;
        while (frontier_next(&l->frontier) != NULL) {
            double next = frontier_next(&l->frontier)->bound;
            struct search_node node = frontier_take(&l->frontier);
            cr_expect(node.bound == next && next >= before && node.bound == node.floor.seconds,
                      "%snode %lld: bound %g after %g", instance.name, (long long)taken, next, before);
            before = next;
            taken++;
        }
        cr_expect(taken == count, "%s%lld of %lld nodes", instance.name, (long long)taken, (long long)count);
        taken = 0;
        for (int32_t last = -1; frontier_next(&all->frontier) != NULL; taken++) { /* without bounds: as enumerated */
            struct search_node node = frontier_take(&all->frontier);
            cr_expect(node.bound == 0 && node.shape >= last, "%snode %lld out of order", instance.name,
                      (long long)taken);
            last = node.shape;
        }
        cr_expect(taken == count);
        arena_close(arena);
    }
}

/* What memory leaves out at once, and what stays, is all there is. */
Test(frontier, leaves_out_what_does_not_fit) {
    int some = 0;
    for (uint64_t i = 0; i < 30; i++) {
        struct arena *arena = support_arena();
        struct instance instance = instance_draw(arena, "frontier", i);
        struct listing *all = listing_make(arena, &instance.context, INFINITY, true);
        int64_t count = all->frontier.count;
        double limit = count > 0 ? all->frontier.nodes[count / 2].floor.bytes * 1.01 : 0;
        struct listing *part = listing_make(arena, &instance.context, limit, true);
        cr_expect(part->legal + part->tally.pruned_memory == all->legal && part->tally.pruned_bound == 0,
                  "%s%lld stay, %lld do not fit, of %lld", instance.name, (long long)part->legal,
                  (long long)part->tally.pruned_memory, (long long)all->legal);
        some += part->tally.pruned_memory > 0 && part->legal > 0 ? 1 : 0;
        arena_close(arena);
    }
    cr_expect(some > 3, "%d instances with both", some);
}

/* A guard on the search's effort that no machine's speed can break: configurations priced, of those legal. */
Test(frontier, bounds_leave_little_to_price) {
    static const struct {
        const char *model, *topology, *job;
        int64_t devices;
        double part;
    } rows[] = {
        {"llama3-8b", "h100-sxm", "global_batch: 128\nseq_len: 8192\n", 64, 0.004},
        {"llama3-70b", "h100-sxm", "global_batch: 256\nseq_len: 8192\n", 256, 0.002},
        {"mixtral-8x7b", "a100-sxm-80g", "global_batch: 128\n", 64, 0.008},
        {"gpt3-175b", "a100-sxm-80g", "global_batch: 512\nseq_len: 2048\nobjective: energy\n", 512, 0.005},
        {"deepseek-v2-lite", "h100-sxm", "global_batch: 128\npareto: [time, memory]\n", 64, 0.015},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        struct cost_context c =
            cost_context_make(setup_model(arena, rows[i].model),
                              setup_topology(arena, rows[i].topology, rows[i].devices), setup_job(arena, rows[i].job));
        struct search_control control = {0};
        struct search_result r = search(arena, &c, &control, NULL);
        double legal = (double)(r.evaluated + r.pruned_memory + r.pruned_bound);
        cr_expect(r.plans.count > 0 && (double)r.evaluated < rows[i].part * legal, "%s: %lld of %.0f priced (%g)",
                  rows[i].model, (long long)r.evaluated, legal, (double)r.evaluated / legal);
        arena_close(arena);
    }
}
