/* Time of DualPipe and DualPipeV: the closed form of equal ranks and the critical path through one of unequal ranks. */
#include "schedule/dual.h"
#include "schedule/rule.h"
#include "schedule/spot.h"

double dual_makespan(double passes, double k, double hops, double turns, const struct pass_times *times) {
    double c = times->hop;
    double singles = 3 * pass_full(times) + k * (3 * times->forward + times->backward + times->weight);
    double late_weight = k * larger(0, times->backward - times->weight + c);
    double backward = larger(0, k * (times->backward - times->forward + turns * c) - times->forward);
    return (passes - 3 - k) * pass_pair(times) + singles + late_weight + backward + hops * c;
}

/* Steps as in dual.c. The rank waits for its first forward of phase 1, its first backward of phase 1 and of phase 0,
 * and the same for the last ones; at the end it stays for late weight gradients or leaves with the last backward. */
double dual_path(const struct dual_spot *spot) {
    const struct pass_times *own = spot->own;
    double q = spot->depth;
    double k = spot->half - 1 - q;
    double full = pass_full(own);
    double own_backward = pass_backward(own);
    double innermost = k > 0 ? 0 : 1;
    double pairs = 2 * (spot->micro_batches - 2 * spot->half + q + 1) + k - innermost;
    double length = spot->outer->forward + pairs * own->pair + (2 * spot->micro_batches - pairs) * full;
    length += idle(2 * spot->inner->forward, 2 * k * own->forward);
    length += idle(pass_chain(spot->outer), (2 * q + innermost) * own->forward);
    if (k > 0) {
        double first = spot->inner->backward + spot->innermost_weight + spot->inner->pair;
        length += idle(first, k * full - own->backward + own->pair);
        length += idle(2 * spot->inner->pair, k * (own->pair + own_backward));
    }
    if (q > 0) {
        double last = spot->outer->pair + spot->outer->backward + spot->entry_weight;
        length += idle(last, 2 * q * own->backward + (q + 1) * own->weight);
    }
    length += idle(2 * spot->inner->backward, k * own_backward);
    return length + idle(spot->outer->backward + spot->entry_weight, (q + 1) * own->weight);
}

double dual_latency(double hops, double least, const struct pipeline_load *load) {
    double mean = (load->total.pair - load->heaviest.pair) / (double)(load->ranks - 1);
    double surplus = larger(0, load->heaviest.pair - mean);
    return larger(hops * (load->hop - surplus / 2), least * load->hop);
}
