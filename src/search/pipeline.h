/* What is left to choose once pp and the number of micro-batches are known: schedule, vpp and stages (a variant), with
 * the layers that each cuts, and the ZeRO stage. Made once, read by all workers.
 *
 *   pipeline   of a pp: its variants and their stage maps; several schedules may share a map
 *   legality   of a pipeline, a number of micro-batches, and whether anything is data-parallel: what no rule refuses */
#ifndef PARPLAN_SEARCH_PIPELINE_H
#define PARPLAN_SEARCH_PIPELINE_H

#include "cost/stage.h"
#include "search/cuts.h"

enum { ZERO_STAGES = 4 };

struct pipeline {
    int64_t pp;
    struct variant *variants;
    int64_t variant_count;
    int *variant_map; /* index of a variant's map, -1 where the layers cannot be cut so */
    struct stage_map *maps;
    int *members; /* variants, those of map 0 first: members[first_member[map]] up to first_member[map + 1] */
    int *first_member;
    int map_count;
    int *first_rank; /* of a map: the lowest map whose rank 0 holds the same layers */
    int first_rank_count;
    double least_layers; /* on any rank of any map, of one copy of the model */
    unsigned zeros[2];   /* bits of ZeRO stages that some legal variant has: without, with data parallelism */
};

/* The schedule that keeps fewest micro-batches in flight on rank 0, among those whose rank 0 holds the same layers. */
struct lightest {
    int map, schedule;
    double in_flight; /* micro-batches */
};

struct legality {
    const struct pipeline *pipeline;
    unsigned char *zeros;   /* of each variant: bits of its legal ZeRO stages, by place in the axis */
    int64_t pairs;          /* legal pairs of variant and ZeRO stage */
    bool overlapped, plain; /* whether a legal variant does, does not overlap passes (search_overlaps) */
    struct lightest *lightest;
    int lightest_count;
    int32_t refused[RULES_MAX]; /* pairs of variant and ZeRO stage, by the first rule that refuses them */
};

struct pipelines {
    const struct space_axes *axes;
    struct pipeline *items;      /* as axes->pp */
    struct values micro_batches; /* the numbers there may be: divisors of the global batch */
    struct legality *legal;      /* [pp][number][data-parallel or not] */
};

void pipelines_make(struct arena *arena, const struct space_axes *axes, struct pipelines *ret);

const struct pipeline *pipelines_find(const struct pipelines *pipelines, int64_t pp);
/* `micro_batches` must divide the global batch. */
const struct legality *pipelines_legality(const struct pipelines *pipelines, const struct parallel *shape,
                                          int64_t micro_batches);

/* Whether the schedule's price may fall below the work of its heaviest rank: overlapped passes take less than their
 * parts. */
bool search_overlaps(int schedule);

#endif
