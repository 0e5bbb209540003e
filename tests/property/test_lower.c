/* Laws of every program that is lowered from a plan, over random legal decisions of many models, clusters and jobs. */
#include "cost_settings.h"

#include "cost/price.h"
#include "plan/shard.h"
#include "program/check.h"
#include "program/lower.h"
#include "schedule/async.h"
#include "schedule/schedule.h"

struct lowered {
    struct plan plan;
    struct program program;
};

/* RoundPipe's ranks hold no stage, all there is comes and goes; and where the schedule spreads the vocabulary but the
 * job does not say so, the closed form leaves it to the ends. */
static bool is_counted(const struct cost_context *c, const struct decision *d) {
    bool spread = d->schedule == SCHEDULE_VOCAB_1 || d->schedule == SCHEDULE_VOCAB_2;
    return schedules[d->schedule]->placement != PLACEMENT_ROUND && (!spread || c->job->vocab_parallel);
}

static const struct lowered *lowered_of(struct arena *arena, const struct cost_context *c, const struct decision *d,
                                        enum detail detail, const char *name) {
    struct lowered *lowered = ARENA_NEW(arena, struct lowered);
    struct diag diag;
    lowered->plan = (struct plan){.devices = c->world, .job = *c->job, .decision = *d};
    diag_init(&diag, arena);
    enum status status =
        lower(arena, c->model, c->topology, &lowered->plan, NULL, detail, &lowered->program, &diag);
    cr_assert(status == OK, "%s: %s", name, first_of(&diag));
    return lowered;
}

static const struct instruction *at(const struct program *program, int64_t role, int64_t i) {
    return &program->instructions[program->roles[role].first + i];
}

static void law_sound(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    bool small = c->model->layer_count * d->micro_batches <= 1000; /* by operations others take long to check */
    for (int detail = DETAIL_PASS; detail <= (small ? DETAIL_OPERATION : DETAIL_LAYER); detail++) {
        const struct lowered *lowered = lowered_of(arena, c, d, (enum detail)detail, name);
        struct diag diag;
        diag_init(&diag, arena);
        enum status status = program_check(arena, &lowered->program, c->model, &diag);
        cr_assert(status == OK, "%s, %s: %s", name, detail_names[detail], first_of(&diag));
    }
}

Test(lower, programs_are_sound) {
    for_all("sound", law_sound);
}

/* Most bytes of a role at once, taken in the order of its instructions: all that passes allocate is on one stream. */
static double peak_of(const struct program *program, int64_t role, bool communication, double held[TENSOR_CLASSES]) {
    const struct role *r = &program->roles[role];
    const struct tensor *tensors = &program->tensors[r->first_tensor];
    bool *allocated = calloc((size_t)r->tensor_count + 1, sizeof *allocated);
    double now = 0, peak = 0;
    for (int64_t i = 0; i < r->effect_count; i++) {
        const struct effect *effect = &program->effects[r->first_effect + i];
        allocated[effect->tensor] = true;
        if (!communication && tensors[effect->tensor].class == TENSOR_COMMUNICATION) {
            continue;
        }
        now += effect->frees ? -tensors[effect->tensor].bytes : tensors[effect->tensor].bytes;
        peak = now > peak ? now : peak;
    }
    for (int class = 0; class < TENSOR_CLASSES; class++) {
        held[class] = 0;
    }
    for (int64_t i = 0; i < r->tensor_count; i++) {
        held[tensors[i].class] += allocated[i] ? 0 : tensors[i].bytes;
    }
    free(allocated);
    return peak;
}

/* What the closed form counts of a rank. */
struct expected {
    double weights, gradients, optimizer, buffers; /* held */
    double saved, logits, extra;                   /* of a micro-batch on all chunks */
    double in_flight;                              /* chunks */
    double logits_in_flight;
};

static struct schedule_shape shape_of(const struct decision *d) {
    return (struct schedule_shape){
        .ranks = d->parallel.pp, .micro_batches = d->micro_batches, .chunks = d->parallel.vpp};
}

static double copies_of(const struct decision *d, int64_t rank) {
    const struct schedule *schedule = schedules[d->schedule];
    struct schedule_shape shape = shape_of(d);
    return schedule->stale != NULL ? (double)schedule->stale->copies(&shape, rank) : 1;
}

static struct expected expected_of(const struct priced *p, const struct decision *d, int64_t rank) {
    const struct schedule *schedule = schedules[d->schedule];
    struct schedule_shape shape = shape_of(d);
    int64_t class = p->map.rank_class[rank];
    const struct state_cost *state = &p->states[class];
    const struct class_load *load = &p->load.classes[class];
    double heads = p->map.classes[class].head > 0 ? 1 + p->map.classes[class].mtp : 0;
    return (struct expected){
        .weights = state->weights * copies_of(d, rank),
        .gradients = state->gradients,
        .optimizer = state->optimizer,
        .buffers = (d->parallel.pp > 1 ? 2 * load->message : 0) + (d->parallel.zero == 2 ? state->gathered : 0),
        .saved = load->saved,
        .logits = load->logits * heads,
        .extra = load->extra,
        .in_flight = schedule->in_flight_to_weight(&shape, rank),
        .logits_in_flight = schedule->in_flight(&shape, rank),
    };
}

static void law_held(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    if (!is_counted(c, d)) {
        return;
    }
    const struct lowered *lowered = lowered_of(arena, c, d, DETAIL_PASS, name);
    const struct priced *priced = price_apart(arena, c, d);
    for (int64_t rank = 0; rank < d->parallel.pp; rank++) {
        struct expected e = expected_of(priced, d, rank);
        double held[TENSOR_CLASSES];
        (void)peak_of(&lowered->program, rank, false, held);
        cr_expect(near(held[TENSOR_WEIGHTS], e.weights, 1e-9), "%s: rank %lld: weights %g, %g", name, (long long)rank,
                  held[TENSOR_WEIGHTS], e.weights);
        cr_expect(near(held[TENSOR_GRADIENTS], e.gradients, 1e-9), "%s: gradients %g, %g", name,
                  held[TENSOR_GRADIENTS], e.gradients);
        cr_expect(near(held[TENSOR_OPTIMIZER], e.optimizer, 1e-9), "%s: optimizer %g, %g", name,
                  held[TENSOR_OPTIMIZER], e.optimizer);
        cr_expect(near(held[TENSOR_COMMUNICATION], e.buffers, 1e-9), "%s: buffers %g, %g", name,
                  held[TENSOR_COMMUNICATION], e.buffers);
    }
}

/* Weights, gradients, optimizer state and buffers are those of the closed form. */
Test(lower, holds_what_the_closed_form_counts) {
    for_all("held", law_held);
}

/* One chunk a rank: the peak is the closed form's, except that logits are kept of every micro-batch whose forward is
 * through (GPipe: of all), one set for each head, and that a weight gradient of its own needs what full recomputation
 * brought back. Several chunks: the closed form takes their mean. */
static void law_peak(struct arena *arena, const struct cost_context *c, const struct decision *d, const char *name) {
    const struct schedule *s = schedules[d->schedule];
    bool exact = s->fixed_chunks == 1 && s->ways == 1 && d->schedule != SCHEDULE_SKIPPIPE && !c->job->vocab_parallel &&
                 !(s->splits_backward && d->recompute == RECOMPUTE_FULL);
    if (!is_counted(c, d) || !exact) {
        return;
    }
    const struct lowered *lowered = lowered_of(arena, c, d, DETAIL_PASS, name);
    const struct lowered *layers = lowered_of(arena, c, d, DETAIL_LAYER, name);
    const struct priced *priced = price_apart(arena, c, d);
    for (int64_t rank = 0; rank < d->parallel.pp; rank++) {
        struct expected e = expected_of(priced, d, rank);
        double held[TENSOR_CLASSES];
        double peak = peak_of(&lowered->program, rank, false, held);
        double wanted = e.in_flight * e.saved + e.logits_in_flight * e.logits + fmax(0, e.extra - e.logits);
        double block = peak_of(&layers->program, rank, false, held);
        bool whole = d->parallel.zero < 2 && d->micro_batches > 2 * d->parallel.pp;
        bool equal = near(peak, wanted, 1e-9), most = peak <= wanted * (1 + 1e-9);
        cr_expect(whole ? equal : most, "%s: rank %lld: peak %g, %g", name, (long long)rank, peak, wanted);
        cr_expect(block <= peak * (1 + 1e-9) && block >= peak - e.saved - e.logits, "%s: rank %lld: by layers %g, %g",
                  name, (long long)rank, block, peak);
    }
}

Test(lower, peaks_as_the_closed_form) {
    for_all("peak", law_peak);
}

/* Bytes of gradients that a role reduces, by the axis of the parameters. */
static double reduced_of(const struct program *program, int64_t role, enum axis axis, double *ret_gathered) {
    double sum = 0;
    *ret_gathered = 0;
    for (int64_t i = 0; i < program->roles[role].count; i++) {
        const struct work *work = &program->works[at(program, role, i)->work];
        bool whole = work->bytes > 4; /* not the norm */
        sum += work->kind == WORK_REDUCE && work->axis == axis && work->step == 1 && whole ? work->bytes : 0;
        *ret_gathered += work->kind == WORK_GATHER && work->axis == axis ? work->bytes : 0;
    }
    return sum;
}

static void law_reduced(struct arena *arena, const struct cost_context *c, const struct decision *d,
                        const char *name) {
    if (!is_counted(c, d) || d->parallel.zero >= 2) {
        return;
    }
    const struct priced *priced = price_apart(arena, c, d);
    for (int detail = DETAIL_PASS; detail <= DETAIL_LAYER; detail++) {
        const struct lowered *lowered = lowered_of(arena, c, d, (enum detail)detail, name);
        for (int64_t rank = 0; rank < d->parallel.pp; rank++) {
            const struct state_cost *state = &priced->states[priced->map.rank_class[rank]];
            double dense = priced->spans.dense.size > 1 ? state->dense : 0, gathered;
            double expert = priced->spans.expert.size > 1 ? state->expert : 0, gathered_experts;
            double reduced = reduced_of(&lowered->program, rank, AXIS_DP_CP, &gathered);
            double experts = reduced_of(&lowered->program, rank, AXIS_EDP, &gathered_experts);
            cr_expect(near(reduced, dense * c->state.gradient, 1e-9), "%s: reduces %g, has %g", name, reduced,
                      dense * c->state.gradient);
            cr_expect(near(experts, expert * c->state.gradient, 1e-9), "%s: experts: reduces %g, has %g", name,
                      experts, expert * c->state.gradient);
            bool gathers = d->parallel.zero == 1;
            cr_expect(near(gathered, gathers ? dense * c->state.weight : 0, 1e-9), "%s: gathers %g", name, gathered);
            cr_expect(near(gathered_experts, gathers ? expert * c->state.weight : 0, 1e-9), "%s: gathers experts %g",
                      name, gathered_experts);
        }
    }
}

/* Every gradient is reduced once, every updated parameter gathered once. */
Test(lower, reduces_every_gradient_once) {
    for_all("reduced", law_reduced);
}
