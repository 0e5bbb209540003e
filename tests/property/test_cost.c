/* Laws of every price, over random legal decisions of many models, clusters and jobs. */
#include "cost_settings.h"

#include "cost/bound.h"
#include "schedule/schedule.h"

static void expect_parts(const struct estimate *e, const char *name) {
    const struct time_parts *t = &e->time;
    const struct memory_parts *m = &e->memory.parts;
    const double parts[] = {t->compute, t->bubble, t->tp_exposed, t->pp_exposed, t->dp_exposed, t->cp_exposed,
                            t->ep_exposed, t->optimizer, t->overhead, m->weights, m->gradients, m->optimizer,
                            m->activations, m->logits, m->communication, m->runtime, m->allocator};
    for (size_t i = 0; i < ROWS(parts); i++) {
        cr_expect(isfinite(parts[i]) && parts[i] >= -1e-12 * e->step_time, "%s: part %zu is %g", name, i, parts[i]);
    }
    cr_expect(isfinite(e->step_time) && e->step_time > 0, "%s: step %g", name, e->step_time);
    cr_expect(near(time_sum(t), e->step_time, 1e-9), "%s: parts %.12g, step %.12g", name, time_sum(t), e->step_time);
    cr_expect(near(memory_sum(m), e->memory.peak, 1e-9), "%s: parts %.12g, peak %.12g", name, memory_sum(m),
              e->memory.peak);
    cr_expect(t->compute > 0 && t->optimizer > 0 && m->weights > 0 && m->gradients > 0 && m->optimizer > 0 &&
              m->activations > 0, "%s: an empty part", name);
}

static void expect_alone(const struct cost_context *c, const struct decision *d, const struct estimate *e,
                         const char *name) {
    const struct parallel *p = &d->parallel;
    bool tensor = p->tp > 1, context = p->cp > 1, pipeline = p->pp > 1, data = p->dp * p->cp > 1;
    bool experts = p->ep * p->etp > 1 || p->tp > 1; /* edp may exceed dp */
    cr_expect(tensor == (e->time.tp_exposed > 0), "%s: tp %g", name, e->time.tp_exposed);
    /* weight gradients may hide all messages, and so may a heavy end that others' micro-batches come back to */
    bool slack = schedules[d->schedule]->splits_backward || schedules[d->schedule]->placement != PLACEMENT_LINEAR;
    cr_expect(slack || pipeline == (e->time.pp_exposed > 0), "%s: pp %g", name, e->time.pp_exposed);
    cr_expect(context == (e->time.cp_exposed > 0), "%s: cp %g", name, e->time.cp_exposed);
    cr_expect(!data || e->time.dp_exposed > 0, "%s: dp %g", name, e->time.dp_exposed);
    cr_expect(data || (c->model->moe != NULL && experts) || p->pp > 1 || e->time.dp_exposed <= 0, "%s: dp %g", name,
              e->time.dp_exposed);
    cr_expect(p->ep * p->etp > 1 || e->time.ep_exposed <= 0, "%s: ep %g", name, e->time.ep_exposed);
    cr_expect(pipeline || (e->time.bubble <= 0 && e->time.bubble >= 0), "%s: bubble %g", name, e->time.bubble);
}

static void law_parts(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    struct estimate e = cost_estimate(arena, c, d, NULL);
    double tokens = (double)c->job->global_batch * (double)c->tokens;
    expect_parts(&e, name);
    expect_alone(c, d, &e, name);
    cr_expect(near(e.tokens_per_s * e.step_time, tokens, 1e-9), "%s: %.12g tokens/s", name, e.tokens_per_s);
    cr_expect(e.mfu > 0 && e.mfu <= 1, "%s: mfu %g", name, e.mfu);
    cr_expect(e.hfu >= e.mfu && e.hfu <= 1.35, "%s: hfu %g, mfu %g", name, e.hfu, e.mfu);
    cr_expect((e.hfu > e.mfu) == (d->recompute == RECOMPUTE_FULL) || d->recompute == RECOMPUTE_SELECTIVE,
              "%s: hfu %g, mfu %g", name, e.hfu, e.mfu);
    cr_expect(e.step_time_low <= e.step_time && e.step_time <= e.step_time_high, "%s: bars", name);
    cr_expect_eq(e.feasible, e.memory.peak <= e.memory.limit, "%s: feasible", name);
    cr_expect_eq(e.reasons.count, e.feasible ? 0 : 1, "%s: %zu reasons", name, e.reasons.count);
    cr_expect(e.memory.rank >= 0 && e.memory.rank < c->world, "%s: rank %lld", name, (long long)e.memory.rank);
}

Test(cost, parts_add_up) {
    for_all("parts", law_parts);
}

/* The parts that a search shares among configurations give the very numbers of an estimate; no schedule is faster than
 * its bound, no rank fuller than the one that peaks. */
static void law_apart(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    struct estimate e = cost_estimate(arena, c, d, NULL);
    struct priced *p = price_apart(arena, c, d);
    const struct schedule *schedule = schedules[d->schedule];
    struct schedule_shape shape = {d->parallel.pp, d->micro_batches, d->parallel.vpp};
    cr_expect(e.step_time == p->price.step && e.memory.peak == p->price.peak, "%s: %.17g s, apart %.17g s", name,
              e.step_time, p->price.step);
    bool pairs = schedule->pairs;
    cr_expect(schedule->skips || e.step_time >= schedule_bound_unequal(&shape, &p->load.pipeline, pairs),
              "%s: below its bound", name);
    double bound = bound_load(c, &p->map, &p->load, d->micro_batches, pairs);
    cr_expect(bound > 0 && (schedule->skips || bound <= e.step_time), "%s: bound %g, step %g", name, bound, e.step_time);
    double kernels = bound_compute(&p->map, &p->load, d->micro_batches);
    cr_expect(pairs || kernels <= e.time.compute, "%s: kernels %g, compute %g", name, kernels, e.time.compute);
    struct memory_parts parts;
    double library = 0, most = 0;
    for (int64_t rank = 0; rank < d->parallel.pp; rank++) {
        int64_t class = p->map.rank_class[rank];
        int64_t fullest = cost_fullest_rank(&p->map, class, schedule, d->micro_batches);
        cr_expect(schedule->in_flight_to_weight(&shape, rank) <= schedule->in_flight_to_weight(&shape, fullest),
                  "%s: rank %lld holds more than rank %lld", name, (long long)rank, (long long)fullest);
        most = fmax(most, cost_peak(c, &p->cut, &p->map, &p->states[class], &p->load.classes[class], schedule,
                                    d->micro_batches, class, &parts, &library));
    }
    cr_expect(most == e.memory.peak, "%s: fullest %.17g, peak %.17g", name, most, e.memory.peak);
    struct coordinates at = mesh_coordinates(&p->cut.mesh, e.memory.rank);
    int64_t class = p->map.rank_class[at.pp];
    double peak = cost_peak(c, &p->cut, &p->map, &p->states[class], &p->load.classes[class], schedule,
                            d->micro_batches, class, &parts, &library);
    cr_expect(peak == e.memory.peak && memcmp(&parts, &e.memory.parts, sizeof parts) == 0, "%s: rank %lld has %.17g",
              name, (long long)e.memory.rank, peak);
}

Test(cost, shared_parts_give_the_same_price) {
    for_all("apart", law_apart);
}

/* Higher stages of ZeRO keep no more bytes of model states. */
static void law_zero(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    double before = 0;
    bool hybrid = c->job->space.hybrid_shard; /* of which stage 3 shards less */
    for (int64_t zero = 0; zero < (d->parallel.pp > 1 ? 2 : hybrid ? 3 : 4); zero++) {
        struct decision other = *d;
        other.parallel.zero = zero;
        if (rule_reasons(arena, c, &other).count == 0) {
            struct memory_parts m = cost_estimate(arena, c, &other, NULL).memory.parts;
            double states = m.weights + m.gradients + m.optimizer;
            cr_expect(zero == 0 || states <= before, "%s: stage %lld has %.0f, the one before %.0f", name,
                      (long long)zero, states, before);
            before = states;
        }
    }
}

Test(cost, zero_never_keeps_more) {
    for_all("zero", law_zero);
}

/* More recomputation: no more bytes of activations, no less work. */
static void law_recompute(struct arena *arena, const struct cost_context *c, const struct decision *d,
                          const char *name) {
    struct estimate before = {0};
    struct class_load loads[STAGE_CLASSES];
    for (int mode = RECOMPUTE_NONE; mode <= RECOMPUTE_FULL; mode++) {
        struct decision other = *d;
        other.recompute = mode;
        struct priced *p = price_apart(arena, c, &other);
        struct estimate e = cost_estimate(arena, c, &other, NULL);
        for (int64_t i = 0; mode > 0 && i < p->map.class_count; i++) {
            const struct class_load *now = &p->load.classes[i];
            cr_expect(now->saved <= loads[i].saved && now->compute >= loads[i].compute && now->flops >= 0 &&
                          now->backward >= loads[i].backward && now->recompute_flops >= loads[i].recompute_flops,
                      "%s: class %lld under recompute %d: %g bytes, %g s", name, (long long)i, mode, now->saved,
                      now->compute);
        }
        memcpy(loads, p->load.classes, sizeof loads);
        cr_expect(mode == 0 || e.step_time >= before.step_time * (1 - 1e-9), "%s: recompute %d: %g s, less: %g s", name,
                  mode, e.step_time, before.step_time);
        cr_expect(mode == 0 || e.memory.peak <= before.memory.peak * (1 + 1e-12), "%s: recompute %d: peak %g, less: %g",
                  name, mode, e.memory.peak, before.memory.peak);
        before = e;
    }
}

Test(cost, recomputation_trades_bytes_for_work) {
    for_all("recompute", law_recompute);
}

/* Sequence parallelism keeps no more activations; the same mesh in another order is the same price; one more copy of
 * the batch is as much compute again. */
static void law_same(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    struct estimate e = cost_estimate(arena, c, d, NULL);
    struct decision other = *d;
    other.parallel.sp = !d->parallel.sp;
    if (rule_reasons(arena, c, &other).count == 0) {
        double flat = cost_estimate(arena, c, &other, NULL).memory.parts.activations, cut = e.memory.parts.activations;
        cr_expect(d->parallel.sp ? cut <= flat : flat <= cut, "%s: activations %g, other sp %g", name, cut, flat);
    }
    struct mesh own = cost_cut(c, &d->parallel).mesh;
    for (int order = 0; order < ORDER_KINDS; order++) {
        other = *d;
        other.parallel.order = order;
        struct mesh mesh = cost_cut(c, &other.parallel).mesh;
        bool same = rule_reasons(arena, c, &other).count == 0;
        for (int axis = 0; axis < AXIS_COUNT; axis++) {
            const struct mesh_axis *a = &own.axes[axis], *b = &mesh.axes[axis];
            same = same && (a->size == 1 || (a->stride == b->stride && a->inner == b->inner &&
                                             (a->inner == a->size || a->outer_stride == b->outer_stride)));
        }
        double step = same ? cost_estimate(arena, c, &other, NULL).step_time : e.step_time;
        cr_expect(step == e.step_time, "%s: order %d is the same mesh, %.17g and %.17g s", name, order, step,
                  e.step_time);
    }
    struct job job = *c->job;
    job.global_batch *= 2;
    struct cost_context twice = cost_context_make(c->model, c->topology, &job);
    other = *d;
    other.micro_batches *= 2;
    if (rule_reasons(arena, &twice, &other).count == 0) {
        struct estimate more = cost_estimate(arena, &twice, &other, NULL);
        bool pairs = d->schedule == SCHEDULE_DUALPIPE || d->schedule == SCHEDULE_DUALPIPEV;
        cr_expect(pairs || near(more.time.compute, 2 * e.time.compute, 1e-9), "%s: compute %g, twice the batch %g",
                  name, e.time.compute, more.time.compute);
        cr_expect(more.step_time > e.step_time && more.mfu > e.mfu * (1 - 1e-9), "%s: twice the batch %g s after %g s",
                  name, more.step_time, e.step_time);
    }
}

Test(cost, symmetries) {
    for_all("same", law_same);
}

/* What runs beside something else takes no longer than one after the other. */
static void law_overlap(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    for (int flag = 0; flag < 5; flag++) {
        double seconds[2];
        for (int on = 0; on < 2; on++) {
            struct job job = *c->job;
            bool *const flags[] = {&job.overlap.gradients, &job.overlap.parameters, &job.overlap.tensor,
                                   &job.overlap.pipeline, &job.overlap.experts};
            *flags[flag] = on == 1;
            struct cost_context other = cost_context_make(c->model, c->topology, &job);
            seconds[on] = cost_estimate(arena, &other, d, NULL).step_time;
        }
        cr_expect(seconds[1] <= seconds[0] * (1 + 1e-12), "%s: overlap %d: %.12g s beside, %.12g s apart", name, flag,
                  seconds[1], seconds[0]);
    }
}

Test(cost, overlap_is_never_slower) {
    for_all("overlap", law_overlap);
}
