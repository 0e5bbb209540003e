/* RoundPipe (github.com/ITcarrot/RoundPipe): stages go round the devices, which keep no weights. S = p v stages; slot k
 * of the 2S - 1 of a step goes to rank k mod p and takes all m micro-batches in turn (p = 2, v = 1, m = 3, tD = tF):
 *
 *   rank 0   F0.0 F0.1 F0.2 .... .... .... BW0.0 BW0.1 BW0.2
 *   rank 1   .... F1.0 D1.0 F1.1 D1.1 F1.2 D1.2                  (the fused slot)
 *
 * A stage's backward may run on another rank than its forward; backward times hold the forward that is run again.
 * makespan: the chain of slots in roundpipe.h, exact for equal stages. A rank holds the activations of the micro-batch
 * at hand alone: 1; what passes between slots waits in host memory. */
#include "schedule/roundpipe.h"

#include "schedule/order.h"
#include "schedule/rule.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->ranks > ROUNDPIPE_RANKS) {
        return "roundpipe takes turns of at most 1024 ranks";
    }
    return rule_refuse(shape, shape->chunks > 0 ? shape->chunks : 1);
}

struct chain {
    int64_t ranks, micro_batches, slots;
    double hop, free_at[ROUNDPIPE_RANKS]; /* of each rank */
    double first, last;                   /* when the last slot passes on its first and its last micro-batch */
};

static void chain_add(struct chain *chain, double seconds) {
    double *free_at = &chain->free_at[chain->slots % chain->ranks];
    double wire = chain->slots > 0 ? chain->hop : 0;
    double start = larger(*free_at, chain->first + wire);
    double arrived = chain->slots > 0 ? chain->last + wire + seconds : 0;
    chain->first = start + seconds;
    chain->last = *free_at = larger(start + (double)chain->micro_batches * seconds, arrived);
    chain->slots++;
}

double roundpipe_makespan(int64_t ranks, int64_t micro_batches, const double *seconds, int64_t period, int64_t count,
                          double hop) {
    struct chain chain = {.ranks = ranks, .micro_batches = micro_batches, .hop = hop};
    for (int64_t k = 0; k < count; k++) {
        chain_add(&chain, seconds[k % period]);
    }
    return chain.last;
}

/* Slots are of three sorts: forward, the fused one, backward. */
static double sorts(const struct schedule_shape *shape, double forward, double fused, double backward, double hop) {
    struct chain chain = {.ranks = shape->ranks, .micro_batches = shape->micro_batches, .hop = hop};
    int64_t stages = shape->ranks * shape->chunks;
    for (int64_t k = 0; k < 2 * stages - 1; k++) {
        chain_add(&chain, k < stages - 1 ? forward : k == stages - 1 ? fused : backward);
    }
    return chain.last;
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    return sorts(shape, times->forward, pass_full(times), pass_backward(times), times->hop);
}

/* Every rank meets every kind of stage in turn: the longest decide. */
static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return sorts(shape, load->most_forward, pass_full(&load->heaviest), load->most_backward, load->hop);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)shape;
    (void)rank;
    return 1;
}

static void add_slot(struct pass_list *list, int64_t stages, int64_t slot) {
    int32_t stage = (int32_t)(slot < stages ? slot : 2 * stages - 2 - slot);
    for (int32_t j = 0; j < list->micro_batches; j++) {
        if (slot < stages) {
            list_add(list, PASS_FORWARD, (struct visit){stage, j, 0});
        }
        if (slot >= stages - 1) {
            list_add(list, PASS_FULL, (struct visit){stage, j, 0});
        }
    }
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int64_t stages = shape->ranks * shape->chunks;
    for (int64_t slot = rank; slot < 2 * stages - 1; slot += shape->ranks) {
        add_slot(list, stages, slot);
    }
}

const struct schedule schedule_roundpipe = {
    .name = "roundpipe",
    .doc = "stages go round the devices, weights stay in host memory",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .placement = PLACEMENT_ROUND,
    .ways = 1,
    .chunked = true,
};
