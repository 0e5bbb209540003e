/* Scoring: the summary on figures computed by hand, and what a published rate or memory figure means. */
#include "case.h"

#include <math.h>

#include "port/score.h"

static bool near(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

enum { POINTS = 12 };

/* Cases of these times, or of these bytes. */
static struct score_case *cases_of(struct arena *arena, const double *measured, const double *predicted, size_t count) {
    struct score_case *cases = ARENA_ARRAY(arena, struct score_case, count + 1);
    for (size_t i = 0; i < count; i++) {
        cases[i] = (struct score_case){.measured_s = measured[i], .predicted_s = predicted[i], .timed = true,
                                       .measured_bytes = measured[i], .predicted_bytes = predicted[i]};
    }
    return cases;
}

Test(score, summary) {
    static const struct {
        const char *name;
        size_t count;
        double measured[POINTS], predicted[POINTS];
        struct score_errors expected;
    } rows[] = {
        {"one", 1, {2}, {3}, {NULL, 1, 0.5, 0.5, 0.5, 0.5, 0.5, (double)NAN}},
        {"two: the median lies between", 2, {1, 2}, {1.1, 1.4}, {NULL, 2, 0.2, 0.2, 0.3, 0.3, -0.1, 1}},
        {"three: the middle one", 3, {1, 2, 4}, {1.5, 2.2, 3}, {NULL, 3, 0.85 / 3, 0.25, 0.5, 0.5, 0.35 / 3, 1}},
        {"reversed", 3, {1, 2, 4}, {4, 2, 1}, {NULL, 3, 1.25, 0.75, 3, 3, 0.75, -1}},
        {"one transposition of four", 4, {1, 2, 3, 4}, {1, 3, 2, 4}, {NULL, 4, 5.0 / 24, 1.0 / 6, 0.5, 0.5, 1.0 / 24,
                                                                      0.8}},
        /* ranks 0.5 0.5 2 3 against 0 1 2.5 2.5, about their mean 1.5: 4 / sqrt(4.5 * 4.5) */
        {"ties in both", 4, {1, 1, 2, 4}, {1, 2, 3, 3}, {NULL, 4, 1.75 / 4, 0.375, 1, 1, 1.25 / 4, 4.0 / 4.5}},
        {"all measured the same", 3, {2, 2, 2}, {1, 2, 3}, {NULL, 3, 1.0 / 3, 0.5, 0.5, 0.5, 0, (double)NAN}},
        {"ten: the ninth is the 90th per cent", 10, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
         {1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2}, {NULL, 10, 0.55, 0.55, 0.9, 1, 0.55, (double)NAN}},
        {"eleven: the tenth", 11, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2},
         {NULL, 11, 0.5, 0.5, 0.9, 1, 0.5, (double)NAN}},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct score_case *cases = cases_of(arena, rows[i].measured, rows[i].predicted, rows[i].count);
        const struct score_errors both[] = {score_time(arena, cases, rows[i].count, NULL, NULL),
                                            score_memory(arena, cases, rows[i].count, NULL, NULL)};
        for (size_t k = 0; k < 2; k++) {
            const struct score_errors *e = &both[k], *x = &rows[i].expected;
            cr_expect_eq(e->rows, x->rows, "%s: %d rows", rows[i].name, (int)e->rows);
            cr_expect(near(e->mape, x->mape), "%s: mape %g", rows[i].name, e->mape);
            cr_expect(near(e->median_ape, x->median_ape), "%s: median %g", rows[i].name, e->median_ape);
            cr_expect(near(e->p90_ape, x->p90_ape), "%s: 90 %% %g", rows[i].name, e->p90_ape);
            cr_expect(near(e->max_ape, x->max_ape), "%s: max %g", rows[i].name, e->max_ape);
            cr_expect(near(e->bias, x->bias), "%s: bias %g", rows[i].name, e->bias);
            cr_expect(near(e->spearman, x->spearman), "%s: spearman %g", rows[i].name, e->spearman);
        }
    }
    arena_close(arena);
}

static bool below(const struct score_case *c, const void *context) {
    return c->measured_s < *(const double *)context;
}

/* Refused cases, those without a time, those not meant for time, and those not wanted are left out. */
Test(score, selection) {
    struct arena *arena = support_arena();
    struct score_case *cases = cases_of(arena, (double[]){1, 2, 3, 4, 5}, (double[]){2, 2, 2, 2, 2}, 5);
    cases[1].refusal = "no";
    cases[2].timed = false;
    cases[3].measured_bytes = 0;
    double limit = 4.5;
    cr_expect_eq(score_time(arena, cases, 5, NULL, NULL).rows, 3);
    cr_expect_eq(score_time(arena, cases, 5, below, &limit).rows, 2);
    cr_expect_eq(score_memory(arena, cases, 5, NULL, NULL).rows, 3);
    cr_expect_eq(score_memory(arena, cases, 5, below, &limit).rows, 2);
    struct score_errors none = score_time(arena, cases, 0, NULL, NULL);
    cr_expect(none.rows == 0 && isnan(none.spearman));
    arena_close(arena);
}

/* Published rates: seconds = tokens * FLOPs a token / (rate * devices), by the framework's way to count. */
Test(score, implied_seconds) {
    static const struct {
        const char *changes;
        enum flops_convention convention;
        double factor, rate; /* FLOP/s of a device */
    } rows[] = {
        {"source=Narayanan|measured_tflops_per_gpu=140|flops_kind=model", FLOPS_FULL, 1, 140e12},
        {"source=Narayanan|measured_tflops_per_gpu=140|flops_kind=hardware", FLOPS_FULL, 1, 140e12},
        {"source=Narayanan|measured_tflops_per_gpu=140|flops_kind=hardware|recompute=full", FLOPS_FULL, 4.0 / 3, 140e12},
        {"source=Narayanan|measured_tflops_per_gpu=140|flops_kind=model|recompute=full", FLOPS_FULL, 1, 140e12},
        {"source=Megatron-Bridge|measured_tflops_per_gpu=400", FLOPS_MEGATRON, 1, 400e12},
        {"source=llm-foundry|measured_mfu=0.5", FLOPS_FULL, 1, 0.5 * 989.4e12},
        {"source=llm-foundry|measured_mfu=0.5|precision=fp8", FLOPS_FULL, 1, 0.5 * 1979e12},
        {"source=llm-foundry|measured_mfu=0.5|precision=fp8|device=a100-sxm-80g", FLOPS_FULL, 1, 0.5 * 312e12},
        {"source=llm-foundry|measured_mfu=0.5|measured_tflops_per_gpu=300", FLOPS_FULL, 1, 300e12},
    };
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *changes = arena_format(arena, "measured_iter_s=|%s", rows[i].changes);
        const struct corpus_case *c = case_good(arena, loader, changes);
        struct score_case score;
        score_case_make(arena, c, &score);
        cr_assert(score.refusal == NULL, "%s: %s", changes, score.refusal);
        double flops = 32 * 2048 * count_flops_per_token(&c->model, 2048, rows[i].convention, false);
        double expected = rows[i].factor * flops / (rows[i].rate * 16);
        cr_expect(near(score.measured_s, expected), "%s: %g s, not %g", changes, score.measured_s, expected);
        cr_expect(score.timed && near(score.ape, fabs(score.predicted_s / expected - 1)), "%s", changes);
    }
    arena_close(arena);
}

/* A time given counts before any rate; without one there is nothing to compare. */
Test(score, times) {
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    struct score_case score;
    score_case_make(arena, case_good(arena, loader, "measured_tflops_per_gpu=1|measured_mfu=0.1"), &score);
    cr_expect(near(score.measured_s, 0.5) && score.timed);
    score_case_make(arena, case_good(arena, loader, "measured_iter_s="), &score);
    cr_expect(score.measured_s <= 0 && isnan(score.ape) && !score.timed && score.predicted_s > 0);
    cr_expect(isnan(score.memory_ape) && score.measured_bytes <= 0);
    score_case_make(arena, case_good(arena, loader, "use=memory"), &score);
    cr_expect(!score.timed && near(score.measured_s, 0.5));
    score_case_make(arena, case_make(arena, loader, "device="), &score);
    cr_expect_str_eq(score.refusal, "device is not stated");
    cr_expect(isnan(score.ape) && !score.timed);
    arena_close(arena);
}

/* What no rule of the cost model allows is refused with the rule. */
Test(score, rules) {
    static const struct {
        const char *changes, *reason;
    } rows[] = {
        {"dp=2", "world: tp * pp * cp * dp must be the number of devices"},
        {"global_batch=30", "batch: dp * micro_batch must divide global_batch"},
        {"heads=15|hidden=960", "tp-heads: tp must divide num_attention_heads"},
        {"pp=8|dp=1|layers=4", "stage-cut: the layers cannot be cut into pp * vpp stages this way (more chunks than layers)"},
        {"vocab_parallel=vocab-1|pp=1|dp=8", "vocabulary: a vocabulary spread over stages needs pp > 1"},
        {"ep=2", "ep-experts: ep must divide num_experts (and be 1 without experts)"},
    };
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct score_case score;
        score_case_make(arena, case_good(arena, loader, rows[i].changes), &score);
        cr_assert(score.refusal != NULL, "%s: priced", rows[i].changes);
        cr_expect_str_eq(score.refusal, rows[i].reason, "%s: %s", rows[i].changes, score.refusal);
    }
    arena_close(arena);
}

/* Allocated is what the framework holds, reserved adds its allocator's slack, device the context and the collective
 * library. The last stage holds fewer micro-batches than the first, which peaks. */
Test(score, memory_kinds) {
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    double bytes[MEMORY_KINDS];
    for (int kind = 0; kind < MEMORY_KINDS; kind++) {
        struct score_case score;
        const char *changes = arena_format(arena, "measured_peak_mem_gib=4|memory_kind=%s", memory_kind_names[kind]);
        const struct corpus_case *c = case_good(arena, loader, changes);
        score_case_make(arena, c, &score);
        bytes[kind] = score.predicted_bytes;
        cr_expect(near(score.measured_bytes, 4 * 0x1p30));
        cr_expect(near(score.memory_ape, fabs(score.predicted_bytes / score.measured_bytes - 1)), "%s", changes);
        double nccl;
        struct cost_context context = cost_context_make(&c->model, &c->topology, &c->job);
        struct estimate e = cost_estimate(arena, &context, &c->decision, &nccl);
        const struct memory_parts *m = &e.memory.parts;
        double allocated = m->weights + m->gradients + m->optimizer + m->activations + m->logits + m->communication -
                           nccl;
        double expected = kind == MEMORY_ALLOCATED  ? allocated
                          : kind == MEMORY_RESERVED ? allocated + m->allocator
                                                    : e.memory.peak;
        cr_expect(near(bytes[kind], expected), "%s: %g, not %g", changes, bytes[kind], expected);
    }
    cr_expect(bytes[MEMORY_ALLOCATED] <= bytes[MEMORY_RESERVED] && bytes[MEMORY_RESERVED] < bytes[MEMORY_DEVICE]);
    struct score_case first, last;
#define DEEP "measured_peak_mem_gib=4|pp=8|dp=1|vocab=1000|memory_rank="
    score_case_make(arena, case_good(arena, loader, DEEP "peak"), &first);
    score_case_make(arena, case_good(arena, loader, DEEP "last"), &last);
    cr_expect(last.predicted_bytes < 0.9 * first.predicted_bytes, "%g of %g", last.predicted_bytes,
              first.predicted_bytes);
    arena_close(arena);
}

/* The same row gives the same numbers, bit for bit. */
Test(score, repeats) {
    struct arena *arena = support_arena();
    struct score_case scores[2];
    for (int i = 0; i < 2; i++) {
        score_case_make(arena, case_good(arena, loader_open(arena), "measured_peak_mem_gib=4"), &scores[i]);
    }
    cr_expect(memcmp(&scores[0].predicted_s, &scores[1].predicted_s, sizeof(double)) == 0);
    cr_expect(memcmp(&scores[0].predicted_bytes, &scores[1].predicted_bytes, sizeof(double)) == 0);
    arena_close(arena);
}

/* Summaries and priced cases leave nothing behind in the arena: a corpus has thousands. */
Test(score, memory_is_given_back) {
    struct arena *arena = support_arena();
    const struct corpus_case *c = case_good(arena, loader_open(arena), "measured_peak_mem_gib=4|memory_rank=last");
    struct score_case *cases = cases_of(arena, (double[]){1, 2}, (double[]){2, 2}, 2);
    size_t before = 0;
    for (int i = 0; i < 2000; i++) {
        struct score_case score;
        score_case_make(arena, c, &score);
        (void)score_time(arena, cases, 2, NULL, NULL);
        before = i == 0 ? arena_footprint(arena) : before;
    }
    cr_expect_eq(arena_footprint(arena), before, "%zu bytes after one, %zu after 2000", before, arena_footprint(arena));
    arena_close(arena);
}
