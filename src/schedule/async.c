/* What PipeDream, PipeDream-2BW and PACI share: 1F1B's order, run on without draining. */
#include "schedule/async.h"

#include "schedule/rule.h"

int64_t async_delay(const struct schedule_shape *shape, int64_t rank) {
    return shape->ranks - 1 - rank;
}

int64_t async_newest(const struct schedule_shape *shape, int64_t rank, int64_t j, int64_t accumulate, bool backward) {
    int64_t done = backward ? j : j - async_delay(shape, rank);
    return done > 0 ? done / accumulate : 0;
}

int64_t async_crossed(const struct schedule_shape *shape, int64_t rank, int64_t j, int64_t accumulate) {
    return async_newest(shape, rank, j, accumulate, true) - async_newest(shape, rank, j, accumulate, false);
}

double async_period(const struct schedule_shape *shape, const struct pipeline_load *load) {
    double p = (double)shape->ranks;
    double trip = (pass_full(&load->total) + 2 * (p - 1) * load->hop) / p;
    return (double)shape->micro_batches * larger(pass_full(&load->heaviest), trip);
}

const char *async_refuse(const struct schedule_shape *shape) {
    return rule_refuse(shape, 1);
}

double async_makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    return schedule_1f1b.makespan(shape, times);
}

double async_step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return schedule_1f1b.step(shape, load);
}

double async_in_flight(const struct schedule_shape *shape, int64_t rank) {
    return schedule_1f1b.in_flight(shape, rank);
}

void async_generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    schedule_1f1b.generate(shape, rank, list);
}
