/* When nothing fits: which single change of the job or the cluster makes a plan fit, and at what step time. */
#include "base/arena.h"
#include "search/search.h"

/* A copy of the job with one thing changed; false when it is so already. */
struct change {
    const char *text;
    bool (*apply)(struct job *job);
};

static bool allow_recompute(struct job *job) {
    bool already = (job->space.recompute >> RECOMPUTE_FULL & 1) != 0;
    job->space.recompute |= 1U << RECOMPUTE_FULL;
    return !already;
}

static bool free_micro_batch(struct job *job) {
    bool already = job->space.micro_batch.any;
    job->space.micro_batch.any = true;
    return !already;
}

static bool free_zero(struct job *job) {
    bool already = job->space.zero.any;
    job->space.zero.any = true;
    return !already;
}

static bool free_degrees(struct job *job) {
    struct space *s = &job->space;
    bool already = s->tp.any && s->pp.any && s->dp.any && s->cp.any && s->ep.any && s->etp.any && s->vpp.any;
    s->tp.any = s->pp.any = s->dp.any = s->cp.any = s->ep.any = s->etp.any = s->vpp.any = true;
    s->cp_kind = s->schedule = s->order = s->sp = ~(uint64_t)0;
    s->stages = STAGES_AUTO;
    return !already;
}

static bool narrow_gradients(struct job *job) {
    bool already = job->gradient_precision != DTYPE_FP32;
    job->gradient_precision = DTYPE_BF16;
    return !already;
}

static bool narrow_moments(struct job *job) {
    bool already = job->moment_precision != DTYPE_FP32;
    job->moment_precision = DTYPE_BF16;
    return !already;
}

static bool use_flash(struct job *job) {
    bool already = job->kernels.flash_attention;
    job->kernels.flash_attention = true;
    return !already;
}

static bool fill_memory(struct job *job) {
    bool already = job->memory_fraction >= 0.99;
    job->memory_fraction = 1;
    return !already;
}

static const struct change changes[] = {
    {"--recompute full", allow_recompute},
    {"--micro-batch auto", free_micro_batch},
    {"--zero auto", free_zero},
    {"all degrees auto", free_degrees},
    {"--gradient-precision bf16", narrow_gradients},
    {"--moment-precision bf16", narrow_moments},
    {"--flash-attention", use_flash},
    {"--memory-fraction 1", fill_memory},
};
enum { CHANGES = sizeof changes / sizeof changes[0] };

struct list search_relaxations(struct arena *arena, const struct cost_context *context,
                               const struct search_control *control) {
    struct relaxation *found = ARENA_ARRAY(arena, struct relaxation, CHANGES);
    struct list list = {found, 0};
    struct search_control quiet = *control;
    quiet.progress = NULL;
    quiet.plans_only = true;
    for (int i = 0; i < CHANGES; i++) {
        struct job job = *context->job;
        if (!changes[i].apply(&job)) {
            continue;
        }
        job.top = 1;
        struct cost_context relaxed = cost_context_make(context->model, context->topology, &job);
        struct search_result result;
        struct diag diag;
        diag_init(&diag, arena);
        if (search_run(arena, &relaxed, &quiet, &result, &diag) == OK) {
            found[list.count++] = (struct relaxation){changes[i].text, ((struct estimate *)result.plans.items)[0]};
        }
    }
    return list;
}
