/* Visible seconds of a layer's exchanges: none without groups, the collective's own where nothing runs beside, less
 * where something does. */
#include "../plan/setup.h"

#include <math.h>

#include "cost/layer.h"

static const struct parallel single = {.tp = 1, .pp = 1, .vpp = 1, .dp = 1, .cp = 1, .ep = 1, .etp = 1, .ulysses = 1};

struct row {
    const char *model;
    int64_t tp, dp, cp, ep, etp, ulysses;
    int cp_kind;
    bool tp_seen, cp_seen, ep_seen;
};

static const struct row rows[] = {
    {"llama3-8b", 1, 16, 1, 1, 1, 1, CONTEXT_RING, false, false, false},
    {"llama3-8b", 8, 2, 1, 1, 1, 1, CONTEXT_RING, true, false, false},
    {"llama3-8b", 1, 8, 2, 1, 1, 1, CONTEXT_RING, false, true, false},
    {"llama3-8b", 1, 2, 8, 1, 1, 8, CONTEXT_ULYSSES, false, true, false},
    {"llama3-8b", 1, 1, 16, 1, 1, 4, CONTEXT_USP, false, true, false},
    {"llama3-8b", 4, 1, 4, 1, 1, 1, CONTEXT_ALL_GATHER, true, true, false},
    {"mixtral-8x7b", 1, 16, 1, 8, 1, 1, CONTEXT_RING, false, false, true},
    {"mixtral-8x7b", 1, 16, 1, 1, 8, 1, CONTEXT_RING, false, false, true},
    {"mixtral-8x7b", 4, 2, 2, 8, 2, 1, CONTEXT_RING, true, true, true},
    {"deepseek-v2-lite", 2, 8, 1, 16, 1, 1, CONTEXT_RING, true, false, true},
};

static struct parallel parallel_of(const struct row *row) {
    struct parallel p = single;
    p.tp = row->tp;
    p.dp = row->dp;
    p.cp = row->cp;
    p.ep = row->ep;
    p.etp = row->etp;
    p.ulysses = row->ulysses;
    p.cp_kind = row->cp_kind;
    p.sp = row->tp > 1;
    return p;
}

/* The last layer under the row's cut. */
static struct layer_cost layer_of(const struct cost_context *c, const struct parallel *parallel) {
    struct cut cut = cost_cut(c, parallel);
    struct layer_cost cost;
    const struct layer_kind *kind = &c->model->kinds[c->model->layers[c->model->layer_count - 1]];
    cost_layer(c, &cut, 1, kind, &cost);
    return cost;
}

static struct cost_context context_of(struct arena *arena, const char *model, const char *job) {
    return cost_context_make(setup_model(arena, model), setup_topology(arena, "h100-sxm", 16), setup_job(arena, job));
}

Test(exchange, only_groups_communicate) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = context_of(arena, rows[i].model, "");
        struct parallel parallel = parallel_of(&rows[i]);
        struct layer_cost cost = layer_of(&c, &parallel);
        const struct pass_cost *passes[] = {&cost.forward, &cost.backward};
        for (size_t j = 0; j < ROWS(passes); j++) {
            const struct exposed *e = &passes[j]->exposed;
            cr_expect((e->tp > 0) == rows[i].tp_seen && (e->cp > 0) == rows[i].cp_seen &&
                          (e->ep > 0) == rows[i].ep_seen,
                      "row %zu: tp %.3g, cp %.3g, ep %.3g s", i, e->tp, e->cp, e->ep);
            cr_expect(e->tp >= 0 && e->cp >= 0 && e->ep >= 0 && passes[j]->compute > 0);
        }
        const struct exposed *e = &cost.weight.exposed;
        cr_expect(e->tp == 0 && e->cp == 0 && e->ep == 0, "row %zu: weight gradients wait for nobody", i);
        /* Full recomputation repeats every forward exchange. */
        const struct exposed *again = &cost.again[RECOMPUTE_FULL].exposed, *first = &cost.forward.exposed;
        cr_expect(again->tp == first->tp && again->cp == first->cp && again->ep == first->ep, "row %zu", i);
        cr_expect_eq(cost.again[RECOMPUTE_NONE].exposed.tp, 0);
    }
    arena_close(arena);
}

/* Exchanges that nothing runs beside take what their collective takes on the group's span, one after another; with
 * something beside, never more, and never less than what the slow-down of the other costs. */
Test(exchange, seconds_are_the_collectives) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = context_of(arena, rows[i].model, "");
        struct parallel parallel = parallel_of(&rows[i]);
        struct cut cut = cost_cut(&c, &parallel);
        struct shard shard = cost_cut_shard(&c, &cut, 1);
        const struct layer_kind *kind = &c.model->kinds[c.model->layers[c.model->layer_count - 1]];
        struct layer_work work;
        struct exchange_list list;
        operation_layer(c.model, kind, &shard, &work);
        exchange_layer(c.model, kind, &shard, parallel.cp_kind, c.job, &work, &list);
        double least[2] = {0, 0}, most[2] = {0, 0};
        double slow = c.topology->runtime.overlap_slowdown;
        for (int j = 0; j < list.count; j++) {
            const struct exchange *e = &list.items[j];
            const struct span *span = cost_exchange_span(&cut, e);
            cr_expect_eq(span->size, e->size, "row %zu: %s over %lld of %lld ranks", i, e->name, (long long)span->size,
                         (long long)e->size);
            double seconds = e->count * collective_seconds(span, e->kind, e->bytes, NULL);
            most[e->phase] += seconds;
            least[e->phase] += e->beside == BESIDE_NOTHING ? seconds : fmin(1, slow) * seconds;
        }
        struct layer_cost cost = layer_of(&c, &parallel);
        const struct exposed *seen[] = {&cost.forward.exposed, &cost.backward.exposed};
        for (int phase = 0; phase < 2; phase++) {
            double seconds = seen[phase]->tp + seen[phase]->cp + seen[phase]->ep;
            cr_expect(seconds <= most[phase] * (1 + 1e-12) && seconds >= least[phase] * (1 - 1e-12),
                      "row %zu phase %d: %.4g s, between %.4g and %.4g", i, phase, seconds, least[phase], most[phase]);
        }
    }
    arena_close(arena);
}

/* Software that runs collectives beside GEMMs or shared experts shows less of them, never more. */
Test(exchange, overlap_hides) {
    static const struct {
        const char *model, *job;
        int64_t tp, ep;
    } cases[] = {
        {"llama3-8b", "overlap: {tensor: true}\n", 8, 1},
        {"llama3-70b", "overlap: {tensor: true}\n", 4, 1},
        {"deepseek-v2-lite", "overlap: {experts: true}\n", 1, 16},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct cost_context plain = context_of(arena, cases[i].model, "");
        struct cost_context beside = context_of(arena, cases[i].model, cases[i].job);
        struct parallel parallel = single;
        parallel.tp = cases[i].tp;
        parallel.dp = 16 / cases[i].tp;
        parallel.ep = cases[i].ep;
        parallel.sp = cases[i].tp > 1;
        struct layer_cost a = layer_of(&plain, &parallel), b = layer_of(&beside, &parallel);
        double before = a.forward.exposed.tp + a.forward.exposed.ep,
               after = b.forward.exposed.tp + b.forward.exposed.ep;
        cr_expect(after < before && after > 0, "case %zu: %.4g of %.4g s", i, after, before);
        cr_expect_eq(a.forward.compute, b.forward.compute);
    }
    arena_close(arena);
}
