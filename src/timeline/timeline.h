/* The timeline: what happened when, of a simulation or a run. Integer picoseconds from the step's begin. Ranks are
 * groups of lanes; slices of one lane never overlap. Writers turn it into a Chrome trace, an HTML report, an SVG
 * picture or a terminal's Gantt chart. */
#ifndef PARPLAN_TIMELINE_TIMELINE_H
#define PARPLAN_TIMELINE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#define PICOSECONDS 1e12 /* of a second */

/* A rank, or the representative of several that behave alike. */
struct timeline_group {
    int64_t rank, ranks; /* the lowest rank; how many it stands for */
    const char *name;    /* "rank 12, stage 3" */
};

struct timeline_lane {
    int32_t group;
    int32_t stream;   /* stable number: the trace's tid; 0 = compute */
    const char *name; /* "compute", "tensor" ... */
};

/* What colours mean; slices of one sort look alike everywhere. */
enum sort {
    SORT_FORWARD, SORT_BACKWARD, SORT_WEIGHT, SORT_FULL, SORT_PAIR, SORT_RECOMPUTE, SORT_HEAD, SORT_COLLECTIVE,
    SORT_MESSAGE, SORT_OPTIMIZER, SORT_COPY, SORT_OTHER, SORT_COUNT
};
struct sort_look {
    const char *name, *letter;        /* "forward", "F" */
    const char *light, *dark;         /* #rrggbb fills on light and dark ground, told apart without colour vision too */
};
extern const struct sort_look sort_looks[SORT_COUNT];

struct slice {
    int64_t start, end;
    int32_t lane, name;  /* name: timeline->names, few and stable: "F", "B", "all-gather input" */
    int32_t micro_batch, stage, layer; /* -1: none */
    int32_t sort;        /* enum sort */
    double bytes;        /* communicated; 0 */
    bool critical;       /* on the critical path */
};

/* A message: from inside one slice to inside another. */
struct arrow { int32_t from, to; };

/* A quantity over time, of one group: from points[i].time on it is points[i].value. */
struct counter_point { int64_t time; double value; };
struct counter {
    int32_t group;
    const char *name, *unit; /* "memory", "B" */
    const struct counter_point *points;
    int64_t count;
};

struct timeline {
    const char *title;
    const struct timeline_group *groups;
    const struct timeline_lane *lanes; /* by group, then stream */
    const struct slice *slices;        /* by lane, then start */
    const struct arrow *arrows;
    const struct counter *counters;
    const char *const *names;
    int64_t group_count, lane_count, slice_count, arrow_count, counter_count, name_count;
    int64_t end; /* of the step */
};

#endif
