/* What the files of the single schedules share: the table's entries, legality rules, lower and upper limits. */
#ifndef PARPLAN_SCHEDULE_RULE_H
#define PARPLAN_SCHEDULE_RULE_H

#include "schedule/schedule.h"

extern const struct schedule schedule_none, schedule_gpipe, schedule_1f1b, schedule_interleaved, schedule_zb_h1,
    schedule_zb_h2, schedule_zb_v, schedule_dualpipe, schedule_dualpipev, schedule_gpipe_fifo, schedule_eager_1f1b,
    schedule_interleaved_zb, schedule_chimera, schedule_wave,
    schedule_pipedream, schedule_pipedream_2bw, schedule_paci, schedule_roundpipe, schedule_skippipe,
    schedule_v_half, schedule_v_min, schedule_1f1b_v, schedule_vocab_1, schedule_vocab_2,
    schedule_zb_auto, schedule_zb_v_auto;

/* NULL if the shape has two ranks or more, a micro-batch and exactly `chunks` chunks a rank. */
const char *rule_refuse(const struct schedule_shape *shape, int64_t chunks);

static inline double larger(double a, double b) {
    return a > b ? a : b;
}

static inline double smaller(double a, double b) {
    return a < b ? a : b;
}

static inline int64_t fewer(int64_t a, int64_t b) {
    return a < b ? a : b;
}

#endif
