/* The table of schedules, and what holds for all of them: price and lower bound. */
#include "schedule/schedule.h"

#include <stddef.h>
#include <string.h>

#include "schedule/rule.h"

const struct schedule *const schedules[] = {
    [SCHEDULE_NONE] = &schedule_none,           [SCHEDULE_GPIPE] = &schedule_gpipe,
    [SCHEDULE_1F1B] = &schedule_1f1b,           [SCHEDULE_INTERLEAVED] = &schedule_interleaved,
    [SCHEDULE_ZB_H1] = &schedule_zb_h1,         [SCHEDULE_ZB_H2] = &schedule_zb_h2,
    [SCHEDULE_ZB_V] = &schedule_zb_v,           [SCHEDULE_DUALPIPE] = &schedule_dualpipe,
    [SCHEDULE_DUALPIPEV] = &schedule_dualpipev, [SCHEDULE_COUNT] = NULL,
};

const char *const schedule_names[] = {
    [SCHEDULE_NONE] = "none",           [SCHEDULE_GPIPE] = "gpipe",
    [SCHEDULE_1F1B] = "1f1b",           [SCHEDULE_INTERLEAVED] = "interleaved",
    [SCHEDULE_ZB_H1] = "zb-h1",         [SCHEDULE_ZB_H2] = "zb-h2",
    [SCHEDULE_ZB_V] = "zb-v",           [SCHEDULE_DUALPIPE] = "dualpipe",
    [SCHEDULE_DUALPIPEV] = "dualpipev", [SCHEDULE_COUNT] = NULL,
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

double schedule_price(const struct schedule *schedule, const struct schedule_shape *shape,
                      const struct pipeline_load *load) {
    return larger(schedule->step(shape, load), schedule_bound_unequal(shape, load));
}

double schedule_step(const struct schedule *schedule, const struct schedule_shape *shape,
                     const struct pass_times *per_rank, double hop) {
    struct pipeline_load load;
    load_gather(&load, per_rank, shape->ranks, hop);
    return schedule_price(schedule, shape, &load);
}

/* An overlapped pair is the cheapest way to run a forward and a backward. */
static double work_of(const struct schedule_shape *shape, const struct pass_times *times) {
    return (double)(shape->micro_batches * shape->chunks) * smaller(pass_full(times), pass_pair(times));
}

/* The rank in the middle has the longest way from the nearer end. */
double schedule_bound(const struct schedule_shape *shape, const struct pass_times *times) {
    int64_t others = shape->ranks - 1;
    double reached = (double)(others / 2) * (times->forward + times->hop);
    double stages = (double)(shape->ranks * shape->chunks);
    double crossing = stages * (times->forward + times->backward) + times->weight + 2 * (double)others * times->hop;
    return larger(reached + work_of(shape, times), crossing);
}

/* Means over chunks say nothing about the first chunk alone: on the way to the heaviest only latency is sure. */
double schedule_bound_unequal(const struct schedule_shape *shape, const struct pipeline_load *load) {
    int64_t others = shape->ranks - 1;
    double reached = (double)fewer(load->heaviest_rank, others - load->heaviest_rank) * load->hop;
    double crossing =
        (double)shape->chunks * (load->total.forward + load->total.backward) + 2 * (double)others * load->hop;
    return larger(reached + work_of(shape, &load->heaviest), crossing);
}
