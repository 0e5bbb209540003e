/* The views of `parplan show`, one a document kind. */
#ifndef PARPLAN_CLI_SHOW_H
#define PARPLAN_CLI_SHOW_H

#include "cli/load.h"

struct show_options {
    int64_t seq_len;
    struct scale scale;
};

/* Each loads the document that `word` names and writes it to the command's result. */
enum status show_model(struct context *context, const struct word *word) MUST_CHECK;
enum status show_topology(struct context *context, const struct word *word) MUST_CHECK;
enum status show_plan(struct context *context, const struct word *word) MUST_CHECK;

#endif
