/* Plans whose programs are broken and must be found so. */
#ifndef PARPLAN_TESTS_PROGRAM_CHECK_PLANS_H
#define PARPLAN_TESTS_PROGRAM_CHECK_PLANS_H

#include "broken.h"

static const struct wish plain = {.job = "", .parallel = {.tp = 2, .pp = 2, .dp = 2, .sp = true, .zero = 1},
                                  .micro_batches = 4, .schedule = SCHEDULE_1F1B};
static const struct wish tied = {.model = DENSE "tie_word_embeddings: true\n",
                                 .parallel = {.pp = 2, .dp = 2},
                                 .micro_batches = 4,
                                 .schedule = SCHEDULE_GPIPE};
static const struct wish split = {.parallel = {.pp = 2}, .micro_batches = 4, .schedule = SCHEDULE_ZB_H1};
static const struct wish two_way = {.parallel = {.pp = 4}, .micro_batches = 8, .schedule = SCHEDULE_DUALPIPE};
static const struct wish spread = {.job = "vocab_parallel: true\n", .parallel = {.pp = 2}, .micro_batches = 4,
                                   .schedule = SCHEDULE_1F1B};
static const struct wish skipping = {.parallel = {.pp = 4}, .micro_batches = 4, .schedule = SCHEDULE_SKIPPIPE};

#endif
