/* A simulated step as a file to look at: a trace, a report, a picture; chosen by the file's ending. */
#ifndef PARPLAN_CLI_PICTURES_H
#define PARPLAN_CLI_PICTURES_H

#include "cli/simulated.h"
#include "timeline/timeline.h"

/* Whether `path` ends in .json, .json.gz, .html, .svg or .txt; an error at -o otherwise. */
enum status pictures_check(struct context *context, const char *path) MUST_CHECK;

/* Reads "0-7,12" into a list of int64_t, ascending, each once: ranks below `devices`. */
enum status pictures_ranks(struct context *context, const struct word *word, int64_t devices,
                           struct list *ret) MUST_CHECK;

/* Writes the timeline to `path`. */
enum status pictures_save(struct context *context, const struct simulating *simulating,
                          const struct simulation *simulation, const struct timeline *timeline,
                          const char *path) MUST_CHECK;

/* A chart as wide as the terminal. */
void pictures_chart(const struct context *context, const struct timeline *timeline, struct text *out);

#endif
