/* What the writers of a timeline share: where a lane's slices lie, what a group is called, texts within markup. */
#ifndef PARPLAN_TIMELINE_VIEW_H
#define PARPLAN_TIMELINE_VIEW_H

#include "timeline/timeline.h"

struct arena;
struct text;

struct view {
    const struct timeline *timeline;
    const int64_t *first; /* slices of lane l: first[l] .. first[l + 1] - 1 */
    int64_t end;          /* of the step and of every slice; at least 1 */
};

struct view view_make(struct arena *arena, const struct timeline *timeline);
/* Picoseconds that the lane is not idle. */
int64_t view_busy(const struct view *view, int64_t lane);
/* The lane of stream 0 of a group, -1 if it has none. */
int64_t view_compute_lane(const struct view *view, int64_t group);
/* The group's name, and how many ranks it stands for where there are several: "rank 8, stage 1 ×16". */
const char *view_label(struct arena *arena, const struct timeline_group *group, bool ascii);
/* "F3": the letter of its sort and the micro-batch, if it has one. */
const char *view_slice_label(const struct slice *slice, char buffer[16]);

/* Whether black is easier to read on the colour "#rrggbb" than white. */
bool view_is_light(const char *color);

/* A text as content or attribute of XML and HTML; what neither can hold becomes U+FFFD. */
void text_add_markup(struct text *out, const char *piece);

#endif
