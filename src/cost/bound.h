/* Lower bounds, cheap enough to order and reject whole parts of a space. Admissible: never above the price of any
 * configuration they stand for (a property test compares them).
 *
 *   layer     kernels and bytes of a layer, the experts' share apart: neither pp nor dp nor the mesh order change them
 *   exchange  bytes over the ports of the fastest level that a cut's groups reach: nothing else limits them
 *   step      micro-batches x the mean rank; on unequal ranks the heaviest has no less
 *   memory    rank 0: the layers it must hold, as many micro-batches in flight as the leanest schedule keeps
 *   load      once the layers are cut and everything is timed: what no order of passes beats */
#ifndef PARPLAN_COST_BOUND_H
#define PARPLAN_COST_BOUND_H

#include "cost/price.h"

/* Sums are added up in another order than a price's, so that they may differ in the last bits. */
#define BOUND_SLACK (1 - 1e-9)

/* A layer is the sum of two shares: what expert parallelism cuts (the MoE feed-forward), and all else, which a search
 * over ep and etp has to time only once. */
enum bound_share { BOUND_REST, BOUND_EXPERTS };

/* One micro-batch of a layer's share, without exchanges; `parallel` needs tp, cp, cp_kind, ulysses, sp, ep, etp. */
void bound_layer(const struct cost_context *context, const struct parallel *parallel, int64_t micro_batch,
                 const struct layer_kind *kind, enum bound_share share, struct layer_cost *ret);
/* Embedding and head; and one MTP block beside its layer. */
void bound_ends(const struct cost_context *context, const struct parallel *parallel, int64_t micro_batch,
                struct layer_cost *ret_embedding, struct layer_cost *ret_head, struct layer_cost *ret_mtp);

/* Add `times` the seconds, the bytes of `part`; of buffers that live one at a time the largest. */
void bound_add_passes(struct layer_cost *sum, const struct layer_cost *part, double times);
void bound_add_bytes(struct layer_cost *sum, const struct layer_cost *part, double times);

/* Visible seconds of the exchanges of all layers, forward, backward and recomputed, for a micro-batch of one sequence;
 * they grow at least in proportion. The cuts are one in different mesh orders. */
struct bound_exchange {
    double experts[RECOMPUTE_KINDS]; /* expert parallelism's own, which overlapped passes may hide */
    double others[RECOMPUTE_KINDS];
};
void bound_exchanges(const struct cost_context *context, const struct cut cuts[], int64_t count,
                     struct bound_exchange ret[]);

/* Seconds of a step in which each micro-batch takes `pass` seconds on all ranks of the pipeline together. */
double bound_step(const struct cost_context *context, int64_t pp, int64_t micro_batches, double pass);
/* Those seconds of a micro-batch, from the kernels of the whole model's two shares, one pass after another: of the
 * device, to which exchanges add, and of device or host, whichever takes longer, which cover them. */
struct bound_pass {
    double device, launched;
};
struct bound_pass bound_pass(const struct cost_context *context, const struct layer_cost *rest,
                             const struct layer_cost *experts, int recompute);

/* Bytes on rank 0 with `states` bytes of model states; `work` needs no exchanges. */
double bound_memory(const struct cost_context *context, const struct cut *cut, const struct stage_map *map,
                    const struct work_cost *work, const struct schedule *schedule, int64_t micro_batches, int recompute,
                    double states);

/* Seconds of a step with this load under any schedule that overlaps passes, or any that does not. */
double bound_load(const struct cost_context *context, const struct stage_map *map, const struct stage_load *load,
                  int64_t micro_batches, bool overlaps);
/* Seconds of a step that the heaviest rank spends in kernels. */
double bound_compute(const struct stage_map *map, const struct stage_load *load, int64_t micro_batches);

#endif
