/* The ranks of a load through which critical paths are tried. */
#include "schedule/spot.h"

static struct pass_times times_less(const struct pass_times *a, const struct pass_times *b) {
    return (struct pass_times){.forward = a->forward - b->forward,
                               .backward = a->backward - b->backward,
                               .weight = a->weight - b->weight,
                               .pair = a->pair - b->pair};
}

static struct pass_times times_part(const struct pass_times *sum, double parts) {
    double part = 1 / parts;
    return (struct pass_times){.forward = sum->forward * part,
                               .backward = sum->backward * part,
                               .weight = sum->weight * part,
                               .pair = sum->pair * part};
}

/* A rank and what lies behind it; what lies before it is the rest of the total. */
static void spot_set(struct spot *spot, const struct pipeline_load *load, int64_t rank, const struct pass_times *own,
                     const struct pass_times *after) {
    spot->before_count = (double)rank;
    spot->after_count = (double)(load->ranks - 1 - rank);
    spot->own = *own;
    spot->after = *after;
    struct pass_times rest = times_less(&load->total, own);
    spot->before = times_less(&rest, after);
}

int load_spots(const struct pipeline_load *load, struct spot spots[SPOT_LIMIT]) {
    const struct pass_times none = {0};
    int64_t last = load->ranks - 1;
    struct pass_times behind_first = times_less(&load->total, &load->first);
    int count = 0;
    spot_set(&spots[count++], load, load->heaviest_rank, &load->heaviest, &load->after);
    if (load->heaviest_rank != 0) {
        spot_set(&spots[count++], load, 0, &load->first, &behind_first);
    }
    if (load->heaviest_rank != last) {
        spot_set(&spots[count++], load, last, &load->last, &none);
    }
    if (load->ranks > 2) {
        struct pass_times inner = times_less(&behind_first, &load->last);
        struct pass_times mean = times_part(&inner, (double)(load->ranks - 2));
        spot_set(&spots[count++], load, last - 1, &mean, &load->last);
    }
    return count;
}

double longest_path(const struct schedule_shape *shape, const struct pipeline_load *load, path_through *path) {
    struct spot spots[SPOT_LIMIT];
    int count = load_spots(load, spots);
    double longest = 0;
    for (int i = 0; i < count; i++) {
        double length = path(shape, load, &spots[i]);
        longest = length > longest ? length : longest;
    }
    return longest;
}
