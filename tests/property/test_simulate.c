/* Laws of simulated steps, over random legal decisions of many models, clusters and jobs. */
#include "cost_settings.h"

#include "schedule/execute.h"
#include "schedule/schedule.h"
#include "sim/simulate.h"

static struct plan plan_of(const struct cost_context *c, const struct decision *d) {
    return (struct plan){.devices = c->world, .job = *c->job, .decision = *d};
}

static struct simulation *simulate_at(struct arena *arena, const struct cost_context *c, const struct decision *d,
                                      const struct simulate_options *options, const char *name) {
    struct simulation *s = ARENA_NEW(arena, struct simulation);
    struct plan plan = plan_of(c, d);
    struct diag diag;
    diag_init(&diag, arena);
    cr_assert(simulate(arena, c, &plan, options, s, &diag) == OK, "%s: %s", name, first_of(&diag));
    return s;
}

/* Calls `law` for some random decisions of every setting. */
static void for_some(const char *purpose, int draws,
                     void (*law)(struct arena *arena, const struct cost_context *c, const struct decision *d,
                                 const char *name)) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(settings); i++) {
        struct cost_context c = context_at(arena, i);
        struct random random;
        random_stream(&random, 1, purpose, i);
        for (int draw = 0; draw < draws; draw++) {
            struct arena *own = support_arena();
            struct decision d = draw_decision(&random, &c, own);
            law(own, &c, &d, decision_text(own, &c, &d));
            arena_close(own);
        }
    }
    arena_close(arena);
}

static void expect_memory(const struct simulation *s, const char *name) {
    double most = 0;
    for (int64_t role = 0; role < s->program.role_count; role++) {
        const struct rank_report *r = &s->ranks[role];
        cr_expect(near(memory_sum(&r->parts), r->peak, 1e-9), "%s: memory parts %.12g, peak %.12g", name,
                  memory_sum(&r->parts), r->peak);
        cr_expect(r->parts.weights > 0 && r->parts.gradients > 0 && r->parts.activations >= 0, "%s: nothing held", name);
        cr_expect(r->allocator.reserved >= r->allocator.allocated && r->allocator.allocated >= r->memory.peak * 0.999,
                  "%s: reserved %.9g, allocated %.9g, tensors %.9g", name, r->allocator.reserved,
                  r->allocator.allocated, r->memory.peak);
        cr_expect(r->span_start >= 0 && r->span_end >= r->span_start && r->span_end <= s->result.end, "%s: span", name);
        most = fmax(most, r->peak);
    }
    cr_expect(s->ranks[s->fullest].peak == most, "%s: fullest", name);
}

static int64_t path_sum(const struct critical_path *path) {
    int64_t sum = path->waiting;
    for (int action = 0; action < ACTION_COUNT; action++) {
        sum += path->of_action[action];
    }
    return sum;
}

static void expect_whole(const struct cost_context *c, const struct simulation *s, const char *name) {
    const struct time_parts *t = &s->parts;
    const double parts[] = {t->compute, t->bubble, t->tp_exposed, t->pp_exposed, t->dp_exposed, t->cp_exposed,
                            t->ep_exposed, t->optimizer, t->overhead};
    for (size_t i = 0; i < ROWS(parts); i++) {
        cr_expect(isfinite(parts[i]) && parts[i] >= -1e-9 * s->step_time, "%s: part %zu is %g", name, i, parts[i]);
    }
    cr_expect(near(time_sum(t), s->step_time, 1e-9), "%s: parts %.12g, step %.12g", name, time_sum(t), s->step_time);
    cr_expect(path_sum(&s->path) == s->result.end, "%s: path %lld, end %lld", name, (long long)path_sum(&s->path),
              (long long)s->result.end);
    cr_expect(s->makespan > 0 && s->makespan <= (double)s->result.end * 1.000001e-12 && s->span <= s->makespan,
              "%s: makespan %g, span %g, end %lld ps", name, s->makespan, s->span, (long long)s->result.end);
    cr_expect(s->bubble >= -1e-9 && s->bubble < 1, "%s: bubble %g", name, s->bubble);
    cr_expect(s->step_time >= (double)s->result.end * 1e-12 + c->topology->runtime.step_overhead - 1e-12, "%s", name);
    cr_expect(s->p50 == s->step_time && s->p99 == s->step_time, "%s: one step, but p99 %g", name, s->p99);
    expect_memory(s, name);
}

static void law_whole(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    for (int detail = 0; detail < DETAIL_COUNT; detail++) {
        struct arena *own = support_arena();
        struct simulate_options options = {.detail = detail, .contention = CONTENTION_SCALAR};
        expect_whole(c, simulate_at(own, c, d, &options, name), name);
        arena_close(own);
    }
    (void)arena;
}

Test(simulate, parts_add_up, .timeout = 280) {
    for_some("whole", 8, law_whole);
}

/* The all-reduce of the gradients' norm, which the closed form leaves out: one number. */
static double norm_seconds(const struct simulation *s) {
    double seconds = 0;
    for (int64_t i = 0; i < s->program.work_count; i++) {
        const struct work *work = &s->program.works[i];
        seconds += work->kind == WORK_REDUCE && work->bytes <= 4 ? (double)s->prices[i].picoseconds * 1e-12 : 0;
    }
    return seconds;
}

/* One pipeline rank and nothing to share gradients with: the closed form only lets the host get ahead from one block to
 * the next, where a program's blocks wait for it each for itself: a small embedding or head then takes a little longer. */
static void expect_closed_form(double simulated, double step, const char *name, int64_t *exact) {
    bool equal = near(simulated, step, 1e-8);
    cr_expect(equal || (simulated > step && simulated < step * 1.0005), "%s: %.12g s, closed form %.12g s", name,
              simulated, step);
    *exact += equal;
}

Test(simulate, equals_the_closed_form_of_one_stage, .timeout = 280) {
    struct arena *arena = support_arena();
    int64_t cases = 0, exact = 0;
    for (size_t i = 0; i < ROWS(settings); i++) {
        struct job *job = setup_job(arena, settings[i].job);
        struct model *model = setup_model(arena, settings[i].model);
        for (int64_t tp = 1; tp <= 8 && settings[i].devices > 0; tp *= 2) {
            struct cost_context c =
                cost_context_make(model, setup_topology(arena, settings[i].topology, tp), job);
            struct decision d = alone;
            d.parallel.tp = tp;
            d.parallel.ep = c.model->moe != NULL && c.model->moe->num_experts % tp == 0 ? tp : 1;
            d.parallel.sp = tp > 1;
            d.micro_batches = job->global_batch;
            for (d.recompute = 0; d.recompute < RECOMPUTE_KINDS; d.recompute++) {
                if (rule_reasons(arena, &c, &d).count > 0) {
                    continue;
                }
                const char *name = decision_text(arena, &c, &d);
                double step = cost_estimate(arena, &c, &d, NULL).step_time;
                for (int detail = 0; detail <= DETAIL_LAYER; detail++) {
                    struct simulate_options options = {.detail = detail, .contention = CONTENTION_SCALAR, .brief = true};
                    struct simulation *s = simulate_at(arena, &c, &d, &options, name);
                    expect_closed_form(s->step_time - norm_seconds(s), step, name, &exact);
                    cases++;
                }
            }
        }
    }
    cr_expect(cases >= 200 && exact * 10 >= cases * 9, "%lld of %lld cases exact", (long long)exact, (long long)cases);
    arena_close(arena);
}

/* What the passes of a stage take, from the prices of a program played pass by pass. */
static void stage_costs_of(const struct simulation *s, double *forward, double *backward, double *weight,
                           double *ret_least) {
    *ret_least = (double)INFINITY;
    for (int64_t i = 0; i < s->program.work_count; i++) {
        const struct work *work = &s->program.works[i];
        if (work->kind == WORK_PASS) {
            int64_t stage = s->program.stages[work->stage].index;
            double seconds = (double)s->prices[i].picoseconds * 1e-12;
            bool full = work->action == ACTION_FULL; /* a full backward is both at once */
            *(work->action == ACTION_FORWARD  ? &forward[stage]
              : work->action == ACTION_WEIGHT ? &weight[stage]
                                              : &backward[stage]) = seconds;
            weight[stage] = full ? 0 : weight[stage];
            *ret_least = fmin(*ret_least, seconds);
        }
    }
}

/* The longest way of a message, wire and latency; and the wire alone. */
static double message_seconds(const struct simulation *s, double *ret_wire) {
    double seconds = *ret_wire = 0;
    for (int64_t i = 0; i < s->program.work_count; i++) {
        if (s->program.works[i].kind == WORK_MESSAGE) {
            *ret_wire = fmax(*ret_wire, (double)s->prices[i].picoseconds * 1e-12);
            seconds = fmax(seconds, (double)(s->prices[i].picoseconds + s->prices[i].latency) * 1e-12);
        }
    }
    return seconds;
}

/* Without data parallelism a step's passes are what the schedule's own execution makes of their times: wherever a
 * message is shorter than any pass, so that messages do not queue. */
static int64_t executed;
static void expect_execution(struct arena *arena, const struct cost_context *c, const struct decision *d,
                             const char *name) {
    const struct schedule *schedule = schedules[d->schedule];
    struct simulate_options options = {.detail = DETAIL_PASS, .contention = CONTENTION_NONE};
    struct simulation *s = simulate_at(arena, c, d, &options, name);
    struct schedule_shape shape = {d->parallel.pp, d->micro_batches, d->parallel.vpp};
    struct order order;
    struct execution execution;
    order_make(arena, schedule, &shape, &order);
    if (order.barriers > 0) { /* a spread vocabulary has passes and exchanges of its own */
        return;
    }
    double *forward = ARENA_ARRAY(arena, double, (size_t)order.stages);
    double *backward = ARENA_ARRAY(arena, double, (size_t)order.stages);
    double *weight = ARENA_ARRAY(arena, double, (size_t)order.stages);
    double least, wire;
    stage_costs_of(s, forward, backward, weight, &least);
    struct stage_costs costs = {.forward = forward, .backward = backward, .weight = weight};
    costs.hop = message_seconds(s, &wire);
    cr_assert(order_execute(arena, &order, &costs, &execution), "%s: deadlock", name);
    if (wire <= least) {
        cr_expect(near(s->makespan, execution.makespan, 1e-6), "%s: makespan %.12g, executed %.12g", name, s->makespan,
                  execution.makespan);
        executed++;
    } else {
        cr_expect(s->makespan >= execution.makespan * (1 - 1e-6), "%s: makespan %.12g, executed %.12g", name,
                  s->makespan, execution.makespan);
    }
}

Test(simulate, passes_run_as_the_schedule_says, .timeout = 280) {
    struct arena *arena = support_arena();
    executed = 0;
    for (size_t i = 0; i < ROWS(settings); i++) {
        struct cost_context c = context_at(arena, i);
        struct random random;
        random_stream(&random, 1, "execution", i);
        for (int found = 0, tries = 0; found < 12 && tries < 4000 && !c.job->vocab_parallel &&
                                       c.job->overlap.pipeline; tries++) {
            struct arena *own = support_arena();
            struct decision d = draw_decision(&random, &c, own);
            bool alone_in_dp = d.parallel.dp * d.parallel.cp == 1 && d.parallel.ep * d.parallel.etp <= 1;
            const struct schedule *schedule = schedules[d.schedule];
            if (d.parallel.pp > 1 && alone_in_dp && !schedule->pairs && schedule->placement != PLACEMENT_ROUND) {
                expect_execution(own, &c, &d, decision_text(own, &c, &d));
                found++;
            }
            arena_close(own);
        }
    }
    cr_expect(executed >= 60, "%lld executions compared", (long long)executed);
    arena_close(arena);
}

enum { COMPARED = 2000 };
struct ratios {
    double times[COMPARED], peaks[COMPARED];
    int count;
};
static struct ratios usual, all;

static void add_ratio(struct ratios *ratios, const struct simulation *s, const struct estimate *e) {
    cr_assert(ratios->count < COMPARED);
    ratios->times[ratios->count] = s->step_time / e->step_time;
    ratios->peaks[ratios->count++] = s->ranks[s->fullest].peak / e->memory.peak;
}

/* Schedules whose makespan the closed form knows for unequal ranks too; no ZeRO-2, whose reductions the closed form ends
 * with every backward; no spread vocabulary. */
static bool is_usual(const struct cost_context *c, const struct decision *d) {
    bool known = d->schedule == SCHEDULE_NONE || d->schedule == SCHEDULE_1F1B || d->schedule == SCHEDULE_GPIPE;
    return known && d->parallel.zero != 2 && !c->job->vocab_parallel;
}

static void law_ratio(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    bool spread = d->schedule == SCHEDULE_VOCAB_1 || d->schedule == SCHEDULE_VOCAB_2;
    bool round = schedules[d->schedule]->placement == PLACEMENT_ROUND;
    if (round || (spread && !c->job->vocab_parallel)) { /* copies from the host; the job spreads, in closed form */
        return;
    }
    struct simulate_options options = {.detail = DETAIL_PASS, .contention = CONTENTION_SCALAR};
    struct simulation *s = simulate_at(arena, c, d, &options, name);
    struct estimate e = cost_estimate(arena, c, d, NULL);
    add_ratio(&all, s, &e);
    if (is_usual(c, d)) {
        add_ratio(&usual, s, &e);
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double within(const double *ratios, int count, double tolerance) {
    int near_one = 0;
    for (int i = 0; i < count; i++) {
        near_one += fabs(ratios[i] - 1) <= tolerance;
    }
    return (double)near_one / count;
}

/* The closed form and the simulation are two ways to one number: most often they agree to a per cent. */
Test(simulate, agrees_with_the_closed_form, .timeout = 280) {
    usual.count = all.count = 0;
    for_some("ratio", 40, law_ratio);
    cr_assert(usual.count >= 120 && all.count >= 500, "%d and %d compared", usual.count, all.count);
    double usual_5 = within(usual.times, usual.count, 0.05), usual_1 = within(usual.times, usual.count, 0.01);
    cr_expect(usual_5 >= 0.97 && usual_1 >= 0.75, "usual plans: %.3f within 5%%, %.3f within 1%%", usual_5, usual_1);
    double all_5 = within(all.times, all.count, 0.05), memory = within(all.peaks, all.count, 0.10);
    cr_expect(all_5 >= 0.8 && memory >= 0.7, "all plans: %.3f within 5%%, memory: %.3f within 10%%", all_5, memory);
    qsort(all.times, (size_t)all.count, sizeof *all.times, ascending);
    qsort(all.peaks, (size_t)all.count, sizeof *all.peaks, ascending);
    double median = all.times[all.count / 2], fullest = all.peaks[all.count / 2];
    cr_expect(fabs(median - 1) < 0.005, "median of times %.4f", median);
    cr_expect(all.times[0] > 0.5 && all.times[all.count - 1] < 2.2, "times %.3f to %.3f", all.times[0],
              all.times[all.count - 1]);
    cr_expect(fabs(fullest - 1) < 0.06 && all.peaks[0] > 0.7, "memory: median %.4f, least %.3f", fullest, all.peaks[0]);
}
