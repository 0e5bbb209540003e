/* The views of `parplan show`, one a document kind. */
#ifndef PARPLAN_CLI_SHOW_H
#define PARPLAN_CLI_SHOW_H

#include "cli/load.h"

struct show_options {
    int64_t seq_len;
    struct scale scale;
    int64_t pp, micro_batches, chunks, group, cap, skip; /* of a schedule; 0 = as it demands */
    struct list pass_times, shard_times;                 /* double */
    double p2p;
    int detail;                                          /* of a program */
    int64_t role;                                        /* -1: all */
};

/* Each loads the document that `word` names and writes it to the command's result. */
enum status show_model(struct context *context, const struct word *word) MUST_CHECK;
enum status show_topology(struct context *context, const struct word *word) MUST_CHECK;
enum status show_plan(struct context *context, const struct word *word) MUST_CHECK;
enum status show_schedule(struct context *context, const struct word *word) MUST_CHECK;
enum status show_schedules(struct context *context) MUST_CHECK; /* the table */
enum status show_program(struct context *context, const struct word *word) MUST_CHECK;

#endif
