/* The plan document: what is written loads back to the same plan and the same bytes; and the job that a plan fixes. */
#include "setup.h"

#include "base/random.h"
#include "plan/plan.h"
#include "schedule/schedule.h"
#include "yaml/emit.h"

static const char *emit(struct arena *arena, const struct plan *plan, bool only_changes) {
    struct text text;
    text_init(&text, arena);
    emit_document(&text, "plan", plan_fields, plan, only_changes);
    return text.data;
}

static enum status load(struct arena *arena, const char *text, struct plan *ret, struct diag *diag) {
    struct node *root = parse(arena, text, diag);
    return plan_load(arena, root, ret, diag);
}

static bool same_decision(const struct decision *a, const struct decision *b) {
    const struct parallel *p = &a->parallel, *q = &b->parallel;
    bool degrees = p->tp == q->tp && p->pp == q->pp && p->vpp == q->vpp && p->dp == q->dp && p->cp == q->cp &&
                   p->ep == q->ep && p->etp == q->etp && p->zero == q->zero && p->ulysses == q->ulysses;
    return degrees && p->sp == q->sp && p->cp_kind == q->cp_kind && p->order == q->order &&
           a->micro_batch == b->micro_batch && a->micro_batches == b->micro_batches && a->schedule == b->schedule &&
           a->recompute == b->recompute && a->stages == b->stages;
}

/* A plan with something everywhere. */
static struct plan *full_plan(struct arena *arena) {
    static const struct plan_axis axes[] = {{"tp", 8, 1, 0, 0, "node"}, {"dp-cp", 4, 8, 2, 32, "cluster"}};
    static const struct plan_stage stages[] = {
        {0, 0, 0, 20, "embedding"}, {1, 0, 20, 21, NULL}, {2, 1, 41, 20, "head"}};
    static const struct plan_input inputs[] = {{"model", "m.yaml", "fnv1a64:0123456789abcdef"}};
    static const char *const reasons[] = {"memory: too much: a, \"b\" # c", "'d'"};
    struct plan *plan = ARENA_NEW(arena, struct plan);
    struct job *job = setup_job(arena, "global_batch: 384\nseq_len: 12345\nprecision: fp8\nmemory_fraction: 0.87\n"
                                       "forbid: [tp > 8, \"cp > 1 && ep > 1\"]\nmax_step_time: 90s\nbucket: 1e8\n"
                                       "kernels: {flash_attention: false}\nsearch: {hybrid_shard: true}\n");
    *plan = (struct plan){.name = "a plan: with colon",
                          .parplan = "0.1.0",
                          .model = "llama3-70b",
                          .topology = "8xh100*4",
                          .devices = 32,
                          .job = *job,
                          .lower_bound = 1.0 / 3,
                          .gap = 0.0123456789012345678};
    plan->decision = (struct decision){
        .parallel = {.tp = 8,
                     .pp = 2,
                     .vpp = 3,
                     .dp = 2,
                     .cp = 1,
                     .ep = 4,
                     .etp = 2,
                     .zero = 1,
                     .sp = true,
                     .cp_kind = CONTEXT_USP,
                     .ulysses = 1,
                     .order = ORDER_DP_TP_CP_PP},
        .micro_batch = 3,
        .micro_batches = 64,
        .schedule = SCHEDULE_INTERLEAVED,
        .recompute = RECOMPUTE_SELECTIVE,
        .stages = STAGES_ENDS,
    };
    plan->axes = (struct list){(void *)(uintptr_t)axes, ROWS(axes)};
    plan->layout = (struct list){(void *)(uintptr_t)stages, ROWS(stages)};
    plan->inputs = (struct list){(void *)(uintptr_t)inputs, ROWS(inputs)};
    struct estimate *e = &plan->expected;
    *e = (struct estimate){.feasible = false,
                           .decision = plan->decision,
                           .global_batch = 384,
                           .sequence_length = 12345,
                           .step_time = 12.3456789,
                           .step_time_low = 11,
                           .step_time_high = 14.000000000000002,
                           .tokens_per_s = 1e7 / 3,
                           .mfu = 0.41,
                           .cost_per_mtoken = 0.0123,
                           .energy_per_mtoken = 4.5e5};
    e->reasons = (struct list){(void *)(uintptr_t)reasons, ROWS(reasons)};
    e->time = (struct time_parts){1, 0.2, 3e-9, 0, 0.1 + 0.2, 5, 6, 7, 8};
    e->memory = (struct memory_report){
        .peak = 7e10 + 1, .limit = 8e10, .rank = 31, .parts = {1, 2, 3.5, 4, 5e9, 6, 7, 80.0 * 1024 * 1024 * 1024}};
    return plan;
}

Test(plan, writes_what_it_reads) {
    struct arena *arena = support_arena();
    const struct plan *plan = full_plan(arena);
    for (int only_changes = 0; only_changes < 2; only_changes++) {
        const char *first = emit(arena, plan, only_changes == 1);
        struct plan again, third;
        struct diag diag;
        cr_assert_eq(load(arena, first, &again, &diag), OK, "%s", first_of(&diag));
        const char *second = emit(arena, &again, only_changes == 1);
        cr_expect_str_eq(second, first);
        cr_assert_eq(load(arena, second, &third, &diag), OK, "%s", first_of(&diag));
        cr_expect_str_eq(emit(arena, &third, only_changes == 1), first);
        cr_expect(same_decision(&again.decision, &plan->decision), "decision");
        cr_expect(again.expected.step_time_high == plan->expected.step_time_high && again.gap == plan->gap);
        cr_expect(memcmp(&again.expected.time, &plan->expected.time, sizeof again.expected.time) == 0, "time");
        cr_expect(memcmp(&again.expected.memory, &plan->expected.memory, sizeof again.expected.memory) == 0, "memory");
        cr_expect_eq(again.layout.count, 3);
        const struct plan_stage *stages = again.layout.items;
        cr_expect(stages[2].rank == 2 && stages[2].chunk == 1 && stages[2].first == 41 && stages[2].layers == 20);
        cr_expect(stages[1].extra == NULL && text_equal(stages[2].extra, "head"));
        const char *const *reasons = again.expected.reasons.items;
        cr_expect(again.expected.reasons.count == 2 && text_equal(reasons[0], "memory: too much: a, \"b\" # c"));
        cr_expect(again.job.space.hybrid_shard && again.job.forbid.count == 2 && !again.job.kernels.flash_attention);
    }
    arena_close(arena);
}

/* Any decision survives. */
Test(plan, random_decisions_round_trip) {
    struct arena *arena = support_arena();
    struct random random;
    random_stream(&random, 1, "plans", 0);
    for (int round = 0; round < 60; round++) {
        struct arena_place place = arena_mark(arena);
        struct plan plan = {.model = "m", .topology = "t", .devices = 1, .job = *setup_job(arena, "")};
        int64_t *counts[] = {&plan.decision.parallel.tp,  &plan.decision.parallel.pp,      &plan.decision.parallel.vpp,
                             &plan.decision.parallel.dp,  &plan.decision.parallel.cp,      &plan.decision.parallel.ep,
                             &plan.decision.parallel.etp, &plan.decision.parallel.ulysses, &plan.decision.micro_batch};
        for (size_t i = 0; i < ROWS(counts); i++) {
            *counts[i] = 1 + random_below(&random, round % 2 == 0 ? 3 : 1000000);
        }
        struct decision *d = &plan.decision;
        d->parallel.zero = random_below(&random, 4);
        d->parallel.sp = random_below(&random, 2) == 1;
        d->parallel.cp_kind = (int)random_below(&random, CONTEXT_KINDS);
        d->parallel.order = (int)random_below(&random, ORDER_KINDS);
        d->schedule = (int)random_below(&random, SCHEDULE_COUNT);
        d->recompute = (int)random_below(&random, RECOMPUTE_KINDS);
        d->stages = (int)random_below(&random, 2);
        d->micro_batches = 1 + random_below(&random, 50);
        plan.expected.decision = *d;
        plan.job.global_batch = d->parallel.dp * d->micro_batch * d->micro_batches;
        if (plan.job.global_batch > 1000000000) {
            continue;
        }
        struct plan again;
        struct diag diag;
        cr_assert_eq(load(arena, emit(arena, &plan, round % 3 == 0), &again, &diag), OK, "%s", first_of(&diag));
        cr_expect(same_decision(&again.decision, d), "round %d: %s", round, emit(arena, &plan, false));
        arena_rewind(arena, place);
    }
    arena_close(arena);
}

/* One point is left of every axis; what is no axis of the decision stays as it was. */
Test(plan, fixes_the_space) {
    struct arena *arena = support_arena();
    const struct plan *plan = full_plan(arena);
    const struct job job = plan_job(arena, plan);
    const struct space *s = &job.space;
    const struct {
        const char *name;
        const struct degrees *degrees;
        int64_t value;
    } axes[] = {
        {"tp", &s->tp, 8},   {"pp", &s->pp, 2},     {"vpp", &s->vpp, 3},
        {"dp", &s->dp, 2},   {"cp", &s->cp, 1},     {"ep", &s->ep, 4},
        {"etp", &s->etp, 2}, {"zero", &s->zero, 1}, {"micro_batch", &s->micro_batch, 3},
    };
    for (size_t i = 0; i < ROWS(axes); i++) {
        const struct degrees *d = axes[i].degrees;
        cr_expect(!d->any && d->count == 1 && d->values[0] == axes[i].value, "%s", axes[i].name);
    }
    cr_expect_eq(s->sp, 2);
    cr_expect_eq(s->cp_kind, 1 << CONTEXT_USP);
    cr_expect_eq(s->recompute, 1 << RECOMPUTE_SELECTIVE);
    cr_expect_eq(s->schedule, 1 << SCHEDULE_INTERLEAVED);
    cr_expect_eq(s->order, 1 << ORDER_DP_TP_CP_PP);
    cr_expect(s->stages == STAGES_ENDS && s->ulysses == 1 && s->hybrid_shard);
    cr_expect(job.global_batch == 384 && job.seq_len == 12345 && job.precision == DTYPE_FP8 && job.forbid.count == 2);
    cr_expect(plan->job.space.tp.any, "the plan itself is left alone");
    struct decision off = plan->decision;
    off.parallel.sp = false;
    struct space space = job.space;
    plan_fix_space(arena, &off, &space);
    cr_expect_eq(space.sp, 1);
    /* Every axis that a job can choose is a single value: as a document it says so. */
    for (const struct field *field = field_find(job_fields, "search")->fields; field->key != NULL; field++) {
        bool fixed = !text_equal(field_text(arena, field, s), "auto");
        cr_expect(fixed, "%s is still open", field->key);
    }
    arena_close(arena);
}

#define HEAD "schema: parplan/plan/v1\nmodel: m\ntopology: t\ndevices: 8\n"

Test(plan, errors) {
    static const struct {
        const char *text;
        unsigned line, column;
        const char *part;
    } rows[] = {
        {"schema: parplan/plan/v1\ntopology: t\ndevices: 8\nparallel: {tp: 8}\n", 1, 1, "model"},
        {HEAD, 1, 1, "parallel"},
        {HEAD "parallel: {tp: 0}\n", 5, 16, "parallel.tp: must be between 1 and 1000000000"},
        {HEAD "parallel: {tp: [1, 2]}\n", 5, 16, "parallel.tp"},
        {HEAD "parallel: {zero: 4}\n", 5, 18, "parallel.zero"},
        {HEAD "parallel: {tp: 2}\nschedule: 2f2b\n", 6, 11, "schedule"},
        {HEAD "parallel: {tp: 2}\nstages: auto\n", 6, 9, "stages"},
        {HEAD "parallel: {tp: 2}\njob:\n  gradient_precision: fp8\n", 7, 23, "gradients are accumulated"},
        {HEAD "parallel: {tp: 2}\njob: {pareto: [tiem]}\n", 6, 16, "'tiem' is no objective"},
        {"schema: parplan/job/v1\nmodel: m\n", 1, 9, "a document of kind 'job', where a plan is wanted"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct plan plan;
        struct diag diag;
        cr_assert_eq(load(arena, rows[i].text, &plan, &diag), STATUS_INVALID, "%s is taken", rows[i].text);
        const struct diag_entry *e = &diag.entries[0];
        const char *all = arena_format(arena, "%s %s", e->text, e->help != NULL ? e->help : "");
        cr_expect(strstr(all, rows[i].part) != NULL, "%s: %s", rows[i].text, all);
        cr_expect(e->mark.line == rows[i].line && e->mark.column == rows[i].column, "%s: at %u:%u", rows[i].text,
                  e->mark.line, e->mark.column);
    }
    /* Micro-batches follow from the batch. */
    struct plan plan;
    struct diag diag;
    cr_assert_eq(load(arena, HEAD "parallel: {tp: 2, dp: 4}\nmicro_batch: 2\njob: {global_batch: 64}\n", &plan, &diag),
                 OK);
    cr_expect_eq(plan.decision.micro_batches, 8);
    cr_expect(plan.decision.parallel.pp == 1 && plan.decision.parallel.ulysses == 1 &&
              plan.decision.schedule == SCHEDULE_NONE && plan.decision.stages == STAGES_EVEN);
    arena_close(arena);
}
