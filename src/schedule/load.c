/* The condensed load of a pipeline: one pass over the ranks, or constant time where ranks are known to be alike. */
#include "schedule/load.h"

static struct pass_times times_scaled(const struct pass_times *times, double factor) {
    return (struct pass_times){.forward = times->forward * factor,
                               .backward = times->backward * factor,
                               .weight = times->weight * factor,
                               .pair = times->pair * factor};
}

static void times_add(struct pass_times *sum, const struct pass_times *times) {
    sum->forward += times->forward;
    sum->backward += times->backward;
    sum->weight += times->weight;
    sum->pair += times->pair;
}

static struct pass_times times_normal(const struct pass_times *times) {
    struct pass_times normal = *times;
    normal.pair = pass_pair(times);
    normal.hop = 0;
    return normal;
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

static bool differs(double a, double b) {
    return a < b || b < a;
}

static bool times_alike(const struct pass_times *a, const struct pass_times *b) {
    return !(differs(a->forward, b->forward) || differs(a->backward, b->backward) || differs(a->weight, b->weight) ||
             differs(a->pair, b->pair));
}

static struct pass_times sum_of(const struct pass_times *per_rank, int64_t begin, int64_t end) {
    struct pass_times sum = {0};
    for (int64_t i = begin; i < end; i++) {
        sum.forward += per_rank[i].forward;
        sum.backward += per_rank[i].backward;
        sum.weight += per_rank[i].weight;
        sum.pair += pass_pair(&per_rank[i]);
    }
    return sum;
}

static void times_block(struct pass_times *times, double ranks, double hop) {
    times->forward += ranks * hop;
    times->backward += ranks * hop;
    times->pair += 2 * ranks * hop;
}

void load_block(struct pipeline_load *load) {
    double hop = load->hop;
    times_block(&load->total, (double)load->ranks, hop);
    times_block(&load->heaviest, 1, hop);
    times_block(&load->after, (double)(load->ranks - 1 - load->heaviest_rank), hop);
    times_block(&load->first, 1, hop);
    times_block(&load->last, 1, hop);
    load->most_forward += hop;
    load->most_backward += hop;
    load->hop = 0;
}

void load_gather(struct pipeline_load *load, const struct pass_times *per_rank, int64_t ranks, double hop) {
    int64_t heaviest = 0;
    double most = 0;
    double most_forward = 0;
    double most_backward = 0;
    bool equal = true;
    for (int64_t i = 0; i < ranks; i++) {
        double forward = per_rank[i].forward;
        double backward = pass_backward(&per_rank[i]);
        equal = equal && times_alike(&per_rank[i], &per_rank[0]);
        heaviest = forward + backward >= most ? i : heaviest;
        most = larger(most, forward + backward);
        most_forward = larger(most_forward, forward);
        most_backward = larger(most_backward, backward);
    }
    *load = (struct pipeline_load){.total = sum_of(per_rank, 0, heaviest + 1),
                                   .heaviest = times_normal(&per_rank[heaviest]),
                                   .after = sum_of(per_rank, heaviest + 1, ranks),
                                   .first = times_normal(&per_rank[0]),
                                   .last = times_normal(&per_rank[ranks - 1]),
                                   .most_forward = most_forward,
                                   .most_backward = most_backward,
                                   .hop = hop,
                                   .ranks = ranks,
                                   .heaviest_rank = heaviest,
                                   .equal = equal};
    times_add(&load->total, &load->after);
}

void load_uniform(struct pipeline_load *load, const struct pass_times *times, int64_t ranks) {
    struct pass_times one = times_normal(times);
    *load = (struct pipeline_load){.total = times_scaled(&one, (double)ranks),
                                   .heaviest = one,
                                   .first = one,
                                   .last = one,
                                   .most_forward = one.forward,
                                   .most_backward = pass_backward(&one),
                                   .hop = times->hop,
                                   .ranks = ranks,
                                   .heaviest_rank = ranks - 1,
                                   .equal = true};
}

/* The heaviest is the last of equals, as load_gather finds it. */
void load_ends(struct pipeline_load *load, const struct pass_times *first, const struct pass_times *body,
               const struct pass_times *last, int64_t ranks, double hop) {
    int64_t inner = ranks - 2;
    struct pass_times of[3] = {times_normal(first), times_normal(body), times_normal(last)};
    struct pass_times bodies = times_scaled(&of[1], (double)inner);
    int heaviest = 0;
    for (int i = 1; i < 3; i++) {
        if ((i != 1 || inner > 0) && pass_full(&of[i]) >= pass_full(&of[heaviest])) {
            heaviest = i;
        }
    }
    *load = (struct pipeline_load){.total = bodies,
                                   .heaviest = of[heaviest],
                                   .first = of[0],
                                   .last = of[2],
                                   .most_forward = larger(of[0].forward, of[2].forward),
                                   .most_backward = larger(pass_backward(&of[0]), pass_backward(&of[2])),
                                   .hop = hop,
                                   .ranks = ranks,
                                   .heaviest_rank = heaviest == 0 ? 0 : ranks - 3 + heaviest};
    times_add(&load->total, &of[0]);
    times_add(&load->total, &of[2]);
    if (inner > 0) {
        load->most_forward = larger(load->most_forward, of[1].forward);
        load->most_backward = larger(load->most_backward, pass_backward(&of[1]));
    }
    if (heaviest < 2) {
        load->after = heaviest == 0 ? bodies : (struct pass_times){0};
        times_add(&load->after, &of[2]);
    }
}
