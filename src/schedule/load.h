/* What the ranks of a pipeline carry, condensed to the few sums that closed forms need, so that one configuration is
 * priced in constant time. All times are per chunk and micro-batch; a rank with several chunks counts with their mean.
 *
 *   rank      0      1     ...    b     ...   p-1
 *           first                heaviest            last
 *           |--------- before ---------||-- after --|     before = total - heaviest - after
 */
#ifndef PARPLAN_SCHEDULE_LOAD_H
#define PARPLAN_SCHEDULE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct schedule_shape {
    int64_t ranks, micro_batches, chunks;
    int64_t group; /* interleaved: micro-batches that pass a chunk before the next chunk's turn; 0 = ranks */
    int64_t skip;  /* skippipe: stages that each micro-batch leaves out; 0 = a quarter of the inner ones */
    int64_t cap;   /* zero-bubble: chunk activations a rank may hold, to the end of the weight gradient; 0 = as ruled */
    const struct pass_times *times; /* what zb-auto and vocab-1 and -2 order for; NULL = as their files say */
};

/* Times in seconds (any one unit) of one chunk and micro-batch. `pair` is an overlapped forward-backward pair
 * (DualPipe); 0 = no overlap, the pair takes what its parts take. */
struct pass_times {
    double forward, backward, weight, pair, hop;
    double shard, shard_end, barrier; /* S and T of a rank, the all-reduce between them: spread vocabulary only */
};

struct pipeline_load {
    struct pass_times total;    /* sums over the ranks */
    struct pass_times heaviest; /* the rank with the most work; of equals the last */
    struct pass_times after;    /* sums over the ranks behind the heaviest */
    struct pass_times first, last;
    double most_forward, most_backward; /* the longest forward, the longest full backward of any rank */
    double hop;
    int64_t ranks, heaviest_rank;
    bool equal; /* known to be: every rank alike */
};

/* Sums in place of `pair` are of the pair as it will run: pass_pair below. */
static inline double pass_full(const struct pass_times *times) {
    return times->forward + times->backward + times->weight;
}

static inline double pass_backward(const struct pass_times *times) {
    return times->backward + times->weight;
}

static inline double pass_pair(const struct pass_times *times) {
    return times->pair > 0 ? times->pair : pass_full(times);
}

/* The same without asynchronous messages: each forward and each input gradient takes a hop longer, and hands on its
 * result at its end. */
void load_block(struct pipeline_load *load);

void load_gather(struct pipeline_load *load, const struct pass_times *per_rank, int64_t ranks, double hop);

/* In constant time: every rank alike (hop from `times`), or all but the first and the last (ranks >= 2). */
void load_uniform(struct pipeline_load *load, const struct pass_times *times, int64_t ranks);
void load_ends(struct pipeline_load *load, const struct pass_times *first, const struct pass_times *body,
               const struct pass_times *last, int64_t ranks, double hop);

#endif
