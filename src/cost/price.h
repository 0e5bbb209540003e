/* The price of one configuration: seconds of a step and peak bytes, from parts that are computed once and shared by
 * many configurations:
 *
 *   cut        tp cp ep etp sp order (+ pp, dp where they move strides)      cost/layer.h
 *   work       cut x micro-batch                                           every layer kind once
 *   stage map  pp x chunks x placement x stages                            cost/stage.h
 *   state      cut x stage map x ZeRO                                      cost/state.h
 *   load       work x stage map x recompute x ZeRO-3                       pass times of every rank class
 *   price      load x state x schedule                                     in constant time
 */
#ifndef PARPLAN_COST_PRICE_H
#define PARPLAN_COST_PRICE_H

#include "cost/layer.h"
#include "cost/stage.h"
#include "cost/state.h"
#include "schedule/schedule.h"

struct work_cost {
    struct layer_cost kinds[MODEL_KINDS];
    struct layer_cost embedding, head, mtp;
    double message;     /* bytes that a rank sends to the next pipeline stage */
    double hop_seconds; /* until they are there and whole */
    double vocabulary_seconds; /* exchanges of a vocabulary spread over stages, each of forward and backward */
};
void cost_work(const struct cost_context *context, const struct cut *cut, int64_t micro_batch, struct work_cost *ret);

/* One micro-batch on one rank class, all its chunks together; seconds. */
struct class_load {
    double forward, backward, weight; /* with everything visible; recomputation is in backward */
    double compute;                   /* of the three: kernels */
    struct exposed exposed;
    double dp_exposed;                /* ZeRO-2's and 3's gathers and reductions */
    double pp_exposed;                /* of a vocabulary spread over stages */
    double saved, extra, logits;      /* bytes a micro-batch: kept; alive only in one layer's backward; of the loss */
    double message;                   /* bytes between stages */
    double recompute_flops, flops;    /* of one micro-batch */
};

/* Its bytes alone. */
void cost_class_bytes(const struct cost_context *context, const struct stage_class *class,
                      const struct work_cost *work, int recompute, struct class_load *ret);
void cost_class(const struct cost_context *context, const struct stage_class *class, const struct work_cost *work,
                const struct state_cost *state, int recompute, int64_t zero, struct class_load *ret);

struct stage_load {
    struct class_load classes[STAGE_CLASSES];
    struct pass_times ranks[STAGE_RANKS];
    struct pipeline_load pipeline, pipeline_without_hop;
    int64_t heaviest; /* class of the heaviest rank */
    double hop;       /* seconds of one message between stages */
};
void cost_load(const struct cost_context *context, const struct stage_map *map, const struct work_cost *work,
               const struct state_cost states[], int recompute, int64_t zero, struct stage_load *ret);

/* The full price. Step time is the sum of `time`, peak the sum of `memory`. */
struct price {
    double step, peak;
    struct time_parts time;
    struct memory_parts memory;
    double nccl_bytes;      /* of memory.communication: what the collective library holds outside the allocator */
    int64_t peak_class, peak_rank; /* of the pipeline */
    double busiest_flops;   /* executed by the heaviest rank */
};
void cost_price(const struct cost_context *context, const struct cut *cut, const struct stage_map *map,
                const struct state_cost states[], const struct stage_load *load, const struct schedule *schedule,
                int64_t micro_batches, struct price *ret);

/* Bytes that the collective library's communicators take of a rank, outside the framework's allocator. */
double cost_library_bytes(const struct cost_context *context, const struct cut *cut);

/* Synchronised steps of many nodes wait for the slowest: relative time added. */
double cost_jitter(const struct cost_context *context);

/* The rank of the class with most chunk activations in flight, the lowest of equals. */
int64_t cost_fullest_rank(const struct stage_map *map, int64_t class, const struct schedule *schedule,
                          int64_t micro_batches);

/* Peak bytes of `class` alone, as cost_price counts them. */
double cost_peak(const struct cost_context *context, const struct cut *cut, const struct stage_map *map,
                 const struct state_cost *state, const struct class_load *load, const struct schedule *schedule,
                 int64_t micro_batches, int64_t class, struct memory_parts *ret_parts, double *ret_nccl);

#endif
