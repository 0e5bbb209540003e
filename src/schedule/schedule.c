/* The table of schedules, and what holds for all of them: price and lower bound. */
#include "schedule/schedule.h"

#include <stddef.h>
#include <string.h>

#include "schedule/rule.h"
#include "schedule/spot.h"

const struct schedule *const schedules[] = {
    [SCHEDULE_NONE] = &schedule_none,
    [SCHEDULE_GPIPE] = &schedule_gpipe,
    [SCHEDULE_1F1B] = &schedule_1f1b,
    [SCHEDULE_INTERLEAVED] = &schedule_interleaved,
    [SCHEDULE_ZB_H1] = &schedule_zb_h1,
    [SCHEDULE_ZB_H2] = &schedule_zb_h2,
    [SCHEDULE_ZB_V] = &schedule_zb_v,
    [SCHEDULE_DUALPIPE] = &schedule_dualpipe,
    [SCHEDULE_DUALPIPEV] = &schedule_dualpipev,
    [SCHEDULE_GPIPE_FIFO] = &schedule_gpipe_fifo,
    [SCHEDULE_EAGER_1F1B] = &schedule_eager_1f1b,
    [SCHEDULE_INTERLEAVED_ZB] = &schedule_interleaved_zb,
    [SCHEDULE_CHIMERA] = &schedule_chimera,
    [SCHEDULE_WAVE] = &schedule_wave,
    [SCHEDULE_PIPEDREAM] = &schedule_pipedream,
    [SCHEDULE_PIPEDREAM_2BW] = &schedule_pipedream_2bw,
    [SCHEDULE_PACI] = &schedule_paci,
    [SCHEDULE_ROUNDPIPE] = &schedule_roundpipe,
    [SCHEDULE_SKIPPIPE] = &schedule_skippipe,
    [SCHEDULE_V_HALF] = &schedule_v_half,
    [SCHEDULE_V_MIN] = &schedule_v_min,
    [SCHEDULE_1F1B_V] = &schedule_1f1b_v,
    [SCHEDULE_ZB_AUTO] = &schedule_zb_auto,
    [SCHEDULE_ZB_V_AUTO] = &schedule_zb_v_auto,
    [SCHEDULE_VOCAB_1] = &schedule_vocab_1,
    [SCHEDULE_VOCAB_2] = &schedule_vocab_2,
    [SCHEDULE_COUNT] = NULL,
};

const char *const schedule_names[] = {
    [SCHEDULE_NONE] = "none",
    [SCHEDULE_GPIPE] = "gpipe",
    [SCHEDULE_1F1B] = "1f1b",
    [SCHEDULE_INTERLEAVED] = "interleaved",
    [SCHEDULE_ZB_H1] = "zb-h1",
    [SCHEDULE_ZB_H2] = "zb-h2",
    [SCHEDULE_ZB_V] = "zb-v",
    [SCHEDULE_DUALPIPE] = "dualpipe",
    [SCHEDULE_DUALPIPEV] = "dualpipev",
    [SCHEDULE_GPIPE_FIFO] = "gpipe-fifo",
    [SCHEDULE_EAGER_1F1B] = "eager-1f1b",
    [SCHEDULE_INTERLEAVED_ZB] = "interleaved-zb",
    [SCHEDULE_CHIMERA] = "chimera",
    [SCHEDULE_WAVE] = "wave",
    [SCHEDULE_PIPEDREAM] = "pipedream",
    [SCHEDULE_PIPEDREAM_2BW] = "pipedream-2bw",
    [SCHEDULE_PACI] = "paci",
    [SCHEDULE_ROUNDPIPE] = "roundpipe",
    [SCHEDULE_SKIPPIPE] = "skippipe",
    [SCHEDULE_V_HALF] = "v-half",
    [SCHEDULE_V_MIN] = "v-min",
    [SCHEDULE_1F1B_V] = "1f1b-v",
    [SCHEDULE_ZB_AUTO] = "zb-auto",
    [SCHEDULE_ZB_V_AUTO] = "zb-v-auto",
    [SCHEDULE_VOCAB_1] = "vocab-1",
    [SCHEDULE_VOCAB_2] = "vocab-2",
    [SCHEDULE_COUNT] = NULL,
};

const struct schedule *schedule_find(const char *name) {
    for (size_t i = 0; schedules[i] != NULL; i++) {
        if (strcmp(schedules[i]->name, name) == 0) {
            return schedules[i];
        }
    }
    return NULL;
}

const char *rule_refuse(const struct schedule_shape *shape, int64_t chunks) {
    if (shape->ranks < 2) {
        return "a pipeline schedule needs at least 2 ranks";
    }
    if (shape->chunks != chunks) {
        return chunks == 1 ? "holds exactly 1 chunk a rank" : "holds exactly 2 chunks a rank";
    }
    return shape->micro_batches < 1 ? "needs at least one micro-batch" : NULL;
}

/* Way through all ranks and back once, beside what the rank itself does: what unequal ranks change where a schedule
 * has no paths of its own. */
static double usual_path(const struct schedule_shape *shape, const struct pipeline_load *load,
                         const struct spot *spot) {
    double passes = (double)(shape->micro_batches * shape->chunks);
    double others = pass_chain(&load->total) - pass_chain(spot->own);
    return passes * pass_full(spot->own) + others + 2 * (double)(load->ranks - 1) * load->hop;
}

static double usual_length(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return longest_path(shape, load, usual_path);
}

double schedule_price(const struct schedule *schedule, const struct schedule_shape *shape,
                      const struct pipeline_load *load) {
    double price = schedule->step != NULL ? schedule->step(shape, load)
                                          : corrected_path(shape, load, schedule->makespan, usual_length);
    return schedule->skips ? price : larger(price, schedule_bound_unequal(shape, load, schedule->pairs));
}

double schedule_step(const struct schedule *schedule, const struct schedule_shape *shape,
                     const struct pass_times *per_rank, double hop) {
    struct pipeline_load load;
    load_gather(&load, per_rank, shape->ranks, hop);
    return schedule_price(schedule, shape, &load);
}

/* An overlapped pair is the cheapest way to run a forward and a backward. */
static double work_of(const struct schedule_shape *shape, const struct pass_times *times, bool pairs) {
    double full = pass_full(times);
    return (double)(shape->micro_batches * shape->chunks) * (pairs ? smaller(full, pass_pair(times)) : full);
}

/* The rank in the middle has the longest way from the nearer end. */
double schedule_bound(const struct schedule_shape *shape, const struct pass_times *times, bool pairs) {
    int64_t others = shape->ranks - 1;
    double reached = (double)(others / 2) * (times->forward + times->hop);
    double stages = (double)(shape->ranks * shape->chunks);
    double crossing = stages * (times->forward + times->backward) + times->weight + 2 * (double)others * times->hop;
    return larger(reached + work_of(shape, times, pairs), crossing);
}

/* Means over chunks say nothing about the first chunk alone: on the way to the heaviest only latency is sure. */
double schedule_bound_unequal(const struct schedule_shape *shape, const struct pipeline_load *load, bool pairs) {
    int64_t others = shape->ranks - 1;
    double reached = (double)fewer(load->heaviest_rank, others - load->heaviest_rank) * load->hop;
    double crossing =
        (double)shape->chunks * (load->total.forward + load->total.backward) + 2 * (double)others * load->hop;
    return larger(reached + work_of(shape, &load->heaviest, pairs), crossing);
}
