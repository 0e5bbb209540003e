/* The ranks of a load through which critical paths are tried. */
#include "schedule/spot.h"

#include "schedule/rule.h"

static struct pass_times times_less(const struct pass_times *a, const struct pass_times *b) {
    return (struct pass_times){.forward = a->forward - b->forward,
                               .backward = a->backward - b->backward,
                               .weight = a->weight - b->weight,
                               .pair = a->pair - b->pair};
}

/* The path through a rank; what lies before it is what `own` and `after` leave of the total. */
static double through(const struct schedule_shape *shape, const struct pipeline_load *load, path_through *path,
                      int64_t rank, const struct pass_times *own, const struct pass_times *after) {
    struct spot spot = {
        .before_count = (double)rank, .after_count = (double)(load->ranks - 1 - rank), .own = own, .after = after};
    spot.before.forward = load->total.forward - own->forward - after->forward;
    spot.before.backward = load->total.backward - own->backward - after->backward;
    spot.before.weight = load->total.weight - own->weight - after->weight;
    spot.before.pair = load->total.pair - own->pair - after->pair;
    return path(shape, load, &spot);
}

double longest_path(const struct schedule_shape *shape, const struct pipeline_load *load, path_through *path) {
    int64_t last = load->ranks - 1;
    int64_t heaviest = load->heaviest_rank;
    struct pass_times behind = times_less(&load->total, &load->first);
    double longest = through(shape, load, path, heaviest, &load->heaviest, &load->after);
    if (heaviest != 0) {
        longest = larger(longest, through(shape, load, path, 0, &load->first, &behind));
    }
    if (heaviest != last) {
        const struct pass_times nothing = {0};
        longest = larger(longest, through(shape, load, path, last, &load->last, &nothing));
    }
    if (last > 1 && heaviest != last - 1) {
        struct pass_times inner = times_less(&behind, &load->last);
        double part = 1 / (double)(last - 1);
        struct pass_times mean = {.forward = inner.forward * part,
                                  .backward = inner.backward * part,
                                  .weight = inner.weight * part,
                                  .pair = inner.pair * part};
        longest = larger(longest, through(shape, load, path, last - 1, &mean, &load->last));
    }
    return longest;
}

static double corrected_once(const struct schedule_shape *shape, const struct pipeline_load *load,
                             closed_form *makespan, path_length *length) {
    struct pass_times heaviest = load->heaviest;
    heaviest.hop = load->hop;
    struct pipeline_load equal;
    load_uniform(&equal, &heaviest, load->ranks);
    return makespan(shape, &heaviest) + length(shape, load) - length(shape, &equal);
}

/* Without messages, and with messages that block: no order is faster than the one or slower than the other, for every
 * pass starts no earlier and no later. In short runs the difference may fall with latency. */
static double within_limits(const struct schedule_shape *shape, const struct pipeline_load *load, closed_form *makespan,
                            path_length *length, double price) {
    struct pipeline_load other = *load;
    load_block(&other);
    price = smaller(price, corrected_once(shape, &other, makespan, length));
    if (shape->micro_batches < 2 * shape->ranks) {
        other = *load;
        other.hop = 0;
        price = larger(price, corrected_once(shape, &other, makespan, length));
    }
    return price;
}

double corrected_path(const struct schedule_shape *shape, const struct pipeline_load *load, closed_form *makespan,
                      path_length *length) {
    if (load->equal) {
        struct pass_times times = load->heaviest;
        times.hop = load->hop;
        return makespan(shape, &times);
    }
    double price = corrected_once(shape, load, makespan, length);
    return load->hop > 0 ? within_limits(shape, load, makespan, length, price) : price;
}

double mean_rank_step(const struct schedule_shape *shape, const struct pipeline_load *load, closed_form *makespan,
                      double part) {
    double share = 1 / (double)load->ranks;
    struct pass_times mean = {.forward = load->total.forward * share,
                              .backward = load->total.backward * share,
                              .weight = load->total.weight * share,
                              .pair = load->total.pair * share,
                              .hop = load->hop};
    double surplus = (double)(shape->micro_batches * shape->chunks) * (pass_full(&load->heaviest) - pass_full(&mean));
    return makespan(shape, &mean) + part * surplus;
}
