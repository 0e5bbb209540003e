/* What people and programs look at: timelines written down. All output is deterministic and carries no date. */
#ifndef PARPLAN_TIMELINE_WRITE_H
#define PARPLAN_TIMELINE_WRITE_H

#include "base/text.h"
#include "timeline/timeline.h"

/* Chrome's trace event format (ui.perfetto.dev, chrome://tracing): a process a group, a thread a lane with fixed
 * numbers, arrows for messages, counters. Times in microseconds with three decimals ... nanoseconds. */
void timeline_trace(const struct timeline *timeline, struct text *out);

/* One picture; at most `width` CSS pixels wide (0 = as wide as reads well). `compute_only`: lanes of stream 0 alone. */
void timeline_svg(const struct timeline *timeline, int width, bool compute_only, struct text *out);

/* A chart of `columns` x one line a group (stream 0), with a scale and a legend; letters of the sorts, micro-batch
 * numbers where there is room, colour by ANSI codes when `color`, ASCII only when `ascii`. */
struct gantt_style { int columns; bool color, ascii; };
void timeline_gantt(const struct timeline *timeline, const struct gantt_style *style, struct text *out);

/* What a report shows beside the timeline. */
struct report_part { const char *name; double seconds; };           /* bars; they add up to the step */
struct report_fact { const char *name, *value; };
struct report_input { const char *name, *text; };                   /* a document shown in full */
struct report {
    const struct timeline *timeline;
    const char *title, *summary;
    const struct report_fact *facts;
    const struct report_part *parts, *critical; /* breakdown of the step; composition of the critical path */
    const struct report_input *inputs;
    int64_t fact_count, part_count, critical_count, input_count;
};
/* One HTML file without network access: a timeline that zooms and pans, memory curves, bars, the inputs; light, dark
 * and print. */
void timeline_html(const struct report *report, struct text *out);

/* gzip of `size` bytes, without name and time; false when memory runs out. */
bool timeline_gzip(const char *data, size_t size, struct text *out);

#endif
