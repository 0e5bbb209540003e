/* The table that interleaved schedules go by (Narayanan et al., SC 2021, arXiv 2104.04473): virtual pass k of a rank
 * takes a micro-batch and a chunk; groups of `group` micro-batches pass chunk after chunk, the last may be smaller.
 *
 *   p = 2, v = 2, m = 5, groups of 3     micro-batch 0 1 2 0 1 2 3 4 3 4
 *                                        chunk       0 0 0 1 1 1 0 0 1 1
 *
 * Forwards follow the table, backwards the same with the chunks the other way. */
#ifndef PARPLAN_SCHEDULE_CHUNK_TABLE_H
#define PARPLAN_SCHEDULE_CHUNK_TABLE_H

#include "schedule/order.h"

/* What the k-th forward or backward of `rank` is; `group` > 0. */
struct visit chunk_table_visit(const struct schedule_shape *shape, int64_t group, int64_t rank, int64_t k,
                               bool forward);

/* Why groups of this size cannot be, or NULL: a last group of fewer micro-batches than ranks would come round to a rank
 * before it has left the others, and ranks that go strictly by the table then idle or wait for one another for ever. */
const char *chunk_table_refuse(const struct schedule_shape *shape, int64_t group);

#endif
