/* The outcome of a scored corpus: for people and for scripts. */
#ifndef PARPLAN_CLI_SCORES_H
#define PARPLAN_CLI_SCORES_H

#include <stdbool.h>
#include <stddef.h>

#include "port/score.h"

struct text;

/* All cases, and the sources in the order of their first row. */
struct scores {
    struct score_case *cases;
    size_t count, priced;
    const char **sources;
    size_t source_count;
};

/* A line a source, then totals, then memory by kind; with `cases` also a line a row. */
void scores_text(const struct scores *scores, bool cases, size_t width, struct text *out);
void scores_json(const struct scores *scores, struct text *out);
/* One record a row of the corpus, refused ones with their reason. */
void scores_csv(const struct scores *scores, struct text *out);

#endif
