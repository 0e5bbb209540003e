/* Virtual passes by their number. */
#include "schedule/chunk_table.h"

struct visit chunk_table_visit(const struct schedule_shape *shape, int64_t group, int64_t rank, int64_t k,
                               bool forward) {
    int64_t v = shape->chunks;
    int64_t first = k / (group * v) * group; /* micro-batch that the group begins with */
    int64_t size = shape->micro_batches - first < group ? shape->micro_batches - first : group;
    int64_t within = k - first * v;
    int64_t chunk = forward ? within / size : v - 1 - within / size;
    return (struct visit){(int32_t)(chunk * shape->ranks + rank), (int32_t)(first + within % size), 0};
}

const char *chunk_table_refuse(const struct schedule_shape *shape, int64_t group) {
    int64_t rest = shape->micro_batches % group;
    if (group < shape->ranks) {
        return "groups of micro-batches must not be smaller than the ranks of the pipeline";
    }
    return rest != 0 && rest < shape->ranks
               ? "the last group of micro-batches must not be smaller than the ranks of the pipeline"
               : NULL;
}
