/* Predictions of a corpus of measurements, and how far off they are. */
#ifndef PARPLAN_PORT_SCORE_H
#define PARPLAN_PORT_SCORE_H

#include "cost/context.h"
#include "cost/estimate.h"
#include "port/corpus.h"

struct score_case {
    const struct corpus_case *input;
    const char *refusal;   /* NULL when priced */
    double measured_s, predicted_s, ape; /* ape NaN when there is no time to compare */
    double measured_bytes, predicted_bytes, memory_ape;
    bool specified, timed;
};

/* Errors of one group of cases; ratios, not per cent. */
struct score_errors {
    const char *name;
    int64_t rows;          /* compared */
    double mape, median_ape, p90_ape, max_ape, bias, spearman;
};

/* Prices one case: times as measured, converted where only FLOP/s are given (hardware: with recomputation; attention in
 * full, as those publications count). */
void score_case_make(struct arena *arena, const struct corpus_case *input, struct score_case *ret);

/* Errors in time over the cases that `wanted` selects (NULL = all); rank correlation of predicted and measured. */
typedef bool score_filter(const struct score_case *c, const void *context);
struct score_errors score_time(struct arena *arena, const struct score_case *cases, size_t count,
                               score_filter *wanted, const void *context);
struct score_errors score_memory(struct arena *arena, const struct score_case *cases, size_t count,
                                 score_filter *wanted, const void *context);

#endif
