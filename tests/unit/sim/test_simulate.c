/* A plan simulated: what the step consists of, what every rank held, what disturbs it, how it is drawn. */
#include "../cost/decision.h"

#include "schedule/schedule.h"
#include "sim/rank_report.h"
#include "sim/to_timeline.h"

/* 8 layers, a vocabulary so small that the ends weigh next to nothing. */
#define LEAN MODEL "hidden_size: 4096\nnum_attention_heads: 32\nvocab_size: 64\nnum_hidden_layers: 8\n" \
                   "intermediate_size: 16384\n"

static struct cost_context *lean_context(struct arena *arena, int64_t devices, const char *keys) {
    struct cost_context *c = ARENA_NEW(arena, struct cost_context);
    const char *job = arena_format(arena, "global_batch: 16\nseq_len: 2048\n%s", keys);
    *c = cost_context_make(setup_model(arena, LEAN), setup_topology(arena, "h100-sxm", devices),
                           setup_job(arena, job));
    return c;
}

static struct decision decision_of(const struct cost_context *c, struct parallel parallel, int schedule) {
    struct decision d = alone;
    d.parallel = filled(parallel);
    d.schedule = schedule;
    d.micro_batches = c->job->global_batch / d.parallel.dp;
    return d;
}

static struct plan plan_of(const struct cost_context *c, const struct decision *d) {
    return (struct plan){.devices = c->world, .job = *c->job, .decision = *d};
}

static struct simulation *simulated(struct arena *arena, const struct cost_context *c, const struct decision *d,
                                    const struct simulate_options *options) {
    struct simulation *s = ARENA_NEW(arena, struct simulation);
    struct plan plan = plan_of(c, d);
    struct diag diag;
    diag_init(&diag, arena);
    cr_assert(simulate(arena, c, &plan, options, s, &diag) == OK, "%s", first_of(&diag));
    return s;
}

static const struct simulate_options plain = {.detail = DETAIL_PASS, .contention = CONTENTION_SCALAR};

/* 1F1B on 4 ranks, 16 micro-batches: (p - 1) / (m + p - 1) of the makespan is bubble, p - r micro-batches in flight. */
Test(simulate, bubble_of_1f1b) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 4, "");
    struct decision d = decision_of(c, (struct parallel){.pp = 4}, SCHEDULE_1F1B);
    struct simulation *s = simulated(arena, c, &d, &plain);
    cr_expect(fabs(s->bubble - 3.0 / 19) < 0.01, "bubble %g", s->bubble);
    cr_expect(near(s->parts.bubble / s->makespan, s->bubble, 0.05), "bubble %g of %g", s->parts.bubble, s->makespan);
    cr_assert_eq(s->program.role_count, 4);
    for (int64_t role = 0; role < 4; role++) {
        cr_expect_eq(s->ranks[role].in_flight, 4 - role, "role %lld: %lld", (long long)role,
                     (long long)s->ranks[role].in_flight);
        cr_expect_eq(s->ranks[role].rank, role);
        cr_expect_eq(s->ranks[role].ranks, 1);
    }
    arena_close(arena);
}

static void expect_part(double simulated, double closed, double step, const char *name) {
    cr_expect(fabs(simulated - closed) < 1e-3 * step, "%s: %g s, closed form %g s", name, simulated, closed);
}

/* Where nothing overlaps and one stage has all, each part is the closed form's. */
Test(simulate, parts_of_one_stage) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 16, "overlap: {gradients: false, parameters: false}\n");
    struct decision d = decision_of(c, (struct parallel){.tp = 4, .dp = 4, .zero = 1, .sp = true}, SCHEDULE_NONE);
    struct estimate e = cost_estimate(arena, c, &d, NULL);
    for (int detail = 0; detail < DETAIL_COUNT; detail++) {
        struct simulate_options options = {.detail = detail, .contention = CONTENTION_SCALAR};
        const struct time_parts *t = &simulated(arena, c, &d, &options)->parts;
        const char *name = detail_names[detail];
        cr_expect(e.time.tp_exposed > 0.01 * e.step_time && e.time.dp_exposed > 0.01 * e.step_time, "%s", name);
        expect_part(t->compute, e.time.compute, e.step_time, name);
        expect_part(t->bubble, e.time.bubble, e.step_time, name);
        expect_part(t->tp_exposed, e.time.tp_exposed, e.step_time, name);
        expect_part(t->dp_exposed, e.time.dp_exposed, e.step_time, name);
        expect_part(t->optimizer, e.time.optimizer, e.step_time, name);
        expect_part(t->overhead, e.time.overhead, e.step_time, name);
    }
    arena_close(arena);
}

/* What computation loses to communication beside it is communication's, so that kernels take what they take alone. */
Test(simulate, overlap_is_charged_to_communication) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 4, "");
    struct decision d = decision_of(c, (struct parallel){.dp = 4}, SCHEDULE_NONE);
    d.micro_batch = 4; /* backward of a layer takes longer than its gradients' way */
    d.micro_batches = 1;
    struct estimate e = cost_estimate(arena, c, &d, NULL);
    struct simulate_options options = {.detail = DETAIL_LAYER, .contention = CONTENTION_NONE};
    struct simulation *free = simulated(arena, c, &d, &options);
    options.contention = CONTENTION_SCALAR;
    struct simulation *slowed = simulated(arena, c, &d, &options);
    cr_expect(slowed->step_time > 1.001 * free->step_time, "%g s after %g s", slowed->step_time, free->step_time);
    expect_part(slowed->parts.compute, e.time.compute, e.step_time, "compute");
    cr_expect(near(slowed->parts.compute, free->parts.compute, 1e-6), "compute %g, %g", slowed->parts.compute,
              free->parts.compute);
    cr_expect(slowed->parts.dp_exposed > free->parts.dp_exposed);
    arena_close(arena);
}

/* The order that two ranks work in, and who they stand for, with tensor and data parallelism around. */
Test(simulate, roles_of_the_mesh) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 16, "");
    struct decision d = decision_of(c, (struct parallel){.tp = 4, .pp = 2, .dp = 2, .zero = 1}, SCHEDULE_1F1B);
    struct simulation *s = simulated(arena, c, &d, &plain);
    cr_assert_eq(s->program.role_count, 2);
    cr_expect(s->ranks[0].rank == 0 && s->ranks[1].rank == 8 && s->ranks[1].ranks == 8, "rank %lld stands for %lld",
              (long long)s->ranks[1].rank, (long long)s->ranks[1].ranks);
    d.parallel.order = ORDER_PP_TP_CP_DP;
    s = simulated(arena, c, &d, &plain);
    cr_expect_eq(s->ranks[1].rank, 1);
    struct cut cut = cost_cut(c, &d.parallel);
    for (int64_t rank = 0; rank < 16; rank++) {
        int64_t stage = mesh_coordinates(&cut.mesh, rank).pp;
        cr_expect_eq(replica_rank(&cut.mesh, rank_replica(&cut.mesh, rank), stage), rank);
    }
    arena_close(arena);
}

/* All ranks played apart do what one of each role does. */
Test(simulate, every_rank_like_its_role) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 16, "");
    struct decision d = decision_of(c, (struct parallel){.tp = 2, .pp = 4, .dp = 2, .zero = 1}, SCHEDULE_1F1B);
    for (int detail = 0; detail < DETAIL_COUNT; detail++) {
        struct simulate_options options = {.detail = detail, .contention = CONTENTION_SCALAR};
        struct simulation *roles = simulated(arena, c, &d, &options);
        options.every_rank = true;
        struct simulation *all = simulated(arena, c, &d, &options);
        cr_expect_eq(all->result.replicas, 4);
        cr_expect(all->result.end == roles->result.end && all->step_time == roles->step_time, "%s: %lld ps, %lld ps",
                  detail_names[detail], (long long)all->result.end, (long long)roles->result.end);
        cr_expect(all->bubble == roles->bubble && all->ranks[3].peak == roles->ranks[3].peak);
    }
    arena_close(arena);
}

static struct scenario scenario_of(struct arena *arena, const char *text) {
    struct scenario scenario;
    struct diag diag;
    struct node *root = parse(arena, arena_format(arena, "schema: parplan/scenario/v1\n%s", text), &diag);
    cr_assert(scenario_load(arena, root, &scenario, &diag) == OK, "%s", first_of(&diag));
    return scenario;
}

/* One of eight ranks computes at half speed: its role is reported by it, and the others wait. */
Test(simulate, slow_rank) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 8, "");
    struct decision d = decision_of(c, (struct parallel){.pp = 2, .dp = 4, .zero = 1}, SCHEDULE_1F1B);
    struct scenario scenario = scenario_of(arena, "slow: [{rank: 6, factor: 2}]\n");
    struct simulate_options options = plain;
    struct simulation *even = simulated(arena, c, &d, &options);
    options.scenario = &scenario;
    struct simulation *uneven = simulated(arena, c, &d, &options);
    cr_expect_eq(uneven->ranks[1].rank, 6);
    cr_expect_eq(even->ranks[1].rank, 4);
    cr_expect(uneven->step_time > 1.5 * even->step_time, "%g s after %g s", uneven->step_time, even->step_time);
    cr_expect(near(time_sum(&uneven->parts), uneven->step_time, 1e-9));
    arena_close(arena);
}

/* Equal seeds, equal steps; percentiles lie between the extremes, in order. */
Test(simulate, seeds) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 8, "");
    struct decision d = decision_of(c, (struct parallel){.pp = 2, .dp = 4}, SCHEDULE_1F1B);
    struct scenario scenario = scenario_of(arena, "jitter: [{of: compute, deviation: 0.1}]\n");
    struct simulate_options options = plain;
    options.scenario = &scenario;
    options.seeds = 21;
    options.seed = 5;
    struct simulation *first = simulated(arena, c, &d, &options), *again = simulated(arena, c, &d, &options);
    double least = first->step_times[0], most = least;
    for (int i = 0; i < 21; i++) {
        cr_expect(first->step_times[i] == again->step_times[i], "seed %d", 5 + i);
        least = fmin(least, first->step_times[i]);
        most = fmax(most, first->step_times[i]);
    }
    cr_expect(first->step_times[0] == first->step_time && least < most);
    cr_expect(least < first->p50 && first->p50 < first->p95 && first->p95 <= first->p99 && first->p99 <= most);
    options.seeds = 1;
    options.seed = 8;
    cr_expect(simulated(arena, c, &d, &options)->step_time == first->step_times[3], "seed 8 alone");
    arena_close(arena);
}

/* With jitter of its own a scenario leaves out what the topology adds for it. */
Test(simulate, jitter_is_counted_once) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 16, "");
    struct decision d = decision_of(c, (struct parallel){.tp = 8, .dp = 2, .sp = true}, SCHEDULE_NONE);
    struct scenario none = scenario_of(arena, "jitter: [{deviation: 0}]\n");
    struct simulate_options options = plain;
    struct simulation *usual = simulated(arena, c, &d, &options);
    double added = cost_jitter(c);
    options.scenario = &none;
    struct simulation *own = simulated(arena, c, &d, &options);
    double overhead = c->topology->runtime.step_overhead;
    cr_expect(added > 0 && near((usual->step_time - overhead) / (own->step_time - overhead), 1 + added, 1e-9));
    arena_close(arena);
}

Test(simulate, dead_rank_is_diagnosed) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 8, "");
    struct decision d = decision_of(c, (struct parallel){.pp = 4, .dp = 2}, SCHEDULE_1F1B);
    struct scenario scenario = scenario_of(arena, "failures: [{rank: 2, at: 50ms}]\n");
    struct simulate_options options = plain;
    struct simulation s;
    struct plan plan = plan_of(c, &d);
    struct diag diag;
    diag_init(&diag, arena);
    options.scenario = &scenario;
    cr_expect_eq(simulate(arena, c, &plan, &options, &s, &diag), STATUS_NEGATIVE);
    cr_expect(strstr(first_of(&diag), "rank 2") != NULL, "%s", first_of(&diag));
    arena_close(arena);
}

/* A plan's own layout and order are what is played. */
Test(simulate, own_layout_and_order) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 2, "");
    struct decision d = decision_of(c, (struct parallel){.pp = 2}, SCHEDULE_1F1B);
    struct plan plan = plan_of(c, &d);
    struct plan_stage layout[] = {{0, 0, 0, 7, "embedding"}, {1, 0, 7, 1, "head"}};
    struct simulation even, uneven;
    struct diag diag;
    diag_init(&diag, arena);
    cr_assert(simulate(arena, c, &plan, &plain, &even, &diag) == OK, "%s", first_of(&diag));
    plan.layout = (struct list){layout, 2};
    cr_assert(simulate(arena, c, &plan, &plain, &uneven, &diag) == OK, "%s", first_of(&diag));
    double longer = (16 * 7 + 1.0) / (17 * 4); /* 16 micro-batches of seven layers and one of one, after 17 of four */
    cr_expect(near(uneven.makespan / even.makespan, longer, 0.04), "%g s after %g s", uneven.makespan, even.makespan);
    cr_expect_eq(uneven.busiest, 0);
    const char *lines[] = {"BW0.0", "F1.0 BW1.0"};
    plan.order = (struct list){lines, 2};
    cr_expect_eq(simulate(arena, c, &plan, &plain, &uneven, &diag), STATUS_INVALID);
    arena_close(arena);
}

static void expect_lanes(const struct timeline *timeline) {
    for (int64_t i = 1; i < timeline->slice_count; i++) {
        const struct slice *before = &timeline->slices[i - 1], *slice = &timeline->slices[i];
        cr_expect(slice->start <= slice->end && slice->end <= timeline->end, "slice %lld", (long long)i);
        cr_expect(slice->lane > before->lane || (slice->lane == before->lane && slice->start >= before->end),
                  "slice %lld overlaps", (long long)i);
        cr_expect(slice->name >= 0 && slice->name < timeline->name_count && slice->sort < SORT_COUNT);
    }
    for (int64_t i = 0; i < timeline->arrow_count; i++) {
        const struct slice *from = &timeline->slices[timeline->arrows[i].from];
        const struct slice *to = &timeline->slices[timeline->arrows[i].to];
        cr_expect(from->sort == SORT_MESSAGE && to->sort == SORT_MESSAGE && from->end <= to->end &&
                      from->micro_batch == to->micro_batch, "arrow %lld", (long long)i);
    }
}

/* Every instruction of the ranks shown is a slice, every message between them an arrow. */
Test(simulate, timeline) {
    struct arena *arena = support_arena();
    struct cost_context *c = lean_context(arena, 16, "");
    struct decision d = decision_of(c, (struct parallel){.tp = 2, .pp = 4, .dp = 2, .zero = 1, .sp = true}, SCHEDULE_1F1B);
    struct plan plan = plan_of(c, &d);
    for (int detail = 0; detail < DETAIL_COUNT; detail++) {
        struct simulate_options options = {.detail = detail, .contention = CONTENTION_SCALAR};
        struct simulation *s = simulated(arena, c, &d, &options);
        struct timeline all, some;
        struct list none = {NULL, 0};
        simulation_timeline(arena, c, &plan, s, &none, &all);
        expect_lanes(&all);
        cr_expect_eq(all.group_count, 4);
        cr_expect_eq(all.slice_count, s->program.count);
        cr_expect_eq(all.arrow_count, 2 * 3 * 8, "%lld messages", (long long)all.arrow_count);
        cr_expect_eq(all.counter_count, 4);
        double most = 0;
        for (int64_t i = 0; i < all.counters[0].count; i++) {
            most = fmax(most, all.counters[0].points[i].value);
        }
        cr_expect(near(most, s->ranks[0].memory.peak + s->ranks[0].outside, 1e-12));
        int64_t critical = 0;
        for (int64_t i = 0; i < all.slice_count; i++) {
            critical += all.slices[i].critical;
        }
        cr_expect(critical > 0 && critical <= s->path.count);
        int64_t asked[] = {1, 4, 5}; /* of stages 0, 1, 1; replicas 1, 0, 1 */
        struct list ranks = {asked, 3};
        simulation_timeline(arena, c, &plan, s, &ranks, &some);
        expect_lanes(&some);
        cr_expect(some.group_count == 3 && some.groups[2].rank == 5 && some.groups[2].ranks == 1);
        cr_expect_eq(some.arrow_count, 2 * 8, "%lld messages between two of four stages", (long long)some.arrow_count);
    }
    arena_close(arena);
}
