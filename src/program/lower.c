/* Lays out role after role: passes in the order of the schedule, messages around them, gradients and parameters beside
 * and behind them. */
#include "program/lower.h"

#include <limits.h>

#include "base/arena.h"
#include "plan/shard.h"
#include "program/lower_parts.h"
#include "schedule/schedule.h"
#include "topology/topology.h"
#include "yaml/bind.h"

/* Degrees, batch and expert grid fit one another and the devices. */
static enum status check_degrees(const struct plan *plan, const struct node *root, struct diag *diag) {
    const struct parallel *p = &plan->decision.parallel;
    double world = (double)p->tp * (double)p->cp * (double)p->dp * (double)p->pp;
    if (world < (double)plan->devices || world > (double)plan->devices) {
        return diag_error(diag, bind_mark(root, "parallel"),
                          "parallel: tp %lld x cp %lld x dp %lld x pp %lld make %.0f ranks, but there are %lld devices",
                          (long long)p->tp, (long long)p->cp, (long long)p->dp, (long long)p->pp, world,
                          (long long)plan->devices);
    }
    if ((p->tp * p->cp * p->dp) % p->ep != 0 || (p->tp * p->cp * p->dp) / p->ep % p->etp != 0) {
        return diag_error(diag, bind_mark(root, "parallel.ep"),
                          "parallel: ep %lld x etp %lld does not divide tp x cp x dp = %lld", (long long)p->ep,
                          (long long)p->etp, (long long)(p->tp * p->cp * p->dp));
    }
    struct mesh mesh = mesh_make(p->tp, p->cp, p->dp, p->pp, p->ep, p->etp, (enum mesh_order)p->order);
    const char *reason = mesh_refuse(&mesh);
    if (reason != NULL) {
        return diag_error(diag, bind_mark(root, "parallel.order"), "parallel.order: %s", reason);
    }
    int64_t batch = plan->job.global_batch;
    if (plan->decision.micro_batches < 1 || batch % plan->decision.micro_batches != 0 ||
        batch / plan->decision.micro_batches != p->dp * plan->decision.micro_batch) {
        return diag_error(diag, bind_mark(root, "job.global_batch"),
                          "global_batch: %lld is no multiple of dp %lld x micro_batch %lld", (long long)batch,
                          (long long)p->dp, (long long)plan->decision.micro_batch);
    }
    return OK;
}

/* What all roles share. */
static void lowering_open(struct lowering *l) {
    const struct plan *plan = l->plan;
    const struct parallel *p = &plan->decision.parallel;
    l->mesh = mesh_make(p->tp, p->cp, p->dp, p->pp, p->ep, p->etp, (enum mesh_order)p->order);
    l->shard = plan_shard(l->model, &plan->job, p, plan->decision.micro_batch);
    struct span experts = mesh_span(l->topology, &l->mesh, AXIS_EP, p->ep, 1);
    l->shard.ep_domains = p->ep % experts.inner == 0 ? p->ep / experts.inner : 1;
    l->recomputed = job_recompute_parts(&plan->job, l->model, (enum recompute)plan->decision.recompute);
    l->host = l->topology->runtime.micro_batch_overhead > 0;
    l->micro_batches = l->order.ways * l->order.micro_batches;
    l->builder = builder_open(l->arena, l->detail, p, l->micro_batches);
    for (int64_t i = 0; i < l->stages.count; i++) {
        (void)builder_stage(l->builder, &l->stages.items[i]);
    }
    size_t works = (size_t)(ACTION_COUNT * (l->stages.count + (int64_t)BLOCK_COUNT * MODEL_KINDS));
    l->works = ARENA_ARRAY(l->arena, int32_t, works);
    for (size_t i = 0; i < works; i++) {
        l->works[i] = NOTHING;
    }
    sites_make(l);
    data_open(l);
    round_open(l);
    pipe_open(l);
}

/* A spread vocabulary is not in the stages. */
static enum status stages_spread(struct lowering *l, const struct node *root, struct diag *diag) {
    struct stage *items = ARENA_ARRAY(l->arena, struct stage, (size_t)l->stages.count);
    for (int64_t i = 0; i < l->stages.count; i++) {
        items[i] = l->stages.items[i];
        items[i].embedding = items[i].head = false;
        if (items[i].layers == 0 && items[i].mtp == 0 && !goes_round(l->plan)) {
            return diag_error(diag, bind_mark(root, "layout"),
                              "rank %lld chunk %lld holds no layer, and the vocabulary is spread over all stages",
                              (long long)items[i].rank, (long long)items[i].chunk);
        }
    }
    l->stages.items = items;
    return OK;
}

static bool runs_forward(const struct pass *pass) {
    return pass->kind == PASS_FORWARD || pass->kind == PASS_PAIR;
}

/* Whose gradients a pass completes, or NULL. */
static const struct visit *completed(const struct pass *pass) {
    return pass->kind == PASS_PAIR                                  ? &pass->backward
           : pass->kind == PASS_WEIGHT || pass->kind == PASS_FULL ? &pass->visit
                                                                    : NULL;
}

/* The first forward and the last gradients of each chunk of a role. */
struct edges {
    int64_t *opens, *closes; /* passes, counted over the order */
};

static void edges_find(const struct lowering *l, struct edges *edges) {
    const struct order *order = &l->order;
    for (int64_t i = order->first[l->role + 1] - 1; i >= order->first[l->role]; i--) {
        if (runs_forward(&order->passes[i])) {
            edges->opens[l->stages.items[visit_stage(l, &order->passes[i].visit, false)].chunk] = i;
        }
    }
    for (int64_t i = order->first[l->role]; i < order->first[l->role + 1]; i++) {
        const struct visit *visit = completed(&order->passes[i]);
        if (visit != NULL) {
            edges->closes[l->stages.items[visit_stage(l, visit, true)].chunk] = i;
        }
    }
}

static struct pass_site site_of(const struct lowering *l, const struct edges *edges, int64_t pass, enum action action,
                                const struct visit *visit) {
    int32_t stage = visit_stage(l, visit, action != ACTION_FORWARD);
    int64_t chunk = l->stages.items[stage].chunk;
    bool completes = action == ACTION_WEIGHT || action == ACTION_FULL;
    return (struct pass_site){.action = action,
                              .stage = stage,
                              .micro_batch = visit_micro_batch(l, visit),
                              .after = NOTHING,
                              .opens = action == ACTION_FORWARD && edges->opens[chunk] == pass,
                              .closes = completes && edges->closes[chunk] == pass};
}

/* What brings a pass its input: a receive, or where the vocabulary is spread a collective; NOTHING. */
static int32_t input_of(struct lowering *l, const struct visit *visit, bool backward) {
    int32_t receive = pipe_receive(l, visit, backward);
    return receive != NOTHING ? receive : vocabulary_before(l, visit, backward);
}

static void hand_on(struct lowering *l, const struct visit *visit, bool backward, const struct pass_site *site,
                    const struct pass_ends *ends) {
    pipe_send(l, visit, backward, site, ends);
    vocabulary_behind(l, visit, backward, ends->output);
}

static void lay_pair(struct lowering *l, const struct edges *edges, int64_t i) {
    const struct pass *pass = &l->order.passes[i];
    struct pass_site forward = site_of(l, edges, i, ACTION_FORWARD, &pass->visit);
    struct pass_site backward = site_of(l, edges, i, ACTION_FULL, &pass->backward);
    struct pass_ends ends[2];
    forward.after = input_of(l, &pass->visit, false);
    backward.after = input_of(l, &pass->backward, true);
    pair_write(l, &forward, &backward, ends);
    pipe_block(l, &ends[0]);
    hand_on(l, &pass->visit, false, &forward, &ends[0]);
    hand_on(l, &pass->backward, true, &backward, &ends[1]);
}

static void lay_pass(struct lowering *l, const struct edges *edges, int64_t i) {
    static const enum action actions[] = {[PASS_FORWARD] = ACTION_FORWARD,
                                          [PASS_BACKWARD] = ACTION_BACKWARD,
                                          [PASS_WEIGHT] = ACTION_WEIGHT,
                                          [PASS_FULL] = ACTION_FULL};
    const struct pass *pass = &l->order.passes[i];
    if (pass->kind == PASS_PAIR) {
        lay_pair(l, edges, i);
        return;
    }
    if (pass->kind == PASS_SHARD || pass->kind == PASS_SHARD_END) {
        vocabulary_pass(l, pass);
        return;
    }
    struct pass_site site = site_of(l, edges, i, actions[pass->kind], &pass->visit);
    struct pass_ends ends;
    if (pass->kind != PASS_WEIGHT) {
        site.after = input_of(l, &pass->visit, pass->kind != PASS_FORWARD);
    }
    int32_t load = round_before(l, &site);
    pass_write(l, &site, &ends);
    builder_wait(l->builder, ends.first, load);
    round_behind(l, &site, &ends);
    pipe_block(l, &ends);
    if (pass->kind != PASS_WEIGHT) {
        hand_on(l, &pass->visit, pass->kind != PASS_FORWARD, &site, &ends);
    }
}

static void lay_role(struct lowering *l, struct edges *edges) {
    builder_role(l->builder, l->role);
    l->last = NOTHING;
    pipe_begin(l);
    round_begin(l);
    data_begin(l);
    edges_find(l, edges);
    for (int64_t i = l->order.first[l->role]; i < l->order.first[l->role + 1]; i++) {
        lay_pass(l, edges, i);
    }
    round_end(l);
    data_end(l);
}

enum status lower(struct arena *arena, const struct model *model, const struct topology *topology,
                  const struct plan *plan, const struct node *root, enum detail detail, struct program *ret,
                  struct diag *diag) {
    struct lowering l = {.arena = arena, .model = model, .topology = topology, .plan = plan, .detail = detail};
    TRY(check_degrees(plan, root, diag));
    TRY(plan_order(arena, plan, root, &l.order, diag));
    TRY(plan_stages(arena, plan, model, root, &l.stages, diag));
    if (goes_round(plan)) {
        round_stages(arena, &l.stages);
    }
    TRY(l.order.barriers > 0 ? stages_spread(&l, root, diag) : OK);
    lowering_open(&l);
    size_t held = (size_t)l.stages.held;
    struct edges edges = {ARENA_ARRAY(arena, int64_t, held), ARENA_ARRAY(arena, int64_t, held)};
    for (l.role = 0; l.role < l.stages.ranks; l.role++) {
        lay_role(&l, &edges);
    }
    pipe_link(&l);
    builder_close(l.builder, ret);
    ret->skips = l.order.before != NULL;
    ret->skips = l.order.before != NULL;
    return OK;
}
