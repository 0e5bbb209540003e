/* Scoring: price every case, compare, summarise. */
#include "port/score.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/count.h"

/* Seconds of a step that a published rate stands for. */
static double implied_seconds(const struct cost_context *context, const struct corpus_case *c) {
    double tokens = (double)c->job.global_batch * (double)c->job.seq_len;
    double flops = tokens * count_flops_per_token(&c->model, c->job.seq_len, c->flops, context->mtp);
    if (c->hardware_flops && c->decision.recompute == RECOMPUTE_FULL) {
        flops *= 4.0 / 3;
    }
    double devices = (double)context->world;
    if (c->measured_tflops > 0) {
        return flops / (c->measured_tflops * 1e12 * devices);
    }
    double peak = device_peak(context->device, context->dtype);
    return c->measured_mfu > 0 ? flops / (c->measured_mfu * peak * devices) : 0;
}

/* What the memory figure of this kind contains: allocated and reserved are the framework allocator's, device is what
 * the driver reports. */
static double memory_of_kind(const struct memory_parts *m, double nccl, enum memory_kind kind) {
    double allocated = m->weights + m->gradients + m->optimizer + m->activations + m->logits + m->communication - nccl;
    switch (kind) {
    case MEMORY_ALLOCATED:
    case MEMORY_KINDS:
        return allocated;
    case MEMORY_RESERVED:
        return allocated + m->allocator;
    case MEMORY_DEVICE:
        break;
    }
    return allocated + m->allocator + nccl + m->runtime;
}

static void score_bytes(struct arena *arena, const struct cost_context *context, const struct corpus_case *input,
                        const struct estimate *e, double nccl, struct score_case *ret) {
    struct memory_parts parts = e->memory.parts;
    if (input->last_stage) {
        (void)cost_last_stage_peak(arena, context, &input->decision, &parts, &nccl);
    }
    ret->measured_bytes = input->measured_bytes;
    ret->predicted_bytes = memory_of_kind(&parts, nccl, input->memory_kind);
    ret->memory_ape = fabs(ret->predicted_bytes / ret->measured_bytes - 1);
}

void score_case_make(struct arena *arena, const struct corpus_case *input, struct score_case *ret) {
    *ret = (struct score_case){.input = input, .refusal = input->refusal, .specified = input->specified};
    ret->ape = ret->memory_ape = (double)NAN;
    if (input->refusal != NULL) {
        return;
    }
    struct arena_place place = arena_mark(arena);
    struct cost_context context = cost_context_make(&input->model, &input->topology, &input->job);
    double nccl = 0;
    struct estimate e = cost_estimate(arena, &context, &input->decision, &nccl);
    if (!(e.step_time > 0)) {
        ret->refusal = e.reasons.count > 0 ? ((const char **)e.reasons.items)[0] : "no price";
        return;
    }
    ret->predicted_s = e.step_time;
    ret->measured_s = input->measured_s > 0 ? input->measured_s : implied_seconds(&context, input);
    if (ret->measured_s > 0) {
        ret->ape = fabs(ret->predicted_s / ret->measured_s - 1);
        ret->timed = input->times;
    }
    if (input->measured_bytes > 0) {
        score_bytes(arena, &context, input, &e, nccl, ret);
    }
    arena_rewind(arena, place); /* a corpus has many rows; of each only the numbers are kept */
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Pairs of (measured, predicted). */
struct pairs {
    double *measured, *predicted;
    size_t count;
};

/* A value and where it stands in its list. */
struct placed {
    double value;
    size_t index;
};

static int by_placed_value(const void *a, const void *b) {
    return by_value(&((const struct placed *)a)->value, &((const struct placed *)b)->value);
}

/* Ranks of values less their mean; equal values share their mean rank. */
static double *centred_ranks(struct arena *arena, const double *values, size_t count) {
    struct placed *sorted = ARENA_ARRAY(arena, struct placed, count + 1);
    double *ranks = ARENA_ARRAY(arena, double, count + 1);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (struct placed){values[i], i};
    }
    qsort(sorted, count, sizeof *sorted, by_placed_value);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && !(sorted[end].value > sorted[first].value);) {
            end++;
        }
        for (size_t i = first; i < end; i++) {
            ranks[sorted[i].index] = ((double)(first + end) - (double)count) / 2;
        }
    }
    return ranks;
}

static double spearman(struct arena *arena, const struct pairs *p) {
    const double *x = centred_ranks(arena, p->measured, p->count);
    const double *y = centred_ranks(arena, p->predicted, p->count);
    double both = 0, x2 = 0, y2 = 0;
    for (size_t i = 0; i < p->count; i++) {
        both += x[i] * y[i];
        x2 += x[i] * x[i];
        y2 += y[i] * y[i];
    }
    return x2 > 0 && y2 > 0 ? both / sqrt(x2 * y2) : (double)NAN;
}

static struct score_errors summarise(struct arena *arena, const struct pairs *p) {
    struct score_errors e = {.rows = (int64_t)p->count, .spearman = spearman(arena, p)};
    double *errors = ARENA_ARRAY(arena, double, p->count + 1);
    for (size_t i = 0; i < p->count; i++) {
        double relative = p->predicted[i] / p->measured[i] - 1;
        errors[i] = fabs(relative);
        e.mape += errors[i] / (double)p->count;
        e.bias += relative / (double)p->count;
    }
    if (p->count > 0) {
        qsort(errors, p->count, sizeof *errors, by_value);
        e.median_ape = (errors[(p->count - 1) / 2] + errors[p->count / 2]) / 2;
        e.p90_ape = errors[(size_t)ceil(0.9 * (double)p->count) - 1];
        e.max_ape = errors[p->count - 1];
    }
    return e;
}

static struct pairs pairs_open(struct arena *arena, size_t count) {
    return (struct pairs){ARENA_ARRAY(arena, double, count + 1), ARENA_ARRAY(arena, double, count + 1), 0};
}

static void pairs_add(struct pairs *pairs, double measured, double predicted) {
    pairs->measured[pairs->count] = measured;
    pairs->predicted[pairs->count++] = predicted;
}

struct score_errors score_time(struct arena *arena, const struct score_case *cases, size_t count,
                               score_filter *wanted, const void *context) {
    struct arena_place place = arena_mark(arena);
    struct pairs pairs = pairs_open(arena, count);
    for (size_t i = 0; i < count; i++) {
        if (cases[i].refusal == NULL && cases[i].timed && (wanted == NULL || wanted(&cases[i], context))) {
            pairs_add(&pairs, cases[i].measured_s, cases[i].predicted_s);
        }
    }
    struct score_errors errors = summarise(arena, &pairs);
    arena_rewind(arena, place);
    return errors;
}

struct score_errors score_memory(struct arena *arena, const struct score_case *cases, size_t count,
                                 score_filter *wanted, const void *context) {
    struct arena_place place = arena_mark(arena);
    struct pairs pairs = pairs_open(arena, count);
    for (size_t i = 0; i < count; i++) {
        if (cases[i].refusal == NULL && cases[i].measured_bytes > 0 &&
            (wanted == NULL || wanted(&cases[i], context))) {
            pairs_add(&pairs, cases[i].measured_bytes, cases[i].predicted_bytes);
        }
    }
    struct score_errors errors = summarise(arena, &pairs);
    arena_rewind(arena, place);
    return errors;
}
