/* Layers to RoundPipe's slots: all slots about equally long, so that no device waits. */
#include <string.h>

#include "base/arena.h"
#include "schedule/roundpipe.h"

struct packing {
    int64_t layers;
    const double *forward, *backward, *bytes;
    double room, length; /* of a slot */
};

static bool fits(const struct packing *p, double seconds, double bytes) {
    return seconds <= p->length * (1 + 1e-12) && bytes <= p->room;
}

/* Packs layers end - 1, end - 2 ... 0 into slots of `times`, in the order of backward or, seen from the end, of
 * forward; returns the number of slots. The first slot may begin with `seconds` in it already. */
static int64_t pack(const struct packing *p, const double *times, int64_t end, int64_t *ret_layers) {
    int64_t slots = 0;
    double seconds = 0, bytes = 0;
    for (int64_t layer = end - 1; layer >= 0; layer--) {
        bool more = slots > 0 && fits(p, seconds + times[layer], bytes + p->bytes[layer]);
        if (!more) {
            ret_layers[slots++] = 0;
            seconds = bytes = 0;
        }
        ret_layers[slots - 1]++;
        seconds += times[layer];
        bytes += p->bytes[layer];
    }
    return slots;
}

/* Layers of the fused slot: as many of the last as fit with forward (in their backward's time) and backward. */
static int64_t fused(const struct packing *p) {
    int64_t layers = 0;
    double seconds = 0, bytes = 0;
    while (layers < p->layers) {
        int64_t layer = p->layers - 1 - layers;
        seconds += p->backward[layer];
        bytes += p->bytes[layer];
        if (layers > 0 && !fits(p, seconds, bytes)) {
            break;
        }
        layers++;
    }
    return layers;
}

static void reverse(int64_t *items, int64_t count) {
    for (int64_t i = 0; i < count / 2; i++) {
        int64_t other = items[i];
        items[i] = items[count - 1 - i];
        items[count - 1 - i] = other;
    }
}

static void try_length(const struct packing *p, int64_t *forward_layers, int64_t *backward_layers,
                       struct roundpipe_cut *ret) {
    int64_t last = fused(p);
    backward_layers[0] = last;
    int64_t back = pack(p, p->backward, p->layers - last, backward_layers + 1);
    ret->forward = pack(p, p->forward, p->layers - last, forward_layers);
    reverse(forward_layers, ret->forward);
    ret->slots = ret->forward + 1 + back;
    ret->slot = p->length;
}

static double longest_layer(const struct packing *p) {
    double longest = 0;
    for (int64_t i = 0; i < p->layers; i++) {
        longest = p->forward[i] > longest ? p->forward[i] : longest;
        longest = p->backward[i] > longest ? p->backward[i] : longest;
    }
    return longest;
}

struct tries {
    struct packing packing;
    int64_t ranks;
    int64_t *forward_layers, *backward_layers; /* scratch */
    int64_t *best_forward, *best_backward;
    double least;
    struct roundpipe_cut best;
};

static void try_sum(struct tries *t, double length) {
    struct roundpipe_cut cut;
    size_t size = ((size_t)t->packing.layers + 1) * sizeof *t->forward_layers;
    t->packing.length = length;
    try_length(&t->packing, t->forward_layers, t->backward_layers, &cut);
    double cost = (double)(cut.slots > t->ranks ? cut.slots : t->ranks) * length;
    if (cost < t->least) {
        t->least = cost;
        t->best = cut;
        memcpy(t->best_forward, t->forward_layers, size);
        memcpy(t->best_backward, t->backward_layers, size);
    }
}

static void try_sums(struct tries *t, const double *times, double longest) {
    for (int64_t from = 0; from < t->packing.layers; from++) {
        double sum = 0;
        for (int64_t to = from; to < t->packing.layers; to++) {
            sum += times[to];
            if (sum >= longest) {
                try_sum(t, sum);
            }
        }
    }
}

bool roundpipe_cut_layers(struct arena *arena, int64_t layers, const double *forward, const double *backward,
                          const double *bytes, double room, int64_t ranks, struct roundpipe_cut *ret) {
    size_t most = (size_t)layers + 1;
    struct tries t = {.packing = {layers, forward, backward, bytes, room, 0},
                      .ranks = ranks,
                      .forward_layers = ARENA_ARRAY(arena, int64_t, most),
                      .backward_layers = ARENA_ARRAY(arena, int64_t, most),
                      .best_forward = ARENA_ARRAY(arena, int64_t, most),
                      .best_backward = ARENA_ARRAY(arena, int64_t, most),
                      .least = 1e300};
    for (int64_t i = 0; i < layers; i++) {
        if (bytes[i] > room) {
            return false;
        }
    }
    double longest = longest_layer(&t.packing);
    try_sums(&t, forward, longest);
    try_sums(&t, backward, longest);
    *ret = t.best;
    ret->forward_layers = t.best_forward;
    ret->backward_layers = t.best_backward;
    return layers > 0;
}
