/* The order that DualPipe and DualPipeV share: micro-batches of two phases meet on every rank and run as overlapped
 * pairs (DeepSeek-V3 report, arXiv 2412.19437; deepseek-ai/DualPipe). */
#ifndef PARPLAN_SCHEDULE_DUAL_H
#define PARPLAN_SCHEDULE_DUAL_H

#include "schedule/order.h"

/* One rank. Phase 0 is the one whose micro-batches reach the rank first; `depth` 0 is the rank where they enter,
 * `half` - 1 the one where both phases are neighbours. */
struct dual_row {
    int64_t depth, half, micro_batches; /* micro-batches of each phase */
    int32_t stage[2], way[2];           /* of each phase */
};

void dual_generate(const struct dual_row *row, struct pass_list *list);

#endif
